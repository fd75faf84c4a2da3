"""Fits the weights of `crates/ecg-signal/src/quality/score.rs` anew, and says how good they are out of fold.

    cargo run --release -p ecg-signal --example quality_beats -- DATA > beats.csv
    python3 scripts/fit_quality.py beats.csv

DATA holds the recordings (`mitdb`, `nstdb`, `ecg-id`, `heartprint`). Needs numpy. A logistic function by Newton's method;
each kind of signal has its fixed weight, whatever its number of beats. Five folds by record, person and stretch of noise:
no heart and no noise is on both sides, but for the recorded electrode motion that is added to records ("noisy").
"""
import csv
import sys
import zlib

import numpy as np

FOLDS = 5
# Weight of each kind: persons at rest, whom identity sees, as much as arrhythmia; those of noise without a heart together weigh about as much as the beats in noise.
WEIGHTS = {
    "mitdb": 6.0, "noisy": 2.0, "118e": 0.3, "ecg-id": 5.0, "heartprint": 3.0,
    "recorded-motion": 1.0, "recorded-motion-after": 1.0,
}
OTHER_NOISE = 0.25
# Beats that are refused for what is known of their samples need no score.
JUDGED = ("accepted", "noise", "shape")
FIRST_FEATURE = 7
EDGES = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001)


class Beats:
    def __init__(self, path):
        header, *rows = csv.reader(open(path))
        rows = [row for row in rows if row[5] in JUDGED]
        self.names = header[FIRST_FEATURE:]
        self.kind = np.array([row[0].removesuffix("-unclear") for row in rows])
        # 118, 118e12 and 118e24 are one heart.
        groups = [row[1].removesuffix("e12").removesuffix("e24") for row in rows]
        self.fold = np.array([zlib.crc32(group.encode()) % FOLDS for group in groups])
        self.right = np.array([row[2] == "1" for row in rows])
        self.symbol = np.array([row[3] for row in rows])
        self.features = np.array([[float(value) for value in row[FIRST_FEATURE:]] for row in rows])
        self.weight = np.zeros(len(rows))
        for kind in set(self.kind):
            of_kind = self.kind == kind
            self.weight[of_kind] = WEIGHTS.get(kind, OTHER_NOISE) / of_kind.sum()
        self.weight /= self.weight.mean()


def probability(weights, features):
    return 1.0 / (1.0 + np.exp(-(weights[0] + features @ weights[1:])))


def fit(features, right, weight):
    """Constant and weights that make the observed outcomes most probable."""
    columns = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(columns.shape[1])
    for _ in range(50):
        p = probability(weights, features)
        gradient = columns.T @ (weight * (right - p))
        curvature = (columns * (weight * p * (1 - p))[:, None]).T @ columns
        step = np.linalg.solve(curvature + 1e-6 * len(features) * np.eye(len(weights)), gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def report(title, beats, p):
    print(f"\n{title}: share at or above the floor")
    noise = sorted(k for k in set(beats.kind) if not beats.right[beats.kind == k].any())
    motion = np.isin(beats.kind, ["recorded-motion", "recorded-motion-after"])
    sets = {
        "mitdb N": (beats.kind == "mitdb") & (beats.symbol == "N"),
        "mitdb V": (beats.kind == "mitdb") & (beats.symbol == "V"),
        "mitdb all": (beats.kind == "mitdb") & beats.right,
        "noisy right": (beats.kind == "noisy") & beats.right,
        "noisy wrong": (beats.kind == "noisy") & ~beats.right,
        "ecg-id right": (beats.kind == "ecg-id") & beats.right,
        "heartprint right": (beats.kind == "heartprint") & beats.right,
        "recorded motion, both": motion,
    } | {kind: beats.kind == kind for kind in noise}
    floors = (0.3, 0.35, 0.4, 0.42, 0.45, 0.5)
    print(f"{'floor':24}" + "".join(f"{floor:9.2f}" for floor in floors))
    for name, those in sets.items():
        if those.any():
            print(f"{name:24}" + "".join(f"{100 * (p[those] >= floor).mean():8.2f}%" for floor in floors))
    print("score  " + " ".join(f"{v:.2f}" for v in calibration(beats, p, p)))
    print("right  " + " ".join(f"{v:.2f}" for v in calibration(beats, p, beats.right)))
    likelihood = np.where(beats.right, p, 1 - p)
    print(f"loss {-np.average(np.log(likelihood + 1e-12), weights=beats.weight):.4f}")


def calibration(beats, p, of):
    bins = [(p >= low) & (p < high) for low, high in zip(EDGES, EDGES[1:])]
    return [np.average(of[those], weights=beats.weight[those]) for those in bins if those.any()]


def main():
    beats = Beats(sys.argv[1])
    out_of_fold = np.zeros(len(beats.right))
    for number in range(FOLDS):
        inside = beats.fold != number
        weights = fit(beats.features[inside], beats.right[inside], beats.weight[inside])
        out_of_fold[~inside] = probability(weights, beats.features[~inside])
    report(f"out of fold, {len(beats.right)} beats", beats, out_of_fold)
    weights = np.round(fit(beats.features, beats.right, beats.weight), 2)
    report("the fit, rounded", beats, probability(weights, beats.features))
    print("\nCONSTANT", weights[0])
    print("WEIGHTS", dict(zip(beats.names, weights[1:].tolist())))


if __name__ == "__main__":
    main()
