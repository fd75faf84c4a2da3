#!/usr/bin/env python3
"""Beats beside the public detectors, on the same samples, in one run: clean MIT-BIH, its noise stress test, added noise.

  python3 scripts/peers_noise.py                                    everything; 13 minutes (7 of them gqrs), then cached
  python3 scripts/peers_noise.py --quick                            one seed, no clean MIT-BIH, no gqrs: 2 minutes
  python3 scripts/peers_noise.py --out docs/peers-noise.json        also what `ecgid evaluate noise --peers` reads

Samples    `ecgid evaluate noise --save` writes each noisy record (WFDB, 1 uV, the record's own 360 Hz). ecgid reads these
           files sample by sample through its streaming path; each peer gets the whole record as one array, resampled to
           250 Hz by scipy.signal.resample_poly(25, 36), its edges held: the easier task, and the rate that ecgid works at.
Scores     by beat_scores.py, for all alike; where ecgid scores itself, the two must agree to the last beat, or this ends
           with an error.
Peers      of peers_requirements.txt, with their defaults, in a virtual environment of their own under --work, one process
           at low priority. Their outcomes are kept there: after a change of ecgid only ecgid runs again.
"""
import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from beat_scores import Tally, annotated_beats

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ["wfdb-xqrs", "wfdb-gqrs", "neurokit2", "neurokit2-pantompkins1985", "sleepecg", "pyecg-swt", "pyecg-two_average",
         "biosppy-hamilton"]
SLOW = {"wfdb-gqrs"}
SHORT = {"wfdb-xqrs": "xqrs", "wfdb-gqrs": "gqrs", "neurokit2-pantompkins1985": "nk2-pantomp.", "pyecg-swt": "swt",
         "pyecg-two_average": "two_average", "biosppy-hamilton": "hamilton"}
OURS = "ecgid"
# Another process at this priority hardly feels us.
LOW = ["nice", "-n", "15"]


