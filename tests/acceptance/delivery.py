#!/usr/bin/env python3
"""Delivery under faults: the real executable, a real mosquitto, random cycles of what goes wrong in a house.

  delivery.py --ecgid target/release/ecgid [--cycles 200] [--seed N] [--workers W]

Each worker has a daemon on a board whose electrode comes off every few seconds of a fast stream, a broker, a wire
between them that sees every PUBLISH and PUBACK, a subscriber that keeps its session, and a reader that keeps joining
late. A cycle is one or two faults at a time: the daemon killed or stopped, the broker killed with or without its
sessions, or stopped, the wire cut, held or slow, the disk full, the board unplugged.

Counted at the broker's edge, because a subscriber's own session dies with a broker that forgets: an event is delivered
when the broker has acknowledged it. Lost is what stood in the outbox of a killed daemon, or below the highest number
of its start, and was never acknowledged. Stale is a late join that reads "verified" older than its expiry.

Needs paho-mqtt. Where no file system can be mounted, the disk is never full, and that is said.
Prints the seed and the table; exits with 1 where anything is lost, altered, out of order or stale.
"""
import argparse
import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from faults import Board, Broker, Daemon, Disk, Wire, outbox, wait_for
from loopback import begin, folder, leave_by_exception

EXPIRY_S = 3.0       # the shortest that is allowed, so that a cycle is long enough to see something stale
ALLOWED_WAY_S = 0.5  # what the daemon allows for the way to the broker; beyond that a message was held
SPEED = 8.0          # of the board, times real time
FRAME_BYTES, FS = 14, 250

# kind: (weight, seconds at least, seconds at most)
KINDS = {
    "daemon killed": (5, 0.0, 0.3),
    "daemon stopped": (2, 0.3, 4.5),
    "broker restarted": (2, 0.0, 1.5),
    "broker killed, keeps": (2, 0.0, 0.8),
    "broker killed, forgets": (3, 0.0, 0.8),
    "broker stopped": (2, 0.2, 2.0),
    "wire cut": (4, 0.0, 1.0),
    "wire held": (2, 0.3, 2.0),
    "wire slow": (2, 0.5, 1.5),
    "disk full": (2, 0.5, 2.5),
    "board unplugged": (1, 0.2, 1.5),
}


class Witness:
    """A subscriber that keeps its session; what it got, in order."""

    def __init__(self, port, name):
        self.events, self.problems, self.lock = [], 0, threading.Lock()
        self.subscribed_at = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("ecgid/#", 1)
        self.client.on_subscribe = lambda *_: self.subscribed_at.append(time.monotonic())
        self.client.on_message = self.take
        self.client.reconnect_delay_set(0.1, 0.5)
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", port, 10, clean_start=False, properties=session)
        self.client.loop_start()

    def take(self, _client, _user, message):
        if message.topic.endswith("/event"):
            event = json.loads(message.payload)
            with self.lock:
                self.events.append((event["boot_id"], event["seq"], message.payload))
        elif message.topic.endswith("/bridge/health") and message.payload:
            self.problems += json.loads(message.payload)["problem"] is not None


class LateReader:
    """Joins again and again, in both versions of the protocol, and reads the identity that is retained."""

    def __init__(self, port, topic, wire):
        self.port, self.topic, self.wire, self.open = port, topic, wire, True
        self.joins = self.verified = 0
        self.oldest = self.oldest_held = 0.0
        self.stale, self.outlived = [], []
        self.broker_started = 0.0  # wall time of the broker's last start
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        for number in itertools.count():
            if not self.open:
                return
            try:
                self.join(mqtt.MQTTv311 if number % 4 == 0 else mqtt.MQTTv5)
            except OSError:
                pass
            time.sleep(0.15)

    def join(self, version):
        asked, got = [], threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=version)

        def subscribe(client, *_):
            asked.append(time.time())
            client.subscribe(self.topic, 1)

        def take(_client, _user, message):
            if message.retain and message.payload:
                expires = version == mqtt.MQTTv5 and hasattr(message.properties, "MessageExpiryInterval")
                self.judge(json.loads(message.payload), asked[-1], expires)
            got.set()

        client.on_connect, client.on_message = subscribe, take
        client.connect("127.0.0.1", self.port, 5)
        client.loop_start()
        got.wait(0.25)
        client.loop_stop()
        client.disconnect()
        self.joins += bool(asked)

    def judge(self, record, asked, expires):
        if record["state"] != "verified":
            return
        self.verified += 1
        # It was retained when the broker read the subscription, which was not before that was sent.
        age = asked - record["issued_at_unix_ms"] / 1000
        held = self.wire.held_for(record)
        if age > EXPIRY_S and not expires and record["issued_at_unix_ms"] / 1000 < self.broker_started:
            # mosquitto 2.0.11 gives a message that ends in the second in which it is restored no expiry at all.
            self.outlived.append(age)
            return
        if held <= ALLOWED_WAY_S:
            self.oldest = max(self.oldest, age)
        else:
            self.oldest_held = max(self.oldest_held, age)
        if age > EXPIRY_S + (held if held > ALLOWED_WAY_S else 0.0):
            self.stale.append(f"{record['id']} verified, {age:.2f} s old, on its way for {held:.2f} s")


