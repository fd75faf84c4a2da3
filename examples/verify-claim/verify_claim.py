#!/usr/bin/env python3
"""How a door checks the claims of an ecgid gateway. Needs the package `cryptography`; docs/doors.md says why each rule
is there. The class `Door` knows no broker and no calendar; times are milliseconds of a timer that only runs on.

    verify_claim.py --key BASE64 --gateway home --device ecg0 --broker localhost

asks once over MQTT, with mosquitto_rr, and says who is there. Exit code 0: somebody is verified; 1: nobody is, or nothing
that is heard can be believed."""

import argparse
import base64
import json
import re
import secrets
import subprocess
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# Longest wait for an answer, and longest life of what it says.
ANSWER_WITHIN_MS = 5_000
# Oldest claim that is believed without having been asked for.
MAX_AGE_MS = 15_000
# How long an answered challenge ties the gateway's uptime to the door's timer.
TIED_FOR_MS = 600_000
# What a claim may seem to be ahead by: two crystals never run alike.
AHEAD_MS = 1_000

STATES = ("no_signal", "acquiring", "verified", "unknown", "uncertain")
NUMBERS = ("seq", "issued_at_unix_ms", "expires_at_unix_ms", "uptime_ms")
TEXTS = ("gateway", "device", "id", "boot_id", "state")
PLAIN = re.compile(r"[A-Za-z0-9._:-]*")


class Refused(Exception):
    """Why a message is not believed, in a word or two."""


def canonical(claim):
    """The bytes that are signed."""
    score = claim.get("score")
    values = {
        "gateway": claim["gateway"],
        "device": claim["device"],
        "id": claim["id"],
        "seq": claim["seq"],
        "issued_at_unix_ms": claim["issued_at_unix_ms"],
        "expires_at_unix_ms": claim["expires_at_unix_ms"],
        "uptime_ms": claim["uptime_ms"],
        "state": claim["state"],
        "subject": claim.get("subject") or "",
        "score_millionths": "" if score is None else round(score * 1e6),
        "nonce": claim.get("nonce") or "",
    }
    if not all(PLAIN.fullmatch(str(value)) for value in values.values()):
        raise Refused("malformed")
    return "".join(["ecgid-claim-1\n", *(f"{key}={value}\n" for key, value in values.items())]).encode("ascii")


