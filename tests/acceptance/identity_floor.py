#!/usr/bin/env python3
"""Holds the shipped model against its floor: what its card states of persons not trained on, and what `ecgid evaluate
identity --json` and `ecgid evaluate stream --json` find on those of ECG-ID that it has never seen. Shares, 0 to 1.

usage: identity_floor.py CARD.toml IDENTITY.json STREAM.json"""
import json
import sys
import tomllib

# Protocol and collection of the card, whose persons, then the most that EER and FNMR at FMR 1 % may be.
CARD = {
    ("first session, second session", "heartprint", "not trained on"): (0.047, 0.14),
    ("first two sessions, Session-3R", "heartprint", "not trained on"): (0.055, 0.16),
    ("second session on a coarse board", "heartprint", "not trained on"): (0.060, 0.24),
    ("first record, other records", "ecg-id", "held out"): (0.025, 0.07),
}
AT_MOST = {
    "identity": {"eer": 0.025, "fnmr_at_fmr_1pct": 0.15},
    # Of six persons: nobody may be taken for another, and one stranger at most be let in.
    "stream": {"seconds_to_verified_median": 5.0, "stranger_accepted": 0.17, "wrong_person": 0.0},
}
AT_LEAST = {"identity": {"rank1": 0.9}, "stream": {"verified": 0.9, "verified_held": 0.9, "lead_off_swap_ended": 1.0}}

card = tomllib.load(open(sys.argv[1], "rb"))
found = {"identity": json.load(open(sys.argv[2])), "stream": json.load(open(sys.argv[3]))["decision"]}
broken = []


def held(what, value, bound, ok):
    print(f"{what}: {value:.3f} ({bound})")
    if not ok:
        broken.append(what)


for (protocol, collection, whose), bounds in CARD.items():
    rows = [m for m in card["measured"] if (m["protocol"], m["collection"]) == (protocol, collection)]
    rows = [m for m in rows if m["persons"].startswith(whose)]
    if len(rows) != 1:
        broken.append(f"{len(rows)} rows of the card for {protocol}, {collection}, {whose}")
        continue
    for name, most in zip(("eer", "fnmr_at_fmr_1pct"), bounds):
        held(f"card, {collection}, {protocol}, {whose}: {name}", rows[0][name], f"at most {most}", rows[0][name] <= most)
for kind, figures in found.items():
    for name, most in AT_MOST[kind].items():
        held(f"{kind}: {name}", figures[name]["value"], f"at most {most}", figures[name]["value"] <= most)
    for name, least in AT_LEAST[kind].items():
        held(f"{kind}: {name}", figures[name]["value"], f"at least {least}", figures[name]["value"] >= least)
sys.exit(f"beyond the floor: {'; '.join(broken)}" if broken else 0)
