#!/usr/bin/env python3
"""Holds `ecgid evaluate qrs --json` against its floor: quality may not fall. usage: qrs_floor.py FILE.json"""
import json
import sys

FLOOR = {"f1_150ms": 99.87, "f1_50ms": 99.71}

total = json.load(open(sys.argv[1]))["total"]
low = {name: total[name] for name, floor in FLOOR.items() if total[name] < floor}
print(", ".join(f"{name} {total[name]:.2f} (floor {floor})" for name, floor in FLOOR.items()))
sys.exit(f"below the floor: {low}" if low else 0)
