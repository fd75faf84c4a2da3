"""Beats against annotations, written apart from `src/cli/evaluate`: the two must give the same figures.

A reference beat and a found one are a pair when they lie within the limit and neither has a nearer partner left.
Python's standard library only.
"""
import struct
from bisect import bisect_left, bisect_right

# WFDB codes of beats: NLRaVFJASEj/Q, B ? e n f r. Rhythm, noise and flutter marks are no beats.
BEAT_CODES = set(range(1, 14)) | {25, 30, 34, 35, 38, 41}
SKIP, AUX, SIDE_NOTES = 59, 63, (60, 61, 62)
LIMITS_MS = (150, 50)
# Times that are equal on paper stay within the limit in floating point.
SLACK_S = 1e-6


def sampling_frequency(record):
    """Of a WFDB record, in hertz; `record` is its path without extension."""
    for line in open(f"{record}.hea", encoding="latin-1"):
        if line.strip() and not line.startswith("#"):
            return float(line.split()[2].split("/")[0])
    raise ValueError(f"{record}.hea is empty")


def annotated_beats(record, annotator="atr"):
    """Times of the annotated beats, seconds, ascending."""
    fs = sampling_frequency(record)
    data = open(f"{record}.{annotator}", "rb").read()
    at, now, beats = 0, 0, []
    while at + 2 <= len(data):
        (word,) = struct.unpack_from("<H", data, at)
        at += 2
        code, step = word >> 10, word & 0x3FF
        if word == 0:
            break
        if code == SKIP:
            high, low = struct.unpack_from("<hH", data, at)
            now, at = now + high * 65536 + low, at + 4
        elif code == AUX:
            at += step + step % 2
        elif code not in SIDE_NOTES:
            now += step
            if code in BEAT_CODES:
                beats.append(now / fs)
    return sorted(beats)


def pairs(reference, found, limit_s):
    """One-to-one pairs of indices, nearest first; both lists ascend, seconds."""
    reach = limit_s + SLACK_S
    near = []
    for i, t in enumerate(reference):
        for j in range(bisect_left(found, t - reach), bisect_right(found, t + reach)):
            near.append((abs(found[j] - t), i, j))
    free_reference, free_found, chosen = set(range(len(reference))), set(range(len(found))), []
    for _, i, j in sorted(near):
        if i in free_reference and j in free_found:
            free_reference.discard(i)
            free_found.discard(j)
            chosen.append((i, j))
    return chosen


class Tally:
    """Counts over records."""

    def __init__(self):
        self.counts = {limit: [0, 0, 0] for limit in LIMITS_MS}
        self.errors_ms = []

    def add(self, reference, found):
        for limit, counts in self.counts.items():
            matched = pairs(reference, found, limit / 1000)
            for k, n in enumerate((len(matched), len(found) - len(matched), len(reference) - len(matched))):
                counts[k] += n
            if limit == LIMITS_MS[0]:
                self.errors_ms += [1000 * abs(found[j] - reference[i]) for i, j in matched]

    def figures(self):
        """Counts at 150 ms, F1 in per cent at both limits, mean absolute error of R in ms."""
        tp, fp, fn = self.counts[LIMITS_MS[0]]
        out = {"tp": tp, "fp": fp, "fn": fn}
        for limit, (hit, false, missed) in self.counts.items():
            whole = 2 * hit + false + missed
            out[f"f1_{limit}ms"] = 200 * hit / whole if whole else None
        out["mae_ms"] = sum(self.errors_ms) / len(self.errors_ms) if self.errors_ms else None
        return out