class Worker:
    """One house."""

    def __init__(self, number, args, stream, directory, ends):
        self.number, self.args = number, args
        self.random = random.Random(f"{args['seed']}/{number}")
        self.disk = Disk(ends, directory / "disk")
        self.broker = Broker(ends, directory)
        self.broker.start()
        self.wire = Wire(self.broker.port)
        self.board = Board(stream, FRAME_BYTES * FS * SPEED)
        self.database = self.disk.directory / "ecgid.sqlite"
        shutil.copy(args["gallery"], self.database)
        # The templates in it are encrypted.
        shutil.copy(Path(args["gallery"]).with_name("template-key"), self.database.with_name("template-key"))
        config = directory / "ecgid.toml"
        config.write_text(
            f'gateway = "house"\n[source]\nkind = "tcp"\naddress = "127.0.0.1:{self.board.port}"\nformat = "cwxs-bin"\n'
            f'[liveness]\nenabled = false\n[mqtt]\nurl = "mqtt://127.0.0.1:{self.wire.port}"\n'
            f'identity_expiry_s = {EXPIRY_S:.0f}\n[store]\npath = "{self.database}"\n')
        self.daemon = Daemon(ends, args["ecgid"], directory, config)
        self.witness = Witness(self.broker.port, "witness")
        self.reader = LateReader(self.broker.port, "ecgid/house/ecg0/identity", self.wire)
        self.waiting = set()   # what stood in the outbox when the daemon died
        self.forgot_at = []    # when the broker forgot its sessions
        self.kinds, self.aimed, self.refused_starts = Counter(), 0, 0

    def begin(self, kind):
        self.kinds[kind] += 1
        match kind:
            case "daemon killed":
                self.daemon.kill()
                self.waiting.update(outbox(self.database))
            case "daemon stopped":
                self.daemon.signal(signal.SIGSTOP)
            case "broker restarted":
                self.broker.stop(signal.SIGTERM)
            case "broker killed, keeps" | "broker killed, forgets":
                # Even one that keeps its sessions has not saved the last of them.
                self.forgot_at.append(time.monotonic())
                self.broker.stop(signal.SIGKILL, kind.endswith("forgets"))
            case "broker stopped":
                self.broker.process.send_signal(signal.SIGSTOP)
            case "wire cut":
                self.wire.mode = "closed"
            case "wire held":
                self.wire.mode = "held"
            case "wire slow":
                self.wire.mode = "slow"
            case "disk full":
                self.disk.fill()
            case "board unplugged":
                self.board.plugged = False

    def end(self, kind):
        match kind:
            case "daemon killed":
                self.daemon.start()
            case "daemon stopped":
                self.daemon.signal(signal.SIGCONT)
            case "broker restarted" | "broker killed, keeps" | "broker killed, forgets":
                self.reader.broker_started = time.time()
                self.broker.start()
            case "broker stopped":
                self.broker.process.send_signal(signal.SIGCONT)
            case "wire cut" | "wire held" | "wire slow":
                self.wire.mode = "open"
            case "disk full":
                self.disk.free()
            case "board unplugged":
                self.board.plugged = True

    def cycle(self):
        kinds = {k: v for k, v in KINDS.items() if self.disk.mounted or k != "disk full"}
        weights = [v[0] for v in kinds.values()]
        first = self.random.choices(list(kinds), weights)[0]
        both = [first]
        if self.random.random() < 0.3:
            second = self.random.choices(list(kinds), weights)[0]
            # Two faults of one thing are one.
            if second.split()[0] != first.split()[0]:
                both.append(second)
        time.sleep(self.random.uniform(0.05, 0.5))
        # Half of them strike in the middle of a delivery.
        if (moment := self.random.choice(["PUBLISH", "PUBACK", None, None])) and self.wire.wait_for(moment, 1.0):
            self.aimed += 1
        for kind in both:
            self.begin(kind)
        time.sleep(max(self.random.uniform(*kinds[k][1:]) for k in both))
        for kind in reversed(both):
            self.end(kind)
        if (code := self.daemon.process.poll()) is not None:
            # A start on a full disk may fail, but not for good: systemd would try again.
            if code != 1 or "disk full" not in both:
                raise RuntimeError(f"the daemon has ended by itself with {code}: see {self.daemon.log.name}")
            self.refused_starts += 1
            self.daemon.start()

    def run(self, cycles):
        try:
            self.daemon.start()
            wait_for(lambda: self.reader.verified, 60, "a first identity that is verified")
            for _ in range(cycles):
                self.cycle()
            return self.judge()
        finally:
            self.reader.open = False

    def is_quiet(self):
        """All that was sent is acknowledged, and the witness has heard the last of it."""
        with self.wire.lock:
            sent, taken = set(self.wire.bodies), list(self.wire.taken)
        with self.witness.lock:
            return sent <= set(taken) and taken[-1] in {(boot, seq) for boot, seq, _ in self.witness.events}

    def judge(self):
        """Everything works from here on: what was ever stored arrives, and then it is counted."""
        self.board.plugged = False
        time.sleep(3.0)
        self.daemon.kill()
        self.waiting.update(outbox(self.database))
        self.daemon.start()
        try:
            wait_for(lambda: self.waiting <= set(self.wire.taken), 60, "the outbox to empty")
            wait_for(self.is_quiet, 20, "the last event to arrive")
        except TimeoutError:
            pass
        time.sleep(1.5)
        with self.wire.lock:
            taken, bodies = list(self.wire.taken), dict(self.wire.bodies)
        got = set(taken)
        highest = {}
        for boot, seq in list(bodies) + list(self.waiting):
            highest[boot] = max(highest.get(boot, 0), seq)
        expected = {(boot, seq) for boot, last in highest.items() for seq in range(1, last + 1)}
        firsts = list(dict.fromkeys(taken))
        disorder = sum(b[0] == a[0] and b[1] != a[1] + 1 for a, b in zip(firsts, firsts[1:]))
        with self.witness.lock:
            seen = {(boot, seq): body for boot, seq, body in self.witness.events}
        # From a little before its death, until the subscription stands again.
        again = lambda forgot: min((at for at in self.witness.subscribed_at if at > forgot), default=float("inf"))
        near = lambda at: any(forgot - 2.0 <= at <= again(forgot) + 0.5 for forgot in self.forgot_at)
        missed = got - set(seen)
        forgotten = {name for name in missed if near(self.wire.acknowledged_at[name])}
        altered = len(self.wire.altered) + sum(bodies[name] != body for name, body in seen.items() if name in bodies)
        return {
            "kinds": self.kinds, "aimed": self.aimed, "refused": self.refused_starts, "boots": len(highest), "events": len(expected), "duplicates": len(taken) - len(got),
            "lost": sorted(expected - got), "disorder": disorder, "altered": altered,
            "missed": sorted(missed - forgotten), "forgotten": len(forgotten), "problems": self.witness.problems,
            "joins": self.reader.joins, "verified": self.reader.verified, "stale": self.reader.stale, "outlived": self.reader.outlived,
            "oldest": self.reader.oldest, "oldest_held": self.reader.oldest_held, "full": self.disk.mounted,
        }


