"""A sealed device's own end, as Python has it. What it does is tested in Rust."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

import pytest

import espseal
from espseal import sealed

ADDRESS = "0011223344556677"
KEY = "42" * 32
PROVISIONED: dict[str, Any] = {
    "version": 1,
    "name": "kitchen",
    "address": ADDRESS,
    "device_key": KEY,
    "epoch": 0,
    "up_topic": f"espseal/{ADDRESS}/up",
    "hello_topic": f"espseal/{ADDRESS}/hello",
    "down_topic": f"espseal/{ADDRESS}/down",
    "beacon_topic": "espseal/house/beacon",
    "mqtt_host": "broker.example",
    "mqtt_port": 8883,
    "mqtt_user": "kitchen",
    "mqtt_password": "swordfish",
}
KEYRING = f"""
version = 1
session_key = "{"5a" * 32}"

[[fleet]]
name = "house"
key = {{ hex = "{"6b" * 32}" }}

[[classic_group]]
name = "old"
topic = "sensors/+"
session_topic = "sensors/session"

[classic_group.keys]
iv_key = {{ text = "test-only-iv-key" }}
data_key = {{ text = "test-only-data-k" }}
static_iv = {{ text = "test-only-static" }}
passphrase = {{ text = "test only passphrase" }}

[[device]]
name = "kitchen"
sealed = {{ fleet = "house", address = "{ADDRESS}" }}
classic = {{ group = "old", node_id = "11242238" }}

[[device]]
name = "attic"
classic = {{ group = "old", node_id = "5" }}
"""
BEACON = bytes(range(16))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A provisioning file."""
    path = tmp_path / "device.json"
    path.write_text(json.dumps(PROVISIONED), encoding="utf-8")
    path.chmod(0o600)
    return path


class Host:
    """The host's end of one device."""

    def __init__(self, device: espseal.Device) -> None:
        self.device = device
        self.key = sealed.DeviceKey(bytes.fromhex(KEY))
        self.epoch = 0
        self.counter = 0

    def welcome(self, floor: int = 1) -> bytes:
        """Takes the device's hello, welcomes it, takes the acknowledgement: the session."""
        self.device.reconnected()
        assert self.device.hear(BEACON.hex())
        (hello,) = self.device.publications()
        assert hello.topic == self.device.hello_topic
        session = self.open(hello.payload, BEACON)[:16]
        welcome = self.control(b"\x03" + floor.to_bytes(8, "big"), session)
        assert self.device.open(welcome).verdict is espseal.Verdict.FRESH
        assert self.answers(session) == [b"\x02" + welcome[20:36]]
        return session

    def open(self, frame: bytes, *sessions: bytes) -> bytes:
        """The plaintext of an uplink."""
        opened = sealed.open(frame, self.key, sessions=sessions)
        assert opened.data is not None
        assert opened.epoch == self.epoch
        return opened.data

    def answers(self, session: bytes) -> list[bytes]:
        """What the device says on its up topic now."""
        published = self.device.publications()
        assert {publication.topic for publication in published} <= {self.device.topic}
        return [self.open(publication.payload, session) for publication in published]

    def control(self, body: bytes, session: bytes) -> bytes:
        """A control frame."""
        return self.seal(body, session, "control")

    def command(self, data: bytes, session: bytes) -> bytes:
        """A command."""
        return self.seal(data, session, "data")

    def seal(self, data: bytes, session: bytes, kind: Literal["data", "control"]) -> bytes:
        """A downlink."""
        self.counter += 1
        return sealed.seal(
            self.key,
            data,
            address=ADDRESS,
            counter=self.counter,
            epoch=self.epoch,
            direction="downlink",
            kind=kind,
            session=session,
        )


def test_says_what_it_was_provisioned_with(file: Path) -> None:
    device = espseal.Device.load(file)
    assert (device.name, device.format, device.address) == ("kitchen", "sealed", ADDRESS)
    assert (device.epoch, device.mode, device.ignored, device.trouble) == (0, 0, 0, None)
    for field in ("hello_topic", "down_topic", "beacon_topic", "mqtt_host", "mqtt_port"):
        assert getattr(device, field) == PROVISIONED[field]
    assert (device.mqtt_user, device.mqtt_password) == ("kitchen", "swordfish")
    assert device.topic == PROVISIONED["up_topic"]
    assert device.session_topic is None
    assert device.subscriptions == [device.beacon_topic, device.down_topic]
    assert "swordfish" not in repr(device)


def test_welcome_readings_command(file: Path) -> None:
    device = espseal.Device.load(file)
    host = Host(device)
    device.send("21.5")
    with pytest.raises(espseal.SessionError, match="not welcomed") as caught:
        device.seal("21.5")
    assert caught.value.code == "not_welcomed"
    assert not device.is_welcomed
    device.reconnected()
    assert device.hear(BEACON.hex())
    (hello,) = device.publications()
    session = host.open(hello.payload, BEACON)[:16]
    welcome = host.control(b"\x03" + (5000).to_bytes(8, "big"), session)
    message = device.open(welcome, topic=device.down_topic)
    assert (message.verdict, message.data) == (espseal.Verdict.FRESH, None)
    assert device.is_welcomed
    assert device.next_due() == 0
    assert host.answers(session) == [b"\x02" + welcome[20:36], b"21.5"]
    frame = device.seal(b"22")
    assert int.from_bytes(frame[12:20], "big") == 5002

    command = host.command(b"relay=on", session)
    message = device.open(command, topic=device.down_topic)
    assert (message.verdict, message.data) == (espseal.Verdict.FRESH, b"relay=on")
    assert (message.device, message.topic) == ("kitchen", device.down_topic)
    assert device.open(command).verdict is espseal.Verdict.DUPLICATE
    assert host.answers(session) == [b"\x02" + command[20:36]]
    due = device.next_due()
    assert due is not None
    assert 590 < due <= 600


