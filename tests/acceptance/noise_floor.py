#!/usr/bin/env python3
"""Holds `ecgid evaluate noise --json` against its floor: beats in noise may not get worse.

  noise_floor.py FILE.json     a report over seeds 1,2,3 and the default records and levels

Where the report was made with --peers it also says at how many levels a peer is better; that does not fail.
"""
import json
import sys

LEVELS = (24, 18, 12, 6, 0, -6)
# F1 in per cent at 150 and at 50 ms for each of the levels: what was measured, less two beats in ten thousand where
# few are lost and one per cent of what is lost where many are.
FLOOR = {
    "bw": ((99.88, 99.88, 99.88, 99.88, 99.88, 99.88), (99.88, 99.88, 99.88, 99.88, 99.88, 99.88)),
    "emg": ((99.88, 99.88, 99.88, 99.88, 99.66, 94.7), (99.88, 99.88, 99.88, 99.86, 99.42, 89.4)),
    "motion": ((99.88, 99.87, 99.85, 99.40, 98.25, 89.2), (99.88, 99.87, 99.85, 99.36, 97.9, 85.9)),
}
RECORDED = {"118e24": (99.97, 99.83), "118e12": (99.55, 99.42)}
# Per cent of the false beats that the quality gate may accept, over all levels together.
FALSE_ACCEPTED = 6.0

report = json.load(open(sys.argv[1]))
below, seen = [], set()


def hold(name, figures, floors):
    seen.add(name)
    for figure, floor in zip(("f1_150ms", "f1_50ms"), floors):
        if figures[figure] is None or figures[figure] < floor:
            below.append(f"{name}: {figure} {figures[figure]} (floor {floor})")


for level in report["added"]:
    noise, snr = level["noise"], level["snr_db"]
    if noise in FLOOR and snr in LEVELS:
        hold(f"{noise} {snr:g} dB", level, [at[LEVELS.index(snr)] for at in FLOOR[noise]])
for record in report["recorded"]:
    if record["noise"] in RECORDED:
        hold(record["noise"], record, RECORDED[record["noise"]])
wanted = {f"{noise} {snr} dB" for noise in FLOOR for snr in LEVELS} | set(RECORDED)
below += [f"{name}: not in the report" for name in sorted(wanted - seen)]

gates = [level["gate"] for level in report["added"]]
false, accepted = (sum(gate[count] for gate in gates) for count in ("false_beats", "false_accepted"))
share = 100 * accepted / max(false, 1)
if share > FALSE_ACCEPTED:
    below.append(f"the gate accepts {share:.1f} % of the false beats (at most {FALSE_ACCEPTED})")
behind = [f"{row['noise']} {row.get('snr_db', '')}" for row in report["added"] + report["recorded"]
          if any(row.get(standing, {}).get("rank", 1) > 1 for standing in ("standing_150ms", "standing_50ms"))]
print(f"{len(seen)} levels held; the gate accepts {share:.1f} % of {false} false beats"
      + (f"; a peer is better at {len(behind)}: {', '.join(behind)}" if report.get("peers") else ""))
sys.exit("below the floor: " + "; ".join(below) if below else 0)
