"""The records of sealed_keys.txt."""

from __future__ import annotations

from collections.abc import Iterator

from ..draw import draw, flipped
from ..grammar import Fields
from ..outcomes import Refused
from .cases import COUNTING_KEY, KNOWN_ADDRESS
from .keys import LAST_EPOCH, device_key, device_session, frame_keys, ratchet
from .model import LAST_COUNTER


def key_records() -> Iterator[Fields]:
    yield from device_key_records()
    yield from ratchet_records()
    yield from frame_key_records()
    yield from session_records()


def device_key_records() -> Iterator[Fields]:
    def record(name: str, about: str, fleet_key: bytes, address: bytes) -> Fields:
        return (
            ("name", f"device-{name}"),
            ("about", about),
            ("derive", "device_key"),
            ("fleet_key", fleet_key.hex()),
            ("address", address.hex()),
            ("device_key", device_key(fleet_key, address).hex()),
            ("expect", "derived"),
        )

    known = device_key(COUNTING_KEY, KNOWN_ADDRESS).hex()
    stated = "0d80b578b73cfeb061d477303943b44ab7904446f560e5d58aa48f9ad9062d84"
    assert known == stated, "not the key that the design states"
    yield record("known", "The key that the design states.", COUNTING_KEY, KNOWN_ADDRESS)
    for number in range(1, 4):
        name = f"drawn-{number}"
        key, address = draw(name, "fleet_key", 32), draw(name, "address", 8)
        yield record(name, "A fleet key and an address.", key, address)
        about = "The same fleet key, an address that differs in one bit."
        yield record(f"{name}-address-bit", about, key, flipped(address, 7, 0))
        about = "A fleet key that differs in one bit, the same address."
        yield record(f"{name}-key-bit", about, flipped(key, 0, 7), address)
    yield record("zeros", "A fleet key and an address of zeros.", bytes(32), bytes(8))
    yield record("ones", "A fleet key and an address of ff.", b"\xff" * 32, b"\xff" * 8)


def ratchet_records() -> Iterator[Fields]:
    def record(name: str, about: str, key: bytes, epoch: int, steps: int) -> Fields:
        try:
            result, expect = ratchet(key, steps, epoch=epoch).hex(), "derived"
        except Refused as refused:
            result, expect = "", str(refused)
        return (
            ("name", f"ratchet-{name}"),
            ("about", about),
            ("derive", "ratchet"),
            ("device_key", key.hex()),
            ("epoch", str(epoch)),
            ("steps", str(steps)),
            ("ratcheted", result),
            ("expect", expect),
        )

    start = device_key(COUNTING_KEY, KNOWN_ADDRESS)
    for steps in range(6):
        about = f"DK_{steps} of the known device, from DK_0."
        yield record(f"known-to-{steps}", about, start, 0, steps)
    for epoch in range(1, 5):
        about = f"DK_{epoch + 1} of the known device, from DK_{epoch}."
        yield record(f"known-from-{epoch}", about, ratchet(start, epoch), epoch, 1)
    yield record("known-to-1024", "As far as a receiver looks.", start, 0, 1024)
    own = draw("ratchet-own", "device_key", 32)
    yield record("own-to-1", "A device key of its own.", own, 0, 1)
    yield record("own-to-3", "Three steps from a key of its own.", own, 0, 3)
    yield record("zeros", "A device key of zeros.", bytes(32), 0, 1)
    yield record("to-last", "Into the last epoch.", own, LAST_EPOCH - 1, 1)
    yield record("at-last", "No step in the last epoch.", own, LAST_EPOCH, 0)
    yield record("past-last", "After the last epoch comes a new key.", own, LAST_EPOCH, 1)
    yield record("over-last", "Two steps, the second over the end.", own, LAST_EPOCH - 1, 2)
    yield record("far-over-last", "1024 steps from near the end.", own, LAST_EPOCH - 1023, 1024)


