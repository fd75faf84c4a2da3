"""What delivery.py breaks: a broker, the wire to it, a board and a disk, each with a handle for its faults."""
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from loopback import begin, can_connect, end, free_port, wait_for

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Broker:
    """mosquitto with persistence, which saves at every change. A SIGTERM keeps its sessions, a SIGKILL keeps them but for
    the last changes, and with `forgets` nothing is left of them."""

    def __init__(self, ends, directory):
        self.ends, self.directory, self.port, self.process = ends, directory, free_port(), None
        (directory / "kept").mkdir()
        user = "user root\n" if os.geteuid() == 0 else ""
        self.conf = directory / "mosquitto.conf"
        self.conf.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{user}persistence true\nmax_queued_messages 0\n"
            f"autosave_on_changes true\nautosave_interval 1\n"
            f"persistence_location {directory}/kept/\n")
        self.log = open(directory / "mosquitto.log", "ab")

    def start(self):
        self.process = begin(self.ends, [MOSQUITTO, "-c", self.conf], stdout=self.log, stderr=self.log)
        wait_for(lambda: can_connect(self.port), 10, "the broker to listen")

    def stop(self, how, forgets=False):
        self.process.send_signal(how)
        self.process.wait(10)
        if forgets:
            shutil.rmtree(self.directory / "kept")
            (self.directory / "kept").mkdir()


class Wire:
    """A proxy in front of the broker that sees every PUBLISH of the daemon and every PUBACK of the broker.

    mode: "open"; "closed" (connections are cut, none is let in); "held" (bytes are read and kept); "slow" (each portion
    waits a little).
    """

    def __init__(self, broker_port):
        self.broker_port, self.mode, self.lock = broker_port, "open", threading.Lock()
        self.taken = []       # (boot_id, seq) in the order of the broker's acknowledgements
        self.bodies = {}      # (boot_id, seq) -> payload as first published
        self.altered = []     # published twice, and not the same
        self.held = {}        # (id, issued_at) of an identity -> seconds from the daemon to the acknowledgement
        self.acknowledged_at = {}
        self.passed = {"PUBLISH": threading.Event(), "PUBACK": threading.Event()}  # of an event, just now
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.mode == "closed":
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.broker_port), 5)
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            flight = {}
            out, back = Packets(lambda *p: self.published(flight, *p)), Packets(lambda *p: self.answered(flight, *p))
            threading.Thread(target=self.pump, args=(near, far, out, back), daemon=True).start()

    def pump(self, near, far, out, back):
        waiting = {near: b"", far: b""}
        try:
            while self.mode != "closed":
                readable, _, _ = select.select([near, far], [], [], 0.02)
                for s in readable:
                    data = s.recv(65536)
                    if not data:
                        return
                    (out if s is near else back).feed(data)
                    waiting[s] += data
                if self.mode == "held":
                    continue
                if self.mode == "slow" and any(waiting.values()):
                    time.sleep(0.15)
                for s, other in ((near, far), (far, near)):
                    data, waiting[s] = waiting[s], b""
                    if data:
                        other.sendall(data)
        except OSError:
            pass
        finally:
            near.close()
            far.close()

    def published(self, flight, kind, flags, body):
        if kind != 3 or not (flags >> 1) & 3:
            return
        topic, packet, payload = parse_publish(body)
        flight[packet] = (topic, payload, time.monotonic())
        if topic.endswith("/event"):
            event = json.loads(payload)
            name = (event["boot_id"], event["seq"])
            with self.lock:
                if self.bodies.setdefault(name, payload) != payload:
                    self.altered.append(name)
            self.passed["PUBLISH"].set()
        elif topic.endswith("/identity") and payload:
            record = json.loads(payload)
            with self.lock:
                # Until it is acknowledged it counts as held from now on.
                self.held[record["id"], record["issued_at_unix_ms"]] = (time.monotonic(), None)

    def answered(self, flight, kind, _flags, body):
        if kind != 4:
            return
        topic, payload, since = flight.pop(int.from_bytes(body[:2], "big"), (None, None, None))
        refused = len(body) > 2 and body[2] >= 0x80
        if topic is None or refused:
            return
        with self.lock:
            if topic.endswith("/event"):
                event = json.loads(payload)
                self.taken.append((event["boot_id"], event["seq"]))
                self.acknowledged_at.setdefault(self.taken[-1], time.monotonic())
                self.passed["PUBACK"].set()
            elif topic.endswith("/identity") and payload:
                record = json.loads(payload)
                self.held[record["id"], record["issued_at_unix_ms"]] = (since, time.monotonic())

    def wait_for(self, what, seconds):
        """Waits until the PUBLISH or the PUBACK of an event passes; it has been read here, and not been handed on."""
        self.passed[what].clear()
        return self.passed[what].wait(seconds)

    def held_for(self, record):
        """Seconds that this identity took from the daemon to the broker's acknowledgement, as far as is known."""
        with self.lock:
            since, until = self.held.get((record["id"], record["issued_at_unix_ms"]), (None, None))
        return 0.0 if since is None else (until or time.monotonic()) - since


