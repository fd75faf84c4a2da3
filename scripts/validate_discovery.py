#!/usr/bin/env python3
"""Puts our discovery messages and payloads before a real Home Assistant: its schemas, its templates, its entities.

    python=$(scripts/home_assistant_python.sh DIRECTORY)
    "$python" scripts/validate_discovery.py [--ecgid target/release/ecgid]

Takes the messages from tests/golden/payloads, which a Rust test keeps equal to what the daemon says, and checks

- the schemas by which Home Assistant takes a discovery message, strictly: a key that it would drop is an error here;
- in a running core, through mosquitto on loopback: every entity appears without a warning and shows the state that is
  expected for every golden payload; availability and expiry; a new person; a change of style that keeps what a user has
  set; the removal. With --ecgid also the daemon itself, with a simulated board: from nothing to *verified*, and that a
  birth message is answered;
- that broken messages are refused, so that none of this passes by not looking.

Exits 1 with the first thing that is not as it should be. SKIPPED, with exit code 0, where mosquitto is not installed.
"""

import argparse
import asyncio
import contextlib
import copy
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from home_assistant_core import Core  # noqa: E402
from home_assistant_scenes import EXPECTED, Broker, Daemon, broken  # noqa: E402
from homeassistant.components.mqtt import binary_sensor, discovery, event, schemas, sensor  # noqa: E402
from homeassistant.const import __version__  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden/payloads"
SCHEMAS = ROOT / "schemas"
DEVICE = "ecgid_home_ecg0"
PREFIX = "ecgid/home/"
STRICT = {"binary_sensor": binary_sensor, "event": event, "sensor": sensor}


def golden(name):
    return json.loads((GOLDEN / name).read_text())


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def strictly(platform, config):
    """Home Assistant's schema for what is written by hand: as that for discovery, but it refuses unknown keys."""
    STRICT[platform].PLATFORM_SCHEMA_MODERN(config)


def check_schemas():
    (whole,) = golden("discovery-device.json")
    payload = copy.deepcopy(whole["payload"])
    discovery._replace_all_abbreviations(payload)
    schemas.validate_device_discovery_components(schemas.DEVICE_DISCOVERY_SCHEMA(payload))
    for name, component in payload["components"].items():
        platform = component.pop("platform")
        component |= {"device": payload["device"], "origin": payload["origin"]}
        for option in schemas.SHARED_OPTIONS:
            if option in payload:
                component.setdefault(option, payload[option])
        strictly(platform, component)
    singles = golden("discovery-single.json")
    for message in singles:
        payload = copy.deepcopy(message["payload"])
        discovery._replace_all_abbreviations(payload)
        prefix, _, rest = message["topic"].partition("/")
        matched = discovery.TOPIC_MATCHER.match(rest)
        check(prefix == "homeassistant" and matched, f"an illegal topic: {message['topic']}")
        strictly(matched["component"], payload)
    print(f"ok  schemas: one message of {len(json.dumps(whole['payload']))} bytes, {len(singles)} single ones")


def check_payloads():
    """The schemas are schemas, and the golden payloads fit them, says a validator that knows all of JSON Schema."""
    kinds = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        kinds[path.name.removesuffix(".schema.json")] = jsonschema.Draft202012Validator(schema)
    count = 0
    for path in sorted(GOLDEN.glob("*.json")):
        validator = kinds.get(path.name.split("-")[0])
        if validator:
            problems = [error.message for error in validator.iter_errors(json.loads(path.read_text()))]
            check(not problems, f"{path.name}: {problems}")
            count += 1
    check(count >= 14, f"only {count} payloads")
    print(f"ok  {len(kinds)} schemas, {count} golden payloads fit them")


def announce(broker, name):
    for message in golden(name):
        broker.publish(message["topic"], json.dumps(message["payload"]), retain=True)


def withdraw(broker, name):
    for message in golden(name):
        broker.publish(message["topic"], "", retain=True)


async def gone(core, broker, name):
    for message in golden(name):
        broker.publish(message["topic"], "", retain=True)
    await core.until("nothing is left", lambda: not core.registered() and not core.devices())
    # Entities go from the registry before their tasks have ended.
    await core.hass.async_block_till_done()
    await asyncio.sleep(1)


def online(broker, gateway="online", device="online"):
    broker.publish(PREFIX + "availability", gateway, retain=True)
    broker.publish(PREFIX + "ecg0/availability", device, retain=True)


def entities():
    return {message["payload"]["uniq_id"] for message in golden("discovery-single.json")}


async def appear(core, broker, name):
    core.complaints.take()
    announce(broker, name)
    await core.until(f"all entities of {name}", lambda: set(core.registered()) == entities())
    check(len(core.devices()) == 1, "one device")
    complaints = core.complaints.take()
    check(not complaints, f"{name}: {complaints}")
    print(f"ok  {name}: {len(entities())} entities of one device, no warning")


