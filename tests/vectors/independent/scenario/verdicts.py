"""Scenarios of what is told before and beside windows: who, whither, when, and in which form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..classic.cases import separated, with_iv_giving_first_bytes
from ..classic.model import Case as ClassicCase
from ..classic.model import Separated
from ..classic.seal import frame_of
from ..draw import draw, flipped
from ..outcomes import Rejected
from ..sealed.armor import armor
from ..sealed.frame import parse
from ..sealed.keys import device_key
from .device import Device
from .hellos import random, welcomed
from .script import Script


def verdict_scenarios() -> Iterator[Script]:
    yield unknown_devices()
    yield revoked()
    yield reflected()
    yield forged()
    yield stale_beacon()
    yield retained()
    yield armored()
    yield asked_once_a_minute()
    yield downgraded()
    yield classic_f5()


def unknown_devices() -> Script:
    s = Script("unknown-device", "An address that the keyring does not list.")
    kitchen = welcomed(s)
    address = draw(s.name, "stranger", 8)
    stranger = Device(device_key(s.player.fleet_key, address), address, beacon=kitchen.beacon)
    s.opens(stranger.send(b"x"), "unknown_device", "Sealed under the fleet's key: no matter.")
    s.opens(stranger.send(b"x", bound=True), "unknown_device")
    s.opens(stranger.hello(random(s)), "unknown_device", "No welcome.")
    s.opens(stranger.send(b"x"), "unknown_device", "Retained.", retained="true")
    s.opens(flipped(kitchen.send(b"x"), 11, 0), "unknown_device", "An address, one bit off.")
    s.opens(armor(stranger.send(b"x")), "unknown_device", "Armored.")
    epoch = bytearray(stranger.send(b"x"))
    epoch[2:4] = b"\xff\xff"
    s.opens(bytes(epoch), "unknown_device", "Whatever epoch it claims.")
    return s


def revoked() -> Script:
    s = Script("revoked", "A device is revoked: nothing of it counts any more.")
    kitchen = welcomed(s)
    reading = kitchen.send(b"20.0")
    s.fresh("kitchen", reading, b"20.0")
    s.lists_again("kitchen", kitchen, revoked="true")
    kitchen.beacon = s.again("restart", "With the keyring as it is now.")
    s.opens(kitchen.send(b"20.1"), "revoked", "A new reading.")
    s.opens(reading, "revoked", "One that was fresh.")
    s.opens(kitchen.hello(random(s)), "revoked", "A hello: no welcome.")
    s.opens(kitchen.send(b"20.2"), "revoked", "Retained.", retained="true")
    s.opens(flipped(kitchen.send(b"20.3"), 36, 0), "revoked", "Before the tag is looked at.")
    s.opens(kitchen.seal("control", kitchen.sessions[0].session, b"\x06\x01"), "revoked")
    s.step("send", "No command either.", device="kitchen", plaintext="6f6e", expect="revoked")
    return s


def reflected() -> Script:
    s = Script("reflected", "The host's own frames come back to it.")
    kitchen = welcomed(s)
    s.step("send", device="kitchen", plaintext=b"on".hex(), expect="sent")
    command = s.publishes("kitchen", kitchen, kitchen.sessions[0].session, b"on")
    s.opens(command, "wrong_direction", "A command.")
    s.opens(armor(command), "wrong_direction", "Armored.")
    s.opens(command, "wrong_direction", "Retained.", retained="true")
    s.opens(flipped(command, 1, 0), "forged", "Its direction bit flipped: another key, bound.")
    s.opens(b"", "malformed", "An empty message.", reason="unrecognised", offset="0")
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0", "It used none of the device's counters.")
    return s


def forged() -> Script:
    s = Script("forged", "Forgeries change nothing: what follows is fresh.")
    kitchen = welcomed(s)
    reading = kitchen.send(b"20.0")
    s.opens(flipped(reading, 36, 0), "forged", "A bit of C.")
    s.opens(flipped(reading, 20, 0), "forged", "A bit of V.")
    s.opens(flipped(reading, 19, 3), "forged", "A counter above.")
    s.opens(flipped(reading, 12, 7), "forged", "A counter far above: the head stays.")
    s.opens(flipped(reading, 3, 0), "forged", "The next epoch: the epoch stays.")
    s.opens(flipped(reading, 1, 1), "forged", "Claimed to be bound.")
    s.opens(flipped(reading, 1, 2), "forged", "Claimed to be a hello.")
    s.opens(flipped(reading, 20, 0), "forged", "Retained.", retained="true")
    hello = kitchen.hello(random(s))
    s.opens(flipped(hello, 50, 0), "forged", "A bit of a hello: no welcome.")
    s.opens(reading[:-1], "forged", "Short by a byte.")
    s.fresh("kitchen", reading, b"20.0", "The reading itself.")
    s.fresh("kitchen", hello, None, "The hello itself.")
    s.is_welcomed("kitchen", kitchen, s.head(kitchen) + 1)
    return s


def stale_beacon() -> Script:
    s = Script("stale-beacon", "Frames bound to beacon sessions that grow old.")
    kitchen = welcomed(s)
    before = [kitchen.send(b"%d" % number, bound=True) for number in range(4)]
    hello = kitchen.hello_again()
    s.fresh("kitchen", before[0], b"0", "Under the current session.")
    s.minute()
    s.fresh("kitchen", before[1], b"1", "Under the previous one.")
    kitchen.beacon = s.minute()
    s.opens(before[2], "stale_session", "Under one that has expired.")
    s.opens(before[2], "duplicate", "The same, retained.", retained="true")
    s.opens(before[1], "stale_session", "Seen, and under one that has expired.")
    s.opens(hello, "stale_session", "A hello: no welcome.")
    s.fresh("kitchen", kitchen.send(b"20.0", bound=True), b"20.0", "Under the current one.")
    for number in range(4, 11):
        kitchen.beacon = s.minute(f"Session {number}.")
    s.opens(before[2], "stale_session", "The eighth that expired: the last one kept.")
    s.minute("Session 11.")
    s.opens(before[2], "forged", "The ninth: it is not known any more.")
    s.opens(before[3], "forged", "Retained.", retained="true")
    return s


def retained() -> Script:
    s = Script("retained", "The retained flag relabels what is refused, and refuses nothing.")
    kitchen = welcomed(s)
    reading = kitchen.send(b"20.0")
    s.minute("An outage: the broker keeps the reading.")
    s.fresh("kitchen", reading, b"20.0", "Retained, and never seen.", retained="true")
    s.opens(reading, "duplicate", "At each reconnect it comes again.", retained="true")
    s.again("restart", "Another outage.")
    s.opens(reading, "duplicate", "It comes again.", retained="true")
    first = kitchen.counter
    s.streams(kitchen, first, first + 99, "fresh", "100 readings.")
    kitchen.counter += 100
    s.opens(reading, "duplicate", "It would be replayed.", retained="true")
    s.opens(reading, "replayed", "Without the flag it is.")
    kitchen.beacon = s.again("empty", "The store is lost.")
    s.opens(reading, "duplicate", "It would be stale: the device is asked.", retained="true")
    s.asks("kitchen")
    held = kitchen.hello(random(s))
    s.fresh("kitchen", held, None, "A hello, retained by mistake.", retained="true")
    s.is_welcomed("kitchen", kitchen, s.head(kitchen) + 1)
    return s


def armored() -> Script:
    s = Script("armored", "One frame has one text, and is taken once in either form.")
    kitchen = welcomed(s)
    reading = kitchen.send(b"20.0")
    text = armor(reading)
    s.fresh("kitchen", text, b"20.0", "Armored.")
    s.opens(text, "duplicate", "The text again.")
    s.opens(reading, "duplicate", "The bytes.")
    other = kitchen.send(b"20.1")
    s.fresh("kitchen", other, b"20.1", "Bytes.")
    s.opens(armor(other), "duplicate", "Its text.")
    third = armor(kitchen.send(b"20"))
    assert len(third) % 4 == 3, "no bits are left over"
    for about, payload, reason, offset in (
        ("With padding.", third + b"=", "not_base64url", len(third)),
        ("With a newline.", third + b"\n", "not_base64url", len(third)),
        ("With a bit beyond the last byte.", with_bit(third), "trailing_bits", len(third) - 1),
        ("With a character too many.", third + b"AA", "armor_length", len(third) + 2),
    ):
        s.opens(payload, "malformed", about, reason=reason, offset=str(offset))
    s.opens(b" " + third, "malformed", "After a space.", reason="unrecognised", offset="0")
    digits = reading.hex().encode()
    s.opens(digits, "malformed", "In hex.", reason="unrecognised", offset="0")
    s.fresh("kitchen", third, b"20", "As it should be.")
    s.opens(third + b"=", "malformed", "Again.", reason="not_base64url", offset=str(len(third)))
    return s


def with_bit(text: bytes) -> bytes:
    """Set the lowest bit of the last character, which holds nothing; it is 0 in each text."""
    return text[:-1] + bytes([text[-1] + 1])


def asked_once_a_minute() -> Script:
    s = Script("asked-once-a-minute", "Each device without a window is asked once a minute.")
    kitchen, attic = s.lists("kitchen"), s.lists("attic")
    s.start()
    s.opens(kitchen.send(b"1"), "stale_session")
    s.asks("kitchen")
    s.opens(attic.send(b"1"), "stale_session", "Another device: its own minute.")
    s.asks("attic")
    s.opens(kitchen.send(b"2"), "stale_session")
    s.opens(flipped(attic.send(b"2"), 20, 0), "forged", "What does not verify asks nobody.")
    s.minute()
    s.opens(flipped(attic.send(b"3"), 20, 0), "forged", "Nor a minute later.")
    s.opens(kitchen.send(b"3"), "stale_session")
    s.asks("kitchen")
    s.opens(kitchen.send(b"4"), "stale_session")
    return s


def classic_case(
    s: Script, name: str, node_id: bytes, data: bytes, layout: Separated
) -> ClassicCase:
    """Return a classic frame of the scenario's group, under the empty session."""
    assert s.player.classic is not None
    case = separated(name, "", layout)
    keys = s.player.classic.keys
    return replace(case, keys=keys, session=b"", node_id=node_id, data=data)


