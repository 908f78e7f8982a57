"""Scenarios of a device that takes welcomes, commands and ratchets."""

from __future__ import annotations

from collections.abc import Iterator

from ..draw import draw, flipped
from ..sealed import control
from ..sealed.frame import seal
from ..sealed.keys import ratchet
from ..sealed.model import LAST_COUNTER, Case
from .device_script import DeviceScript


def device_scenarios() -> Iterator[DeviceScript]:
    yield commands()
    yield session_resets()
    yield late_command()
    yield late_command_hello_lost()
    yield old_session()
    yield captured_command()
    yield unbound()
    yield welcomes()
    yield other_welcomes()
    yield ratchets()
    yield no_beacon()
    yield refuses()
    yield asked()
    yield last_counter()
    yield bodies()
    yield sends()


def booted(name: str, about: str, counter: int = 1) -> tuple[DeviceScript, bytes]:
    """Return a device that was welcomed, and its session; the welcome had counter 1."""
    s = DeviceScript(name, about, counter)
    s.hears_beacon()
    session = s.hello()
    s.welcomed(session, counter + 1)
    return s, session


def commands() -> DeviceScript:
    s, session = booted("device-commands", "Commands 6, 7, then 5: no window on the device.")
    six, seven = (s.downlink(session, n, b"on %d" % n) for n in (6, 7))
    s.obeys(six, session, "Command 6.", b"on 6")
    s.obeys(seven, session, "Command 7.", b"on 7")
    five = s.downlink(session, 5, b"unlock")
    s.receives(five, "replayed", "Command 5, withheld until now: never seen, and too late.")
    s.repeats(seven, session, "The last one again: it is acknowledged again.")
    s.receives(six, "replayed", "An earlier one again: replayed, since only the last is kept.")
    s.receives(five, "replayed")
    s.obeys(s.downlink(session, 1000, b"on"), session, "With a gap.", b"on")
    s.obeys(s.downlink(session, LAST_COUNTER, b"off"), session, "The last counter.", b"off")
    s.receives(s.downlink(session, LAST_COUNTER - 1, b"on"), "replayed")
    return s


def session_resets() -> DeviceScript:
    s, old = booted("device-session-resets", "A new session knows no counter.")
    s.obeys(s.downlink(old, 500, b"on"), old, "", b"on")
    s.step("clock", "Ten minutes.", advance="600")
    new = s.hello()
    s.welcomed(new, 1, 501, "The host counts on.")
    s.receives(s.downlink(new, 500, b"on"), "replayed", "Below the welcome.")
    s.obeys(s.downlink(new, 502, b"off"), new, "", b"off")
    s.step("clock", "Ten minutes.", advance="600")
    third = s.hello()
    s.welcomed(third, 1, 1, "A host whose store is new counts from 1.")
    s.obeys(s.downlink(third, 2, b"on"), third, "", b"on")
    return s


def late_command() -> DeviceScript:
    s, old = booted("device-late-command", "A sole command comes 11 minutes late.")
    command = s.downlink(old, 2, b"unlock")
    s.step("clock", "The broker, or somebody, holds it back.", advance="600")
    new = s.hello("Ten minutes: a new session.")
    s.welcomed(new, 1, 3)
    s.step("clock", advance="61")
    s.receives(command, "stale_session", "The old session has ended a minute after.")
    s.obeys(s.downlink(new, 4, b"lock"), new, "", b"lock")
    s.receives(command, "stale_session")
    return s


def late_command_hello_lost() -> DeviceScript:
    about = "The same, and the hello is held back too: the old session ends all the same."
    s, old = booted("device-late-command-hello-lost", about)
    command = s.downlink(old, 2, b"unlock")
    s.step("clock", advance="600")
    new = s.hello("Ten minutes: a new session, of which the host knows nothing.")
    s.step("clock", advance="61")
    s.receives(command, "stale_session", "A minute after the new one was drawn.")
    s.step("hello_again", "The same session, a new counter.", expect="sent")
    s.claims_hello(new)
    s.welcomed(new, 1, 3, "At last.")
    return s


