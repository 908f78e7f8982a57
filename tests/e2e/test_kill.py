"""The authority is killed (SIGKILL) 100 times while nodes send and an attacker replays.

No frame is accepted twice, whichever instant the kill hits.
"""

import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from time import sleep
from typing import Self

import paho.mqtt.client as mqtt
import pytest

import espseal
from broker import Mosquitto
from kill_authority import Record
from support import Probe, listen, new_client, new_keyring, stop, wait_for

KILLS = 100
# Under how many sessions of its own an authority has accepted readings before it is killed: in
# some lives none need be, in one the first session has expired (3 s, a new one each second).
GOALS = [0] * 20 + [1] * 71 + [2] * 8 + [5]
# And for how long it goes on then, in seconds: a random part of this.
MORE = 0.25
SESSION = "sensors/session"
OPTIONS = "session_interval = 1\nsession_life = 3"
CHECK = (
    "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check'))"
)


@pytest.fixture
def patient_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that drops nothing of what waits for the authority."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, settings="max_queued_messages 0") as broker:
        yield broker


class Authority:
    """The process that is killed and started again, and what it has judged."""

    def __init__(self, folder: Path, broker: Mosquitto, keyring: espseal.Keyring) -> None:
        self.store = folder / "state.sqlite3"
        self.life = -1
        self._records = folder / "records"
        self._records.touch()
        self._errors = folder / "errors"
        script = Path(__file__).with_name("kill_authority.py")
        assert keyring.path is not None
        files = [keyring.path, str(self.store), str(self._records)]
        self._command = [sys.executable, str(script), broker.host, str(broker.port), *files]
        self._process: subprocess.Popen[str] | None = None
        self._known: list[Record] = []

    @property
    def records(self) -> list[Record]:
        """Of all frames that it has judged in all its lives."""
        self._known += Record.read_all(self._records, len(self._known))
        return self._known

    @property
    def errors(self) -> str:
        """What it said on standard error: nothing, if all went well."""
        return self._errors.read_text()

    def start(self) -> None:
        """Begins its next life."""
        assert self._ask("start") == "started"
        self.life += 1

    def kill(self) -> None:
        """Kills it. It has not ended by itself before."""
        assert self._ask("kill") == str(-signal.SIGKILL), self.errors

    def _ask(self, command: str) -> str:
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=errors, text=True
            )
        return self

    def __exit__(self, *error: object) -> None:
        # At the end of its input it kills the authority and ends.
        assert self._process
        self._process.communicate(timeout=60)


