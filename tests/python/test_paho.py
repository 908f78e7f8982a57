"""`espseal.paho` on a real Mosquitto."""

import contextlib
import gc
import json
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

import espseal
import espseal.paho
from broker import Mosquitto
from espseal._adapter import Topics, topic_filters
from support import PROTOCOLS, Probe, connect, listen, new_client, new_keyring, stop, wait_for

SESSION = "sensors/session"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def probe(broker: Mosquitto) -> Iterator[Probe]:
    with Probe(broker) as probe:
        yield probe


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_keyring(tmp_path, {"greenhouse": "11242238", "cellar": "7"})


@pytest.fixture
def receiver(keyring: espseal.Keyring) -> espseal.Receiver:
    return espseal.Receiver(keyring, espseal.Store.memory())


@pytest.fixture
def device(keyring: espseal.Keyring) -> espseal.Device:
    return espseal.Device.from_keyring(keyring, "greenhouse")


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def client(request: pytest.FixtureRequest) -> Iterator[mqtt.Client]:
    client = new_client(request.param)
    yield client
    stop(client)


class Messages(list[espseal.Message]):
    """A callback that keeps what it is called with."""

    def __call__(self, message: espseal.Message) -> None:
        self.append(message)

    @property
    def data(self) -> list[bytes | None]:
        return [each.data for each in self]


def start(client: mqtt.Client, broker: Mosquitto) -> None:
    client.connect(broker.host, broker.port)
    listen(client)


def reading(probe: Probe, device: espseal.Device, data: str) -> None:
    probe.send("sensors/1", device.seal(data))


# What it is for.


def test_fresh_and_rejected(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh, rejected = Messages(), Messages()
    espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh, on_rejected=rejected)
    start(client, broker)
    frame = probe.session(device).seal("21.5")
    for payload in (frame, frame, b"garbage", b""):
        probe.send("sensors/1", payload)
    probe.send("elsewhere/1", frame)
    probe.send("sensors/1", device.seal("21.6"), retain=True)
    wait_for(lambda: len(fresh) == 2, "the second reading")
    assert fresh.data == [b"21.5", b"21.6"]
    assert {each.topic for each in fresh + rejected} == {"sensors/1"}
    assert [each.verdict for each in rejected] == ["duplicate", "malformed", "malformed"]
    assert [each.data for each in rejected] == [None] * 3


def test_session_ids_are_retained(
    client: mqtt.Client, broker: Mosquitto, probe: Probe, receiver: espseal.Receiver
) -> None:
    espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
    start(client, broker)
    wait_for(lambda: probe.on(SESSION), "a session ID")
    with Probe(broker) as late:
        wait_for(lambda: late.arrivals, "the retained session ID")
        assert late.arrivals == [(SESSION, probe.on(SESSION)[-1], True)]


def test_without_on_rejected_the_rest_is_only_counted(
    client: mqtt.Client, broker: Mosquitto, probe: Probe, receiver: espseal.Receiver
) -> None:
    attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
    start(client, broker)
    wait_for(lambda: probe.on(SESSION), "a session ID")
    probe.send("sensors/1", b"garbage")
    wait_for(lambda: receiver.counts[espseal.Verdict.MALFORMED] == 1, "a verdict")
    assert (attachment.callback_errors, attachment.store_errors) == (0, 0)


# When it is attached, and to what.


@pytest.mark.parametrize("when", ["before connect", "before the loop", "in the loop", "connected"])
def test_attached_at_any_time(
    when: str,
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh = Messages()

    def attach(now: str) -> None:
        if now == when:
            espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)

    attach("before connect")
    client.connect(broker.host, broker.port)
    attach("before the loop")
    client.loop_start()
    attach("in the loop")
    wait_for(client.is_connected, "the connection")
    attach("connected")
    probe.session(device)
    reading(probe, device, "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")


