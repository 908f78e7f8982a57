"""`espseal.aiomqtt` on a real Mosquitto."""

import asyncio
import gc
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pytest

import espseal
import espseal.aiomqtt
from broker import Mosquitto
from support import COMMANDS, Node, Probe, new_keyring, until

SESSION = "sensors/session"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, persistence=True) as broker:
        yield broker


@pytest.fixture
def probe(broker: Mosquitto) -> Iterator[Probe]:
    with Probe(broker) as probe:
        yield probe


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    # No renewal ever helps a test out.
    options = f"{COMMANDS}\nsession_interval = 3600\nsession_life = 7200"
    return new_keyring(tmp_path, {"lamp": "7", "fan": "8"}, options=options)


@pytest.fixture
def receiver(keyring: espseal.Keyring) -> espseal.Receiver:
    return espseal.Receiver(keyring, espseal.Store.memory())


@pytest.fixture
def sender(keyring: espseal.Keyring) -> espseal.Sender:
    return espseal.Sender(keyring, espseal.Store.memory())


@pytest.fixture
def node(broker: Mosquitto, keyring: espseal.Keyring) -> Iterator[Node]:
    with Node(broker, keyring, "lamp", "7") as node:
        yield node


@pytest.fixture(
    params=[aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5], ids=lambda each: each.name
)
def protocol(request: pytest.FixtureRequest) -> aiomqtt.ProtocolVersion:
    parameter: aiomqtt.ProtocolVersion = request.param
    return parameter


def new_client(
    broker: Mosquitto,
    protocol: aiomqtt.ProtocolVersion = aiomqtt.ProtocolVersion.V311,
    username: str | None = None,
) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host, broker.port, protocol=protocol, username=username, password=username
    )


async def reading(node: Node, data: str, *, new_session: int = 1) -> bytes:
    """Sends a reading of the node, once it has heard so many sessions."""
    await until(lambda: len(node.sessions) >= new_session, "a session ID")
    return await asyncio.to_thread(node.send, data)


