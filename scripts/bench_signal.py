#!/usr/bin/env python3
"""Times the signal path beside what people use, on one thread, in turns, on the same signal.

  python3 scripts/bench_signal.py [--record ../shared/data/mitdb/101] [--rounds 9] [--json FILE]

Builds our example `throughput` (release), makes a virtual environment of its own (target/bench-signal, pinned numpy,
scipy, PyWavelets and sleepecg) and compares CPU time: our detector with sleepecg's in C; our conditioning chain with
scipy's causal notch and band-pass plus PyWavelets' denoising of the whole record; our whole path, from the codes of a
converter to segments, with both of them together. Without a record the signal is half an hour of a synthetic heart.
Rounds alternate, since the speed of a shared machine wanders: a ratio is the median of the ratios of the rounds.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = ["numpy==2.4.6", "PyWavelets==1.9.0", "scipy==1.17.1", "sleepecg==0.6.0"]
FS = 250
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def enter_environment():
    """Starts this script again inside its own virtual environment, which it makes where it is missing."""
    home = ROOT / "target/bench-signal"
    python, made = home / "bin/python", home / "made-of.json"
    if not made.exists() or json.loads(made.read_text()) != PINNED:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PINNED], check=True)
        made.write_text(json.dumps(PINNED))
    settings = dict(os.environ, **{name: "1" for name in THREADS})
    os.execve(python, [str(python), str(Path(__file__).resolve()), "--inside", *sys.argv[1:]], settings)


def synthetic(numpy):
    """Half an hour of Gaussian waves, beats 0.75 to 0.85 s apart, with white noise and a wandering base line."""
    time_s = numpy.arange(1800 * FS) / FS
    signal = 0.1 * numpy.sin(1.3 * time_s) + 0.02 * numpy.random.default_rng(1).standard_normal(time_s.size)
    at = 0.5
    while at < 1799:
        near = slice(int((at - 0.3) * FS) if at > 0.3 else 0, int((at + 0.6) * FS))
        for place, height, width in ((-0.16, 0.12, 0.02), (0, 1.0, 0.011), (0.03, -0.2, 0.01), (0.27, 0.25, 0.045)):
            signal[near] += height * numpy.exp(-0.5 * ((time_s[near] - at - place) / width) ** 2)
        at += 0.8 + 0.05 * numpy.sin(at)
    return signal


def first_signal(path, numpy, scipy_signal):
    """The first signal of a WFDB record in format 212 (MIT-BIH), in millivolts at 250 Hz."""
    lines = Path(f"{path}.hea").read_text().splitlines()
    fs = float(lines[0].split()[2].split("/")[0])
    name, kind, gain, _, zero = lines[1].split()[:5]
    if kind != "212":
        sys.exit(f"{path}: format {kind}; this script reads format 212 only")
    packed = numpy.fromfile(Path(path).parent / name, dtype=numpy.uint8).astype(numpy.int32)
    packed = packed[: packed.size // 3 * 3].reshape(-1, 3)
    codes = packed[:, 0] | (packed[:, 1] & 0x0F) << 8
    codes = numpy.where(codes > 2047, codes - 4096, codes)
    millivolts = (codes - int(zero)) / float(gain.split("(")[0].split("/")[0])
    return scipy_signal.resample_poly(millivolts, 25, 36) if fs == 360 else millivolts


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


class Ours:
    """The example, whose start-up is taken off by running it with few and with many rounds."""

    MANY = 20

    def __init__(self, samples):
        subprocess.run(["cargo", "build", "-q", "--release", "-p", "ecg-signal", "--example", "throughput"], cwd=ROOT,
                       check=True)
        self.program = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release/examples/throughput"
        self.file = ROOT / "target/bench-signal/signal.f64"
        samples.astype("<f8").tofile(self.file)

    def cpu(self, part, rounds):
        before = os.times()
        done = subprocess.run([self.program, part, str(rounds), self.file], capture_output=True, text=True, check=True)
        after = os.times()
        seconds = after.children_user - before.children_user + after.children_system - before.children_system
        return seconds, json.loads(done.stdout)["results"]

    def seconds(self, part):
        """CPU seconds of one pass over the signal, and what it gave."""
        few, _ = self.cpu(part, 1)
        many, results = self.cpu(part, 1 + self.MANY)
        return max(many - few, 1e-9) / self.MANY, results // (1 + self.MANY)


def peers(x, numpy, scipy_signal, pywt, sleepecg):
    """The same work with public libraries."""
    notch = scipy_signal.iirnotch(50, 30, FS)
    band = scipy_signal.butter(4, [0.5, 40], "bandpass", fs=FS, output="sos")

    def denoise(signal):
        parts = pywt.wavedec(signal, "db6", level=4)
        noise = numpy.median(numpy.abs(parts[-1])) / 0.6745
        limit = noise * numpy.sqrt(2 * numpy.log(signal.size))
        shrunk = [parts[0]] + [pywt.threshold(part, limit, mode="soft") for part in parts[1:]]
        return pywt.waverec(shrunk, "db6")[: signal.size]

    def chain():
        return denoise(scipy_signal.sosfilt(band, scipy_signal.lfilter(*notch, x)))

    def detect():
        return sleepecg.detect_heartbeats(x, FS)

    def both():
        chain()
        detect()

    return {
        "detector": ("sleepecg detect_heartbeats (C, whole record)", detect),
        "denoiser": ("PyWavelets wavedec + soft + waverec, db6 (whole record)", lambda: denoise(x)),
        "conditioner": ("scipy lfilter notch + sosfilt + PyWavelets", chain),
        "codes": ("scipy + PyWavelets + sleepecg", both),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, help="a WFDB record without its ending; a synthetic heart without it")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    # As an exception it ends what runs for us, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not args.inside:
        enter_environment()
    import numpy
    import pywt
    import scipy.signal
    import sleepecg

    x = first_signal(args.record, numpy, scipy.signal) if args.record else synthetic(numpy)
    x = numpy.ascontiguousarray(x, dtype=float)
    ours, theirs = Ours(x), peers(x, numpy, scipy.signal, pywt, sleepecg)
    rows = {part: [] for part in theirs}
    beats = {}
    for part, (_, work) in theirs.items():
        work()  # warms up
    for _ in range(args.rounds):
        for part, (_, work) in theirs.items():
            peer = statistics.median(cpu_seconds(work) for _ in range(5))
            mine, beats[part] = ours.seconds(part)
            rows[part].append((mine, peer))
    found = {"ours": beats["codes"], "sleepecg": len(sleepecg.detect_heartbeats(x, FS))}
    print(f"{args.record or 'synthetic heart'}: {x.size} samples at {FS} Hz, {args.rounds} rounds in turns, CPU time of one"
          f" thread; beats: ours {found['ours']}, sleepecg {found['sleepecg']}\n")
    print("| part | ours, M samples/s: median (best) | peer | peer, M samples/s: median (best) | ours / peer |")
    print("| --- | --- | --- | --- | --- |")
    table = {}
    for part, times in rows.items():
        speed = [[x.size / seconds / 1e6 for seconds in side] for side in zip(*times)]
        (mine, best), (peer, peer_best) = [(statistics.median(side), max(side)) for side in speed]
        ratio = statistics.median(peer_s / mine_s for mine_s, peer_s in times)
        name = {"codes": "whole path, codes to segments"}.get(part, part)
        print(f"| {name} | {mine:.1f} ({best:.1f}) | {theirs[part][0]} | {peer:.1f} ({peer_best:.1f}) | {ratio:.2f} |")
        table[part] = {"ours_s": [t[0] for t in times], "peer_s": [t[1] for t in times], "ratio": ratio}
    whole = statistics.median(x.size / t[0] for t in rows["codes"])
    print(f"\nOne core carries {whole / FS:,.0f} streams of {FS} Hz in real time.")
    if args.json:
        args.json.write_text(json.dumps({"samples": x.size, "beats": found, "pinned": PINNED, "parts": table}))


if __name__ == "__main__":
    main()