class Packets:
    """Cuts a stream of bytes into MQTT packets."""

    def __init__(self, take):
        self.take, self.buffer = take, b""

    def feed(self, data):
        self.buffer += data
        while len(self.buffer) >= 2:
            length, used = varint(self.buffer, 1)
            if length is None or len(self.buffer) < used + length:
                return
            packet, self.buffer = self.buffer[: used + length], self.buffer[used + length:]
            self.take(packet[0] >> 4, packet[0] & 15, packet[used:])


def varint(data, at):
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 128:
            return value, at
    return None, at


def parse_publish(body):
    """(topic, packet identifier, payload) of an MQTT 5 PUBLISH with QoS 1."""
    end = 2 + int.from_bytes(body[:2], "big")
    topic, packet = body[2:end].decode(), int.from_bytes(body[end:end + 2], "big")
    length, at = varint(body, end + 2)
    return topic, packet, body[at + length:]


class Board:
    """Serves the bytes of a board on TCP, again and again, faster than real time."""

    def __init__(self, stream, bytes_per_s):
        self.stream, self.rate, self.at = stream, bytes_per_s, 0
        self.plugged = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            connection.settimeout(1.0)
            portion = max(1, int(self.rate * 0.05))
            try:
                while self.plugged:
                    connection.sendall((self.stream * 2)[self.at:self.at + portion])
                    self.at = (self.at + portion) % len(self.stream)
                    time.sleep(0.05)
            except OSError:
                pass
            connection.close()
            while not self.plugged:
                time.sleep(0.02)


class Disk:
    """A small file system of its own for the database, where this process may mount one."""

    SIZE = 6 * 1024 * 1024

    def __init__(self, ends, directory):
        self.directory, self.mounted = directory, False
        ends.callback(self.close)
        directory.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "ecgid-delivery", directory],
                              capture_output=True)
        self.mounted = done.returncode == 0

    def fill(self):
        with open(self.directory / "filler", "wb", buffering=0) as filler:
            for portion in (65536, 4096, 512):
                try:
                    while True:
                        filler.write(b"x" * portion)
                except OSError:
                    pass

    def free(self):
        (self.directory / "filler").unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.directory], capture_output=True)


class Daemon:
    """`ecgid run` on a board behind TCP and a broker behind a wire."""

    def __init__(self, ends, program, directory, config):
        self.ends, self.program, self.config, self.process = ends, program, config, None
        self.log = open(directory / "ecgid.log", "ab")

    def start(self):
        command = [self.program, "run", "--config", self.config]
        self.process = begin(self.ends, command, stdout=self.log, stderr=self.log)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        end(self.process)


def outbox(database):
    """[(boot_id, seq)] of what waits, read while the daemon is dead: in a copy, since whoever closes the last connection to
    a database tidies up after the dead, and the next one may lack the room on its disk to begin again."""
    database = Path(database)
    with tempfile.TemporaryDirectory(prefix="ecgid-outbox-") as elsewhere:
        for file in (database, database.with_name(database.name + "-wal")):
            if file.exists():
                shutil.copy(file, elsewhere)
        connection = sqlite3.connect(Path(elsewhere, database.name), timeout=5)
        try:
            return connection.execute("SELECT boot_id, seq FROM outbox ORDER BY id").fetchall()
        finally:
            connection.close()