async def send(probe: Probe, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
    await asyncio.to_thread(lambda: probe.send(topic, payload, retain=retain))


@asynccontextmanager
async def collected(readings: espseal.aiomqtt.Messages) -> AsyncIterator[list[espseal.Message]]:
    """Iterates in a task of its own."""
    fresh: list[espseal.Message] = []

    async def collect() -> None:
        async for message in readings:
            fresh.append(message)

    async with readings:
        task = asyncio.create_task(collect())
        yield fresh
    await task


# What it is for.


def test_fresh_and_rejected(
    protocol: aiomqtt.ProtocolVersion,
    broker: Mosquitto,
    probe: Probe,
    node: Node,
    receiver: espseal.Receiver,
) -> None:
    rejected: list[espseal.Message] = []

    async def main() -> None:
        fresh: list[bytes | None] = []
        async with new_client(broker, protocol) as client:
            readings = espseal.aiomqtt.messages(
                client, receiver, "sensors/+", on_rejected=rejected.append
            )
            async with collected(readings) as fresh_messages:
                frame = await reading(node, "21.5")
                for payload in (frame, b"garbage", b""):
                    await send(probe, "sensors/7", payload)
                await send(probe, "elsewhere/7", frame)
                await reading(node, "21.6")
                await until(lambda: len(fresh_messages) == 2, "the second reading")
            fresh = [each.data for each in fresh_messages]
        assert fresh == [b"21.5", b"21.6"]
        assert {each.topic for each in fresh_messages} == {"sensors/7"}
        assert (readings.callback_errors, readings.store_errors, readings.refused) == (0, 0, ())

    asyncio.run(main())
    assert [each.verdict for each in rejected] == ["duplicate", "malformed", "malformed"]


@pytest.mark.parametrize("topic", [["sensors/+", "sensors/7"], "$share/group/sensors/#", "#"])
def test_topics(
    topic: str | list[str],
    protocol: aiomqtt.ProtocolVersion,
    broker: Mosquitto,
    node: Node,
    receiver: espseal.Receiver,
) -> None:
    # Each of these matches the session topic too: its messages are never opened as frames.
    rejected: list[espseal.Message] = []

    async def main() -> None:
        async with new_client(broker, protocol) as client:
            readings = espseal.aiomqtt.messages(
                client, receiver, topic, on_rejected=rejected.append
            )
            async with collected(readings) as fresh:
                await reading(node, "1")
                await until(lambda: fresh, "the reading")

    asyncio.run(main())
    assert all(each.verdict == espseal.Verdict.DUPLICATE for each in rejected)


def test_a_body_that_takes_its_time(broker: Mosquitto, tmp_path: Path) -> None:
    # Session IDs are renewed, false ones answered and readings opened all the while.
    options = "session_interval = 1\nsession_life = 3600"
    keyring = new_keyring(tmp_path, {"lamp": "7"}, options=options)
    receiver = espseal.Receiver(keyring, espseal.Store.memory())

    async def main() -> None:
        async with (
            new_client(broker) as client,
            espseal.aiomqtt.messages(client, receiver, "sensors/+") as readings,
        ):
            with Node(broker, keyring, "lamp", "7") as node:
                await reading(node, "1")
                async for message in readings:
                    if message.data == b"2":
                        break
                    await reading(node, "2", new_session=len(node.sessions) + 2)
                    await until(
                        lambda: receiver.counts[espseal.Verdict.FRESH] == 2, "the next reading"
                    )

    asyncio.run(main())


def test_a_forged_session_id(
    broker: Mosquitto, probe: Probe, node: Node, receiver: espseal.Receiver
) -> None:
    async def main() -> None:
        async with (
            new_client(broker) as client,
            collected(espseal.aiomqtt.messages(client, receiver, "sensors/+")) as fresh,
        ):
            await until(lambda: probe.on(SESSION), "a session ID")
            forged = b"00" * 16
            await send(probe, SESSION, forged, retain=True)
            await until(lambda: forged in probe.on(SESSION)[:-1], "the true session ID, again")
            await until(lambda: node.sessions[-1] != forged, "the true session ID")
            await reading(node, "1")
            await until(lambda: fresh, "the reading")

    asyncio.run(main())
    assert receiver.false_sessions == 1


# The user's mistakes, and ours.


def test_an_exception_of_the_users(
    broker: Mosquitto,
    probe: Probe,
    node: Node,
    receiver: espseal.Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    others: list[str] = []

    def fail(_: espseal.Message) -> None:
        raise RuntimeError("the user's mistake")

    def other(message: aiomqtt.Message) -> None:
        others.append(message.topic.value)
        raise RuntimeError("the user's mistake")

    async def main() -> None:
        async with new_client(broker) as client:
            await client.subscribe("mine/#")
            readings = espseal.aiomqtt.messages(
                client, receiver, "sensors/+", on_rejected=fail, on_other=other
            )
            async with collected(readings) as fresh:
                await send(probe, "mine/1", b"plain")
                await send(probe, "sensors/7", b"garbage")
                await reading(node, "1")
                await until(lambda: fresh, "the reading")
            assert readings.callback_errors == 2

    asyncio.run(main())
    assert others == ["mine/1"]
    records = [each for each in caplog.records if each.name == "espseal.aiomqtt"]
    assert len(records) == 2
    assert all(each.exc_info and "the user's mistake" in str(each.exc_info[1]) for each in records)


class Wrapped:
    """A receiver whose store fails when a test says so."""

    def __init__(self, receiver: espseal.Receiver) -> None:
        self._real = receiver
        self.fails = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def open(self, payload: bytes, *, topic: str, retained: bool) -> espseal.Message:
        if self.fails:
            raise espseal.StoreError("the disk is full", "disk_full")
        return self._real.open(payload, topic=topic, retained=retained)


def test_a_store_that_fails(broker: Mosquitto, node: Node, receiver: espseal.Receiver) -> None:
    async def main() -> None:
        wrapped = Wrapped(receiver)
        async with new_client(broker) as client:
            readings = espseal.aiomqtt.messages(
                client, cast("espseal.Receiver", wrapped), "sensors/+"
            )
            async with collected(readings) as fresh:
                wrapped.fails = True
                await reading(node, "1")
                await until(lambda: readings.store_errors == 1, "the failure")
                wrapped.fails = False
                await reading(node, "2")
                await until(lambda: fresh, "the reading")
            assert [each.data for each in fresh] == [b"2"]

    asyncio.run(main())


async def _coroutine(_: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"client": object()}, TypeError, r"aiomqtt\.Client"),
        ({"topic": "sensors#"}, ValueError, "'#' for the rest and only at the end"),
        ({"on_rejected": _coroutine}, TypeError, "on_rejected is a coroutine function"),
        ({"on_other": _coroutine}, TypeError, "on_other is a coroutine function"),
        ({"qos": 3}, ValueError, "0, 1 or 2"),
    ],
)
def test_mistakes(
    arguments: dict[str, Any],
    error: type[Exception],
    words: str,
    broker: Mosquitto,
    receiver: espseal.Receiver,
) -> None:
    async def main() -> None:
        good: dict[str, Any] = {
            "client": new_client(broker),
            "receiver": receiver,
            "topic": "sensors/+",
        }
        with pytest.raises(error, match=words):
            espseal.aiomqtt.messages(**good | arguments)
        readings = espseal.aiomqtt.messages(new_client(broker), receiver, "sensors/+")
        with pytest.raises(ValueError, match="to send, call messages with"):
            _ = readings.sender

    asyncio.run(main())