async def shows(core, what, speak, holds):
    """Speaks every second until it holds: Home Assistant subscribes some time after it has made an entity."""
    for attempt in range(15):
        speak()
        try:
            return await core.until(what, holds, 1)
        except AssertionError:
            if attempt == 14:
                raise


async def states(core, broker):
    """Every golden payload gives the states that are expected, and none leaves an earlier one in place."""
    online(broker)
    seen = 0
    for name, (topic, expected) in EXPECTED.items():
        payload = golden(name)
        if topic == "ecg0/event":
            payload["expires_at_unix_ms"] = int(time.time() * 1000) + 15_000
        speak = lambda: broker.publish(PREFIX + topic, json.dumps(payload))  # noqa: E731
        speak()
        for entity, value in expected.items():
            state = lambda: core.state(f"{DEVICE}_{entity}")  # noqa: E731
            reads = lambda: state().attributes["event_type"] if entity == "event" else state().state  # noqa: E731
            await shows(core, f"{name}: {entity} = {value} (it is {state()})", speak, lambda: state() and reads() == value)
            seen += 1
    for topic in {topic for topic, _ in EXPECTED.values()}:
        broker.publish(PREFIX + topic, "")
    await core.until("an empty health is none", lambda: core.state(f"{DEVICE}_outbox_waiting").state == "unknown")
    check(core.state(f"{DEVICE}_verified").state == "off", "an empty identity is nobody's")
    missing = {path.name for path in GOLDEN.glob("*.json")} - set(EXPECTED)
    unread = {name for name in missing if name.split("-")[0] in ("identity", "event", "signal", "hrv", "health")}
    check(not unread, f"no expectation for {unread}")
    complaints = core.complaints.take()
    check(not complaints, f"states: {complaints}")
    print(f"ok  {len(EXPECTED)} golden payloads give {seen} states as expected")


async def late_events(core, broker):
    broker.publish(PREFIX + "ecg0/event", json.dumps(golden("event-verified.json")))
    event = lambda: core.state(f"{DEVICE}_event")  # noqa: E731
    await core.until("an old event is `expired`", lambda: event().attributes["event_type"] == "expired")
    check(event().attributes["state"] == "verified", "and still says what it was")
    fresh = golden("event-unknown.json") | {"expires_at_unix_ms": int(time.time() * 1000) + 15_000}
    broker.publish(PREFIX + "ecg0/event", json.dumps(fresh), retain=True)
    await core.until("a fresh event", lambda: event().attributes["event_type"] == "unknown")
    shown = event().state
    await core.restart_mqtt()
    await core.until("it is back", lambda: event().state != "unavailable")
    await asyncio.sleep(1)
    check(event().state == shown, "a retained event is no event")
    broker.publish(PREFIX + "ecg0/event", "", retain=True)
    print("ok  an event after its time is `expired`, a retained one is none")


async def availability(core, broker):
    of = lambda entity: core.state(f"{DEVICE}_{entity}").state  # noqa: E731
    speak = lambda: [broker.publish(PREFIX + EXPECTED[name][0], json.dumps(golden(name)))  # noqa: E731
                     for name in ("identity-verified.json", "signal-full.json", "health-well.json")]
    online(broker)
    await shows(core, "verified", speak, lambda: of("verified") == "on" and of("problem") == "off")
    online(broker, device="offline")
    await core.until("without its source nobody is verified", lambda: of("verified") == "unavailable")
    check(of("problem") == "off" and of("board") == "off", "the gateway's health stays visible")
    online(broker, gateway="offline")
    await core.until("without the gateway nothing is known", lambda: of("problem") == of("board") == "unavailable")
    online(broker)
    began = 0.0

    def say():
        nonlocal began
        began = time.monotonic()
        speak()

    await shows(core, "verified again", say, lambda: of("verified") == "on")
    expires_after = golden("discovery-device.json")[0]["payload"]["cmps"]["verified"]["exp_aft"]
    await core.until("silence ends it", lambda: of("verified") == "unavailable", expires_after + 2)
    check(of("person") == "unavailable", "the person too")
    took = time.monotonic() - began
    check(took >= expires_after, "not before its time")
    print(f"ok  availability of gateway and source; silence ends an identity after {took:.1f} s")


