#!/usr/bin/env python3
"""A door in front of the real executable: enrols a synthetic heart, runs the daemon on it with mosquitto, and asks who is
there as examples/verify-claim/verify_claim.py does. Needs the package `cryptography`, mosquitto and its clients.

  doors.py --ecgid target/release/ecgid

Opens for the person while the daemon runs; never for another key, while the daemon is stopped, within one decision
window after it goes on, or after it was killed. Takes about two minutes; exit code 1 when anything else happens."""

import argparse
import base64
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/verify-claim"))
import verify_claim  # noqa: E402

from loopback import begin, free_port, leave_by_exception

ROOT = Path(__file__).parents[2]
# [identity] window_s at its default.
WINDOW_S = 12


def ask(door, port):
    """Whom the door opens for; None: nobody, for whatever reason."""
    try:
        subject, left_ms = verify_claim.ask_over_mqtt(door, "127.0.0.1", port, "ecgid", "front-door", [])
    except verify_claim.Refused as refused:
        return None, str(refused)
    return subject, f"{left_ms} ms left"


def wait_until_open(door, port, limit_s):
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        subject, _ = ask(door, port)
        if subject:
            return subject, time.monotonic() - began
        time.sleep(0.5)
    return None, limit_s


def closed_for(door, port, seconds):
    """Asks again and again; the first answer that opens, or None."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        subject, why = ask(door, port)
        if subject:
            return f"{subject}, {why}"
        time.sleep(0.2)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgid", type=Path, default=ROOT / "target/release/ecgid")
    ecgid = parser.parse_args().ecgid.resolve()
    wrong = []

    def expect(what, is_so, found):
        print(f"{'ok   ' if is_so else 'WRONG'}  {what}: {found}", flush=True)
        if not is_so:
            wrong.append(what)

    leave_by_exception()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        folder = Path(folder)
        port = free_port()
        (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        config = folder / "ecgid.toml"
        config.write_text(
            f'[source]\nkind = "simulator"\n[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\n'
            f'[store]\npath = "{folder}/ecgid.sqlite"\n[model]\npath = "{ROOT}/models/ecgid-1.onnx"\n'
        )
        enrol = [ecgid, "enrol", "anna", "--seconds", "20", "--yes", "--config", config]
        subprocess.run(enrol, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        begin(ends, [program, "-c", folder / "mosquitto.conf"], **quiet)
        daemon = begin(ends, [ecgid, "run", "--config", config], **quiet)
        judge(ecgid, config, port, daemon, expect)
    return 1 if wrong else 0


def judge(ecgid, config, port, daemon, expect):
    began = time.monotonic()
    key = None
    while key is None and time.monotonic() - began < 20:
        shown = subprocess.run([ecgid, "key", "--format", "base64", "--config", config], capture_output=True, check=False)
        key = base64.b64decode(shown.stdout) if shown.returncode == 0 else None
        time.sleep(0.2)
    door = verify_claim.Door(key, "home", "ecg0")
    subject, after_s = wait_until_open(door, port, 60)
    expect("opens for the person", subject == "anna", f"{subject} after {after_s:.1f} s")

    times = []
    for _ in range(10):
        asked = time.monotonic()
        subject, why = ask(door, port)
        times.append(time.monotonic() - asked)
        if subject != "anna":
            break
    expect("ten times in a row", subject == "anna", f"{subject}, {why}, {1000 * max(times):.0f} ms at most")

    other = verify_claim.Door(bytes(range(32)), "home", "ecg0")
    subject, why = ask(other, port)
    expect("a door with another key", subject is None and why == "bad signature", why)

    daemon.send_signal(signal.SIGSTOP)
    opened = closed_for(door, port, 8)
    expect("while the daemon is stopped", opened is None, opened or "closed")
    daemon.send_signal(signal.SIGCONT)
    opened = closed_for(door, port, WINDOW_S - 2)
    expect("after it goes on, for a decision window", opened is None, opened or "closed")
    subject, after_s = wait_until_open(door, port, 60)
    expect("and later for the person again", subject == "anna", f"{subject} after {after_s:.1f} s more")

    daemon.kill()
    daemon.wait()
    opened = closed_for(door, port, 6)
    expect("after it was killed", opened is None, opened or "closed")


if __name__ == "__main__":
    sys.exit(main())