@pytest.mark.parametrize("kind", ["loop_forever", "loop", "select"])
def test_any_kind_of_loop(
    kind: str,
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh = Messages()

    def run() -> None:
        if kind == "loop_forever":
            client.loop_forever()
        while kind == "loop" and client.loop(0.05) == mqtt.MQTT_ERR_SUCCESS:
            pass
        while kind == "select" and client.socket() is not None:
            client.loop_read()
            client.loop_write()
            client.loop_misc()

    espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)
    client.connect(broker.host, broker.port)
    thread = threading.Thread(target=run)
    thread.start()
    probe.session(device)
    reading(probe, device, "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")
    client.disconnect()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "topic", [["sensors/+", "sensors/1"], ["cellar", "sensors/#"], "$share/group/sensors/#", "#"]
)
def test_topics(
    topic: str | list[str],
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    # Each of these matches the session topic too: its messages are never opened as frames.
    fresh, rejected = Messages(), Messages()
    espseal.paho.attach(client, receiver, topic, on_message=fresh, on_rejected=rejected)
    start(client, broker)
    probe.session(device)
    reading(probe, device, "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")
    assert all(each.verdict == espseal.Verdict.DUPLICATE for each in rejected)


def test_two_receivers_on_one_client(
    client: mqtt.Client, broker: Mosquitto, probe: Probe, tmp_path: Path
) -> None:
    readings: dict[str, Messages] = {}
    rejected = Messages()
    devices = []
    for place in ("sensors", "attic"):
        keyring = new_keyring(tmp_path, {place: "7"}, place=place)
        devices.append(espseal.Device.from_keyring(keyring, place))
        readings[place] = Messages()
        receiver = espseal.Receiver(keyring, espseal.Store.memory())
        filters = ["+/session", f"{place}/1"]  # each reads the other's session topic too
        espseal.paho.attach(
            client, receiver, filters, on_message=readings[place], on_rejected=rejected
        )
    start(client, broker)
    for device in devices:
        probe.send(f"{device.name}/1", probe.session(device).seal(device.name))
    for place, messages in readings.items():
        wait_for(lambda: messages, "the reading")  # noqa: B023
        assert messages.data == [place.encode()]
    assert rejected == []


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"client": object()}, TypeError, "paho.mqtt.client.Client"),
        ({"topic": "sensors#"}, ValueError, "'#' for the rest and only at the end"),
        ({"topic": []}, ValueError, "no topic filter"),
        ({"topic": [3]}, TypeError, "a topic filter is a str"),
        ({"topic": ["a", "$share/group"]}, ValueError, "no topic filter"),
        ({"qos": 3}, ValueError, "0, 1 or 2"),
    ],
)
def test_mistakes(
    arguments: dict[str, Any], error: type[Exception], words: str, receiver: espseal.Receiver
) -> None:
    client = new_client()
    good: dict[str, Any] = {
        "client": client,
        "receiver": receiver,
        "topic": "sensors/+",
        "on_message": print,
    }
    with pytest.raises(error, match=words):
        espseal.paho.attach(**good | arguments)
    assert type(client) is mqtt.Client


def test_the_old_callback_api(receiver: espseal.Receiver) -> None:
    with pytest.warns(DeprecationWarning):
        client = mqtt.Client(CallbackAPIVersion.VERSION1)
    with pytest.raises(ValueError, match=r"mqtt\.Client\(mqtt\.CallbackAPIVersion\.VERSION2\)"):
        espseal.paho.attach(client, receiver, "sensors/+", on_message=print)


def test_without_paho() -> None:
    script = "import sys; sys.modules['paho'] = None; import espseal.paho"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    last = result.stderr.splitlines()[-1]
    assert last == "ImportError: espseal.paho needs paho-mqtt 2: pip install 'espseal[paho]'"


_LEVELS = st.sampled_from(["a", "b.c", "", "$d", "+"])
_FILTERS = st.builds(
    lambda levels, end: "/".join(levels + end),
    st.lists(_LEVELS, min_size=1, max_size=3),
    st.sampled_from([[], ["#"]]),
).filter(bool)
_TOPICS = st.lists(_LEVELS.filter(lambda level: level != "+"), min_size=1, max_size=4)


