"""`espseal.aiomqtt` and sealed devices, on a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

import espseal
import espseal.aiomqtt
from broker import Mosquitto
from support import Probe, SealedDevice, new_fleet, until

LONG = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_fleet(tmp_path, "lamp", "fan")


@pytest.fixture(
    params=[aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5], ids=lambda each: each.name
)
def protocol(request: pytest.FixtureRequest) -> aiomqtt.ProtocolVersion:
    parameter: aiomqtt.ProtocolVersion = request.param
    return parameter


class Host:
    """An iterator with a sender, and all that came out of it."""

    def __init__(self, client: aiomqtt.Client, keyring: espseal.Keyring) -> None:
        store = espseal.Store.memory()
        self.fresh: list[espseal.Message] = []
        self.rejected: list[espseal.Message] = []
        self.others: list[str] = []
        self.messages = espseal.aiomqtt.messages(
            client,
            espseal.Receiver(keyring, store),
            on_rejected=self.rejected.append,
            on_other=lambda message: self.others.append(message.topic.value),
            sender=espseal.Sender(keyring, store),
        )
        self.sender = self.messages.sender

    async def collect(self) -> None:
        async for message in self.messages:
            self.fresh.append(message)


@asynccontextmanager
async def running(
    broker: Mosquitto,
    keyring: espseal.Keyring,
    protocol: aiomqtt.ProtocolVersion = aiomqtt.ProtocolVersion.V311,
) -> AsyncIterator[Host]:
    async with aiomqtt.Client(broker.host, broker.port, protocol=protocol) as client:
        host = Host(client, keyring)
        async with host.messages:
            task = asyncio.create_task(host.collect())
            yield host
        await task


def test_readings_and_commands(
    broker: Mosquitto, keyring: espseal.Keyring, protocol: aiomqtt.ProtocolVersion
) -> None:
    """A command waits for its device: the welcome's acknowledgement brings the session."""

    async def play(lamp: SealedDevice) -> None:
        async with running(broker, keyring, protocol) as host:
            waiting = asyncio.create_task(
                host.sender.send("lamp", "on", timeout=LONG, patience=LONG)
            )
            await asyncio.sleep(0.2)
            with lamp:
                async with asyncio.timeout(LONG / 2):
                    await waiting
                lamp.send("21")
                await until(lambda: host.fresh, "a reading")
                await host.sender.ratchet("lamp", patience=LONG)
                lamp.send("22")
                await until(lambda: len(host.fresh) == 2, "a reading of the next epoch")
                await host.sender.send("lamp", "off", patience=LONG)
            assert [(each.kind, each.text, each.epoch) for each in host.fresh] == [
                ("data", "21", 0),
                ("data", "22", 1),
            ]
            assert host.rejected == []
            assert host.others == []

    lamp = SealedDevice(broker, keyring, "lamp")
    asyncio.run(play(lamp))
    assert lamp.commands == [b"on", b"off"]


def test_what_no_waiting_helps_with(broker: Mosquitto, tmp_path: Path) -> None:
    path = new_fleet(tmp_path, "lamp", "fan").path or ""
    espseal.KeyringFile.open(path).revoke("lamp")

    async def play() -> None:
        async with running(broker, espseal.Keyring.load(path)) as host:
            for send in (
                host.sender.send("lamp", "on", timeout=4 * LONG),
                host.sender.ratchet("lamp"),
            ):
                with pytest.raises(espseal.SessionError) as caught:
                    async with asyncio.timeout(LONG):
                        await send
                assert caught.value.code == "revoked"
            with pytest.raises(espseal.SessionError, match="fan shows no session") as caught:
                await host.sender.send("fan", "on", timeout=0.05)
            assert caught.value.code == "no_session"

    asyncio.run(play())


def test_a_lost_acknowledgement_and_the_end_of_patience(
    broker: Mosquitto, keyring: espseal.Keyring
) -> None:
    async def play(lamp: SealedDevice, probe: Probe) -> None:
        down = keyring.provision("lamp").down_topic

        def copied() -> bool:
            frames = probe.on(down)
            return len(lamp.commands) == 2 and len(frames) > 2 and frames[-1] == frames[-2]

        async with running(broker, keyring) as host:
            await host.sender.send("lamp", "off", timeout=LONG, patience=LONG)
            before, lamp.answers = len(probe.on(down)), False
            sent = asyncio.create_task(host.sender.send("lamp", "on", patience=4 * LONG))
            # It says nothing until the very same frame has gone out again.
            await until(copied, "the copy")
            lamp.answers = True
            await sent
            assert len({*probe.on(down)[before:]}) <= 2
            lamp.answers = False
            with pytest.raises(TimeoutError, match="lamp has not acknowledged the command within"):
                await host.sender.send("lamp", "out", patience=0.1)
            lamp.answers = True
            await host.sender.send("lamp", "over", patience=LONG)

    with SealedDevice(broker, keyring, "lamp") as lamp, Probe(broker) as probe:
        asyncio.run(play(lamp, probe))
    assert lamp.commands[:2] == [b"off", b"on"]
    assert lamp.commands[-1] == b"over"


def test_the_end_of_the_iterator(broker: Mosquitto, keyring: espseal.Keyring) -> None:
    async def play() -> None:
        async with running(broker, keyring) as host:
            waiting = asyncio.create_task(host.sender.send("fan", "on", timeout=LONG))
            await asyncio.sleep(0.1)
        with pytest.raises(aiomqtt.MqttError):
            await waiting
        with pytest.raises(aiomqtt.MqttError, match="closed"):
            await host.sender.send("fan", "on")

    asyncio.run(play())