def work(number, args, stream, cycles, answer):
    """A process of its own; it answers when nothing is left of what it began."""
    leave_by_exception()
    with folder(f"ecgid-delivery-{number}-", args["keep"]) as directory, ExitStack() as ends:
        found = Worker(number, args, stream, directory, ends).run(cycles)
    answer.send(found)


def work_all(count, args, stream, cycles):
    """What `count` workers find, which share the cycles."""
    with ExitStack() as ends:
        workers = []
        for number in range(count):
            answer, sender = multiprocessing.Pipe(duplex=False)
            mine = cycles // count + (number < cycles % count)
            process = multiprocessing.Process(target=work, args=(number, args, stream, mine, sender))
            process.start()
            sender.close()
            ends.callback(process.join)
            ends.callback(process.terminate)
            workers.append((process, answer))
        try:
            results = [answer.recv() for _, answer in workers]
        except EOFError:
            sys.exit("FAILED: a worker has ended early; why, it has said above")
        for process, _ in workers:
            process.join()
        return results


def board_stream(program, directory):
    """Bytes of a simulated board whose electrode comes off every eight seconds, and a gallery that knows its wearer."""
    absences = ",".join(f"{at}+1" for at in range(8, 64, 8))
    link = directory / "tty"
    with ExitStack() as ends:
        begin(ends, [program, "simulate", "--pty", "--subject-seed", "5", "--speed", "max", "--link", str(link),
                     "--lead-off", absences], stdout=subprocess.DEVNULL)
        wait_for(link.exists, 20, "the simulated board")
        terminal, wanted, stream = os.open(link, os.O_RDONLY | os.O_NOCTTY), FRAME_BYTES * FS * 66, b""
        ends.callback(os.close, terminal)
        tty.setraw(terminal)
        while len(stream) < wanted:
            stream += os.read(terminal, 65536)
    subprocess.run([program, "simulate", "--csv", directory / "records", "--subjects", "1", "--subject-seed", "5",
                    "--seconds", "60"], check=True, stdout=subprocess.DEVNULL)
    gallery = directory / "gallery.sqlite"
    # As in the daemon's own settings below: a synthetic heart comes near enough to repeating itself within a minute.
    believing = directory / "enrol.toml"
    believing.write_text("[liveness]\nenabled = false\n")
    for record in sorted((directory / "records").glob("*-[12].csv")):
        done = subprocess.run([program, "enrol", "ada", "--record", record, "--front-end", "cwxs-bin", "--config", believing,
                               "--store", gallery, *(["--add"] if gallery.exists() else [])], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"enrolling the simulated wearer from {record.name}: {done.stderr.strip()}")
    return stream, gallery


