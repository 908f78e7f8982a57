"""Scenarios of devices that lose their counters, and of hellos that are late, lost or repeated."""

from __future__ import annotations

from collections.abc import Iterator

from ..draw import draw
from ..sealed import control
from ..sealed.model import LAST_COUNTER
from .device import Device
from .script import Script

WITHHELD = 1 << 20


def hello_scenarios() -> Iterator[Script]:
    yield wiped_device()
    yield withheld_above()
    yield withheld_hello()
    yield hello_below_window()
    yield hello_once_per_tag()
    yield hellos_swapped()
    yield welcome_lost()
    yield session_until_acknowledged()
    yield last_counter()
    yield near_last_counter()
    yield bodies()


def random(s: Script) -> bytes:
    return draw(f"{s.name}/{len(s.records)}", "device", 16)


def welcomed(s: Script, name: str = "kitchen", counter: int = 1) -> Device:
    """Start with one device that has said hello; return it."""
    device = s.lists(name)
    device.counter = counter
    device.beacon = s.start()
    s.says_hello(name, device)
    return device


def wiped_device() -> Script:
    s = Script("wiped-device", "A device loses its flash and comes back; 5000 frames are replayed.")
    kitchen = welcomed(s)
    first = kitchen.counter
    s.streams(kitchen, first, first + 4999, "fresh", "5000 readings.")
    beacon = kitchen.beacon
    kitchen.boot(1)
    kitchen.beacon = beacon
    hello = kitchen.hello(random(s))
    s.opens(hello, "replayed", "Counter 1, bound to the beacon: it touches no window.")
    welcome = s.welcomes("kitchen", kitchen, first + 4999 + WITHHELD)
    s.streams(kitchen, first, first + 4935, "replayed", "Before the device acknowledged.")
    s.streams(kitchen, first + 4936, first + 4999, "duplicate", "Those within the window.")
    assert kitchen.receive(welcome).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "The acknowledgement.")
    s.streams(kitchen, first, first + 4999, "replayed", "All 5000, below the window.")
    s.opens(hello, "replayed", "The hello: its tag is known, no welcome.")
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0", "The device is back.")
    return s


def withheld_above() -> Script:
    s = Script("withheld-above", "Frames are withheld, and the device loses its counter.")
    kitchen = welcomed(s)
    head = s.head(kitchen)
    withheld = [kitchen.send(b"%d" % number) for number in range(10)]
    withheld_hello, session = kitchen.hello_again(), kitchen.sessions[0].session
    beacon = kitchen.beacon
    kitchen.boot(1)
    kitchen.beacon = beacon
    s.opens(kitchen.hello(random(s)), "replayed", "The head is still below what was withheld.")
    s.is_welcomed("kitchen", kitchen, head + WITHHELD)
    for frame in withheld[:3]:
        s.opens(frame, "replayed", "Withheld until now, and below the window.")
    s.opens(withheld_hello, "replayed", "A withheld hello, never seen: it yields a welcome.")
    welcome = s.welcomes("kitchen", kitchen, head + WITHHELD + WITHHELD, session)
    assert kitchen.receive(welcome).verdict == "forged", "the device took another session's welcome"
    s.sends("kitchen", kitchen, b"on", "Not acknowledged, it changes nothing.")
    return s


def withheld_hello() -> Script:
    s = Script("withheld-hello", "A boot's hello is withheld past 39 frames: none is taken twice.")
    kitchen = welcomed(s)
    beacon = kitchen.beacon
    kitchen.boot(kitchen.counter)
    kitchen.beacon = beacon
    hello = kitchen.hello(random(s))
    first = kitchen.counter
    s.streams(kitchen, first, first + 38, "fresh", "39 readings pass the hello.")
    kitchen.counter += 39
    s.fresh("kitchen", hello, None, "The hello is new, and not above the head.", late=True)
    welcome = s.welcomes("kitchen", kitchen, first + 38 + WITHHELD)
    s.streams(kitchen, first, first + 38, "duplicate", "The 39 again.")
    s.opens(hello, "duplicate", "The hello again: its tag is known, no welcome.")
    assert kitchen.receive(welcome).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "The acknowledgement.")
    s.streams(kitchen, first, first + 38, "replayed", "The 39 again.")
    s.opens(hello, "replayed")
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0")
    return s