async def changes(core, broker):
    """Another person, another style and back, and the removal."""
    core.rename(f"{DEVICE}_person", "Who is there")
    for old, new in (("device", "single"), ("single", "device")):
        for message in golden(f"discovery-{old}.json"):
            broker.publish(message["topic"], '{"migr_discvry":true}')
        announce(broker, f"discovery-{new}.json")
        withdraw(broker, f"discovery-{old}.json")
        await core.until(f"from {old} to {new}", lambda: core.state(f"{DEVICE}_person") is not None)
        person = lambda: core.state(f"{DEVICE}_person")  # noqa: E731
        online(broker)
        speak = lambda: broker.publish(PREFIX + "ecg0/identity", json.dumps(golden("identity-verified.json")))  # noqa: E731
        await shows(core, f"from {old} to {new}: it goes on", speak, lambda: person() and person().state == "ada")
        loaded = {entity for entity in core.registered() if core.state(entity)} | {f"{DEVICE}_memory"}
        check(loaded == entities(), f"{old} to {new}: not there: {entities() - loaded}")
        check(core.registered()[f"{DEVICE}_person"].name == "Who is there", "what a user has set is kept")
    # The old topics are emptied while their entities live on the new ones: Home Assistant says that it ignores that.
    complaints = [text for text in core.complaints.take() if "conflicting MQTT discovery message" not in text]
    check(not complaints, f"a change of style: {complaints}")
    (whole,) = golden("discovery-device.json")
    whole["payload"]["cmps"]["person"]["ops"].append("eve")
    broker.publish(whole["topic"], json.dumps(whole["payload"]), retain=True)
    person = lambda: core.state(f"{DEVICE}_person")  # noqa: E731
    await core.until("a new person", lambda: person() and "eve" in person().attributes.get("options", []))
    await gone(core, broker, "discovery-device.json")
    print("ok  a new person; a change of style and back keeps settings; removed without a trace")


async def refusals(core, broker):
    (whole,) = golden("discovery-device.json")
    count = 0
    for why, payload in broken(whole["payload"]):
        core.complaints.take()
        broker.publish(whole["topic"], payload)
        await core.until(f"a refusal: {why}", lambda: core.complaints.texts)
        check(len(core.registered()) < len(entities()), f"{why}: taken all the same")
        await gone(core, broker, "discovery-device.json")
        count += 1
    for key in ("unknown_key", "obj_id"):
        payload = copy.deepcopy(whole["payload"])["cmps"]["verified"] | {key: "x"}
        payload.pop("p")
        discovery._replace_all_abbreviations(payload)
        try:
            strictly("binary_sensor", payload)
        except Exception as refused:  # noqa: BLE001
            check("extra keys" in str(refused) or "not allowed" in str(refused) or key in str(refused), str(refused))
        else:
            raise AssertionError(f"{key} was taken")
        count += 1
    core.complaints.take()
    print(f"ok  {count} broken messages are refused")


async def daemon(core, broker, program, directory):
    with Daemon(program, broker.port, directory) as gateway:
        await core.until("the daemon's entities", lambda: set(core.registered()) == entities())
        of = lambda entity: getattr(core.state(f"{DEVICE}_{entity}"), "state", None)  # noqa: E731
        check(not core.complaints.take(), "without a warning")
        await core.until("a heart rate", lambda: (of("heart_rate") or "").isdigit(), 40)
        await core.until("somebody who is not enrolled", lambda: of("person") in ("none", "unknown"))
        check(of("board") == "on" and of("verified") == "off", "the board is there, nobody is verified")
        heard = broker.listen(golden("discovery-device.json")[0]["topic"])
        await core.restart_mqtt()
        await core.until("a birth is answered", lambda: len([m for m in heard if not m.retain]) == 1)
        gateway.stop()
        await core.until("goodbye", lambda: of("verified") == of("board") == "unavailable")
    with Daemon(program, broker.port, directory, {"homeassistant.enabled": "false"}):
        await core.until("switched off and taken back", lambda: not core.registered(), 20)
    print("ok  the daemon itself: found, alive, answers a birth, says goodbye, takes itself back")


async def main(arguments, ends):
    check_payloads()
    broker = Broker(ends)
    home = tempfile.TemporaryDirectory(prefix="home-assistant-", ignore_cleanup_errors=True)
    core = await Core().start(broker.port, ends.enter_context(home))
    try:
        # In its loop: Home Assistant checks templates only there.
        check_schemas()
        await appear(core, broker, "discovery-device.json")
        await gone(core, broker, "discovery-device.json")
        await refusals(core, broker)
        await appear(core, broker, "discovery-device.json")
        await states(core, broker)
        await late_events(core, broker)
        await availability(core, broker)
        await changes(core, broker)
        await appear(core, broker, "discovery-single.json")
        await states(core, broker)
        await gone(core, broker, "discovery-single.json")
        if arguments.ecgid:
            with tempfile.TemporaryDirectory(prefix="ecgid-") as directory:
                await daemon(core, broker, os.path.abspath(arguments.ecgid), directory)
    finally:
        await core.stop()
    print(f"Home Assistant {__version__} takes everything that is announced")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--ecgid", help="also run this executable of the daemon")
    options = parser.parse_args()
    if not (shutil.which("mosquitto") or os.path.exists("/usr/sbin/mosquitto")):
        print("SKIPPED: mosquitto is not installed")
        sys.exit(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Around the loop, so that they are closed even where its own end is cut short.
    with contextlib.ExitStack() as stack:
        asyncio.run(main(options, stack))
