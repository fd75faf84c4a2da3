"""What scripts/validate_discovery.py puts on stage: a broker, the daemon, expected states and broken messages."""

import copy
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as paho

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/acceptance"))
from loopback import free_port  # noqa: E402

# Golden payload: its topic below the gateway, and what the entities show after it.
EXPECTED = {
    "identity-verified.json": ("ecg0/identity", {"verified": "on", "person": "ada"}),
    "identity-unlisted.json": ("ecg0/identity", {"verified": "on", "person": "unknown"}),
    "identity-unknown.json": ("ecg0/identity", {"verified": "off", "person": "unknown"}),
    "identity-no_signal.json": ("ecg0/identity", {"verified": "off", "person": "none"}),
    "event-verified.json": ("ecg0/event", {"event": "verified"}),
    "event-unknown.json": ("ecg0/event", {"event": "unknown"}),
    "signal-full.json": ("ecg0/signal", {"contact": "off", "heart_rate": "62", "respiration_rate": "15",
                                         "signal_quality": "93"}),
    "signal-bare.json": ("ecg0/signal", {"contact": "on", "heart_rate": "unknown", "respiration_rate": "unknown",
                                         "signal_quality": "0"}),
    "hrv-full.json": ("ecg0/hrv", {"rmssd": "40.2"}),
    "hrv-bare.json": ("ecg0/hrv", {"rmssd": "unknown"}),
    "health-well.json": ("bridge/health", {"problem": "off", "outbox_waiting": "0", "dropped_events": "0",
                                           "unsaved_events": "0"}),
    "health-problem.json": ("bridge/health", {"problem": "on", "outbox_waiting": "12", "dropped_events": "3",
                                              "unsaved_events": "2"}),
}


def broken(whole):
    """Discovery messages that must be refused, each with what is wrong with it."""
    def changed(change):
        payload = copy.deepcopy(whole)
        change(payload)
        return json.dumps(payload)

    verified, person, rate = "verified", "person", "heart_rate"
    yield "not JSON", '{"dev":'
    yield "no device", changed(lambda p: p.pop("dev"))
    yield "a device without an id", changed(lambda p: p["dev"].update(ids=[]))
    yield "no origin", changed(lambda p: p.pop("o"))
    yield "no component", changed(lambda p: p.pop("cmps"))
    yield "a component without a platform", changed(lambda p: p["cmps"][verified].pop("p"))
    yield "an unknown platform", changed(lambda p: p["cmps"][verified].update(p="heart"))
    yield "no unique id", changed(lambda p: p["cmps"][verified].pop("uniq_id"))
    yield "an unknown mode", changed(lambda p: p.update(avty_mode="some"))
    yield "no state topic", changed(lambda p: p["cmps"][verified].pop("stat_t"))
    yield "a wildcard in a topic", changed(lambda p: p["cmps"][verified].update(stat_t="ecgid/#/x"))
    yield "a template that is none", changed(lambda p: p["cmps"][verified].update(val_tpl="{{ value_json. }}"))
    yield "an unknown device class", changed(lambda p: p["cmps"]["contact"].update(dev_cla="heart"))
    yield "options with a unit", changed(lambda p: p["cmps"][person].update(unit_of_meas="bpm"))
    yield "a unit of another class", changed(lambda p: p["cmps"]["rmssd"].update(unit_of_meas="bpm"))
    yield "an expiry in words", changed(lambda p: p["cmps"][rate].update(exp_aft="soon"))
    yield "an unknown entity category", changed(lambda p: p["cmps"]["board"].update(ent_cat="hidden"))


class Broker:
    """mosquitto on a free port of loopback, and a client that speaks for the gateway, until `ends`, an ExitStack, closes."""

    def __init__(self, ends):
        directory = ends.enter_context(tempfile.TemporaryDirectory(prefix="mosquitto-"))
        self.port = free_port()
        config = pathlib.Path(directory, "mosquitto.conf")
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n")
        process = subprocess.Popen([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", config])
        ends.callback(process.wait, 5)
        ends.callback(process.kill)
        self.client = self._connected()
        ends.callback(self.client.disconnect)

    def _connected(self):
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        for attempt in range(100):
            try:
                client.connect("127.0.0.1", self.port)
                break
            except OSError:
                if attempt == 99:
                    raise
                time.sleep(0.05)
        client.loop_start()
        return client

    def publish(self, topic, payload, retain=False):
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def listen(self, topic):
        """A list that grows with what comes on a topic."""
        heard = []
        client = self._connected()
        client.on_message = lambda _client, _data, message: heard.append(message)
        client.subscribe(topic, 1)
        return heard


class Daemon:
    """The daemon, with a simulated board and a database in `directory`, where it keeps what it has announced."""

    def __init__(self, program, port, directory, more=()):
        settings = {"mqtt.url": f"mqtt://127.0.0.1:{port}", "source.kind": "simulator",
                    "store.path": f"{directory}/ecgid.sqlite", "log.level": "warn"} | dict(more)
        flags = [text for key, value in settings.items() for text in ("--set", f"{key}={value}")]
        self.process = subprocess.Popen([program, "run", *flags], cwd=pathlib.Path(__file__).resolve().parent.parent)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            finally:
                self.process.kill()
                self.process.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
