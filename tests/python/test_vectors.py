"""The shared vectors, made by an implementation that shares no code with the core."""

from typing import Any

import pytest

from espseal import DataError, Verdict, classic
from vectors import Record, read


def keys(record: Record) -> classic.ClassicKeys:
    return classic.ClassicKeys(
        **{name: record.bytes(name) for name in ("iv_key", "data_key", "static_iv", "passphrase")}
    )


def scheme(record: Record, mode: str) -> dict[str, Any]:
    return {"layout": record["layout"], mode: record["data_mode"], "mac": record["mac_over"]}


def says_its_direction(record: Record) -> bool:
    """Here the node field is one argument, which says by itself who speaks to whom."""
    node = record.bytes("node_id")
    said = "reading" if b">" not in node else "command" if node.startswith(b">") else "peer"
    return said == record.get("direction", "reading")


SEAL = read("classic_seal.txt")


def test_what_cannot_be_said_here_is_refused_elsewhere() -> None:
    unsaid = [record for record in SEAL if not says_its_direction(record)]
    assert {record["expect"] for record in unsaid} == {"invalid_node_id"}


@pytest.mark.parametrize("record", [r for r in SEAL if says_its_direction(r)], ids=repr)
def test_seal(record: Record) -> None:
    def seal() -> bytes:
        return classic.danger_seal_with_iv(
            keys(record),
            record.bytes("node_id"),
            record.bytes("data"),
            record.bytes("session"),
            record.bytes("iv"),
            danger_accept_replays=record.get("danger_accept_replays") == "true",
            **scheme(record, "mode"),
        )

    if record["expect"] == "sealed":
        assert seal() == record.bytes("frame")
    else:
        with pytest.raises(DataError) as refused:
            seal()
        assert refused.value.code == record["expect"]


@pytest.mark.parametrize("record", read("classic_open.txt"), ids=repr)
def test_open(record: Record) -> None:
    opened = classic.open(
        record.bytes("frame"), keys(record), [record.bytes("session")], **scheme(record, "data")
    )
    assert opened.verdict == record["expect"]
    assert opened.node == record.bytes("node_id")
    assert opened.data == record.bytes("data")
    assert opened.session == 0


@pytest.mark.parametrize("record", read("classic_reject.txt"), ids=repr)
def test_reject(record: Record) -> None:
    opened = classic.open(
        record.bytes("frame"), keys(record), [record.bytes("session")], **scheme(record, "data")
    )
    if record["expect"] == Verdict.WRONG_DIRECTION:
        # Without state the direction is the caller's to judge: by the node field.
        assert opened.verdict is Verdict.FRESH
        assert opened.node is not None
        meant = bytes.fromhex(record.get("expected_node_id", ""))
        right = {
            "reading": b">" not in opened.node,
            "command": opened.node == b">" + meant,
            "peer": opened.node.find(b">") > 0 and opened.node.endswith(b">" + meant),
        }
        assert not right[record.get("direction", "reading")]
    else:
        assert opened.verdict == record["expect"]
        assert opened.data is None
        assert opened.malformed == record.get("reason")
        assert opened.offset == (int(record["offset"]) if "offset" in record else None)


@pytest.mark.parametrize("record", read("session.txt"), ids=repr)
def test_session(record: Record) -> None:
    valid = classic.session_id_is_valid(record.bytes("session_key"), record["id"])
    assert valid == (record["expect"] == "valid")