def environment(work):
    """The Python of the peers; installed where the requirements have changed."""
    requirements = HERE / "peers_requirements.txt"
    stamp = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = work / "venv"
    python = folder / "bin/python"
    if not (folder / "stamp").exists() or (folder / "stamp").read_text() != stamp:
        print("installing the peers", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
        subprocess.run(LOW + pip, check=True)
        (folder / "stamp").write_text(stamp)
    return python


def said(command):
    """What a command prints, which must be JSON and a success."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"exit status {done.returncode}: {' '.join(map(str, command))}")
    return json.loads(done.stdout)


def file_name(record, level, seed):
    """As `ecgid evaluate noise --save` calls it."""
    snr = f"{level['snr_db']:g}".replace("-", "m").replace(".", "p")
    return f"{record}_{level['noise']}_{snr}_s{seed}"


def run_peers(python, work, detectors, records):
    """-> (versions, {detector: {record: beats in seconds}}, [what went wrong])"""
    command = LOW + [str(python), "-W", "ignore", str(HERE / "peers_detect.py"), "--out", str(work / "outcomes"),
                     "--detectors", ",".join(detectors)] + [str(record) for record in records]
    answer = said(command)
    beats, problems = {}, []
    for detector, files in answer["outcomes"].items():
        for record, path in files.items():
            outcome = json.loads(Path(path).read_text())
            beats.setdefault(detector, {})[Path(record)] = outcome["beats_s"]
            if outcome["problem"]:
                problems.append(f"{detector} on {outcome['record']}: {outcome['problem']}")
    return answer["versions"], beats, problems


def run_ecgid(ecgid, records):
    beats = {}
    for record in records:
        analysis = said([ecgid, "analyze", record, "--json"])
        beats[record] = sorted(beat["r_peak"] / analysis["fs"] for beat in analysis["beats"])
    return beats


def agree(name, ours, own):
    """Holds our scorer's figures of ecgid against ecgid's own."""
    for figure, value in ours.items():
        theirs = own[figure]
        if (value is None) != (theirs is None) or value is not None and abs(value - theirs) > 1e-6:
            sys.exit(f"the two scorers disagree on {name}: {figure} is {value} here and {theirs} in ecgid's report")


def tally(records, beats):
    total = Tally()
    for record in records:
        total.add(annotated_beats(record), beats[record])
    return total.figures()


def table(rows, detectors, figure, title):
    """The best of each row is marked; then our rank and what the errors are."""
    short = lambda name: SHORT.get(name, name)
    print(f"\n{title}, per cent; * the best of the row\n{'':14}" + "".join(f"{short(name):>13}" for name in detectors)
          + f"{'rank':>7}{'FP':>6}{'FN':>6}{'MAE':>7} | best peer: FP, FN, MAE")
    for name, figures in rows:
        values = {detector: figures[detector][figure] for detector in detectors}
        values = {detector: value for detector, value in values.items() if value is not None}
        best = max(values.values())
        peers = {detector: value for detector, value in values.items() if detector != OURS}
        rank = 1 + sum(value > values.get(OURS, 0.0) + 1e-6 for value in peers.values())
        cell = lambda d: "-" if d not in values else f"{values[d]:.2f}" + ("*" if values[d] > best - 1e-9 else " ")
        ours, leader = figures[OURS], max(peers, key=peers.get)
        errors = lambda f: f"{f['fp']:6}{f['fn']:6}{f['mae_ms'] or 0:7.2f}"
        print(f"{name:14}" + "".join(f"{cell(detector):>13}" for detector in detectors)
              + f"{rank:>5}/{len(values)}{errors(ours)} | {short(leader):12}{errors(figures[leader])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgid", type=Path, default=ROOT / "target/release/ecgid", help="the executable")
    data = Path(os.environ.get("ECGID_DATA", ROOT / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="folder with mitdb and nstdb")
    parser.add_argument("--work", type=Path, default=ROOT / "target/peers", help="environment, noisy records, outcomes")
    parser.add_argument("--seeds", default="1,2,3", help="draws of each noise (default 1,2,3)")
    parser.add_argument("--quick", action="store_true", help="seed 1, without clean MIT-BIH, without gqrs")
    parser.add_argument("--out", type=Path, help="write all figures as JSON")
    args = parser.parse_args()
    # As an exception it ends what runs for us, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not args.ecgid.exists():
        sys.exit(f"no {args.ecgid}: cargo build --release, or give --ecgid")
    seeds = "1" if args.quick else args.seeds
    peers = [name for name in PEERS if not (args.quick and name in SLOW)]
    args.work.mkdir(parents=True, exist_ok=True)
    python = environment(args.work)

    saved = args.work / "noisy"
    report = said([args.ecgid, "evaluate", "noise", args.data, "--seeds", seeds, "--save", saved, "--json"])
    groups = []
    for level in report["added"]:
        records = [saved / file_name(record, level, seed) for record in report["records"] for seed in report["seeds"]]
        groups.append((f"{level['noise']} {level['snr_db']:g} dB", records, level))
    for level in report["recorded"]:
        groups.append((level["noise"], [args.data / "nstdb" / level["noise"]], level))
    if not args.quick:
        clean = said([args.ecgid, "evaluate", "qrs", args.data / "mitdb", "--json"])
        groups.append(("clean MIT-BIH", [args.data / "mitdb" / name for name in clean["records"]], clean["total"]))

    records = [record for _, group, _ in groups for record in group]
    versions, beats, problems = run_peers(python, args.work, peers, records)
    beats[OURS] = run_ecgid(args.ecgid, records)
    detectors = [OURS] + peers
    rows = []
    for name, group, own in groups:
        figures = {detector: tally(group, beats[detector]) for detector in detectors}
        agree(name, figures[OURS], own)
        rows.append((name, figures))

    print(f"noise added to the first {report['minutes']:g} min of {', '.join(report['records'])}, seeds {seeds}, noise power: "
          f"{report['noise_power']}; 118e*: whole records" + ("" if args.quick else f"; clean: {len(clean['records'])} records"))
    table(rows, detectors, "f1_150ms", "F1 at ±150 ms")
    table(rows, detectors, "f1_50ms", "F1 at ±50 ms")
    print(f"\necgid's own report agrees with these scores in all {len(rows)} rows")
    for problem in problems:
        print(f"counted as no beat: {problem}")
    if args.out:
        write(args.out, report, rows, groups, versions, problems)


def write(path, report, rows, groups, versions, problems):
    about = {"made_by": "scripts/peers_noise.py", "versions": versions, "problems": problems,
             "signal": "resampled to 250 Hz by scipy.signal.resample_poly, whole record at once"}
    about |= {name: report[name] for name in ("records", "minutes", "seeds", "noise_power")}
    document = {"about": about, "added": [], "recorded": {}, "clean": {}}
    for (name, figures), (_, _, own) in zip(rows, groups):
        peers = {detector: f for detector, f in figures.items() if detector != OURS}
        if "snr_db" in own:
            document["added"].append({"noise": own["noise"], "snr_db": own["snr_db"], "fingerprint": own["fingerprint"],
                                      "detectors": peers})
        elif "noise" in own:
            document["recorded"][name] = peers
        else:
            document["clean"] = peers
    rounded = json.loads(json.dumps(document), parse_float=lambda text: round(float(text), 9))
    path.write_text(json.dumps(rounded, indent=1) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
