"""`espseal.paho` and sealed devices, on a real Mosquitto."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
import espseal.paho
from broker import Mosquitto
from support import (
    PROTOCOLS,
    Probe,
    SealedDevice,
    connect,
    listen,
    new_client,
    new_fleet,
    stop,
    wait_for,
)

LONG = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_fleet(tmp_path, "lamp", "fan")


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def client(request: pytest.FixtureRequest) -> Iterator[mqtt.Client]:
    client = new_client(request.param)
    yield client
    stop(client)


class Host:
    """An attachment with a sender, and all that the user's callbacks got."""

    def __init__(self, client: mqtt.Client, keyring: espseal.Keyring) -> None:
        store = espseal.Store.memory()
        self.fresh: list[espseal.Message] = []
        self.rejected: list[espseal.Message] = []
        self.client = client
        self.attachment = espseal.paho.attach(
            client,
            espseal.Receiver(keyring, store),
            on_message=self.fresh.append,
            on_rejected=self.rejected.append,
            sender=espseal.Sender(keyring, store),
        )
        self.sender = self.attachment.sender

    def start(self, broker: Mosquitto) -> None:
        connect(self.client, broker)
        listen(self.client)


@pytest.fixture
def host(client: mqtt.Client, keyring: espseal.Keyring) -> Host:
    return Host(client, keyring)


