"""Scenarios of two hosts, and of clocks that are wrong."""

from __future__ import annotations

from collections.abc import Iterator

from ..draw import draw
from .beacons import minted
from .hellos import random, welcomed
from .script import START, Script


def gateway_scenarios() -> Iterator[Script]:
    yield two_gateways()
    yield false_beacons()
    yield clock_back()
    yield clock_forward_and_back()


def hears(s: Script, session: bytes, expect: str, about: str = "", host: str = "b") -> None:
    s.step("hear", about, host=host, session=session.hex(), expect=expect)


def two_gateways() -> Script:
    s = Script("two-gateways", "A second host on a store of its own follows the first.")
    kitchen = welcomed(s)
    captured = kitchen.send(b"20.0", bound=True)
    s.fresh("kitchen", captured, b"20.0")
    assert kitchen.beacon is not None
    s.step("clock", "Half a minute passes.", advance="30")
    s.step("start", "The follower publishes nothing.", host="b", role="follower")
    s.opens(captured, "forged", "It knows no session yet.", host="b")
    hears(s, kitchen.beacon, "accepted", "The retained one.")
    s.opens(
        captured,
        "stale_session",
        "Its session is older than the store: it may be a copy.",
        host="b",
    )
    s.opens(kitchen.send(b"20.1"), "stale_session", "Unbound; a follower asks nobody.", host="b")
    kitchen.beacon = s.minute()
    hears(s, kitchen.beacon, "accepted", "The next.")
    bound = kitchen.send(b"20.2", bound=True)
    s.fresh("kitchen", bound, b"20.2", "To the first host.")
    s.fresh("kitchen", bound, b"20.2", "To the second, which meets the device.", host="b")
    s.opens(bound, "duplicate", "The first took it once.")
    s.opens(bound, "replayed", "The second too: its window opened at the beacon's time.", host="b")
    hello = kitchen.hello(random(s))
    s.opens(hello, "replayed", "The follower sends no welcome.", host="b")
    s.fresh("kitchen", hello, None, "The authority does.")
    welcome = s.welcomes("kitchen", kitchen, s.head(kitchen) + 1)
    assert kitchen.receive(welcome).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None)
    s.step("send", host="b", device="kitchen", plaintext="6f6e", expect="not_authority")
    s.step("rotate", host="b", device="kitchen", expect="not_authority")
    s.sends("kitchen", kitchen, b"on", "The authority may.")
    return s


def false_beacons() -> Script:
    s = Script("false-beacons", "A follower takes no session that is false, old or of the future.")
    kitchen = welcomed(s)
    s.step("start", host="b", role="follower")
    key, drawn = s.player.session_key, [draw(s.name, f"random/{n}", 4) for n in range(5)]
    future = minted(key, START + 3600, drawn[0])
    hears(s, future, "refused", "An hour ahead.")
    kitchen.beacon = future
    s.opens(kitchen.send(b"1", bound=True), "forged", "Bound to it.", host="b")
    hears(s, minted(key, START + 31 + 1, drawn[1]), "refused", "More than 30 seconds ahead.")
    other = minted(draw(s.name, "other", 32), START, drawn[2])
    hears(s, other, "refused", "Minted under another session key.")
    hears(s, bytes(16), "refused", "Zeros.")
    good = minted(key, START + 20, drawn[3])
    hears(s, good, "accepted", "20 seconds ahead.")
    hears(s, good, "refused", "Again: nothing new.")
    hears(s, minted(key, START - 600, drawn[4]), "refused", "Ten minutes old.")
    kitchen.beacon = good
    s.fresh("kitchen", kitchen.send(b"2", bound=True), b"2", "Bound to the good one.", host="b")
    return s


def clock_back() -> Script:
    s = Script("clock-back", "The wall clock goes back by an hour across a restart.")
    kitchen = welcomed(s)
    reading = kitchen.send(b"20.0")
    s.fresh("kitchen", reading, b"20.0")
    held = kitchen.send(b"20.1", bound=True)
    beacon = s.again("restart", "The session's time is a second after the last.", wall_jump="-3600")
    assert int.from_bytes(beacon[:4], "big") == START + 1, "a session that is older than the last"
    s.opens(reading, "duplicate")
    s.opens(held, "stale_session", "Bound to the session of before.")
    kitchen.beacon = beacon
    s.fresh("kitchen", kitchen.send(b"20.2", bound=True), b"20.2")
    attic = s.lists("attic")
    s.again("restart", "A new device is listed.")
    attic.beacon = s.minute()
    s.says_hello("attic", attic, "First contact, at a beacon whose time is ahead of the clock.")
    return s


def clock_forward_and_back() -> Script:
    s = Script("clock-forward-and-back", "The clock was an hour ahead: heads stay where they are.")
    kitchen = s.lists("kitchen")
    s.start()
    kitchen.beacon = s.again("restart", "The clock jumps ahead.", wall_jump="3600")
    s.says_hello("kitchen", kitchen)
    assert s.head(kitchen) == ((START + 3600) << 24) + 1, "not at the beacon's time"
    first = kitchen.counter
    s.streams(kitchen, first, first + 9, "fresh", "10 readings.")
    kitchen.counter += 10
    kitchen.beacon = s.again("restart", "The clock is set right.", wall_jump="-3600")
    assert int.from_bytes(kitchen.beacon[:4], "big") == START + 3601, "older than the last"
    s.streams(kitchen, first, first + 9, "duplicate", "The 10 readings.")
    kitchen.boot(1)
    kitchen.beacon = s.minute()
    s.opens(kitchen.hello(random(s)), "replayed", "The device loses its counter.")
    s.is_welcomed("kitchen", kitchen, first + 9 + (1 << 20))
    return s