def test_two_iterators_on_one_client(broker: Mosquitto, receiver: espseal.Receiver) -> None:
    async def main() -> None:
        async with (
            new_client(broker) as client,
            espseal.aiomqtt.messages(client, receiver, "sensors/+"),
        ):
            with pytest.raises(RuntimeError, match="reads this client already"):
                await anext(espseal.aiomqtt.messages(client, receiver, "attic/+"))

    asyncio.run(main())


def test_without_aiomqtt() -> None:
    script = "import sys; sys.modules['aiomqtt'] = None; import espseal.aiomqtt"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    last = result.stderr.splitlines()[-1]
    assert last == "ImportError: espseal.aiomqtt needs aiomqtt 2: pip install 'espseal[aiomqtt]'"


# Its end.


async def no_tasks() -> None:
    """Waits until nothing runs but the test."""
    await until(lambda: len(asyncio.all_tasks()) == 1, "the end of all tasks")


async def plain(client: aiomqtt.Client, probe: Probe) -> None:
    """Checks that the client is its user's again."""
    await client.subscribe("mine/#")
    await send(probe, "mine/1", b"plain")
    async for message in client.messages:
        if message.topic.value == "mine/1":
            return


@pytest.mark.parametrize("how", ["break", "exception", "cancelled", "aclose", "context"])
def test_the_end(
    how: str, broker: Mosquitto, probe: Probe, node: Node, receiver: espseal.Receiver
) -> None:
    async def iterate(client: aiomqtt.Client) -> None:
        if how in ("aclose", "context"):
            readings = espseal.aiomqtt.messages(client, receiver, "sensors/+")
            async for message in readings:
                assert message.data == b"1"
                if how == "aclose":
                    await readings.aclose()
                else:
                    async with readings:
                        pass
                # What is closed is over.
            with pytest.raises(StopAsyncIteration):
                await anext(readings)
            return
        async for message in espseal.aiomqtt.messages(client, receiver, "sensors/+"):
            assert message.data == b"1"
            if how == "break":
                break
            if how == "exception":
                raise RuntimeError("the user's")

    async def main() -> None:
        async with new_client(broker) as client:
            before = len(asyncio.all_tasks())
            task = asyncio.create_task(iterate(client))
            await reading(node, "1")
            await until(lambda: receiver.counts[espseal.Verdict.FRESH], "the reading")
            if how == "cancelled":
                task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() == (how == "cancelled")
            if how == "exception":
                assert isinstance(task.exception(), RuntimeError)
            del task
            await until(lambda: len(asyncio.all_tasks()) == before, "the end of all tasks")
            await plain(client, probe)
            # And it may be read again.
            async with collected(espseal.aiomqtt.messages(client, receiver, "sensors/+")) as fresh:
                # The session ID comes again once it is subscribed again.
                await reading(node, "2", new_session=len(node.sessions) + 1)
                await until(lambda: fresh, "the reading")
        await no_tasks()

    gc.disable()
    try:
        asyncio.run(main(), debug=True)
    finally:
        gc.enable()