def downgraded() -> Script:
    s = Script("downgraded", "A device that has sealed sends classic frames no more.", classic=True)
    node = b"1234567"
    kitchen = s.lists("kitchen", node_id=node.hex())
    attic = s.lists("attic", node_id=b"7654321".hex())
    kitchen.beacon = s.start()
    first = frame_of(classic_case(s, "downgraded-1", node, b"20.0", "hex"))
    s.opens(first, "fresh", "Before it sealed.", device="kitchen", plaintext=b"20.0".hex())
    unmet = kitchen.send(b"20.1")
    s.opens(unmet, "stale_session", "No first contact: it has sealed nothing that counts.")
    s.asks("kitchen")
    second = frame_of(classic_case(s, "downgraded-2", node, b"20.2", "hex"))
    s.opens(second, "fresh", device="kitchen", plaintext=b"20.2".hex())
    s.says_hello("kitchen", kitchen)
    third = frame_of(classic_case(s, "downgraded-3", node, b"20.3", "hex"))
    s.opens(third, "downgraded", "From now on.")
    s.opens(third, "downgraded", "Again.")
    s.opens(first, "downgraded", "One that was fresh.")
    s.opens(third, "downgraded", "Retained: this word stays.", retained="true")
    raw = frame_of(classic_case(s, "downgraded-raw", node, b"20.4", "raw"))
    s.opens(raw, "downgraded", "In the other layout.")
    damaged = third[:-1] + (b"0" if third[-1:] != b"0" else b"1")
    s.opens(damaged, "forged", "What does not verify is forged.")
    other = frame_of(classic_case(s, "downgraded-other", b"7654321", b"18.0", "hex"))
    s.opens(
        other, "fresh", "Another device is not concerned.", device="attic", plaintext=b"18.0".hex()
    )
    assert attic.counter == 1, "it has never sealed"
    s.again("restart", "It is remembered.")
    s.opens(third, "downgraded")
    s.fresh("kitchen", kitchen.send(b"20.5"), b"20.5", "Its sealed frames are good.")
    return s


