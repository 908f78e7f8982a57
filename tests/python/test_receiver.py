"""The API as a caller sees it: what goes in, what comes out, what raises."""

import array
import threading
from pathlib import Path

import pytest

import espseal
from espseal import Verdict
from keyrings import TEXT, device, keyring, receiver


def test_fresh_once() -> None:
    host = receiver(keyring())
    frame = device(host).seal("21.5")
    first = host.open(frame, topic="sensors/kitchen")
    assert first.verdict is Verdict.FRESH
    assert (first.device, first.node_id, first.group) == ("kitchen", "11242238", "house")
    assert (first.data, first.text, first.topic) == (b"21.5", "21.5", "sensors/kitchen")
    assert first.replay_protected
    second = host.open(frame, topic="sensors/kitchen", retained=True)
    assert (second.verdict, second.data, second.retained) == (Verdict.DUPLICATE, None, True)
    assert host.counts[Verdict.FRESH] == host.counts[Verdict.DUPLICATE] == 1


@pytest.mark.parametrize(
    "convert", [bytes, bytearray, memoryview, str, lambda b: array.array("B", b)]
)
def test_any_bytes_like_object_goes_in(convert: object) -> None:
    host = receiver(keyring())
    frame = device(host).seal(b"1")
    payload = frame.decode() if convert is str else convert(frame)  # type: ignore[operator]
    assert host.open(payload).verdict is Verdict.FRESH


def test_a_strided_view_goes_in() -> None:
    host = receiver(keyring())
    frame = device(host).seal(b"1")
    doubled = bytes(byte for pair in zip(frame, frame, strict=True) for byte in pair)
    assert host.open(memoryview(doubled)[::2]).verdict is Verdict.FRESH


@pytest.mark.parametrize("wrong", [None, 1, [1], object(), array.array("d", [1.0])])
def test_what_is_not_bytes_is_the_callers_mistake(wrong: object) -> None:
    with pytest.raises(TypeError, match="expected bytes, bytearray, memoryview or str"):
        receiver(keyring()).open(wrong)  # type: ignore[arg-type]


def test_raise_rejected() -> None:
    host = receiver(keyring())
    with pytest.raises(espseal.Rejected) as rejected:
        host.open(b"no frame", topic="sensors/x", raise_rejected=True)
    assert rejected.value.verdict is Verdict.MALFORMED
    assert rejected.value.code == "malformed"
    assert rejected.value.message.topic == "sensors/x"
    assert "it is no frame: it looks like neither" in str(rejected.value)
    frame = device(host).seal(b"1")
    assert host.open(frame, raise_rejected=True).data == b"1"


def test_unlisted_nodes_are_named_with_the_command_that_adds_them() -> None:
    host = receiver(keyring())
    stranger = espseal.Keyring.parse(TEXT.format(options="").replace("11242238", "999"))
    node = espseal.Device.from_keyring(stranger, "kitchen")
    node.hear(host.publications()[0].payload)
    message = host.open(node.seal(b"1"))
    assert (message.verdict, message.node_id) == (Verdict.UNKNOWN_DEVICE, "999")
    assert message.data is None
    assert "espseal keyring add device NAME --group 'house' --node-id '999'" in message.reason


def test_no_session_yet() -> None:
    node = espseal.Device.from_keyring(keyring(), "kitchen")
    with pytest.raises(espseal.SessionError, match="sensors/session") as error:
        node.seal(b"1")
    assert error.value.code == "no_session"


def test_data_that_no_frame_carries() -> None:
    node = device(receiver(keyring()))
    with pytest.raises(espseal.DataError) as error:
        node.seal(b"ends in NUL\0")
    assert error.value.code == "data_ends_in_nul"
    with pytest.raises(espseal.DataError) as error:
        node.seal(b"x" * 2000)
    assert error.value.code == "frame_too_long"


def test_representations_show_no_reading_and_no_key() -> None:
    host = receiver(keyring())
    message = host.open(device(host).seal(b"a secret reading"))
    shown = f"{message!r} {host.keyring!r} {host.keyring.devices!r} {host.keyring.groups!r}"
    assert "secret" not in shown
    assert "test-only" not in shown
    assert repr(espseal.ClassicKeys.generate()) == "<espseal.ClassicKeys>"


