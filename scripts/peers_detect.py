#!/usr/bin/env python3
"""Public QRS detectors on WFDB records: where each of them puts the beats.

  python peers_detect.py --detectors wfdb-xqrs,sleepecg --out FOLDER RECORD...     (RECORD without extension)

Needs the packages of peers_requirements.txt; scripts/peers_noise.py installs them and calls this.
Each detector gets signal 0 in millivolts as one array, resampled to 250 Hz (scipy.signal.resample_poly, edges held), and
does all of its own cleaning, with its defaults. Writes FOLDER/KEY.json with the beats in seconds, where KEY is made of
the signal file, the detector and its version: what is there already is not run again. Prints, as JSON, the versions and
which file holds which outcome.
"""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import hashlib
import json
import math
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

warnings.filterwarnings("ignore")
FS = 250
PACKAGE = {"wfdb": "wfdb", "neurokit2": "neurokit2", "sleepecg": "sleepecg", "pyecg": "py-ecg-detectors",
           "biosppy": "biosppy"}


def xqrs(x):
    from wfdb import processing
    return processing.xqrs_detect(sig=x, fs=FS, verbose=False)


def gqrs(x):
    from wfdb import processing
    return processing.gqrs_detect(sig=x, fs=FS)


def neurokit(method):
    def detect(x):
        import neurokit2
        clean = neurokit2.ecg_clean(x, sampling_rate=FS, method=method)
        return neurokit2.ecg_peaks(clean, sampling_rate=FS, method=method, correct_artifacts=False)[1]["ECG_R_Peaks"]
    return detect


def sleepecg(x):
    import sleepecg as package
    return package.detect_heartbeats(x, FS)


def pyecg(method):
    def detect(x):
        from ecgdetectors import Detectors
        return getattr(Detectors(FS), method)(x)
    return detect


def biosppy_hamilton(x):
    # biosppy.signals.ecg.ecg up to its R peaks: band-pass, Hamilton's segmenter, R by the local maximum.
    from biosppy.signals import ecg, tools
    band = tools.filter_signal(signal=x, ftype="FIR", band="bandpass", order=int(1.5 * FS), frequency=[0.67, 45],
                               sampling_rate=FS)[0]
    peaks = ecg.hamilton_segmenter(signal=band, sampling_rate=FS)[0]
    return ecg.correct_rpeaks(signal=band, rpeaks=peaks, sampling_rate=FS, tol=0.05)[0]


DETECTORS = {
    "wfdb-xqrs": xqrs,
    "wfdb-gqrs": gqrs,
    "neurokit2": neurokit("neurokit"),
    "neurokit2-pantompkins1985": neurokit("pantompkins1985"),
    "sleepecg": sleepecg,
    "pyecg-swt": pyecg("swt_detector"),
    "pyecg-two_average": pyecg("two_average_detector"),
    "biosppy-hamilton": biosppy_hamilton,
}


def key(record, detector):
    """Names the outcome: same samples, same detector, same version."""
    lines = Path(f"{record}.hea").read_bytes().splitlines()
    header = b"\n".join(line for line in lines if not line.startswith(b"#"))
    signal = record.with_name(header.splitlines()[1].split()[0].decode()).read_bytes()
    of = PACKAGE[detector.split("-")[0]]
    text = f"{detector} {of} {version(of)} scipy {version('scipy')} {FS}".encode()
    return hashlib.sha256(header + signal + text).hexdigest()[:24]


def load(record):
    import numpy
    import wfdb
    from scipy.signal import resample_poly
    read = wfdb.rdrecord(str(record), channels=[0])
    x, fs = read.p_signal[:, 0].astype(float), read.fs
    x = numpy.where(numpy.isnan(x), numpy.nanmean(x), x)
    if fs == FS:
        return x
    both = math.gcd(FS, int(fs))
    return resample_poly(x, FS // both, int(fs) // both, padtype="edge")


def detect(detector, x):
    import numpy
    try:
        found = numpy.asarray(DETECTORS[detector](x.copy()), dtype=float).ravel()
        return sorted(float(t) / FS for t in found if math.isfinite(t)), None
    except ImportError:
        raise
    except Exception as problem:  # a detector that gives up on noise found no beat: that is its outcome, and is said
        return [], f"{type(problem).__name__}: {problem}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--detectors", default=",".join(DETECTORS))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    chosen, outcomes = args.detectors.split(","), {}
    for detector in chosen:
        began, ran = time.monotonic(), 0
        for number, record in enumerate(args.records, 1):
            path = args.out / f"{key(record, detector)}.json"
            outcomes.setdefault(detector, {})[str(record)] = str(path)
            if path.exists():
                continue
            beats, problem = detect(detector, load(record))
            document = {"detector": detector, "record": record.name, "beats_s": beats, "problem": problem}
            path.with_suffix(".new").write_text(json.dumps(document))
            path.with_suffix(".new").replace(path)
            ran += 1
            if sys.stderr.isatty():
                print(f"\r{detector}: {number} of {len(args.records)}", end="\r", file=sys.stderr)
        print(f"{detector}: {len(args.records)} records, {ran} run in {time.monotonic() - began:.0f} s", file=sys.stderr)
    packages = sorted({PACKAGE[detector.split("-")[0]] for detector in chosen} | {"numpy", "scipy"})
    json.dump({"versions": {name: version(name) for name in packages}, "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()
