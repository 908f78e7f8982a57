"""`espseal.paho.Attachment.sender` on a real Mosquitto."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import cast

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
import espseal.paho
from broker import Mosquitto
from espseal._adapter import fewest_filters
from support import (
    COMMANDS,
    PROTOCOLS,
    Node,
    Probe,
    connect,
    listen,
    new_client,
    new_keyring,
    stop,
    wait_for,
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, persistence=True) as broker:
        yield broker


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_keyring(tmp_path, {"lamp": "7", "fan": "8"}, options=COMMANDS)


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> MQTTProtocolVersion:
    parameter: MQTTProtocolVersion = request.param
    return parameter


class Watched(mqtt.Client):
    """Notes which threads publish."""

    def publish(self, *arguments: object, **more: object) -> mqtt.MQTTMessageInfo:
        self.__dict__.setdefault("publishers", set()).add(threading.get_ident())
        return super().publish(*arguments, **more)  # type: ignore[arg-type]


@pytest.fixture
def client(protocol: MQTTProtocolVersion) -> Iterator[mqtt.Client]:
    client = new_client(protocol, Watched)
    yield client
    stop(client)


@pytest.fixture
def attachment(client: mqtt.Client, keyring: espseal.Keyring) -> espseal.paho.Attachment:
    return attach(client, keyring)


def attach(client: mqtt.Client, keyring: espseal.Keyring) -> espseal.paho.Attachment:
    store = espseal.Store.memory()
    receiver, sender = espseal.Receiver(keyring, store), espseal.Sender(keyring, store)
    return espseal.paho.attach(client, receiver, "sensors/+", on_message=print, sender=sender)


def start(client: mqtt.Client, broker: Mosquitto) -> None:
    connect(client, broker)
    listen(client)


def test_a_command(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    with Node(broker, keyring, "lamp", "7") as node:
        node.show_session()
        start(client, broker)
        assert attachment.sender.send("lamp", "on", timeout=60).result(60) is None
        wait_for(lambda: node.taken == [b"on"], "the command")
        # The session is used up, and nothing waits unless it is told to.
        with pytest.raises(espseal.SessionError, match="lamp shows no session") as caught:
            attachment.sender.send("lamp", "off")
        assert caught.value.code == "no_session"
        waiting = attachment.sender.send("lamp", b"off", timeout=60)
        node.show_session()
        waiting.result(60)
        wait_for(lambda: node.taken == [b"on", b"off"], "the next command")
        assert node.verdicts == ["fresh"] * 2


def test_commands_wait_in_their_order(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    # They may wait for the connection too.
    sent = [attachment.sender.send("lamp", str(number), timeout=60) for number in range(5)]
    other = attachment.sender.send("fan", "slow", timeout=60)
    start(client, broker)
    with Node(broker, keyring, "lamp", "7") as lamp, Node(broker, keyring, "fan", "8") as fan:
        fan.show_session()
        other.result(60)
        for number in range(5):
            assert not sent[number].done()
            lamp.show_session()
            sent[number].result(60)
        wait_for(lambda: len(lamp.commands) == 5, "the commands")
        wait_for(lambda: fan.taken == [b"slow"], "the other command")
    assert lamp.taken == [b"0", b"1", b"2", b"3", b"4"]


def test_a_timeout_ends(
    client: mqtt.Client, attachment: espseal.paho.Attachment, broker: Mosquitto
) -> None:
    start(client, broker)
    late = attachment.sender.send("lamp", "on", timeout=0.1)
    with pytest.raises(espseal.SessionError, match="lamp shows no session"):
        late.result(60)


def test_many_threads_beside_loop_forever(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    # It would wait for ever if it were not woken, and only its own thread may write.
    connect(client, broker)
    network = threading.Thread(target=client.loop_forever, kwargs={"timeout": 3600})
    network.start()
    with Node(broker, keyring, "lamp", "7") as lamp:
        lamp.show_session()
        attachment.sender.send("lamp", "0", timeout=60).result(60)
        sent: list[Future[None]] = []
        threads = [
            threading.Thread(
                target=lambda: sent.append(attachment.sender.send("lamp", "1", timeout=60))
            )
            for _ in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for number in range(8):
            lamp.show_session()
            wait_for(lambda: sum(each.done() for each in sent) > number, "a command")  # noqa: B023
        wait_for(lambda: len(lamp.taken) == 9, "the commands")
    assert {each.exception() for each in sent} == {None}
    assert cast("set[int]", client.__dict__["publishers"]) == {network.ident}
    client.disconnect()
    network.join(60)
    assert not network.is_alive()


def test_from_a_callback(client: mqtt.Client, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    answers: list[Future[None]] = []

    def answer(_: espseal.Message) -> None:
        answers.append(attached.sender.send("fan", "fast"))

    store = espseal.Store.memory()
    receiver, sealer = espseal.Receiver(keyring, store), espseal.Sender(keyring, store)
    attached = espseal.paho.attach(client, receiver, "sensors/+", on_message=answer, sender=sealer)
    start(client, broker)
    with Node(broker, keyring, "lamp", "7") as lamp, Node(broker, keyring, "fan", "8") as fan:
        fan.show_session()
        wait_for(lambda: sealer.is_ready("fan"), "the session")
        lamp.send("dark")
        wait_for(lambda: answers, "the reading")
        answers[0].result(60)
        wait_for(lambda: fan.taken == [b"fast"], "the command")
    assert attached.callback_errors == 0


def test_mistakes(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    with pytest.raises(ConnectionError, match="not connected"):
        attachment.sender.send("lamp", "on")
    store = espseal.Store.memory()
    receiver = espseal.Receiver(keyring, store)
    unable = espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
    with pytest.raises(ValueError, match="to send, attach with"):
        _ = unable.sender
    start(client, broker)
    with pytest.raises(espseal.KeyringError, match="nobody"):
        attachment.sender.send("nobody", "on", timeout=60)
    with Node(broker, keyring, "lamp", "7") as lamp:
        lamp.show_session()
        wait_for(lambda: attachment.sender._sender.is_ready("lamp"), "the session")
        # It uses nothing up.
        with pytest.raises(espseal.DataError):
            attachment.sender.send("lamp", "x" * 4096)
        attachment.sender.send("lamp", "on").result(60)
        wait_for(lambda: lamp.taken == [b"on"], "the command")


def test_a_group_without_commands(broker: Mosquitto, tmp_path: Path) -> None:
    client = new_client()
    attachment = attach(client, new_keyring(tmp_path, {"lamp": "7"}, place="attic"))
    start(client, broker)
    with pytest.raises(espseal.KeyringError, match="command_topic"):
        attachment.sender.send("lamp", "on", timeout=60)
    stop(client)


class Failing:
    """A sender on a store that fails."""

    def __init__(self, sender: espseal.Sender) -> None:
        self._real = sender
        self.fails = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def seal(self, device: str, data: bytes) -> espseal.Publication:
        if self.fails and self._real.is_ready(device):
            raise espseal.StoreError("the disk is full", "disk_full")
        return self._real.seal(device, data)


def test_a_store_that_fails(
    client: mqtt.Client, broker: Mosquitto, keyring: espseal.Keyring
) -> None:
    store = espseal.Store.memory()
    failing = Failing(espseal.Sender(keyring, store))
    attachment = espseal.paho.attach(
        client,
        espseal.Receiver(keyring, store),
        "sensors/+",
        on_message=print,
        sender=cast("espseal.Sender", failing),
    )
    start(client, broker)
    with Node(broker, keyring, "lamp", "7") as lamp:
        waiting = attachment.sender.send("lamp", "on", timeout=60)
        lamp.show_session()
        with pytest.raises(espseal.StoreError):
            waiting.result(60)
        with pytest.raises(espseal.StoreError):
            attachment.sender.send("lamp", "on")
        failing.fails = False
        attachment.sender.send("lamp", "on").result(60)
        wait_for(lambda: lamp.taken == [b"on"], "the command")


def test_cancelled_and_detached(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    start(client, broker)
    sender = attachment.sender
    with Node(broker, keyring, "lamp", "7") as lamp:
        cancelled = sender.send("lamp", "never", timeout=60)
        kept = sender.send("lamp", "on", timeout=60)
        assert cancelled.cancel()
        lamp.show_session()
        kept.result(60)
        last = sender.send("lamp", "never", timeout=60)
        attachment.detach()
        assert last.cancelled()
        with pytest.raises(ConnectionError, match="detached"):
            sender.send("lamp", "never")
        wait_for(lambda: lamp.taken == [b"on"], "the command")
    wait([cancelled, kept, last], 60)


def test_a_lost_connection(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    broker: Mosquitto,
    keyring: espseal.Keyring,
) -> None:
    start(client, broker)
    with Node(broker, keyring, "lamp", "7") as lamp:
        lamp.show_session()
        wait_for(lambda: attachment.sender._sender.is_ready("lamp"), "the session")
        broker.stop()
        wait_for(lambda: not client.is_connected(), "the loss of the connection")
        with pytest.raises(ConnectionError, match="not connected"):
            attachment.sender.send("lamp", "too late")
        waiting = attachment.sender.send("lamp", "on", timeout=60)
        broker.start()
        waiting.result(60)
        wait_for(lambda: lamp.taken == [b"on"], "the command")


def test_a_denied_command(
    client: mqtt.Client,
    attachment: espseal.paho.Attachment,
    keyring: espseal.Keyring,
    protocol: MQTTProtocolVersion,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "denied"
    folder.mkdir()
    acl = "topic readwrite #\nuser us\ntopic read #\ntopic write sensors/session\n"
    client.username_pw_set("us", "secret")
    with Mosquitto(folder, passwords={"us": "secret"}, acl=acl) as broker:
        start(client, broker)
        with Node(broker, keyring, "lamp", "7") as lamp:
            lamp.show_session()
            sent = attachment.sender.send("lamp", "on", timeout=60)
            if protocol == MQTTProtocolVersion.MQTTv5:
                with pytest.raises(PermissionError, match="sensors/7/command"):
                    sent.result(60)
                assert attachment.refused == ("sensors/7/command",)
            else:
                # A broker cannot say so under MQTT 3.1.1.
                sent.result(60)
        stop(client)


def test_one_subscription_for_a_group(
    client: mqtt.Client, broker: Mosquitto, tmp_path: Path
) -> None:
    devices = {f"node {number}": str(number) for number in range(100)}
    keyring = new_keyring(tmp_path, devices, options=COMMANDS)
    attachment = attach(client, keyring)
    assert [each for each, _ in attachment._adapter.subscriptions] == [
        "sensors/+",
        "sensors/+/command-session",
    ]
    start(client, broker)
    with Node(broker, keyring, "node 99", "99") as node, Probe(broker) as probe:
        # A node that the keyring does not list is nobody's.
        probe.send("sensors/100/command-session", "0" * 32)
        node.show_session()
        attachment.sender.send("node 99", "on", timeout=60).result(60)
        wait_for(lambda: node.taken == [b"on"], "the command")
    assert (attachment.callback_errors, attachment.store_errors) == (0, 0)


@settings(deadline=None)
@given(
    st.sets(
        st.lists(st.sampled_from(["a", "b", "", "$d"]), min_size=1, max_size=4)
        .map("/".join)
        .filter(bool)
    )
)
def test_the_fewest_filters_cover_all_topics(topics: set[str]) -> None:
    filters = fewest_filters(topics)
    assert len(filters) <= len(topics)
    for topic in topics:
        assert sum(mqtt.topic_matches_sub(each, topic) for each in filters) >= 1
