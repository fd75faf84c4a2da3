#!/usr/bin/env python3
"""Bounds of the real daemon: memory with one stream, and what it writes to the disk. Python standard library only.

  bounds.py --ecgid target/release/ecgid [--seconds 40] [--day 240]

Runs the daemon against a real mosquitto, on a synthetic heart (one stream, at real time), on a port that is not there
(idle), and on a synthetic heart that beats a whole day within --day seconds, after which every history is full; with
the environment that the systemd unit gives; and reads /proc. Writing is what the kernel sends to the block device
(write_bytes), over the window and as a day. Exits with 1 where a bound is missed: 32 MiB resident with one stream, also
after the day, 1 MiB a day when idle.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from faults import Broker
from loopback import begin, folder, leave_by_exception

MAX_RSS_MIB, MAX_DAY_MIB = 32.0, 1.0
DAY_S = 86_400
SAMPLES_A_DAY = 250 * DAY_S
MIB = 1024 * 1024


def environment():
    """What the unit sets."""
    unit = (Path(__file__).parents[2] / "systemd/ecgid.service").read_text().splitlines()
    return dict(line.removeprefix("Environment=").split("=", 1) for line in unit if line.startswith("Environment="))


def proc(pid, name):
    """{key: value} of a file of /proc with a key and a number in each line."""
    lines = (line.split() for line in Path(f"/proc/{pid}/{name}").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}


def memory(pid):
    """(resident, peak, proportional, anonymous) in MiB."""
    status, rollup = proc(pid, "status"), proc(pid, "smaps_rollup")
    return status["VmRSS"] / 1024, status["VmHWM"] / 1024, rollup["Pss"] / 1024, status["RssAnon"] / 1024


class Run:
    def __init__(self, args, ends, directory, port, name, source):
        self.name, self.database = name, directory / f"{name}.sqlite"
        config = directory / f"{name}.toml"
        config.write_text(f'gateway = "{name}"\n[source]\n{source}\n[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\n'
                          f'[store]\npath = "{self.database}"\n[log]\nlevel = "info,ecgid::cli::run=debug"\nformat = "json"\n')
        self.log = open(directory / f"{name}.log", "wb")
        command = [args.ecgid, "run", "--config", config]
        self.process = begin(ends, command, stdout=self.log, stderr=self.log, env=os.environ | environment())

    def of_model(self):
        """Resident memory before and after loading the model, MiB, as the daemon itself says."""
        lines = (json.loads(line) for line in Path(self.log.name).read_text().splitlines() if line.startswith("{"))
        said = next(line for line in lines if line.get("message") == "the model is loaded")
        return said["rss_bytes_before"] / MIB, said["rss_bytes_after"] / MIB

    def written(self):
        """Bytes that went to the disk so far."""
        return proc(self.process.pid, "io")["write_bytes"]

    def after_a_day(self, port, seconds):
        """Memory when the stream has a day's samples behind it; how many it has."""
        deadline = time.monotonic() + 4 * seconds + 60
        while (samples := self.samples(port)) < SAMPLES_A_DAY:
            if time.monotonic() > deadline:
                raise RuntimeError(f"a day is not over after {4 * seconds + 60:.0f} s: {samples} samples")
            time.sleep(1)
        return self.stop(), samples

    def samples(self, port):
        """Of the stream so far, as its signal topic says; 0 where it says nothing."""
        command = ["mosquitto_sub", "-p", str(port), "-C", "1", "-W", "10", "-t", f"ecgid/{self.name}/+/signal"]
        said = subprocess.run(command, capture_output=True, text=True).stdout
        return json.loads(said)["sample_index"] if said else 0

    def stop(self):
        """Ends the daemon; the memory it had."""
        found = memory(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(15):
            raise RuntimeError(f"the daemon ended with {self.process.returncode}: see {self.log.name}")
        return found


def measure(runs, seconds):
    """Of each run: memory at the end, and bytes written within the window after ten seconds of settling."""
    time.sleep(10)
    before = {name: run.written() for name, run in runs.items()}
    time.sleep(seconds)
    written = {name: run.written() - before[name] for name, run in runs.items()}
    return {name: (run.stop(), written[name]) for name, run in runs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgid", default="target/release/ecgid")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of each window (default 40)")
    parser.add_argument("--day", type=float, metavar="SECONDS", help="let a day pass within so many seconds, too")
    args = parser.parse_args()
    if not (shutil.which("mosquitto") or os.path.exists("/usr/sbin/mosquitto")):
        print("SKIPPED: mosquitto is not installed (apt-get install mosquitto)")
        return 0
    leave_by_exception()
    with folder("ecgid-bounds-") as directory, ExitStack() as ends:
        broker = Broker(ends, directory)
        broker.start()
        runs = {name: Run(args, ends, directory, broker.port, name, source) for name, source in (
            ("stream", 'kind = "simulator"'), ("idle", f'kind = "serial"\nport = "{directory}/nothing"'))}
        found = measure(runs, args.seconds)
        before, after = runs["stream"].of_model()
        day = None
        if args.day:
            source = f'kind = "simulator"\nspeed = {DAY_S / args.day}'
            day = Run(args, ends, directory, broker.port, "day", source).after_a_day(broker.port, args.day)
    per_day = {}
    for name, ((rss, peak, pss, anonymous), written) in found.items():
        per_day[name] = written * 86400 / args.seconds / MIB
        print(f"{name:7} resident {rss:6.1f} MiB (peak {peak:.1f}, proportional {pss:.1f}, anonymous {anonymous:.1f})   "
              f"written {written} bytes in {args.seconds:.0f} s = {per_day[name]:.2f} MiB a day")
    print(f"model   resident {before:6.1f} MiB before it is loaded, {after:.1f} after: tract costs {after - before:.1f}")
    rss = found["stream"][0][0]
    if day:
        (after_day, peak, pss, anonymous), samples = day
        print(f"day     resident {after_day:6.1f} MiB (peak {peak:.1f}, proportional {pss:.1f}, anonymous {anonymous:.1f}) "
              f"after {samples / 250 / 3600:.1f} h of a heart")
        rss = max(rss, after_day)
    ok = rss <= MAX_RSS_MIB and per_day["idle"] <= MAX_DAY_MIB
    print(f"bounds: {rss:.1f} of {MAX_RSS_MIB:.0f} MiB with one stream{' after a day' if day else ''}, {per_day['idle']:.2f} of {MAX_DAY_MIB:.0f} MiB a day "
          f"when idle: {'passed' if ok else 'FAILED'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