class Forgetful(aiomqtt.Client):
    """Forgets cancellations, as aiomqtt does at times before Python 3.12."""

    forgets = ""

    async def publish(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401
        await super().publish(*arguments, **more)
        await self._forget("publish")

    async def subscribe(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401
        codes = await super().subscribe(*arguments, **more)
        await self._forget("subscribe")
        return codes

    async def _forget(self, what: str) -> None:
        if what == self.forgets:
            self.forgets = "forgotten"
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)


@pytest.mark.parametrize("what", ["publish", "subscribe"])
def test_a_forgotten_cancellation(what: str, broker: Mosquitto, receiver: espseal.Receiver) -> None:
    async def main() -> None:
        async with Forgetful(broker.host, broker.port) as client, asyncio.timeout(60):
            client.forgets = what
            async with espseal.aiomqtt.messages(client, receiver, "sensors/+"):
                await until(lambda: client.forgets == "forgotten", "the call")
        await no_tasks()

    asyncio.run(main())


def test_aclose_unsubscribes(broker: Mosquitto, probe: Probe, receiver: espseal.Receiver) -> None:
    async def main() -> None:
        async with new_client(broker) as client:
            async with espseal.aiomqtt.messages(client, receiver, "sensors/+"):
                await until(lambda: probe.on(SESSION), "a session ID")
            await client.subscribe("mine/#")
            await send(probe, "sensors/7", b"garbage")
            await send(probe, "mine/1", b"plain")
            seen: list[str] = []
            async for message in client.messages:
                seen.append(message.topic.value)
                if message.topic.value == "mine/1":
                    break
            assert set(seen) <= {SESSION, "mine/1"}

    asyncio.run(main())


@pytest.mark.parametrize("reuse", [False, True])
def test_the_usual_reconnection(
    reuse: bool,
    protocol: aiomqtt.ProtocolVersion,
    broker: Mosquitto,
    probe: Probe,
    node: Node,
    receiver: espseal.Receiver,
) -> None:
    async def main() -> None:
        fresh: list[bytes | None] = []
        losses = 0

        async def iterate() -> None:
            nonlocal losses
            client = new_client(broker, protocol)
            readings = espseal.aiomqtt.messages(client, receiver, "sensors/+")
            while True:
                try:
                    if not reuse:
                        client = new_client(broker, protocol)
                        readings = espseal.aiomqtt.messages(client, receiver, "sensors/+")
                    async with client:
                        async for message in readings:
                            fresh.append(message.data)
                except aiomqtt.MqttError:
                    losses += 1
                    await asyncio.sleep(0.05)

        task = asyncio.create_task(iterate())
        await reading(node, "1")
        await until(lambda: fresh == [b"1"], "the reading")
        await asyncio.to_thread(broker.stop)
        await until(lambda: losses, "the loss of the connection")
        heard = len(probe.on(SESSION))
        await asyncio.to_thread(broker.start)
        await until(lambda: len(probe.on(SESSION)) > heard, "the session ID, again")
        # The reading must not come before the subscription.
        await until(lambda: node.client.is_connected(), "the node's connection")
        while fresh == [b"1"]:
            await reading(node, "2")
            await asyncio.sleep(0.05)
        assert set(fresh) == {b"1", b"2"}
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


def test_readings_before_a_loss_are_yielded(
    broker: Mosquitto, node: Node, receiver: espseal.Receiver
) -> None:
    async def main() -> None:
        async with new_client(broker) as client:
            readings = espseal.aiomqtt.messages(client, receiver, "sensors/+")
            seen: list[bytes | None] = []
            task = asyncio.create_task(reading(node, "1"))
            with pytest.raises(aiomqtt.MqttError):
                async for message in readings:
                    seen.append(message.data)
                    if len(seen) > 1:
                        continue
                    await task
                    await reading(node, "2")
                    await until(
                        lambda: receiver.counts[espseal.Verdict.FRESH] == 2, "the second reading"
                    )
                    await asyncio.to_thread(broker.stop)
                    await until(lambda: readings._service.error, "the loss of the connection")
            assert seen == [b"1", b"2"]

    asyncio.run(main())


def test_a_denied_subscription(
    receiver: espseal.Receiver,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What tells is that our IDs do not come back: the ACL file grants all subscriptions.
    monkeypatch.setattr("espseal._adapter._ECHO", 0.0)
    folder = tmp_path / "denied"
    folder.mkdir()

    async def main() -> None:
        acl = "topic readwrite #\nuser us\ntopic read #\n"
        with Mosquitto(folder, passwords={"us": "us"}, acl=acl) as broker, Probe(broker) as probe:
            async with (
                new_client(broker, username="us") as client,
                espseal.aiomqtt.messages(client, receiver, "sensors/+") as readings,
            ):
                while SESSION not in readings.refused:
                    await send(probe, SESSION, b"forged")
                    await asyncio.sleep(0.02)

    asyncio.run(main())
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 1
    assert f"write {SESSION}" in errors[0]


# Commands.


def test_commands(
    protocol: aiomqtt.ProtocolVersion,
    broker: Mosquitto,
    node: Node,
    receiver: espseal.Receiver,
    sender: espseal.Sender,
) -> None:
    async def main() -> None:
        async with (
            new_client(broker, protocol) as client,
            espseal.aiomqtt.messages(client, receiver, "sensors/+", sender=sender) as readings,
        ):
            node.show_session()
            await readings.sender.send("lamp", "0", timeout=60)
            await until(lambda: node.taken == [b"0"], "the command")
            with pytest.raises(espseal.SessionError, match="lamp shows no session"):
                await readings.sender.send("lamp", "1")
            with pytest.raises(espseal.SessionError, match="lamp shows no session"):
                await readings.sender.send("lamp", "1", timeout=0.05)
            with pytest.raises(espseal.KeyringError, match="nobody"):
                await readings.sender.send("nobody", "1", timeout=60)
            # They wait in their order, and nobody waits for another device.
            waiting = [
                asyncio.create_task(readings.sender.send("lamp", str(number), timeout=60))
                for number in range(1, 5)
            ]
            await asyncio.sleep(0)
            with pytest.raises(espseal.SessionError, match="fan shows no session"):
                await readings.sender.send("fan", "1")
            with pytest.raises(espseal.SessionError, match="lamp shows no session"):
                await readings.sender.send("lamp", "overtaking")
            waiting[1].cancel()
            for number in (0, 2, 3):
                node.show_session()
                await waiting[number]
            await until(lambda: len(node.taken) == 4, "the commands")

    asyncio.run(main())
    assert node.taken == [b"0", b"1", b"3", b"4"]


def test_a_command_out_of_the_body(
    broker: Mosquitto, node: Node, receiver: espseal.Receiver, sender: espseal.Sender
) -> None:
    async def main() -> None:
        async with new_client(broker) as client:
            readings = espseal.aiomqtt.messages(client, receiver, "sensors/+", sender=sender)
            task = asyncio.create_task(reading(node, "dark"))
            async for _ in readings:
                node.show_session()
                await readings.sender.send("lamp", "on", timeout=60)
                break
            await task
            await until(lambda: node.taken == [b"on"], "the command")
            await readings.aclose()
            with pytest.raises(aiomqtt.MqttError, match="closed"):
                await readings.sender.send("lamp", "on")

    asyncio.run(main())


def test_commands_and_a_lost_connection(
    broker: Mosquitto, node: Node, receiver: espseal.Receiver, sender: espseal.Sender
) -> None:
    async def main() -> None:
        async with new_client(broker) as client:
            readings = espseal.aiomqtt.messages(client, receiver, "sensors/+", sender=sender)
            # Without any step of the iteration.
            waiting = asyncio.create_task(readings.sender.send("lamp", "on", timeout=60))
            await until(lambda: node.sessions, "a session ID")
            await asyncio.to_thread(broker.stop)
            with pytest.raises(aiomqtt.MqttError):
                await waiting
            with pytest.raises(aiomqtt.MqttError):
                await readings.sender.send("lamp", "on", timeout=60)

    asyncio.run(main())
