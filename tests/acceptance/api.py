#!/usr/bin/env python3
"""Requests to the running daemon: the real executable, over real mosquitto and over HTTP. Standard library only; the last
part needs schemathesis.

  api.py --ecgid target/release/ecgid [--schemathesis venv/bin/st] [--for 60]

1. MQTT, permissions off: every request is refused, nothing is done.
2. MQTT, permissions on: a synthetic heart is enrolled by mosquitto_pub, its steps are told, *verified* follows; then it is
   renamed and deleted, and *verified* ends. A retained request is not carried out; a response topic and correlation data
   are kept.
3. HTTP: schemathesis sends what docs/openapi.json allows and what it forbids, with a fixed seed, for at most --for
   seconds: no answer 5xx, every answer as described, what is forbidden refused. Afterwards the daemon still answers.

Exits with 1 when anything is otherwise.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from loopback import begin, can_connect, free_port, leave_by_exception

PATIENCE_S = 30
SEED = 2024


class Daemon:
    """`ecgid run` on a synthetic heart at four times its speed, with the model that is shipped."""

    def __init__(self, ends, ecgid, directory, name, mqtt_port, keys):
        self.folder = directory / name
        self.folder.mkdir()
        settings = {"gateway": name, "source.kind": "simulator", "source.speed": "4", "control.http": "127.0.0.1:0",
                    "store.path": self.folder / "ecgid.sqlite", **keys}
        settings |= {"mqtt.url": f"mqtt://127.0.0.1:{mqtt_port}"} if mqtt_port else {"mqtt.enabled": "false"}
        arguments = [argument for key, value in settings.items() for argument in ("--set", f"{key}={value}")]
        self.log = open(self.folder / "log", "wb")
        self.process = begin(ends, [ecgid, "run", *arguments], stdout=subprocess.DEVNULL, stderr=self.log)
        self.access = wait_for(self.read_access, "the daemon to listen")

    def read_access(self):
        path = self.folder / "ecgid.control"
        return json.loads(path.read_text()) if path.exists() else None

    def get(self, path, body=None):
        """The data of an answer; with a body, of a POST."""
        request = urllib.request.Request(f"http://{self.access['address']}{path}", json.dumps(body).encode() if body else None,
                                         headers={"Authorization": f"Bearer {self.access['token']}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)["data"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        expect(code == 0, f"the daemon ended with {code}; its log: {(self.folder / 'log').read_text()[-2000:]}")


class Broker:
    def __init__(self, ends, directory):
        self.port = free_port()
        conf = directory / "mosquitto.conf"
        # As root it would become another user, who may not write here.
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        log = open(directory / "mosquitto.log", "wb")
        self.process = begin(ends, [program, "-c", conf], stdout=log, stderr=log)
        wait_for(lambda: can_connect(self.port), "the broker to listen")

    def publish(self, topic, body, *more):
        subprocess.run(["mosquitto_pub", "-V", "5", "-p", str(self.port), "-t", topic, "-m", body, *more], check=True)

    def ask(self, topic, body, *more):
        """Request and answer by response topic and correlation data."""
        answers = f"{topic.split('/request/')[0]}/response/answers/{os.getpid()}"
        command = ["mosquitto_rr", "-V", "5", "-p", str(self.port), "-t", topic, "-e", answers,
                   "-W", str(PATIENCE_S), "-m", body, *more]
        answer = subprocess.run(command, capture_output=True, text=True)
        expect(answer.returncode == 0, f"no answer on {topic}: {answer.stderr}")
        return answer.stdout

    def request(self, gateway, name, body="{}"):
        return json.loads(self.ask(f"ecgid/{gateway}/bridge/request/{name}", body))


class Subscriber:
    """mosquitto_sub on everything below ecgid/."""

    def __init__(self, ends, port):
        self.lines = []
        command = ["mosquitto_sub", "-V", "5", "-p", str(port), "-q", "1", "-v", "-t", "ecgid/#"]
        self.process = begin(ends, command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        for line in self.process.stdout:
            topic, _, payload = line.rstrip("\n").partition(" ")
            self.lines.append((topic, json.loads(payload) if payload.startswith("{") else payload))

    def until(self, topic, accept, what):
        """The first message on the topic that is accepted."""
        def look():
            return next((message for on, message in list(self.lines) if on == topic and accept(message)), None)
        return wait_for(look, what)


def mqtt(ecgid, directory):
    with ExitStack() as ends:
        broker = Broker(ends, directory)
        heard = Subscriber(ends, broker.port)
        closed = Daemon(ends, ecgid, directory, "closed", broker.port, {})
        heard.until("ecgid/closed/availability", lambda m: m == "online", "the daemon at the broker")
        for name in ["health", "enrol/start", "enrol/status", "subjects/list", "subjects/delete"]:
            answer = broker.request("closed", name, '{"subject": "anna"}')
            expect(answer["error"]["code"] == "not_permitted", f"{name} without permission: {answer}")
        expect(closed.get("/api/v1/enrol")["state"] == "idle", "an enrolment began without permission")
        closed.stop()
        print("MQTT, permissions off: 5 of 5 requests refused")

        # Both wait at the broker before the daemon comes; a retained request is of some other time.
        broker.publish("ecgid/open/bridge/request/enrol/start", '{"subject": "retained"}', "-r")
        allowed = {f"control.mqtt_{group}": "true" for group in ("health", "enrol", "subjects")}
        daemon = Daemon(ends, ecgid, directory, "open", broker.port, allowed)
        heard.until("ecgid/open/availability", lambda m: m == "online", "the daemon at the broker")
        wait_for(lambda: daemon.get("/api/v1/health")["source"]["online"], "samples")
        expect(broker.request("open", "health")["data"]["source"]["online"] is True, "health does not know the source")
        wait_for(lambda: daemon.get("/api/v1/health")["bridge"], "the health that is published")
        expect(daemon.get("/api/v1/health")["bridge"]["broker_connections"] == 1, "health does not know the broker")
        expect(daemon.get("/api/v1/enrol")["state"] == "idle", "a retained request was carried out")
        # Nor one that is to be retained, while it is new; the answer to another tells that it has been heard.
        broker.publish("ecgid/open/bridge/request/enrol/start", '{"subject": "retained"}', "-r")
        expect(broker.request("open", "health")["status"] == "ok", "health after a retained request")
        expect(daemon.get("/api/v1/enrol")["state"] == "idle", "a request that came retained was carried out")

        broker.publish("ecgid/open/bridge/request/enrol/start", '{"subject": "anna", "seconds": 16, "transaction": "7"}')
        answer = heard.until("ecgid/open/bridge/response/enrol/start", lambda m: True, "the answer to enrol/start")
        expect(answer["status"] == "ok" and answer["transaction"] == "7", f"enrol/start: {answer}")
        steps = "ecgid/open/bridge/response/enrol/status"
        ended = heard.until(steps, lambda m: m["data"]["state"] not in ("collecting", "question"), "the enrolment's end")
        expect(ended["data"]["state"] == "done", f"the enrolment: {ended}")
        verified = lambda m: m["state"] == "verified" and m["subject"] == "anna"
        heard.until("ecgid/open/ecg0/event", verified, "verified anna")
        told = sum(topic == steps for topic, _ in heard.lines)
        print(f"MQTT, permissions on: enrolled with {ended['data']['report']['beats']} beats, {told} steps told, verified")

        expect(broker.request("open", "subjects/rename", '{"from": "anna", "to": "ann"}')["status"] == "ok", "rename")
        expect(broker.request("open", "subjects/delete", '{"subject": "ann"}')["status"] == "ok", "delete")
        expect(broker.request("open", "subjects/list")["data"]["subjects"] == [], "somebody is left")
        wait_for(lambda: [m for t, m in heard.lines if t == "ecgid/open/ecg0/event"][-1]["state"] != "verified",
                 "verified to end")
        mine = f"ecgid/open/bridge/response/answers/{os.getpid()}/mine"
        listener = begin(ends, ["mosquitto_sub", "-V", "5", "-p", str(broker.port), "-t", mine, "-C", "1", "-W",
                                str(PATIENCE_S), "-F", "%D %C"], stdout=subprocess.PIPE, text=True)
        while listener.poll() is None:  # until it has subscribed: a request is sent once more, not waited for
            broker.publish("ecgid/open/bridge/request/health", "{}", "-D", "publish", "response-topic", mine,
                           "-D", "publish", "correlation-data", "c-42")
            time.sleep(0.3)
        told = listener.stdout.read().split()
        expect(told == ["c-42", "application/json"], f"correlation data and content type: {told}")
        bad = broker.request("open", "enrol/start", '{"subject": "anna", "ad": true}')
        expect(bad["error"]["code"] == "bad_request" and "`ad`" in bad["error"]["message"], f"an unknown field: {bad}")
        print("MQTT: renamed, deleted, not verified any more; an unknown field is refused by its name")
        heard.process.terminate()
        daemon.stop()


def conformance(ecgid, directory, schemathesis, seconds):
    with ExitStack() as ends:
        daemon = Daemon(ends, ecgid, directory, "http", None, {})
        # Somebody whom the examples of the description name, so that they find more than nobody.
        daemon.get("/api/v1/enrol", {"subject": "anna", "seconds": 12})
        wait_for(lambda: daemon.get("/api/v1/enrol")["state"] == "done", "an enrolment")
        # In a file: an argument could be read by every user of the machine.
        (directory / "schemathesis.toml").write_text('headers = { Authorization = "Bearer ${ECGID_TOKEN}" }\n')
        command = [Path(schemathesis).absolute(), "run", f"http://{daemon.access['address']}/api/v1/openapi.json",
                   "--url", f"http://{daemon.access['address']}", "--seed", str(SEED), "--max-time", str(seconds),
                   "--checks", "all", "--generation-database", "none", "--no-color", "--request-timeout", "10"]
        environment = {**os.environ, "ECGID_TOKEN": daemon.access["token"]}
        began = time.monotonic()
        run = subprocess.run(command, cwd=directory, env=environment, timeout=seconds + 120)
        expect(run.returncode == 0, "schemathesis has found something")
        expect(daemon.get("/api/v1/health")["uptime_s"] > 0, "the daemon does not answer any more")
        daemon.stop()
        print(f"HTTP: schemathesis has found nothing in {time.monotonic() - began:.0f} s with seed {SEED}")


def wait_for(look, what):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    sys.exit(f"FAILED: waited in vain for {what}")


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgid", required=True, type=lambda path: Path(path).absolute())
    parser.add_argument("--schemathesis", help="the program st; without it that part is left out")
    parser.add_argument("--for", dest="seconds", type=int, default=60, help="time for schemathesis, seconds")
    parser.add_argument("--only", choices=["mqtt", "http"], help="one part")
    args = parser.parse_args()
    leave_by_exception()
    with tempfile.TemporaryDirectory() as directory:
        if args.only != "http":
            mqtt(args.ecgid, Path(directory))
        if args.only == "mqtt":
            return
        if args.schemathesis:
            conformance(args.ecgid, Path(directory), args.schemathesis, args.seconds)
        else:
            print("SKIPPED: no schemathesis; the HTTP interface is not held against its description")


if __name__ == "__main__":
    main()