def frame_key_records() -> Iterator[Fields]:
    def record(name: str, about: str, key: bytes) -> Fields:
        keys = frame_keys(key)
        return (
            ("name", f"frame-{name}"),
            ("about", about),
            ("derive", "frame_keys"),
            ("device_key", key.hex()),
            ("uplink_key", keys.uplink.hex()),
            ("downlink_key", keys.downlink.hex()),
            ("expect", "derived"),
        )

    start = device_key(COUNTING_KEY, KNOWN_ADDRESS)
    stated = "05143845bca192c4fe57252ba72a5ec4249ff2c41c4c3e3f3acd301f9de08b5b"
    assert frame_keys(start).uplink.hex() == stated, "not the key that the design states"
    yield record("known", "Of the known device in epoch 0, as the design states.", start)
    for epoch in (1, 2, 5):
        about = f"Of the known device in epoch {epoch}."
        yield record(f"known-epoch-{epoch}", about, ratchet(start, epoch))
    yield record("own", "Of a device key of its own.", draw("frame-own", "device_key", 32))
    yield record("zeros", "Of a device key of zeros.", bytes(32))


def session_records() -> Iterator[Fields]:
    def record(
        name: str, about: str, key: bytes, counter: int, beacon: bytes, random: bytes
    ) -> Fields:
        return (
            ("name", f"session-{name}"),
            ("about", about),
            ("derive", "session"),
            ("device_key", key.hex()),
            ("counter", f"{counter:016x}"),
            ("beacon", beacon.hex()),
            ("random", random.hex()),
            ("session", device_session(key, counter, beacon, random).hex()),
            ("expect", "derived"),
        )

    start = device_key(COUNTING_KEY, KNOWN_ADDRESS)
    beacon, random = draw("session", "beacon", 16), draw("session", "random", 16)
    yield record("first", "The known device, its first hello.", start, 1, beacon, random)
    about = "The same but for the counter: a generator that repeats."
    yield record("next-counter", about, start, 2, beacon, random)
    about = "The same but for the beacon: a counter that was wiped."
    other = draw("session", "another beacon", 16)
    yield record("next-beacon", about, start, 1, other, random)
    about = "The same but for the random bytes."
    yield record("other-random", about, start, 1, beacon, draw("session", "other", 16))
    about = "The same in the next epoch."
    yield record("next-epoch", about, ratchet(start), 1, beacon, random)
    yield record("no-beacon", "A device that knows no beacon: zeros.", start, 1, bytes(16), random)
    about = "A generator that gives zeros."
    yield record("random-zeros", about, start, 1, beacon, bytes(16))
    for name, counter in (("2-to-the-24", 1 << 24), ("2-to-the-32", 1 << 32)):
        yield record(name, f"Counter {counter}.", start, counter, beacon, random)
    yield record("last-counter", "The last counter.", start, LAST_COUNTER, beacon, random)


def check_key(record: dict[str, str]) -> None:
    """Derive again from the text of the record."""
    given = {
        name: bytes.fromhex(record[name])
        for name in ("fleet_key", "address", "device_key", "counter", "beacon", "random")
        if name in record
    }
    match record["derive"]:
        case "device_key":
            assert device_key(given["fleet_key"], given["address"]) == given["device_key"]
        case "ratchet":
            epoch, steps = int(record["epoch"]), int(record["steps"])
            if epoch + steps > LAST_EPOCH:
                assert (record["expect"], record["ratcheted"]) == ("epoch_exhausted", "")
                return
            assert ratchet(given["device_key"], steps).hex() == record["ratcheted"]
        case "frame_keys":
            keys = frame_keys(given["device_key"])
            assert (record["uplink_key"], record["downlink_key"]) == tuple(k.hex() for k in keys)
        case "session":
            counter = int.from_bytes(given["counter"], "big")
            session = device_session(given["device_key"], counter, given["beacon"], given["random"])
            assert session.hex() == record["session"]
        case unknown:
            raise AssertionError(unknown)
    assert record["expect"] == "derived"
