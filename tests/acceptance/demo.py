#!/usr/bin/env python3
"""Holds the output of `ecgid demo --for 45s --json` against what it promises. usage: demo.py FILE.jsonl"""
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
first = next((line["elapsed_s"] for line in lines if line.get("state") == "verified"), None)
if first is None:
    sys.exit(f"nobody was verified in {len(lines)} lines")
print(f"first verified after {first:.1f} s (at most 20)")
if first > 20:
    sys.exit("too late")
if not any(line.get("rmssd_ms") for line in lines):
    sys.exit("no summary of heart-rate variability had RMSSD")