def old_session() -> DeviceScript:
    s, old = booted("device-old-session", "The old session ends with the new one's first command.")
    s.obeys(s.downlink(old, 2, b"1"), old, "", b"1")
    s.step("clock", advance="600")
    new = s.hello()
    s.obeys(s.downlink(old, 3, b"2"), old, "Sent before the host saw the hello.", b"2")
    s.welcomed(new, 1, 4)
    s.step("clock", advance="30")
    on_its_way = s.downlink(old, 5, b"3")
    s.obeys(on_its_way, old, "Half a minute after the hello: still good.", b"3")
    s.receives(s.downlink(old, 3, b"2"), "replayed", "The old session keeps its own counter.")
    s.obeys(s.downlink(new, 6, b"4"), new, "The first command under the new session.", b"4")
    s.receives(s.downlink(old, 7, b"5"), "stale_session", "Now the old one has ended.")
    s.receives(on_its_way, "stale_session")
    return s


def captured_command() -> DeviceScript:
    about = "A generator that repeats, a reboot, a captured command."
    s = DeviceScript("device-captured-command", about, 1000)
    s.hears_beacon()
    first = s.hello(label="random")
    s.welcomed(first, 1)
    command = s.downlink(first, 2, b"unlock")
    s.obeys(command, first, "", b"unlock")
    s.step("boot", "Flash reserved counters up to here.", counter=f"{2024:016x}")
    s.hears_beacon(about="The same beacon.")
    second = s.hello("The same random bytes: another counter, another session.", "random")
    assert second != first, "a session came again"
    s.receives(command, "forged", "A session that RAM has lost.")
    s.welcomed(second, 1)
    s.receives(command, "forged")
    s.step(
        "boot", "Flash was wiped: the counter is that of the first boot.", counter=f"{1000:016x}"
    )
    s.hears_beacon("another beacon", "The beacon's session has changed meanwhile.")
    third = s.hello("The same random bytes, the same counter.", "random")
    assert third not in {first, second}, "a session came again"
    s.receives(command, "forged")
    s.welcomed(third, 5000, 1, "The host lifts it above all it ever used.")
    s.obeys(s.downlink(third, 2, b"lock"), third, "", b"lock")
    return s


def by_hand(
    s: DeviceScript,
    *,
    device_key: bytes | None = None,
    address: bytes | None = None,
    epoch: int | None = None,
    session: bytes = b"",
    context: bytes = b"",
    counter: int = 900,
) -> bytes:
    """Return a command with some inputs of its own."""
    return seal(
        Case(
            name=s.name,
            about="",
            device_key=device_key or s.device.device_key,
            address=address or s.device.address,
            epoch=s.device.epoch if epoch is None else epoch,
            direction="downlink",
            kind="data",
            session=session,
            context=context,
            counter=counter,
            plaintext=b"unlock",
        )
    )


def unbound() -> DeviceScript:
    s, session = booted("device-unbound", "A downlink that is bound to no session is no command.")
    frame = s.downlink(b"", 900, b"unlock")
    s.receives(frame, "stale_session", "Under the right key, with a counter far above.")
    s.receives(frame, "stale_session", "Again.")
    s.receives(flipped(frame, 20, 0), "forged", "It does not verify.")
    s.receives(flipped(frame, 1, 1), "forged", "Claimed to be bound.")
    s.obeys(s.downlink(session, 2, b"on"), session, "It moved no counter.", b"on")
    return s