def test_one_receiver_serves_many_threads() -> None:
    host = receiver(keyring())
    node = device(host)
    frames = [node.seal(str(number)) for number in range(200)]
    fresh: list[bytes] = []

    def work() -> None:
        for frame in frames:
            message = host.open(frame)
            if message.data is not None:
                fresh.append(message.data)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh) == sorted(str(number).encode() for number in range(200))
    assert host.counts[Verdict.DUPLICATE] == 7 * 200


def test_false_session_ids_are_answered() -> None:
    host = receiver(keyring())
    (true,) = host.publications()
    assert (true.topic, true.retain, host.subscriptions) == ("sensors/session", True, [true.topic])
    assert host.hear(true.payload, topic=true.topic)
    assert not host.hear(b"x", topic="another/topic")
    assert host.hear(b"0" * 32, topic=true.topic)
    assert host.false_sessions == 1
    due = host.next_due()
    assert due is not None
    assert due < 1


def test_commands() -> None:
    options = (
        'command_topic = "sensors/{node_id}/command"\n'
        'command_session_topic = "sensors/{node_id}/command-session"'
    )
    ring = keyring(options)
    sender = espseal.Sender(ring, espseal.Store.memory())
    node = espseal.Device.from_keyring(ring, "kitchen")
    assert "sensors/11242238/command-session" in sender.subscriptions
    with pytest.raises(espseal.SessionError):
        sender.seal("kitchen", b"on")
    assert sender.hear(node.draw_command_session(), topic="sensors/11242238/command-session")
    assert sender.is_ready("kitchen")
    command = sender.seal("kitchen", b"on")
    assert (command.topic, command.retain) == ("sensors/11242238/command", False)
    assert node.open(command.payload).data == b"on"
    assert node.open(command.payload).verdict is Verdict.DUPLICATE
    assert not sender.is_ready("kitchen")


def test_a_command_topic_is_missing() -> None:
    sender = espseal.Sender(keyring(), espseal.Store.memory())
    with pytest.raises(espseal.KeyringError, match="command_topic"):
        sender.seal("kitchen", b"on")
    with pytest.raises(espseal.KeyringError, match="no device named `attic`"):
        sender.seal("attic", b"on")


def test_keyring_mistakes_say_where(tmp_path: Path) -> None:
    file = tmp_path / "keyring.toml"
    file.touch(mode=0o600)
    file.write_text(TEXT.format(options='colour = "red"'))
    with pytest.raises(espseal.KeyringError) as error:
        espseal.Keyring.load(file)
    assert error.value.code == "unknown_field"
    assert error.value.file == str(file)
    assert error.value.field == "classic_group.colour"
    assert error.value.line == 9
    assert str(error.value).startswith(f"{file}:9: classic_group.colour: unknown field")


def test_a_keyring_that_others_can_read(tmp_path: Path) -> None:
    file = tmp_path / "keyring.toml"
    file.write_text(TEXT.format(options=""))
    file.chmod(0o644)
    with pytest.raises(espseal.KeyringError, match="chmod 600") as error:
        espseal.Keyring.load(file)
    assert error.value.code == "wide_permissions"
    assert espseal.Keyring.load(file, allow_wide_permissions=True).warnings


def test_device_file(tmp_path: Path) -> None:
    file = tmp_path / "device.toml"
    file.touch(mode=0o600)
    file.write_text(
        """
version = 1
name = "kitchen"
[classic]
node_id = "11242238"
topic = "sensors/kitchen"
session_topic = "sensors/session"
[classic.keys]
iv_key = { text = "test-only-iv-key" }
data_key = { text = "test-only-data-k" }
static_iv = { text = "test-only-static" }
passphrase = { text = "test only passphrase" }
"""
    )
    node = espseal.Device.load(file)
    host = receiver(keyring())
    assert (node.name, node.topic, node.session_topic) == (
        "kitchen",
        "sensors/kitchen",
        "sensors/session",
    )
    assert node.hear(host.publications()[0].payload)
    assert host.open(node.seal(b"1"), topic=node.topic).device == "kitchen"