def hello_below_window() -> Script:
    s = Script("hello-below-window", "A boot's hello comes after 70 frames, below the window.")
    kitchen = welcomed(s)
    beacon = kitchen.beacon
    kitchen.boot(kitchen.counter)
    kitchen.beacon = beacon
    hello = kitchen.hello(random(s))
    first = kitchen.counter
    s.streams(kitchen, first, first + 69, "fresh", "70 readings pass the hello.")
    kitchen.counter += 70
    s.opens(hello, "replayed", "Never seen, below the window, bound: it yields the welcome.")
    s.is_welcomed("kitchen", kitchen, first + 69 + WITHHELD)
    s.streams(kitchen, first, first + 69, "replayed", "The 70 again.")
    return s


def hello_once_per_tag() -> Script:
    s = Script("hello-once-per-tag", "Copies of a hello yield one welcome, whatever they come as.")
    kitchen = welcomed(s)
    head = s.head(kitchen)
    s.streams(kitchen, kitchen.counter, kitchen.counter, "fresh", "A reading.")
    head += 1
    kitchen.counter = 7
    hello = kitchen.hello(random(s))
    s.opens(hello, "duplicate", "Retained: only the word is another.", retained="true")
    s.welcomes("kitchen", kitchen, head + WITHHELD)
    s.opens(hello, "replayed", "A copy: no welcome.")
    s.opens(hello, "replayed", "Another.")
    again = kitchen.hello_again()
    s.opens(again, "replayed", "The device says hello again: another tag.")
    s.is_welcomed("kitchen", kitchen, head + WITHHELD)
    unbound = Device(kitchen.device_key, kitchen.address, counter=9)
    s.opens(unbound.hello(random(s)), "replayed", "An unbound hello below the head yields none.")
    return s


def hellos_swapped() -> Script:
    s = Script("hellos-swapped", "Two boots, their hellos swapped: the device's session wins.")
    kitchen = welcomed(s)
    beacon = kitchen.beacon
    kitchen.boot(kitchen.counter + 20)
    kitchen.beacon = beacon
    first = kitchen.hello(random(s))
    first_session = kitchen.sessions[0].session
    kitchen.boot(kitchen.counter + 20)
    kitchen.beacon = beacon
    second = kitchen.hello(random(s))
    s.fresh("kitchen", second, None, "The second boot's hello comes first.")
    head = s.head(kitchen)
    welcome = s.welcomes("kitchen", kitchen, head + 1)
    s.fresh("kitchen", first, None, "The first boot's: new, and not above the head.", late=True)
    other = s.welcomes("kitchen", kitchen, head + WITHHELD, first_session)
    assert kitchen.receive(other).verdict == "forged", "a session that RAM has lost"
    assert kitchen.receive(welcome).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "The second boot's session is current.")
    s.sends("kitchen", kitchen, b"on")
    return s


def welcome_lost() -> Script:
    s = Script("welcome-lost", "A welcome is lost: the device says hello again.")
    kitchen = s.lists("kitchen")
    kitchen.beacon = s.start()
    s.fresh("kitchen", kitchen.hello(random(s)), None)
    head = s.head(kitchen)
    s.welcomes("kitchen", kitchen, head + 1)
    s.step(
        "send",
        "No session is current yet.",
        device="kitchen",
        plaintext="6f6e",
        expect="no_session",
    )
    kitchen.counter = head + 1
    other = kitchen.seal("control", kitchen.sessions[0].session, control.ack(bytes(16)))
    s.fresh("kitchen", other, None, "An acknowledgement of something else, under the session.")
    s.step("send", "That is no welcome.", device="kitchen", plaintext="6f6e", expect="no_session")
    head, kitchen.counter = head + 1, 2
    again = kitchen.hello_again()
    s.opens(again, "replayed", "The same session and a new counter, below the head.")
    s.is_welcomed("kitchen", kitchen, head + WITHHELD)
    s.sends("kitchen", kitchen, b"on")
    once_more = kitchen.hello_again()
    s.fresh("kitchen", once_more, None, "After a reconnect: the same session, which stays current.")
    s.is_welcomed("kitchen", kitchen, s.head(kitchen) + 1)
    s.sends("kitchen", kitchen, b"off")
    return s


