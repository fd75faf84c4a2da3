#!/usr/bin/env python3
"""Times the shipped model for one beat on one thread: tract, as the daemon runs it, and onnxruntime, in turns.

  python3 scripts/bench_onnxruntime.py [--model models/ecgid-1.onnx] [--rounds 5]

Needs onnxruntime and numpy (pip install onnxruntime). Rounds alternate, since the speed of a shared machine wanders;
the ratio is the median of the rounds' ratios. onnxruntime's time holds the call from Python, a few microseconds.
"""
import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

try:
    import numpy
    import onnxruntime
except ImportError as missing:
    sys.exit(f"{missing}: pip install onnxruntime numpy")

ROOT = Path(__file__).resolve().parent.parent


def tract_us():
    """Median microseconds of the criterion bench."""
    command = ["cargo", "bench", "-q", "--bench", "inference", "--", "inference/one_beat", "--output-format", "bencher",
               "--warm-up-time", "1", "--measurement-time", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"bench:\s+([\d,]+) ns/iter", done.stdout)
    if not found:
        sys.exit(f"no figure from {' '.join(command)}:\n{done.stdout}{done.stderr}")
    return int(found[1].replace(",", "")) / 1000


def onnxruntime_us(path, seconds=3.0):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    beat = (numpy.exp(-(((numpy.arange(175) - 62) / 4) ** 2)) * 5 - 0.4).astype(numpy.float32).reshape(1, 1, 175)
    for _ in range(500):
        session.run(None, {name: beat})
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        session.run(None, {name: beat})
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/ecgid-1.onnx",
                        help="file that onnxruntime runs, e.g. the same model in another form (tract: the shipped one)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    # As an exception it ends what runs for us, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tract_us()  # builds the bench, and warms up
    rounds = [(tract_us(), onnxruntime_us(args.model)) for _ in range(args.rounds)]
    ratio = statistics.median(t / o for t, o in rounds)
    best = [min(side) for side in zip(*rounds)]
    if args.json:
        print(json.dumps({"rounds_us": rounds, "ratio": ratio, "best_us": best}))
        return
    for tract, ort in rounds:
        print(f"tract {tract:7.1f} us   onnxruntime {ort:7.1f} us   ratio {tract / ort:.2f}")
    print(f"median ratio tract / onnxruntime {ratio:.2f}; best {best[0]:.1f} us against {best[1]:.1f} us")


if __name__ == "__main__":
    main()