def parse(payload):
    """A JSON object that has every field once and in its type."""

    def once(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise Refused("malformed")
        return dict(pairs)

    try:
        claim = json.loads(payload, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed") from error
    if not isinstance(claim, dict):
        raise Refused("malformed")
    for key in NUMBERS:
        if type(claim.get(key)) is not int or not 0 <= claim[key] < 2**64:
            raise Refused("malformed")
    for key in TEXTS:
        if not isinstance(claim.get(key), str):
            raise Refused("malformed")
    for key in ("subject", "nonce", "signature"):
        if not isinstance(claim.get(key), (str, type(None))):
            raise Refused("malformed")
    score = claim.get("score")
    if score is not None and (type(score) not in (int, float) or not abs(score) <= 1000):
        raise Refused("malformed")
    if claim["state"] not in STATES:
        raise Refused("malformed")
    return claim


class Door:
    """Believes one gateway's key on one device. Whatever is refused, late or not said is *not verified*."""

    def __init__(self, public_key, gateway, device):
        self.key = Ed25519PublicKey.from_public_bytes(public_key)
        self.gateway, self.device = gateway, device
        self.asked = None
        self.tied = None

    def ask(self, nonce, now_ms):
        """A challenge is sent; an earlier one that was not answered is forgotten."""
        self.asked = (nonce, now_ms)

    def answered(self, payload, now_ms):
        """An answer came: the only way to open a door. Gives the subject or None, and for how many ms."""
        claim = self._genuine(payload)
        if self.asked is None or claim.get("nonce") != self.asked[0]:
            raise Refused("not asked for")
        asked_ms, self.asked = self.asked[1], None
        taken = now_ms - asked_ms
        if taken > ANSWER_WITHIN_MS:
            raise Refused("late")
        self.tied = {
            "boot_id": claim["boot_id"],
            "asked_ms": asked_ms,
            "uptime_ms": claim["uptime_ms"],
            "last_uptime_ms": claim["uptime_ms"],
            "last_seq": claim["seq"],
        }
        return self._believed(claim, ANSWER_WITHIN_MS, taken)

    def told(self, payload, now_ms):
        """A message of the topic `…/identity` or `…/event` came: for lamps and displays."""
        claim = self._genuine(payload)
        if claim.get("nonce") is not None:
            raise Refused("not asked for")
        tied = self.tied
        if tied is None or now_ms - tied["asked_ms"] > TIED_FOR_MS:
            raise Refused("not tied")
        if claim["boot_id"] != tied["boot_id"]:
            raise Refused("unknown boot")
        if claim["seq"] < tied["last_seq"]:
            raise Refused("reordered")
        if claim["uptime_ms"] <= tied["last_uptime_ms"]:
            raise Refused("replayed")
        latest = tied["uptime_ms"] + now_ms - tied["asked_ms"]
        if claim["uptime_ms"] > latest + AHEAD_MS:
            raise Refused("ahead of time")
        believed = self._believed(claim, MAX_AGE_MS, max(0, latest - claim["uptime_ms"]))
        tied["last_uptime_ms"], tied["last_seq"] = claim["uptime_ms"], claim["seq"]
        return believed

    def _genuine(self, payload):
        claim = parse(payload)
        try:
            signature = base64.b64decode(claim.get("signature") or "", validate=True)
            self.key.verify(signature, canonical(claim))
        except (ValueError, InvalidSignature) as error:
            raise Refused("bad signature") from error
        consistent = claim["id"] == f"{claim['boot_id']}:{claim['seq']}"
        if not consistent or claim["expires_at_unix_ms"] <= claim["issued_at_unix_ms"]:
            raise Refused("malformed")
        if (claim["gateway"], claim["device"]) != (self.gateway, self.device):
            raise Refused("other device")
        return claim

    @staticmethod
    def _believed(claim, longest_ms, age_ms):
        # The difference of two wall times: right even where the gateway's calendar is wrong.
        left = min(claim["expires_at_unix_ms"] - claim["issued_at_unix_ms"], longest_ms) - age_ms
        if left <= 0:
            raise Refused("expired")
        verified = claim["state"] == "verified" and claim.get("subject")
        return (claim["subject"] if verified else None), left


def timer_ms():
    """A timer that no calendar moves."""
    return time.monotonic_ns() // 1_000_000


def ask_over_mqtt(door, broker, port, prefix, name, more):
    """One question with mosquitto_rr; more: its further options, for instance those of TLS."""
    base = f"{prefix}/{door.gateway}/{door.device}"
    nonce = secrets.token_urlsafe(16)
    command = ["mosquitto_rr", "-V", "5", "-h", broker, "-p", str(port), "-W", "5", "-t", f"{base}/challenge"]
    command += ["-e", f"{base}/answer/{name}", "-D", "publish", "correlation-data", secrets.token_hex(8)]
    door.ask(nonce, timer_ms())
    heard = subprocess.run([*command, *more, "-m", json.dumps({"nonce": nonce})], capture_output=True, check=False)
    if not heard.stdout:
        raise Refused(f"no answer: {heard.stderr.decode(errors='replace').strip() or 'silence'}")
    return door.answered(heard.stdout, timer_ms())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", required=True, help="public key in base64, as `ecgid key` prints it")
    parser.add_argument("--gateway", default="home")
    parser.add_argument("--device", default="ecg0")
    parser.add_argument("--broker", default="localhost")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--prefix", default="ecgid", help="mqtt.topic_prefix of the gateway")
    parser.add_argument("--name", default="front-door", help="last level of the response topic")
    parser.add_argument("more", nargs="*", help="options for mosquitto_rr behind `--`, for instance -- --cafile ca.pem")
    args = parser.parse_args()
    try:
        door = Door(base64.b64decode(args.key, validate=True), args.gateway, args.device)
    except ValueError:
        parser.error("--key is no public key: 32 bytes in base64, as `ecgid key --format base64` prints them")
    try:
        subject, left_ms = ask_over_mqtt(door, args.broker, args.port, args.prefix, args.name, args.more)
    except Refused as refused:
        print(f"not verified ({refused})")
        return 1
    print(f"verified: {subject}, for {left_ms} ms" if subject else "not verified")
    return 0 if subject else 1


if __name__ == "__main__":
    sys.exit(main())
