"""``espseal inspect`` of sealed frames."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

import espseal
from espseal import Keyring, sealed
from test_cli import assert_no_key, home, run, sentence
from test_cli_inspect import KEYS, SESSION

__all__ = ["home"]

BARN = "0011223344556677"
TEXT = f"""
version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

[[classic_group]]
name = "port"
topic = "sensors/+"
layout = "port"
keys.iv_key = {{ text = "test-only-iv-key" }}
keys.data_key = {{ text = "test-only-data-k" }}
keys.static_iv = {{ text = "test-only-static" }}
keys.passphrase = {{ text = "test only passphrase" }}

[[fleet]]
name = "farm"
key = {{ hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" }}

[[device]]
name = "barn"
sealed = {{ fleet = "farm", address = "{BARN}" }}

[[device]]
name = "gate"
[device.sealed]
fleet = "farm"
address = "8899aabbccddeeff"
minimum_epoch = 2
key = {{ hex = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe0e1e2e3e4e5e6e7e8e9eaebecedeeef" }}

[[device]]
name = "well"
sealed = {{ fleet = "farm", address = "0102030405060708", revoked = true }}
"""
BOUND = bytes.fromhex(SESSION)


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default keyring."""
    path = home / "keys.toml"
    path.touch(mode=0o600)
    path.write_text(TEXT)
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    return path


def key(name: str = "barn") -> sealed.DeviceKey:
    """A device's key in its first epoch."""
    return Keyring.load().provision(name).device_key


def frame(name: str = "barn", data: bytes = b"21.5", **how: Any) -> bytes:  # noqa: ANN401 (as `seal` takes them)
    """A frame of a device, binary."""
    given = Keyring.load().provision(name)
    header: dict[str, Any] = {"address": given.address, "epoch": given.epoch, "counter": 7}
    return sealed.seal(how.pop("key", given.device_key), data, **header | how)


def said(*words: str, code: int = 0) -> str:
    """What is said, in one line."""
    result = run("inspect", *words)
    assert result.exit_code == code, result.output
    return " ".join(result.stdout.split())


# What it is made of.


@pytest.mark.parametrize("width", [44, 60, 80, 100, 200])
def test_the_fields(keyring: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    given = frame()
    result = run("inspect", given.hex())
    assert result.exit_code == 0, result.output
    assert all(len(line.rstrip()) <= width for line in result.stdout.splitlines())
    # Whatever is folded, no digit is lost.
    digits = re.sub(r"\s", "", result.stdout)
    if width >= 60:
        rows = [line.split() for line in result.stdout.splitlines()]
        rows = [row for row in rows if len(row) > 3 and row[0].isdigit() and row[1].isdigit()]
        starts = [(int(row[0]), int(row[1]), row[2]) for row in rows]
        assert starts == [
            (0, 1, "magic"),
            (1, 1, "flags"),
            (2, 2, "epoch"),
            (4, 8, "address"),
            (12, 8, "counter"),
            (20, 16, "V"),
            (36, 4, "C"),
        ]
    if width >= 100:
        assert given[20:36].hex() in digits
        assert "uplink, data, not bound" in result.stdout
    assert "21.5" in result.stdout
    assert_no_key(keyring, result.output)


def test_every_form_of_it(home: Path) -> None:
    given = frame()
    armored = sealed.armor(given)
    expected = run("inspect", armored, "--json")
    assert expected.exit_code == 0, expected.output
    record = json.loads(expected.stdout)
    assert (record["format"], record["armored"], record["size"]) == ("sealed", True, len(given))
    folded = f" {armored[:20]}\r\n  {armored[20:]}\n"
    assert run("inspect", folded, "--json").stdout == expected.stdout
    binary = run("inspect", given.hex(), "--json")
    assert json.loads(binary.stdout) == record | {"armored": False}
    spaced = " ".join(f"{byte:02X}" for byte in given)
    for text in (spaced, base64.b64encode(given + b"").decode(), given.hex().upper()):
        other = json.loads(run("inspect", text, "--json").stdout)
        assert other | {"armored": False} == record | {"armored": False}
    for content in (given, given + b"\n", given + b"\r\n"):
        (home / "frame.bin").write_bytes(content)
        assert run("inspect", "--file", "frame.bin", "--json").stdout == binary.stdout


def test_hex_digits_as_long_as_a_frame_of_the_port() -> None:
    # 36 + 16 bytes: 72 + 32 digits.
    record = json.loads(run("inspect", frame(data=b"x" * 16).hex(), "--json").stdout)
    assert (record["format"], record["findings"][0]["fits"]) == ("sealed", True)
    # A frame of the port that begins like a sealed one is told by its keys.
    while True:
        port = espseal.classic.seal(KEYS, b"", b"1", "", layout="port").decode()
        if bytes.fromhex(port).startswith(b"\xf5\x00"):
            break
    record = json.loads(run("inspect", port, "--json").stdout)
    assert (record["format"], record["layout"]) == ("classic", "port")


def test_a_raw_classic_frame_that_begins_like_a_sealed_one() -> None:
    while True:
        raw = espseal.classic.seal(KEYS, b"1", b"21.5", SESSION, layout="raw")
        if raw[0] == 0xF5:
            break
    record = json.loads(run("inspect", raw.hex(), "--json").stdout)
    assert (record["format"], record["layout"]) == ("classic", "raw")


def test_what_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    given = bytearray(frame())
    given[1] = 0x8C
    words = said(given.hex(), code=1)
    assert "This is no frame: a reserved bit of the flags is set (offset 1)." in words
    assert "kind 3, not bound, reserved bits 0x80" in words
    assert BARN in words
    record = json.loads(run("inspect", given.hex(), "--json").stdout)
    assert (record["malformed"], record["offset"]) == ("reserved_bits", 1)
    assert (record["format"], record["claims"], record["findings"]) == ("sealed", None, [])
    assert "at least 36 bytes" in said(frame()[:30].hex(), code=1)
    result = run("inspect", sealed.armor(frame())[:-1] + "!")
    shown, marker = result.stdout.splitlines()[-2:]
    assert shown[marker.index("^")] == "!"


def test_without_a_keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = frame().hex()
    monkeypatch.delenv("ESPSEAL_KEYRING")
    result = run("inspect", given)
    assert result.exit_code == 0
    assert "It claims" in result.stdout
    assert "no key was tried" in result.stderr
    assert "opens" not in result.stdout
    assert not (home / ".config").exists()


# Whose it is.


def test_a_good_frame(keyring: Path) -> None:
    result = run("inspect", frame().hex())
    assert "The address is that of barn, in the fleet farm." in result.stdout
    assert "It opens under the key of barn:" in result.stdout
    assert "receiver" not in result.stdout
    assert_no_key(keyring, result.output)


def test_own_keys_and_epochs() -> None:
    words = said(frame("gate", epoch=5, key=key("gate").ratchet(3)).hex())
    assert "It opens under the own key of gate:" in words
    assert "epoch 5" in words
    words = said(frame("gate", epoch=1).hex())
    assert "takes nothing below epoch 2 of gate: a receiver answers wrong_epoch" in words


def test_a_revoked_device() -> None:
    with Path("keys.toml").open() as file:
        text = file.read()
    Path("keys.toml").write_text(text.replace(", revoked = true", ""))
    given = frame("well").hex()
    Path("keys.toml").write_text(text)
    words = said(given)
    assert "well is revoked: a receiver refuses all its frames." in words
    assert "It opens under the key of well" in words


def test_a_device_that_was_removed(keyring: Path) -> None:
    given = frame().hex()
    keyring.write_text(TEXT.replace(BARN, "1111111111111111"))
    words = said(given)
    assert f"The keyring lists no device with the address {BARN}." in words
    assert "the key that the fleet farm gives for this address" in words
    assert f"espseal device add NAME --fleet farm --address {BARN}" in words


def test_a_topic_of_another() -> None:
    words = said(frame().hex(), "--topic", "espseal/8899aabbccddeeff/up")
    assert f"the keyring expects such a frame on espseal/{BARN}/up" in words
    assert "expects" not in said(frame().hex(), "--topic", f"espseal/{BARN}/up")


def test_what_the_host_sends() -> None:
    words = said(frame(direction="downlink", session=BOUND).hex(), "--session", SESSION)
    assert "It goes to the device: a receiver answers wrong_direction." in words
    assert "session the one given" in words


def test_bodies_are_shown_to_who_asks_for_them() -> None:
    hello = frame(data=b"s" * 16 + b"1.2.3\x1b[2J", kind="hello").hex()
    words = said(hello)
    assert "--plaintext" in words
    assert "1.2.3" not in words
    words = said(hello, "--plaintext")
    assert f"body hello, session {b's'.hex() * 16}, firmware 1.2.3\\x1b[2J" in words
    record = json.loads(run("inspect", hello, "--json").stdout)["findings"][0]
    assert "body" not in record
    assert "data" not in record
    record = json.loads(run("inspect", hello, "--json", "--plaintext").stdout)["findings"][0]
    assert record["body"]["firmware"] == "1.2.3\x1b[2J"
    for body, words in (
        (b"\1\0\2", "ratchet, epoch 2"),
        (b"\2" + b"t" * 16, f"ack, tag {b't'.hex() * 16}"),
        (b"\3" + b"\0" * 7 + b"\x09", "welcome, floor 9"),
        (b"\4", "query mode"),
        (b"\5\7", "set mode, mode 7"),
        (b"\6\7", "mode, mode 7"),
        (b"\7", "no control body; a receiver ignores it"),
    ):
        given = frame(data=body, kind="control", session=BOUND).hex()
        assert words in said(given, "--session", SESSION, "--plaintext")


# What is wrong with it.


@pytest.mark.parametrize(
    ("how", "mistake", "says"),
    [
        ({"epoch": 1}, "other_epoch", "says epoch 1, but its key is that of epoch 0"),
        ({"counter": 7 << 56}, "counter_order", "it may mean 7"),
        ({"address": "1212121212121212"}, "other_device", "address is of no device of the keyring"),
        ({"address": "7766554433221100"}, "address_order", "an address goes as it is written"),
        ({"address": "0102030405060708"}, "other_device", "its address is of well"),
    ],
)
def test_wrong_headers(how: dict[str, Any], mistake: str, says: str) -> None:
    given = frame(**how).hex()
    words = said(given)
    assert says in words
    assert "but it is not as it has to be" in words
    found = json.loads(run("inspect", given, "--json").stdout)["findings"]
    assert [each["mistakes"] for each in found if each["fits"]] == [[mistake]]


def test_wrong_keys() -> None:
    fleet = sealed.DeviceKey(bytes(range(0xA0, 0xC0)))
    assert "Its key is the fleet's own" in said(frame(key=fleet).hex())
    former = sealed.DeviceKey.of_fleet(bytes(range(0xA0, 0xC0)), "8899aabbccddeeff").ratchet(2)
    words = said(frame("gate", key=former).hex())
    assert "the keyring has an own key for gate" in words
    assert "espseal provision gate" in words
    reflected = bytearray(frame(direction="downlink"))
    reflected[1] = 0
    assert "someone reflected a frame" in said(reflected.hex())


def test_every_mistake_has_a_sentence() -> None:
    """The type checker knows the list of the stub; that is the list of the core."""
    source = Path(espseal.__file__).parents[2] / "src" / "inspect" / "mistake.rs"
    core = re.findall(r'^    \w+ = "(\w+)",$', source.read_text(), re.MULTILINE)
    stub = Path(espseal.__file__).with_name("_native.pyi").read_text()
    words = stub.partition("_Mistake: TypeAlias = Literal[")[2].partition("]")[0]
    assert re.findall(r'"(\w+)"', words) == core
    assert len(core) > 10


def test_a_frame_that_does_not_open(keyring: Path) -> None:
    stranger = sealed.DeviceKey(bytes(range(32)))
    words = said(frame(key=stranger, session=BOUND).hex(), "--session", SESSION, code=1)
    for part in (
        "It does not open.",
        "the key of barn no epochs 0-3",
        "the key of the fleet farm itself no epoch 0",
        "the key of another device (2 devices tried) no epochs 0, 2",
        "(1 given)",
        "bound to a session that is not known here (--session gives one)",
        "espseal provision barn writes the right one",
    ):
        assert part in words, part
    assert "21.5" not in words
    assert_no_key(keyring, words)
    words = said(frame(key=stranger).hex(), code=1)
    assert "session that is not known" not in words
    words = said(frame(key=stranger, address="1212121212121212").hex(), code=1)
    assert "a system that this keyring does not belong to" in words


def test_a_keyring_without_a_fleet(keyring: Path) -> None:
    given = frame().hex()
    keyring.write_text(TEXT.partition("[[fleet]]")[0])
    assert "The keyring has no fleet, so there was no key to try." in said(given, code=1)


@pytest.mark.parametrize("session", ["", "12", SESSION + "0", "x" * 32, "x" * 16])
def test_a_session_that_is_none(session: str) -> None:
    result = run("inspect", frame().hex(), "--session", SESSION, "--session", session)
    assert "32 hex digits" in sentence(result, 2)


# What a receiver says.


def test_a_receiver_is_asked_and_nothing_is_changed(home: Path) -> None:
    state = home / ".local" / "state" / "espseal" / "state.sqlite3"
    loaded = Keyring.load()
    receiver = espseal.Receiver(loaded, espseal.Store.sqlite(state))
    device = espseal.Device.from_keyring(loaded, "barn", firmware="7")
    hello = None
    while not device.is_welcomed:
        for each in [*receiver.publications(), *device.publications()]:
            if each.topic == device.beacon_topic:
                device.hear(each.payload)
            elif each.topic == device.down_topic:
                device.open(each.payload)
            else:
                hello = hello or each.payload
                receiver.open(each.payload, topic=each.topic)
    given = device.seal("21.5")
    text = sealed.armor(given)
    for _ in range(2):
        assert "starts now on this state answers fresh: it is verified and new." in said(text)
    assert receiver.open(given).verdict == "fresh"
    words = said(text)
    assert "starts now on this state answers duplicate: it was accepted before." in words
    assert "which is this one; epoch 0, seen" in words
    record = json.loads(run("inspect", text, "--json").stdout)
    assert record["restarted_receiver"]["verdict"] == "duplicate"
    assert record["listed"]["head"] == record["claims"]["counter"]
    assert hello is not None
    words = said(hello.hex())
    assert "session the beacon's, minted" in words
    assert "answers stale_session" in words
    assert "does not find it stale for another" in words
    stranger = str(home / "other.sqlite3")
    assert "answers stale_session" in said(text, "--state", stranger)