def own_mounts():
    """Once more in a mount namespace of its own, where that is allowed, so that no mount outlives the run."""
    if os.geteuid() == 0 and "ECGID_OWN_MOUNTS" not in os.environ and shutil.which("unshare"):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0:
            os.environ["ECGID_OWN_MOUNTS"] = "1"
            os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgid", default="target/release/ecgid")
    parser.add_argument("--cycles", type=int, default=200, help="over all workers (default 200)")
    parser.add_argument("--seed", type=int, default=None, help="of the faults (default: by the clock, and printed)")
    parser.add_argument("--workers", type=int, default=4, help="houses at a time (default 4)")
    parser.add_argument("--keep", action="store_true", help="keep the working directories with their logs")
    args = parser.parse_args()
    if not (shutil.which("mosquitto") or os.path.exists("/usr/sbin/mosquitto")):
        print("SKIPPED: mosquitto is not installed (apt-get install mosquitto)")
        return 0
    own_mounts()
    leave_by_exception()
    seed = args.seed if args.seed is not None else int(time.time())
    print(f"delivery: {args.cycles} cycles, {args.workers} workers, --seed {seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ecgid-delivery-") as scratch:
        stream, gallery = board_stream(os.path.abspath(args.ecgid), Path(scratch))
        shared = {"seed": seed, "ecgid": os.path.abspath(args.ecgid), "gallery": str(gallery), "keep": args.keep}
        results = work_all(args.workers, shared, stream, args.cycles)
    return report(results, time.monotonic() - began)


def report(results, seconds):
    total = lambda key: sum(len(r[key]) if isinstance(r[key], list) else r[key] for r in results)
    kinds = sum((r["kinds"] for r in results), Counter())
    for kind, count in sorted(kinds.items(), key=lambda item: -item[1]):
        print(f"  {kind:24} {count:6}")
    if not all(r["full"] for r in results):
        print("  SKIPPED: no file system may be mounted here, so no disk was full")
    print(f"  struck while an event passed  {total('aimed'):6}")
    print(f"starts of the daemon          {total('boots'):6}   ({total('refused')} more ended on a full disk, and were tried again)\nevents                        {total('events'):6}")
    print(f"duplicates, equal in all      {total('duplicates'):6}")
    print(f"lost                          {total('lost'):6}   (must be 0)")
    print(f"out of order                  {total('disorder'):6}   (must be 0)")
    print(f"twice and not the same        {total('altered'):6}   (must be 0)")
    print(f"missed by a kept session      {total('missed'):6}   (must be 0; {total('forgotten')} more went with a broker that forgot)")
    print(f"late joins                    {total('joins'):6}   of which {total('verified')} read verified")
    print(f"stale                         {total('stale'):6}   (must be 0)")
    print(f"oldest verified that was read {max(r['oldest'] for r in results):6.2f} s of {EXPIRY_S:.0f} s"
          f" ({max(r['oldest_held'] for r in results):.2f} s where the wire or the broker had held it)")
    print(f"  outlived a broker's restart {total('outlived'):6}   restored by mosquitto without any expiry, until the daemon was back:"
          f" at most {max((max(r['outlived'], default=0.0) for r in results)):.2f} s old")
    print(f"reports of a problem          {total('problems'):6}")
    print(f"{sum(kinds.values())} faults in {seconds:.0f} s")
    bad = [f"{key}: {r[key][:5]}" for r in results for key in ("lost", "missed", "stale") if r[key]]
    print("\n".join(bad))
    failed = bad or total("disorder") or total("altered") or not total("verified")
    print("FAILED" if failed else "passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