def classic_f5() -> Script:
    s = Script("classic-f5", "A raw classic frame begins like a sealed one.", classic=True)
    node = b"1234567"
    s.lists("kitchen", node_id=node.hex())
    s.start()
    for first in (b"\xf5", b"9Q"):
        name = f"classic-f5-{first.hex()}"
        case = with_iv_giving_first_bytes(classic_case(s, name, node, b"20.0", "raw"), first)
        frame = frame_of(case)
        s.opens(
            frame, "fresh", f"It begins with {first!r}.", device="kitchen", plaintext=b"20.0".hex()
        )
        s.opens(frame, "duplicate", "Again.")
        upper = frame[:-40] + frame[-40:].upper()
        s.opens(upper, "duplicate", "Its MAC in upper case.")
        damaged = flipped(frame, 20, 0)
        s.opens(damaged, "forged", "A bit flipped.")
    short = frame_of(classic_case(s, "classic-f5-short", node, b"20.0", "raw"))
    sealed_like = b"\xf5" + short[1:-1]
    s.opens(
        sealed_like, "malformed", "Short by a digit: it is told as sealed.", **told(sealed_like)
    )
    return s


def told(frame: bytes) -> dict[str, str]:
    """Return the fields of what the sealed parser says of a frame that is none."""
    try:
        parse(frame)
    except Rejected as rejected:
        return {"reason": str(rejected.reason), "offset": str(rejected.offset)}
    raise AssertionError("a frame by chance")
