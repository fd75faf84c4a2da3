#!/usr/bin/env python3
"""Times every HRV figure beside public Python libraries: the same intervals, the same machine, in turns.

    python3 scripts/bench_hrv.py [--rounds 3] [--intervals 350,100000]

Makes a virtual environment of its own, in it the peers, and builds our example in release mode. Everything runs on one
thread; the figures are medians of wall milliseconds. A peer that compares every pair is left out for a day of intervals
where it needs more memory than there is; the table says so.
"""

import argparse
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
# nolds is what hrv-analysis needs; later ones cannot be imported by Python 3.11.
PEERS = ["numpy==2.4.6", "scipy==1.17.1", "neurokit2==0.2.13", "antropy==0.2.3", "hrv-analysis==1.0.5", "nolds==0.5.2"]
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
# A matrix of so many pairs of floats is more than a gateway or a laptop holds.
MOST_PAIRED = 20_000

MEASURE = r"""
import json, sys, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
np.trapz = getattr(np, "trapz", np.trapezoid)
import antropy, hrvanalysis, neurokit2 as nk
rr = np.loadtxt(sys.argv[1])
paired = len(rr) <= int(sys.argv[2])
peaks = np.concatenate([[0], np.cumsum(np.round(rr))]).astype(int)
r = 0.2 * rr.std(ddof=1)
work = {
    "neurokit2.hrv_time": lambda: nk.hrv_time(peaks, sampling_rate=1000),
    "neurokit2.hrv_frequency": lambda: nk.hrv_frequency(peaks, sampling_rate=1000, normalize=False, interpolation_rate=4),
    "neurokit2.hrv_nonlinear": (lambda: nk.hrv_nonlinear(peaks, sampling_rate=1000)) if paired else None,
    "neurokit2.signal_fixpeaks": lambda: nk.signal_fixpeaks(peaks, sampling_rate=1000, iterative=True, method="Kubios"),
    "antropy.sample_entropy": lambda: antropy.sample_entropy(rr, order=2, tolerance=r),
    "antropy.app_entropy": (lambda: antropy.app_entropy(rr, order=2, tolerance=r)) if paired else None,
    "hrv-analysis time + frequency": lambda: (
        hrvanalysis.get_time_domain_features(rr), hrvanalysis.get_frequency_domain_features(rr)),
}
times = {}
for name, run in work.items():
    if run is None:
        times[name] = None
        continue
    try:
        run() if len(rr) < 10_000 or "antropy" in name else None  # compiled or cached once
        start = time.perf_counter()
        run()
        times[name] = 1000 * (time.perf_counter() - start)
    except Exception as error:
        times[name] = f"{type(error).__name__}: {error}"[:60]
print(json.dumps(times))
"""


def intervals(count):
    """A heart that breathes, wanders over minutes and hours, and jitters; as in benches/hrv.rs."""
    state, row = 1, []
    for n in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        jitter = (state >> 40) / 2**24 - 0.5
        slow = 110 * math.sin(n / 100_000 * math.tau) + 30 * math.sin(n / 700)
        row.append(850 + slow + 30 * math.sin(n * 1.4) + 25 * math.sin(n * 0.5) + 40 * jitter)
    return row


def environment(folder):
    venv.create(folder, with_pip=True)
    python = pathlib.Path(folder) / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS], check=True)
    return str(python)


def ours(example, path, repeats):
    lines = subprocess.run([example, path, str(repeats)], check=True, capture_output=True, text=True).stdout.split("\n")
    return {f"ecgid {name}": float(value) for name, value in (line.split() for line in lines if line)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--intervals", default="350,100000")
    parser.add_argument("--python", help="a Python that has the peers already")
    args = parser.parse_args()
    # As an exception it ends what runs for us and removes the folder, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as scratch:
        python = args.python or environment(os.path.join(scratch, "venv"))
        build = ["cargo", "build", "--release", "--quiet", "-p", "ecg-signal", "--example", "hrv_time"]
        subprocess.run(build, cwd=ROOT, check=True)
        example = str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/hrv_time")
        for count in (int(word) for word in args.intervals.split(",")):
            path = os.path.join(scratch, f"{count}.txt")
            pathlib.Path(path).write_text("\n".join(map(repr, intervals(count))))
            rounds = []
            for _ in range(args.rounds):
                both = ours(example, path, 5 if count > 10_000 else 101)
                measure = [python, "-c", MEASURE, path, str(MOST_PAIRED)]
                done = subprocess.run(measure, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
                if done.returncode:
                    sys.exit(done.stderr)
                rounds.append({**both, **json.loads(done.stdout.strip().split("\n")[-1])})
            print(f"{count} intervals, median of {args.rounds} rounds, ms")
            for name in rounds[0]:
                values = [one[name] for one in rounds]
                numbers = [value for value in values if isinstance(value, float)]
                shown = f"{statistics.median(numbers):12.3f}" if numbers else f"{values[0] or 'not run: every pair compared':>12}"
                print(f"  {name:32} {shown}")


if __name__ == "__main__":
    main()
