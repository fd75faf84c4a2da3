#!/usr/bin/env python3
"""Judges a story of honest and dishonest messages (tests/golden/claims.jsonl) by the door of verify_claim.py and compares
with what the story expects. Exit code 1: something is judged otherwise."""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import verify_claim  # noqa: E402


def judge(door, step):
    if step["what"] == "ask":
        door.ask(step["text"], step["at_ms"])
        return "-"
    try:
        subject, left_ms = getattr(door, step["what"])(step["text"], step["at_ms"])
    except verify_claim.Refused as refused:
        return str(refused)
    return f"{subject or 'nobody'} for {left_ms}"


def main():
    default = Path(__file__).parents[2] / "tests/golden/claims.jsonl"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    heading, *steps = map(json.loads, path.read_text().splitlines())
    limits = (verify_claim.ANSWER_WITHIN_MS, verify_claim.MAX_AGE_MS, verify_claim.TIED_FOR_MS)
    assert limits == (heading["answer_within_ms"], heading["max_age_ms"], heading["tied_for_ms"]), limits
    door = verify_claim.Door(base64.b64decode(heading["public_key"]), heading["gateway"], heading["device"])
    wrong = 0
    for step in steps:
        judged = judge(door, step)
        if judged != step["expect"]:
            wrong += 1
            print(f"{step['note']} at {step['at_ms']} ms: {judged}, expected {step['expect']}")
    print(f"{len(steps)} steps, {wrong} judged otherwise")
    return 1 if wrong or len(steps) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