class Node:
    """A device that numbers its readings, and notes under which session it sealed each."""

    def __init__(self, broker: Mosquitto, device: espseal.Device, node_id: str) -> None:
        self.sent: dict[str, bytes] = {}
        self._device = device
        self._topic = f"sensors/{node_id}"
        self._session: bytes | None = None
        self._broker = broker
        self._client = new_client()
        self._client.on_connect = self._connected
        self._client.on_message = self._hear

    def send(self) -> str | None:
        """Sends the next reading, if there has been a session, and returns it."""
        session = self._session
        if session is None or not self._device.hear(session):
            return None
        reading = f"{self._device.name}/{len(self.sent)}"
        self.sent[reading] = session
        self._client.publish(self._topic, self._device.seal(reading), 1)
        return reading

    def _connected(self, *_: object) -> None:
        self._client.subscribe(SESSION, 1)

    def _hear(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self._session = bytes(message.payload)

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        listen(self._client)
        return self

    def __exit__(self, *error: object) -> None:
        stop(self._client)


class Attacker(Probe):
    """Hears everything, and sends it again."""

    def replay(self, rng: random.Random, count: int) -> None:
        """Sends captured frames again, half of them recent ones, and seldom a session ID."""
        for _ in range(count):
            arrivals = len(self.arrivals)
            if not arrivals:
                return
            recent = max(0, arrivals - 200) if rng.random() < 0.5 else 0
            topic, payload, _ = self.arrivals[rng.randrange(recent, arrivals)]
            if rng.random() < 0.005:
                topic, payload = SESSION, rng.choice(self.on(SESSION) or [b""])
            elif topic == SESSION:
                continue
            self.client.publish(topic, payload, 1, retain=rng.random() < 0.1)

    def replay_all(self) -> int:
        """Sends every captured frame once more, and returns how many there are."""
        frames = {each[:2]: None for each in list(self.arrivals) if each.topic != SESSION}
        for topic, payload in list(frames):
            sent = self.client.publish(topic, payload, 1)
        sent.wait_for_publish(60)
        return len(frames)


def test_no_frame_is_accepted_twice_over_100_kills(
    patient_broker: Mosquitto, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    goals = rng.sample(GOALS, KILLS)
    node_ids = {f"node{number}": str(1000 + number) for number in range(4)}
    keyring = new_keyring(tmp_path, node_ids, options=OPTIONS)
    authority = Authority(tmp_path, patient_broker, keyring)
    nodes = [
        Node(patient_broker, espseal.Device.from_keyring(keyring, name), node_id)
        for name, node_id in node_ids.items()
    ]

    def fresh() -> list[Record]:
        return [each for each in authority.records if each.verdict == "fresh"]

    def session(record: Record) -> bytes:
        return next((node.sent[record.data] for node in nodes if record.data in node.sent), b"")

    def sessions() -> set[bytes]:
        """Those under which this life has accepted readings."""
        return {session(each) for each in fresh() if each.life == authority.life}

    def reached(goal: int) -> bool:
        assert authority.errors == ""
        return len(sessions()) >= goal

    def arrived(sent: set[str | None]) -> bool:
        sent.add(nodes[0].send())
        return any(each.data in sent for each in fresh())

    with ExitStack() as stack:
        attacker = stack.enter_context(Attacker(patient_broker))
        stack.enter_context(authority)
        for node in nodes:
            stack.enter_context(node)
        threads = stack.enter_context(ThreadPoolExecutor(1))
        ended = Event()
        stack.callback(ended.set)

        def traffic() -> None:
            attack = random.Random(seed)
            while not ended.wait(0.02):
                for node in nodes:
                    node.send()
                attacker.replay(attack, 6)

        future = threads.submit(traffic)
        for goal in goals:
            authority.start()
            if goal:
                what = f"readings under {goal} sessions in life {authority.life}"
                wait_for(partial(reached, goal), what)
            sleep(rng.uniform(0, MORE))
            authority.kill()
        ended.set()
        future.result()

        # One more life, in which all that was ever heard comes again.
        authority.start()
        wait_for(lambda: nodes[0].send() and sessions(), "readings in the last life")
        replayed = attacker.replay_all()
        wait_for(partial(arrived, set()), "a reading after all the replays")
        authority.kill()

    readings = Counter(each.data for each in fresh())
    lives = defaultdict[bytes, set[int]](set)
    for each in fresh():
        lives[session(each)].add(each.life)
    sent = {reading for node in nodes for reading in node.sent}
    progress = len({each.life for each in fresh()})
    verdicts = Counter(each.verdict for each in authority.records)
    print(f"{len(sent)} readings sent, {len(sent - readings.keys())} of them never fresh")
    print(f"verdicts: {dict(verdicts)}; {progress} of {KILLS + 1} lives had fresh readings")
    print(f"{len(lives)} sessions with fresh readings; {replayed} frames replayed at the end")

    assert [each for each in fresh() if readings[each.data] > 1] == []
    assert readings.keys() <= sent
    assert all(each.data.startswith(f"{each.device}/") for each in fresh())
    # No session of one life is good in another: each life had to publish one of its own.
    assert {each: where for each, where in lives.items() if len(where) > 1} == {}
    assert {"duplicate"} < verdicts.keys(), "nothing was replayed"
    assert authority.errors == ""
    check = subprocess.run(
        [sys.executable, "-c", CHECK, authority.store], capture_output=True, text=True, check=True
    )
    assert check.stdout == "('ok',)\n"