def welcomes() -> DeviceScript:
    s = DeviceScript("device-welcomes", "Welcomes lift the counter, and never lower it.", 100)
    s.hears_beacon()
    session = s.hello("Counter 100.")
    welcome = s.welcomed(session, 1 << 40, 1, "Above: the acknowledgement has that counter.")
    s.repeats(welcome, session, "Again: acknowledged again, with the next counter.")
    s.welcomed(session, 500, 2, "Below its own counter.")
    s.welcomed(session, 0, 3, "Floor 0.")
    s.welcomed(session, s.device.counter, 4, "Just its own counter.")
    s.welcomed(session, s.device.counter + 1, 5, "One above.")
    low = s.downlink(session, 4, control.welcome(1 << 50), "control")
    s.receives(low, "replayed", "An older welcome with a higher floor.")
    s.step("send", plaintext=b"20.0".hex(), bound="false", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    return s


def other_welcomes() -> DeviceScript:
    s = DeviceScript("device-other-welcomes", "Welcomes of other sessions are none.", 100)
    s.hears_beacon()
    first = s.hello()
    lost = s.downlink(first, 1, control.welcome(1 << 40), "control")
    s.step("boot", "Before the welcome came.", counter=f"{1124:016x}")
    s.hears_beacon()
    second = s.hello("A new session.")
    s.receives(lost, "forged", "The welcome of the boot before.")
    unknown = s.downlink(draw(s.name, "other", 16), 1, control.welcome(1 << 40), "control")
    s.receives(unknown, "forged", "Of a session that it never drew.")
    assert s.device.beacon is not None
    beacon = s.downlink(s.device.beacon, 1, control.welcome(1 << 40), "control")
    s.receives(beacon, "forged", "Bound to the beacon's session.")
    s.step("hello_again", "Not welcomed yet.", expect="sent")
    s.claims_hello(second)
    s.welcomed(second, 1, 1, "Its own.")
    return s


def ratchets() -> DeviceScript:
    s, session = booted("device-ratchets", "A ratchet is acknowledged under the new epoch.")
    key = s.device.device_key
    to_1 = s.downlink(session, 2, control.ratchet_to(1), "control")
    s.obeys(to_1, session, "To epoch 1.")
    assert s.device.device_key == ratchet(key), "not the key of epoch 1"
    s.receives(to_1, "wrong_epoch", "Again: the key of epoch 0 is gone.")
    command = in_epoch(s, key, 0, session, 3)
    s.receives(command, "wrong_epoch", "A command that was sealed in epoch 0.")
    s.obeys(s.downlink(session, 4, control.ratchet_to(1), "control"), session, "Already there.")
    s.obeys(s.downlink(session, 5, control.ratchet_to(0), "control"), session, "Never back.")
    assert s.device.epoch == 1
    s.obeys(s.downlink(session, 6, b"on"), session, "The session is the same.", b"on")
    ahead = in_epoch(s, ratchet(key, 2), 2, session, 7)
    s.receives(ahead, "wrong_epoch", "A downlink an epoch ahead: the device does not follow.")
    s.obeys(s.downlink(session, 8, control.ratchet_to(3), "control"), session, "Two at once.")
    assert s.device.device_key == ratchet(key, 3), "not the key of epoch 3"
    s.step("send", plaintext=b"20.0".hex(), bound="false", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    return s


def in_epoch(s: DeviceScript, key: bytes, epoch: int, session: bytes, counter: int) -> bytes:
    return by_hand(s, device_key=key, epoch=epoch, session=session, counter=counter)


def no_beacon() -> DeviceScript:
    s = DeviceScript("device-no-beacon", "A device that knows no beacon takes no commands.", 100)
    session = s.hello("Drawn from zeros, unbound.")
    s.welcomed(session, 1 << 40, 1, "A welcome is good.")
    s.receives(s.downlink(session, 2, b"on"), "stale_session", "A command is not.")
    s.receives(s.downlink(session, 3, b"on"), "stale_session")
    s.hears_beacon()
    s.receives(s.downlink(session, 4, b"on"), "stale_session", "The session is still the same.")
    bound = s.hello("A session that the beacon's went into.")
    s.welcomed(bound, 1, 5)
    s.obeys(s.downlink(bound, 6, b"on"), bound, "Now it is.", b"on")
    return s


def refuses() -> DeviceScript:
    s, session = booted("device-refuses", "What a device is given that is no command for it.")
    good = s.downlink(session, 2, b"on")
    s.step("send", plaintext=b"20.0".hex(), bound="true", expect="sent")
    uplink = s.device.published[0]
    s.step("published", topic="up", payload=uplink.hex())
    s.receives(uplink, "wrong_direction", "Its own reading, reflected.")
    s.receives(flipped(uplink, 1, 0), "forged", "With the direction bit flipped.")
    s.receives(flipped(good, 1, 0), "wrong_direction", "A command, the direction bit flipped.")
    s.receives(flipped(good, 11, 0), "unknown_device", "For another address.")
    other = by_hand(s, address=draw(s.name, "other", 8), session=session)
    s.receives(other, "unknown_device", "For another address, well sealed.")
    s.receives(flipped(good, 3, 0), "wrong_epoch", "Of another epoch.")
    s.receives(flipped(good, 2, 7), "wrong_epoch", "Of an epoch far ahead.")
    s.receives(flipped(good, 20, 0), "forged", "A bit of V.")
    s.receives(flipped(good, 36, 0), "forged", "A bit of C.")
    s.receives(flipped(good, 19, 6), "forged", "A counter above.")
    s.receives(good[:-1], "forged", "Short by a byte.")
    in_context = by_hand(s, session=session, context=b"kitchen")
    s.receives(in_context, "forged", "In a context.")
    other_key = by_hand(s, session=session, device_key=draw(s.name, "other key", 32))
    s.receives(other_key, "forged", "Under another key.")
    s.receives(good[:35], "malformed", "35 bytes.", reason="too_short", offset="35")
    s.receives(flipped(good, 1, 4), "malformed", "", reason="reserved_bits", offset="1")
    s.receives(b"on", "malformed", "Text.", reason="too_short", offset="2")
    s.obeys(good, session, "The command itself: nothing has changed.", b"on")
    return s


def asked() -> DeviceScript:
    s, session = booted("device-asked", "An empty message asks for a hello, once a minute.")
    s.obeys(s.downlink(session, 9, b"on"), session, "", b"on")
    new = asked_for(s, "A new session: the host may have lost all that it knew of the old one.")
    random = draw(s.name, "unused", 16).hex()
    s.step("asked", "Asked again at once.", random=random, expect="ignored")
    s.welcomed(new, 1, 1, "A host with a new store counts from 1.")
    s.step("asked", random=random, expect="ignored")
    s.step("clock", advance="61")
    last = asked_for(s, "A minute later.")
    s.welcomed(last, 1, 2)
    s.obeys(s.downlink(last, 3, b"off"), last, "", b"off")
    return s


def asked_for(s: DeviceScript, about: str) -> bytes:
    s.step("asked", about, random=draw(s.name, f"asked/{len(s.records)}", 16).hex(), expect="sent")
    session = s.device.sessions[0].session
    s.claims_hello(session)
    return session


def last_counter() -> DeviceScript:
    about = "After the last counter a device seals nothing more."
    s = DeviceScript("device-last-counter", about, LAST_COUNTER - 2)
    s.hears_beacon()
    session = s.hello()
    s.welcomed(session, 1)
    plaintext = b"20.0".hex()
    s.step("send", "The last counter.", plaintext=plaintext, bound="false", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    for bound in ("false", "true"):
        s.step("send", plaintext=plaintext, bound=bound, expect="counter_exhausted")
    random = draw(s.name, "random", 16).hex()
    s.step("hello", "Nor a hello.", random=random, expect="counter_exhausted")
    return s


def bodies() -> DeviceScript:
    s, session = booted("device-bodies", "Controls that do not parse do nothing, and count.")
    for counter, (about, plaintext) in enumerate(
        (
            ("An empty control.", b""),
            ("An unknown opcode.", b"\x07"),
            ("A welcome that is too short.", b"\x03" + bytes(7)),
            ("A welcome that is too long.", b"\x03" + bytes(9)),
            ("A ratchet that is too short.", b"\x01\x00"),
            ("A ratchet that is too long.", b"\x01\x00\x01\x00"),
        ),
        start=2,
    ):
        s.receives(s.downlink(session, counter, plaintext, "control"), "fresh", about)
    s.receives(s.downlink(session, 6, b"on"), "replayed", "Their counters are taken.")
    s.obeys(s.downlink(session, 8, b"on"), session, "Epoch and counter are as before.", b"on")
    return s


def sends() -> DeviceScript:
    s = DeviceScript("device-sends", "Readings, bound and unbound; the counter is one for all.", 41)
    plaintext = b"20.0"
    s.step("send", "Before any beacon.", plaintext=plaintext.hex(), bound="false", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    s.hears_beacon()
    for bound in ("true", "false"):
        s.step("send", plaintext=plaintext.hex(), bound=bound, expect="sent")
        s.step("published", topic="up", payload=s.device.published[0].hex())
    session = s.hello("Counter 44.")
    s.welcomed(session, 1)
    s.hears_beacon("next", "The beacon's next session.")
    s.step("send", plaintext=plaintext.hex(), bound="true", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    s.step("hello_again", "After a reconnect: bound to the beacon of now.", expect="sent")
    s.claims_hello(session)
    s.step("boot", "Counters up to here were reserved.", counter=f"{1065:016x}")
    s.step("send", plaintext=plaintext.hex(), bound="false", expect="sent")
    s.step("published", topic="up", payload=s.device.published[0].hex())
    return s