def test_readings_and_commands(host: Host, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    """A command may be given before there is a connection or a device; its session comes with a
    message on a topic of readings. Hellos and acknowledgements are nobody's readings."""
    waiting = host.sender.send("lamp", "on", timeout=LONG, patience=LONG)
    host.start(broker)
    with SealedDevice(broker, keyring, "lamp") as lamp:
        waiting.result(LONG)
        lamp.send("21")
        wait_for(lambda: host.fresh, "a reading")
        host.sender.ratchet("lamp", patience=LONG).result(LONG)
        lamp.send("22")
        wait_for(lambda: len(host.fresh) == 2, "a reading of the next epoch")
        host.sender.send("lamp", "off", patience=LONG).result(LONG)
        assert lamp.commands == [b"on", b"off"]
    assert [(each.kind, each.text, each.epoch) for each in host.fresh] == [
        ("data", "21", 0),
        ("data", "22", 1),
    ]
    assert host.rejected == []
    assert host.attachment.refused == ()


def test_the_default_topics(host: Host, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    """All of the keyring's; and the devices' answers, whatever topics one gives."""
    fleet = keyring.fleets[0]
    needed = {fleet.up_filter, fleet.hello_filter, fleet.beacon_topic}
    host.start(broker)
    wait_for(lambda: all(f"{each} (QoS" in broker.log for each in needed), "the subscriptions")
    other = new_client()
    receiver = espseal.Receiver(keyring, espseal.Store.memory())
    with espseal.paho.attach(other, receiver, "sensors/+", on_message=print) as attachment:
        subscribed = {topic for topic, _ in attachment._adapter.subscriptions}
    assert subscribed == needed | {"sensors/+"}


def test_topics_of_a_devices_own(client: mqtt.Client, broker: Mosquitto, tmp_path: Path) -> None:
    path = new_fleet(tmp_path, "lamp", "fan").path or ""
    espseal.KeyringFile.open(path).set_topics(
        "lamp", up_topic="mqtt_tx_1", hello_topic="mqtt_tx_1", down_topic="mqtt_rx_1"
    )
    keyring = espseal.Keyring.load(path)
    receiver = espseal.Receiver(keyring, espseal.Store.memory())
    for given in (None, "sensors/+", "mqtt_tx_1", "+"):
        with espseal.paho.attach(client, receiver, given, on_message=print) as attachment:
            subscribed = [topic for topic, _ in attachment._adapter.subscriptions]
        own = [each for each in subscribed if each in ("+", "mqtt_tx_1")]
        assert len(own) == 1, (given, subscribed)
        assert "mqtt_rx_1" not in subscribed
    host = Host(client, keyring)
    host.start(broker)
    with SealedDevice(broker, keyring, "lamp") as lamp, SealedDevice(broker, keyring, "fan") as fan:
        host.sender.send("lamp", "on", timeout=LONG, patience=LONG).result(LONG)
        assert lamp.commands == [b"on"]
        lamp.send("21")
        fan.send("22")
        wait_for(lambda: len(host.fresh) == 2, "a reading of each")
    assert {(each.device, each.text) for each in host.fresh} == {("lamp", "21"), ("fan", "22")}
    assert host.rejected == []


def test_what_no_waiting_helps_with(client: mqtt.Client, broker: Mosquitto, tmp_path: Path) -> None:
    path = new_fleet(tmp_path, "lamp", "fan").path or ""
    espseal.KeyringFile.open(path).revoke("lamp")
    host = Host(client, espseal.Keyring.load(path))
    early = host.sender.send("lamp", "on", timeout=LONG)
    host.start(broker)
    with pytest.raises(espseal.SessionError) as caught:
        early.result(LONG)
    assert caught.value.code == "revoked"
    with pytest.raises(espseal.SessionError) as caught:
        host.sender.ratchet("lamp", timeout=LONG)
    assert caught.value.code == "revoked"
    # The fan is not there: that may pass, and is said as it is when it does not.
    with pytest.raises(espseal.SessionError, match="fan shows no session") as caught:
        host.sender.send("fan", "on", timeout=0.05).result(LONG)
    assert caught.value.code == "no_session"


def test_a_lost_acknowledgement(host: Host, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    """At the next connection the very same frame goes out again; it is obeyed once."""
    host.start(broker)
    with SealedDevice(broker, keyring, "lamp") as lamp, Probe(broker) as probe:
        host.sender.send("lamp", "off", timeout=LONG, patience=LONG).result(LONG)
        down = keyring.provision("lamp").down_topic
        before = len(probe.on(down))
        lamp.answers = False
        sent = host.sender.send("lamp", "on", patience=4 * LONG)
        wait_for(lambda: lamp.commands == [b"off", b"on"], "the command")
        wait_for(lambda: len(probe.on(down)) > before, "its frame")
        assert not sent.done()
        # Only the host's connection is lost: the device keeps its session.
        cast("socket.socket", host.client.socket()).shutdown(socket.SHUT_RDWR)
        copies = len(probe.on(down))
        lamp.answers = True
        sent.result(LONG)
        wait_for(lambda: len(probe.on(down)) > copies, "the copy")
        assert len({*probe.on(down)[before:]}) == 1
        assert lamp.commands == [b"off", b"on"]


def test_patience_ends(host: Host, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    host.start(broker)
    with SealedDevice(broker, keyring, "lamp") as lamp:
        host.sender.send("lamp", "off", timeout=LONG, patience=LONG).result(LONG)
        lamp.answers = False
        with pytest.raises(TimeoutError, match="lamp has not acknowledged the command within"):
            host.sender.send("lamp", "on", patience=0.1).result(LONG)
        lamp.answers = True
        # The next one is not held up, and that one comes to nothing more.
        host.sender.send("lamp", "over", patience=LONG).result(LONG)
        assert lamp.commands[0] == b"off"
        assert lamp.commands[-1] == b"over"


def test_detach(host: Host, broker: Mosquitto, keyring: espseal.Keyring) -> None:
    host.start(broker)
    with SealedDevice(broker, keyring, "lamp") as lamp:
        host.sender.send("lamp", "off", timeout=LONG, patience=LONG).result(LONG)
        lamp.answers = False
        unanswered = host.sender.send("lamp", "on", patience=LONG)
        wait_for(lambda: len(lamp.commands) == 2, "the command")
        waiting = host.sender.send("fan", "on", timeout=LONG)
        host.attachment.detach()
        with pytest.raises(ConnectionError, match="detached before"):
            unanswered.result(LONG)
        assert waiting.cancelled()
        with pytest.raises(ConnectionError, match="detached"):
            host.sender.send("lamp", "over")


def test_denied_topics(
    client: mqtt.Client, keyring: espseal.Keyring, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Down is what the host may not write. MQTT 5 says so; else there is no acknowledgement."""
    acl = "topic readwrite #\nuser us\ntopic readwrite espseal/house/beacon\ntopic read espseal/#\n"
    folder = tmp_path / "denied"
    folder.mkdir()
    client.username_pw_set("us", "secret")
    down = keyring.provision("lamp").down_topic
    with Mosquitto(folder, passwords={"us": "secret"}, acl=acl) as broker:
        store = espseal.Store.memory()
        receiver, sender = espseal.Receiver(keyring, store), espseal.Sender(keyring, store)
        attachment = espseal.paho.attach(client, receiver, on_message=print, sender=sender)
        # Without a welcome no session: one that may write gives it.
        helper = new_client(client_id="helper")
        espseal.paho.attach(helper, espseal.Receiver(keyring, store), on_message=print)
        connect(helper, broker)
        listen(helper)
        with SealedDevice(broker, keyring, "lamp") as lamp:
            wait_for(lambda: sender.is_ready("lamp"), "a session")
            client.connect(broker.host, broker.port)
            listen(client)
            sent = attachment.sender.send("lamp", "on", timeout=LONG, patience=5)
            v5 = client.protocol == MQTTProtocolVersion.MQTTv5
            error, said = (PermissionError, down) if v5 else (TimeoutError, "has not acknowledged")
            with pytest.raises(error, match=said):
                sent.result(LONG)
            assert lamp.commands == []
            assert (down in attachment.refused) == v5
        stop(helper)
        stop(client)
    assert ("ACL" in caplog.text) == v5
