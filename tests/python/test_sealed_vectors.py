"""The shared vectors of the sealed frame, made by an implementation of its own."""

from typing import Any

import pytest

from espseal import DataError, Verdict, sealed
from vectors import Record, read


def key(record: Record) -> sealed.DeviceKey:
    if "device_key" in record:
        return sealed.DeviceKey(record.bytes("device_key"))
    fleet = sealed.DeviceKey.of_fleet(record.bytes("fleet_key"), record["address"])
    return fleet.ratchet(int(record["epoch"]))


def repeated(record: Record, field: str) -> bytes:
    start = record.bytes(field) if field in record else b""
    if f"{field}_repeat" not in record:
        return start
    return start + record.bytes(f"{field}_byte") * int(record[f"{field}_repeat"])


def sessions(record: Record) -> list[bytes]:
    return [record.bytes("session")] if record["session"] else []


@pytest.mark.parametrize("record", read("sealed_seal.txt"), ids=repr)
def test_seal(record: Record) -> None:
    def seal() -> bytes:
        said: dict[str, Any] = {each: record[each] for each in ("address", "direction", "kind")}
        return sealed.seal(
            key(record),
            repeated(record, "plaintext"),
            counter=int.from_bytes(record.bytes("counter")),
            epoch=int(record["epoch"]),
            session=record.bytes("session") or None,
            context=record.bytes("context"),
            **said,
        )

    if record["expect"] != "sealed":
        with pytest.raises(DataError) as refused:
            seal()
        assert refused.value.code == record["expect"]
    elif "frame" in record:
        assert seal() == record.bytes("frame")
        assert sealed.armor(seal()) == record["armor"]
        assert sealed.disarm(record["armor"]) == seal()
    else:
        frame = seal()
        assert len(frame) == int(record["frame_length"])
        assert frame.startswith(record.bytes("frame_start"))
        assert frame.endswith(record.bytes("frame_end"))


@pytest.mark.parametrize("record", read("sealed_open.txt"), ids=repr)
@pytest.mark.parametrize("form", ["frame", "armor"])
def test_open(record: Record, form: str) -> None:
    payload = record.bytes("frame") if form == "frame" else record["armor"]
    direction: Any = record["direction"]
    opened = sealed.open(
        payload,
        key(record),
        direction=direction,
        sessions=[bytes(range(16)), *sessions(record)],
        context=record.bytes("context"),
    )
    assert opened.verdict == record["expect"]
    assert opened.address == record["address"]
    assert opened.epoch == int(record["epoch"])
    assert opened.kind == record["kind"]
    assert opened.counter == int.from_bytes(record.bytes("counter"))
    assert opened.session_bound == bool(record["session"])
    assert opened.session == (1 if record["session"] else None)
    assert opened.data == repeated(record, "plaintext")


@pytest.mark.parametrize("record", read("sealed_reject.txt"), ids=repr)
def test_reject(record: Record) -> None:
    direction: Any = record["direction"]
    payload = repeated(record, "frame")
    if record["form"] == "armor" and not payload.startswith(b"9Q"):
        # `open` would not take it for armor.
        try:
            payload = sealed.disarm(payload)
        except ValueError as error:
            assert record["reason"] in ("not_base64url", "armor_length")
            assert f"(offset {record['offset']})" in str(error)
            return
    opened = sealed.open(
        payload,
        key(record),
        direction=direction,
        sessions=sessions(record),
        context=record.bytes("context"),
    )
    assert opened.verdict == record["expect"]
    assert opened.data is None
    assert opened.counter is None
    assert opened.malformed == record.get("reason")
    assert opened.offset == (int(record["offset"]) if "offset" in record else None)
    assert (opened.malformed is None) == (opened.verdict is not Verdict.MALFORMED)


def test_every_way_to_derive_is_known() -> None:
    derived = {record["derive"] for record in read("sealed_keys.txt")}
    assert derived == {"device_key", "ratchet", "frame_keys", "session"}


@pytest.mark.parametrize(
    "record",
    [each for each in read("sealed_keys.txt") if each["derive"] != "frame_keys"],
    ids=repr,
)
def test_derive(record: Record) -> None:
    if record["derive"] == "device_key":
        made = sealed.DeviceKey.of_fleet(record.bytes("fleet_key"), record["address"])
        assert made.expose() == record.bytes("device_key")
    elif record["derive"] == "session":
        assert sealed.device_session(
            key(record),
            int.from_bytes(record.bytes("counter")),
            record.bytes("beacon"),
            record.bytes("random"),
        ) == record.bytes("session")
    elif record["expect"] == "derived":
        assert key(record).ratchet(int(record["steps"])).expose() == record.bytes("ratcheted")
    else:
        # An epoch is the caller's to count here.
        assert record["expect"] == "epoch_exhausted"
        assert int(record["epoch"]) + int(record["steps"]) > 0xFFFF