def session_until_acknowledged() -> Script:
    s = Script("session-until-acknowledged", "A session is current until the next is acknowledged.")
    kitchen = welcomed(s)
    old = kitchen.sessions[0].session
    query = kitchen.seal("control", old, b"\x06\x01")
    s.fresh("kitchen", query, None, "A control under the current session.")
    kitchen.hello(random(s))
    s.fresh("kitchen", kitchen.published[-1], None, "Ten minutes later: a new session.")
    welcome = s.welcomes("kitchen", kitchen, s.head(kitchen) + 1)
    s.step("send", "Not acknowledged yet.", device="kitchen", plaintext="6f6e", expect="sent")
    s.publishes("kitchen", kitchen, old, b"on")
    late = kitchen.seal("control", old, b"\x06\x01")
    s.fresh("kitchen", late, None, "A control under the session that is still current.")
    assert kitchen.receive(welcome).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "The acknowledgement.")
    s.sends("kitchen", kitchen, b"off", "Under the new session.")
    expired = kitchen.seal("control", old, b"\x06\x01")
    s.opens(expired, "stale_session", "A control under the old session.")
    s.opens(expired, "duplicate", "The same, retained.", retained="true")
    unknown = kitchen.seal("control", draw(s.name, "unknown", 16), b"\x06\x01")
    s.opens(unknown, "forged", "A control under a session that nobody drew.")
    assert kitchen.beacon is not None
    beacon = kitchen.seal("control", kitchen.beacon, b"\x06\x01")
    s.opens(beacon, "forged", "A control under the beacon's session.")
    s.opens(query, "stale_session", "The first control, once fresh.")
    return s


def last_counter() -> Script:
    s = Script("last-counter", "The head is the last counter: no welcome can lift the device.")
    kitchen = s.lists("kitchen")
    kitchen.beacon = s.start()
    kitchen.counter = LAST_COUNTER
    s.fresh("kitchen", kitchen.hello(random(s)), None, "A hello with the last counter: no welcome.")
    kitchen.counter = 1
    s.opens(kitchen.hello(random(s)), "replayed", "Nor for a hello below it.")
    s.opens(kitchen.hello_again(), "replayed")
    kitchen.counter = LAST_COUNTER
    s.opens(kitchen.send(b"x"), "duplicate", "All bits of a first window are set.")
    kitchen.counter = LAST_COUNTER - 63
    s.opens(kitchen.send(b"x"), "duplicate")
    s.opens(Device(kitchen.device_key, kitchen.address, counter=5).send(b"x"), "replayed")
    return s


def near_last_counter() -> Script:
    s = Script("near-last-counter", "A floor goes no further than the last counter.")
    kitchen = s.lists("kitchen")
    kitchen.beacon = s.start()
    kitchen.counter = LAST_COUNTER - 5
    s.fresh("kitchen", kitchen.hello(random(s)), None)
    s.is_welcomed("kitchen", kitchen, LAST_COUNTER - 4)
    kitchen.counter = 1
    s.opens(kitchen.hello(random(s)), "replayed", "It lost its counter.")
    s.is_welcomed("kitchen", kitchen, LAST_COUNTER)
    s.opens(kitchen.hello_at(LAST_COUNTER, random(s)), "duplicate", "No welcome any more.")
    return s


def bodies() -> Script:
    s = Script("bodies", "Verified bodies that do not parse are counted, and do nothing.")
    kitchen = welcomed(s)
    session, beacon = kitchen.sessions[0].session, kitchen.beacon
    assert beacon is not None
    for about, plaintext in (
        ("A hello of 15 bytes: no welcome.", bytes(15)),
        ("A hello whose version is not UTF-8: no welcome.", bytes(16) + b"\xff"),
        ("An empty hello: no welcome.", b""),
    ):
        s.fresh("kitchen", kitchen.seal("hello", beacon, plaintext), None, about)
    for about, plaintext in (
        ("An empty control.", b""),
        ("An unknown opcode.", b"\x07"),
        ("An acknowledgement that is too short.", b"\x02" + bytes(15)),
        ("An acknowledgement of nothing that was sent.", b"\x02" + bytes(16)),
        ("A host's opcode from a device.", b"\x01\x00\x05"),
    ):
        s.fresh("kitchen", kitchen.seal("control", session, plaintext), None, about)
    s.opens(kitchen.published[-1], "duplicate", "They count in the window as any.")
    s.sends("kitchen", kitchen, b"on", "Epoch and session are as before.")
    return s