def test_mode_and_ratchet(file: Path) -> None:
    device = espseal.Device.load(file)
    host = Host(device)
    session = host.welcome()
    device.open(host.control(b"\x05\x07", session))
    assert device.mode == 7
    device.set_mode(1)
    device.publications()
    query = host.control(b"\x04", session)
    device.open(query)
    assert host.answers(session) == [b"\x02" + query[20:36], b"\x06\x01"]
    device.open(host.control(b"\x63", session))
    assert device.ignored == 1

    ratchet = host.control(b"\x01\x00\x01", session)
    device.open(ratchet)
    host.key, host.epoch = host.key.ratchet(), 1
    assert host.answers(session) == [b"\x02" + ratchet[20:36]]
    assert device.epoch == 1
    assert "device_key" not in json.loads(file.read_text(encoding="utf-8"))
    del device, host.device
    assert espseal.Device.load(file).epoch == 1


def test_resumes_above_every_counter(file: Path, tmp_path: Path) -> None:
    for first in (1, 1025, 2049):
        device = espseal.Device.load(file, hold=0)
        assert int.from_bytes(device.seal("1")[12:20], "big") == first
        del device
    elsewhere = espseal.Device.load(file, hold=0, state=tmp_path / "other")
    assert int.from_bytes(elsewhere.seal("1")[12:20], "big") == 1
    assert (tmp_path / "other").exists()


def test_one_process_at_a_time(file: Path) -> None:
    device = espseal.Device.load(file)
    with pytest.raises(espseal.StateError, match="another process uses this state") as caught:
        espseal.Device.load(file)
    assert caught.value.code == "in_use"
    assert isinstance(caught.value, espseal.Error)
    del device
    espseal.Device.load(file)


def test_damage_is_told(file: Path) -> None:
    espseal.Device.load(file, hold=0).seal("1")
    state = Path(f"{file}.state")
    content = state.read_bytes()
    state.write_bytes(content[:40])
    with pytest.raises(espseal.StateError, match="cut off") as caught:
        espseal.Device.load(file)
    assert caught.value.code == "state_damaged"
    assert KEY[:8] not in str(caught.value)


def test_mistakes(file: Path) -> None:
    file.write_text(json.dumps(PROVISIONED | {"epoch": "0"}), encoding="utf-8")
    with pytest.raises(espseal.KeyringError) as caught:
        espseal.Device.load(file)
    assert (caught.value.code, caught.value.field) == ("invalid_value", "epoch")
    assert caught.value.file == str(file)
    with pytest.raises(ValueError, match="hold must be seconds"):
        espseal.Device.load(file, hold=-1.0)
    with pytest.raises(ValueError, match="hello_interval must be seconds"):
        espseal.Device.load(file, hello_interval=float("nan"))


def test_of_a_keyring() -> None:
    keyring = espseal.Keyring.parse(KEYRING)
    device = espseal.Device.from_keyring(keyring, "kitchen", firmware="kettle 3", hold=0)
    assert device.format == "sealed"
    key = sealed.DeviceKey.of_fleet(bytes.fromhex("6b" * 32), ADDRESS)
    assert sealed.open(device.seal("1"), key).data == b"1"
    assert device.hear(BEACON.hex())
    (hello,) = device.publications()
    plaintext = sealed.open(hello.payload, key, sessions=[BEACON]).data
    assert plaintext is not None
    assert plaintext[16:] == b"kettle 3"

    classic = espseal.Device.from_keyring(keyring, "kitchen", format="classic")
    assert (classic.format, classic.address, classic.publications()) == ("classic", None, [])
    assert classic.subscriptions == ["sensors/session"]
    with pytest.raises(espseal.KeyringError):
        espseal.Device.from_keyring(keyring, "cellar")
    with pytest.raises(ValueError, match="format must be"):
        espseal.Device.from_keyring(keyring, "kitchen", format="raw")  # type: ignore[arg-type]


def test_what_is_of_the_other_format() -> None:
    keyring = espseal.Keyring.parse(KEYRING)
    sealing = espseal.Device.from_keyring(keyring, "kitchen")
    classic = espseal.Device.from_keyring(keyring, "attic")
    for wrong in (
        lambda: espseal.Device.from_keyring(keyring, "attic", format="sealed"),
        lambda: sealing.seal("1", to="5"),
        sealing.draw_command_session,
        lambda: classic.send("1"),
        lambda: classic.set_mode(1),
    ):
        with pytest.raises(espseal.Error) as caught:
            wrong()
        assert caught.value.code == "wrong_format"


def test_threads_share_a_device(file: Path) -> None:
    device = espseal.Device.load(file, hold=0)
    counters: list[int] = []

    def seal() -> None:
        mine = [int.from_bytes(device.seal("1")[12:20], "big") for _ in range(500)]
        assert mine == sorted(mine)
        counters.extend(mine)

    threads = [threading.Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counters) == list(range(1, 4001))


FORK = """
import os, sys, espseal
device = espseal.Device.load(sys.argv[1], hold=0)
device.seal("1")
if os.fork() == 0:
    try:
        device.seal("1")
    except espseal.StateError as error:
        os.write(1, error.code.encode())
    os._exit(0)
os.wait()
print("", int.from_bytes(device.seal("1")[12:20], "big"), flush=True)
try:
    espseal.Device.load(sys.argv[1])
except espseal.StateError as error:
    print(error.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_fork_seals_nothing(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, file], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["forked", "2", "in_use"]