@settings(deadline=None)
@given(topic_filter=_FILTERS | st.just("#"), topic=_TOPICS.map("/".join).filter(bool))
def test_filters_match_as_in_paho(topic_filter: str, topic: str) -> None:
    (taken,) = topic_filters(topic_filter)
    expected = mqtt.topic_matches_sub(topic_filter, topic)
    assert (topic in Topics([taken])) == expected
    assert (topic in Topics([f"$share/g/{taken}", "elsewhere", "x/#"])) == (
        expected or topic == "elsewhere" or topic.split("/")[0] == "x"
    )


# The user's own callbacks.


class Calls:
    """Callbacks of the user's, and how often each was called."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.set: dict[str, Callable[..., None]] = {}

    def callback(self, name: str) -> Callable[..., None]:
        return self.set.setdefault(name, lambda *_: self.names.append(name))


@pytest.mark.parametrize("when", ["before", "after"])
def test_callbacks_stay_in_place(
    when: str,
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    calls, fresh = Calls(), Messages()
    slots = ["on_connect", "on_subscribe", "on_publish", "on_message", "on_disconnect"]

    def set_callbacks() -> None:
        for name in slots:
            setattr(client, name, calls.callback(name))

    if when == "before":
        set_callbacks()
    attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)
    if when == "after":
        set_callbacks()
    start(client, broker)
    probe.session(device)
    wait_for(lambda: "on_publish" in calls.names, "the user's on_publish")
    assert calls.names.count("on_connect") == calls.names.count("on_subscribe") == 1
    wait_for(lambda: "on_message" in calls.names, "the session ID")
    # What no filter of the user's matches goes to `on_message`, as it would without us.
    calls.names.clear()
    reading(probe, device, "1")
    wait_for(lambda: "on_message" in calls.names, "the user's on_message")
    assert (calls.names, fresh.data) == (["on_message"], [b"1"])
    # A filter of the user's, the very same as ours.
    client.message_callback_add("sensors/+", calls.callback("filter"))
    reading(probe, device, "2")
    wait_for(lambda: "filter" in calls.names, "the user's filter")
    assert (calls.names, fresh.data) == (["on_message", "filter"], [b"1", b"2"])
    client.message_callback_remove("sensors/+")
    reading(probe, device, "3")
    wait_for(lambda: calls.names[2:] == ["on_message"], "the user's on_message")
    assert fresh.data == [b"1", b"2", b"3"]
    assert [getattr(client, name) for name in slots] == [calls.set[name] for name in slots]
    attachment.detach()
    assert [getattr(client, name) for name in slots] == [calls.set[name] for name in slots]
    assert type(client) is mqtt.Client


def test_a_filter_of_the_users_set_before(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    calls, fresh = Calls(), Messages()
    client.message_callback_add("sensors/+", calls.callback("filter"))
    attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)
    start(client, broker)
    probe.session(device)
    wait_for(lambda: calls.names == ["filter"], "the session ID")
    reading(probe, device, "1")
    wait_for(lambda: calls.names == ["filter"] * 2, "the user's filter")
    assert fresh.data == [b"1"]
    # It is the user's still after, and so is the subscription that it needs.
    attachment.detach()
    reading(probe, device, "2")
    wait_for(lambda: calls.names == ["filter"] * 3, "the user's filter")
    assert fresh.data == [b"1"]


class OwnClient(mqtt.Client):
    """Callbacks as methods, the way that paho's examples subclass a client."""

    names: list[str]

    def on_subscribe(self, *_: object) -> None:
        self.names.append("method")

    def on_message(self, *_: object) -> None:
        self.names.append("message")


def test_a_subclass_of_the_users(
    broker: Mosquitto, probe: Probe, receiver: espseal.Receiver, device: espseal.Device
) -> None:
    client, fresh, names = new_client(kind=OwnClient), Messages(), list[str]()
    cast("OwnClient", client).names = names
    attachment = espseal.paho.attach(client, receiver, "sensors/1", on_message=fresh)
    assert isinstance(client, OwnClient)
    start(client, broker)
    probe.session(device)
    reading(probe, device, "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")
    assert names.count("method") == 1
    assert "message" in names
    instance: Callable[..., None] = lambda *_: names.append("instance")  # noqa: E731
    client.on_subscribe = instance  # type: ignore[method-assign]
    assert client.on_subscribe is instance
    client.subscribe("more")
    wait_for(lambda: "instance" in names, "the user's on_subscribe")
    attachment.detach()
    assert type(client) is OwnClient
    assert client.on_subscribe is instance
    stop(client)


def test_an_exception_of_the_users(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Messages()

    def fail(message: espseal.Message) -> None:
        seen(message)
        raise RuntimeError("the user's mistake")

    attachment = espseal.paho.attach(
        client, receiver, "sensors/+", on_message=fail, on_rejected=fail
    )
    start(client, broker)
    probe.session(device)
    reading(probe, device, "1")
    probe.send("sensors/1", b"garbage")
    reading(probe, device, "2")
    wait_for(lambda: attachment.callback_errors == 3, "three exceptions")
    assert seen.data == [b"1", None, b"2"]
    records = [each for each in caplog.records if each.name == "espseal.paho"]
    assert len(records) == 3
    assert all(each.exc_info and "the user's mistake" in str(each.exc_info[1]) for each in records)


# The store fails.


class Wrapped:
    """A receiver that does what a test tells it to, and else what the real one does."""

    def __init__(self, receiver: espseal.Receiver) -> None:
        self.real = receiver
        self.fails = False
        self.renewals = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def open(self, payload: bytes, *, topic: str, retained: bool) -> espseal.Message:
        if self.fails:
            raise espseal.StoreError("the disk is full", "store_failed")
        return self.real.open(payload, topic=topic, retained=retained)

    def next_due(self) -> float:
        return 0.0

    def publications(self) -> list[espseal.Publication]:
        if self.fails:
            raise espseal.StoreError("the disk is full", "store_failed")
        self.renewals += 1
        return self.real.publications()


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("manual_ack", [False, True])
def test_a_store_that_fails(
    protocol: MQTTProtocolVersion,
    manual_ack: bool,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = new_client(protocol, client_id="us", persistent=True, manual_ack=manual_ack)
    wrapped, fresh, rejected = Wrapped(receiver), Messages(), Messages()
    attachment = espseal.paho.attach(
        client,
        cast("espseal.Receiver", wrapped),
        "sensors/+",
        on_message=fresh,
        on_rejected=rejected,
    )
    with connected_persistently(client, broker):
        probe.session(device)
        wrapped.fails = True
        reading(probe, device, "1")
        # One failure to open the frame, and one to mint: the next attempt waits.
        wait_for(lambda: attachment.store_errors == 2, "the failures")
    assert (fresh, rejected, attachment.callback_errors) == ([], [], 0)
    assert all(each.exc_info for each in caplog.records if each.name == "espseal.paho")
    wrapped.fails = False
    with connected_persistently(client, broker):
        reading(probe, device, "2")
        wait_for(lambda: b"2" in fresh.data, "the next reading")
    # Only an unacknowledged message is delivered again.
    assert fresh.data == ([b"1", b"2"] if manual_ack else [b"2"])


@contextlib.contextmanager
def connected_persistently(client: mqtt.Client, broker: Mosquitto) -> Iterator[None]:
    # Not loop_start: started a second time, it leaves its first pair of sockets open.
    connect(client, broker)
    thread = threading.Thread(target=client.loop_forever)
    thread.start()
    try:
        yield
    finally:
        client.disconnect()
        thread.join(60)


@pytest.mark.parametrize("qos", [1, 2])
def test_manual_ack(
    qos: int, broker: Mosquitto, probe: Probe, receiver: espseal.Receiver, device: espseal.Device
) -> None:
    client, fresh = new_client(manual_ack=True), Messages()
    espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh, qos=qos)
    start(client, broker)
    probe.session(device)
    # More than a broker sends without acknowledgement, 20.
    for number in range(50):
        probe.send("sensors/1", device.seal(str(number)), qos=qos)
    wait_for(lambda: len(fresh) == 50, "all readings")
    stop(client)


# The broker goes away, and refuses.


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_readings_while_away(
    protocol: MQTTProtocolVersion,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    client, fresh = new_client(protocol, client_id="us", persistent=True), Messages()
    espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)
    with connected_persistently(client, broker):
        probe.session(device)
    reading(probe, device, "1")
    with connected_persistently(client, broker):
        wait_for(lambda: fresh.data == [b"1"], "the reading")


def test_a_broker_that_restarts(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh, wrapped = Messages(), Wrapped(receiver)
    espseal.paho.attach(client, cast("espseal.Receiver", wrapped), "sensors/+", on_message=fresh)
    start(client, broker)
    probe.session(device)
    broker.stop()
    wait_for(lambda: not client.is_connected(), "the loss of the connection")
    # Renewals are always due here: offline there are none, and none are queued.
    renewals, heard = wrapped.renewals, len(probe.on(SESSION))
    broker.start()
    wait_for(lambda: len(probe.on(SESSION)) > heard, "the session ID, again")
    wait_for(lambda: wrapped.renewals > renewals, "renewals")
    reading(probe, device, "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")


def test_nothing_is_minted_offline(client: mqtt.Client, receiver: espseal.Receiver) -> None:
    wrapped = Wrapped(receiver)
    espseal.paho.attach(client, cast("espseal.Receiver", wrapped), "sensors/+", on_message=print)
    for _ in range(3):
        client.loop_misc()
    assert wrapped.renewals == 0


@contextlib.contextmanager
def strict_broker(folder: Path) -> Iterator[Mosquitto]:
    """A broker that grants only the topics ``open/#``. An ACL file cannot refuse to subscribe."""
    allowed = [
        {"acltype": kind, "topic": "open/#", "allow": True}
        for kind in ("subscribePattern", "publishClientSend")
    ]
    rules = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "roles": [{"rolename": "all", "acls": allowed}],
        "groups": [{"groupname": "all", "roles": [{"rolename": "all"}]}],
        "anonymousGroup": "all",
    }
    folder.mkdir()
    (folder / "rules.json").write_text(json.dumps(rules))
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    settings = f"plugin {plugin}\nplugin_opt_config_file {folder / 'rules.json'}"
    with Mosquitto(folder, settings=settings) as broker:
        yield broker


def test_a_denied_subscription(
    client: mqtt.Client,
    receiver: espseal.Receiver,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = Calls()
    attachment = espseal.paho.attach(client, receiver, ["open/#", "closed/+"], on_message=print)
    client.on_subscribe = calls.callback("on_subscribe")
    with strict_broker(tmp_path / "strict") as broker:
        start(client, broker)
        wait_for(lambda: calls.names, "the user's on_subscribe")
        broker.restart()
        wait_for(lambda: len(calls.names) == 2, "the next connection")
        stop(client)
    assert set(attachment.refused) == {"closed/+", SESSION}
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    closed = [each for each in errors if "closed/+" in each]
    assert len(closed) == 1
    assert "does not let this client read closed/+" in closed[0]
    assert "ACL" in closed[0]
    assert not any("open/#" in each for each in errors)


def test_a_denied_publication(
    client: mqtt.Client,
    receiver: espseal.Receiver,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # MQTT 5 says so. MQTT 3.1.1 cannot: there our IDs do not come back from the topic.
    monkeypatch.setattr("espseal._adapter._ECHO", 0.0)
    folder = tmp_path / "denied"
    folder.mkdir()
    acl = "topic readwrite #\nuser us\ntopic read #\n"
    passwords = {"us": "secret"}
    client.username_pw_set("us", "secret")
    with Mosquitto(folder, passwords=passwords, acl=acl) as broker, Probe(broker) as probe:
        attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
        start(client, broker)

        def provoked() -> bool:
            probe.send(SESSION, b"forged")
            return SESSION in attachment.refused

        wait_for(provoked, "the refusal")
        assert set(probe.on(SESSION)) <= {b"forged"}
        stop(client)
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 1
    assert f"write {SESSION}" in errors[0]
    assert attachment.refused == (SESSION,)


def test_a_forged_session_id(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh = Messages()
    espseal.paho.attach(client, receiver, "sensors/+", on_message=fresh)
    start(client, broker)
    wait_for(lambda: probe.on(SESSION), "a session ID")
    forged = b"00" * 16
    probe.send(SESSION, forged, retain=True)
    wait_for(lambda: forged in probe.on(SESSION)[:-1], "the true session ID, again")
    assert receiver.false_sessions == 1
    reading(probe, probe.session(device), "1")
    wait_for(lambda: fresh.data == [b"1"], "the reading")
    with Probe(broker) as late:
        wait_for(lambda: late.on(SESSION), "the retained session ID")
        assert late.on(SESSION)[0] == probe.on(SESSION)[-1]


# Its end.


def subscribe(client: mqtt.Client, topic: str) -> None:
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    client.subscribe(topic)
    assert granted.wait(60)


def test_detach(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    first, second, plain = Messages(), Messages(), list[bytes]()
    client.on_message = lambda _client, _data, message: plain.append(bytes(message.payload))
    with espseal.paho.attach(client, receiver, "sensors/+", on_message=first) as attachment:
        other = espseal.paho.attach(client, receiver, ["sensors/2", "other"], on_message=second)
        start(client, broker)
        probe.session(device)
        reading(probe, device, "1")
        wait_for(lambda: first.data == [b"1"], "the reading")
    attachment.detach()
    # The other still works, session IDs and all.
    probe.send("sensors/2", device.seal("2"))
    wait_for(lambda: second.data == [b"2"], "the reading")
    other.detach()
    assert type(client) is mqtt.Client
    assert not [name for name in vars(client) if "espseal" in name]
    subscribe(client, "sensors/3")
    plain.clear()
    reading(probe, device, "unsubscribed")
    probe.send("sensors/3", "a")
    wait_for(lambda: plain == [b"a"], "a plain message")
    subscribe(client, "sensors/1")
    frame = device.seal("3")
    probe.send("sensors/1", frame)
    wait_for(lambda: plain == [b"a", frame], "a plain message")
    assert (first.data, second.data) == ([b"1"], [b"2"])


def test_detach_in_a_callback(
    client: mqtt.Client,
    broker: Mosquitto,
    probe: Probe,
    receiver: espseal.Receiver,
    device: espseal.Device,
) -> None:
    fresh = Messages()

    def once(message: espseal.Message) -> None:
        fresh(message)
        attachment.detach()

    attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=once)
    start(client, broker)
    probe.session(device)
    reading(probe, device, "1")
    wait_for(lambda: type(client) is mqtt.Client, "the end")
    reading(probe, device, "2")
    assert fresh.data == [b"1"]


def test_a_forgotten_client(receiver: espseal.Receiver) -> None:
    client = new_client()
    attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
    gc.disable()
    try:
        forgotten = weakref.ref(client)
        del client
        assert forgotten() is None
    finally:
        gc.enable()
    attachment.detach()


@pytest.mark.parametrize("end", ["", "client.disconnect()", "attachment.detach()"])
@pytest.mark.usefixtures("keyring")
def test_the_interpreter_exits_cleanly(end: str, broker: Mosquitto, tmp_path: Path) -> None:
    script = f"""
import time
import paho.mqtt.client as mqtt
import espseal.paho
keyring = espseal.Keyring.load({str(tmp_path / "sensors.toml")!r})
receiver = espseal.Receiver(keyring, espseal.Store.memory())
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
attachment = espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
client.connect({broker.host!r}, {broker.port})
client.loop_start()
while receiver.next_due() == 0:
    time.sleep(0.01)
{end}
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
