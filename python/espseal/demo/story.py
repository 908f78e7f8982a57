"""The demo from beginning to end: four acts, and a `Report` of what happened."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from espseal import Message, Verdict
from espseal.demo import scene
from espseal.demo.attacker import Attacker
from espseal.demo.attacks import Attack, Frame, last_word, plan
from espseal.demo.broker import HOST, Broker
from espseal.demo.interrupts import Interrupts
from espseal.demo.judge import Report
from espseal.demo.ledger import Ledger
from espseal.demo.nodes import Nodes
from espseal.demo.sealed_node import SealedNode
from espseal.demo.sealed_story import DAY, LATER, SealedStory
from espseal.demo.show import Show
from espseal.demo.stage import Stage

BEFORE: Final = 3
AFTER: Final = 1
"""How many readings each node sends before the attacks, and after them."""

_COUNTER: Final = slice(12, 20)
"""Where a sealed frame has its counter."""


def play(show: Show) -> Report:
    """Plays the demo, on this machine alone; takes well under a minute."""
    interrupts = Interrupts()
    with interrupts.held(), ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="espseal-demo-"))
        stack.callback(show.close)
        broker = stack.enter_context(Broker())
        attacker = stack.enter_context(Attacker(HOST, broker.port))
        path = scene.make_keyring(Path(folder))
        ledger = Ledger()
        show.act(1)
        program = stack.enter_context(scene.Program(path, ledger, HOST, broker.port))
        nodes = stack.enter_context(Nodes(path, ledger, HOST, broker.port))
        sealed = stack.enter_context(SealedNode(path, ledger, HOST, broker.port))
        with interrupts.let_through():
            stage = Stage(show, program, ledger, attacker)
            nodes.wait_for_sessions()
            stage.wait(lambda: sealed.is_welcomed)
            return _Story(stage, path, nodes, sealed).play()


class _Story:
    def __init__(self, stage: Stage, keyring: Path, nodes: Nodes, sealed: SealedNode) -> None:
        self._stage = stage
        self._keyring = keyring
        self._attacker = stage.attacker
        self._nodes = nodes
        self._sealed = sealed
        self._told: Counter[str] = Counter()

    def play(self) -> Report:
        show = self._stage.show
        for message in self._readings(BEFORE):
            show.reading(message.device or "?", message.text or "", self._wire(message))
        self._stage.linger()
        show.act(2)
        for attack in self._attacks():
            self._stage.attack(attack)
        restored = self._stage.wait(lambda: not self._attacker.owns_a_session)
        self._go_on()
        # The last thing on the wire: once it is answered, nothing can still be on its way.
        self._stage.attack(last_word(self._by_topic().values()))
        show.act(3)
        SealedStory(self._stage, self._keyring, self._sealed).play()
        show.act(4)
        return self._report(restored)

    def _readings(self, each: int) -> Iterator[Message]:
        """Lets every node send so many readings; yields what arrives."""
        self._nodes.send(each)
        self._sealed.send(each)
        deadline = monotonic() + self._stage.patience()
        for _ in range(each * (len(scene.NODES) + 1)):
            try:
                yield self._stage.ledger.arrivals.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                # The judge will say which one is missing.
                return

    def _wire(self, message: Message) -> bytes:
        """What the attacker saw of a message: the sealed frame with its counter, or the classic
        one at the same place on its topic."""
        topic = message.topic or ""
        place = self._told[topic]
        self._told[topic] += 1

        def frames() -> list[bytes]:
            if message.counter is None:
                heard = [frame.payload for frame in self._attacker.frames if frame.topic == topic]
                return heard[place:]
            counter = message.counter.to_bytes(8, "big")
            heard = [shot.payload for shot in self._attacker.sealed(topic)]
            return [payload for payload in heard if payload[_COUNTER] == counter]

        return frames()[0] if self._stage.wait(lambda: bool(frames())) else b""

    def _attacks(self) -> Iterator[Attack]:
        by_topic = self._by_topic()
        sealed = self._attacker.sealed(self._sealed.up_topic)
        session_topics = self._attacker.session_topics
        if len(by_topic) < 2 or len(session_topics) < 2 or not sealed:
            # There is nothing to attack; the judge misses every reading and every attack.
            return iter(())
        mine, other, *_ = by_topic.values()
        return plan(mine, other, sealed[-1], session_topics)

    def _by_topic(self) -> dict[str, Frame]:
        """The newest classic frame that was heard on each topic."""
        return {frame.topic: frame for frame in self._attacker.frames}

    def _go_on(self) -> None:
        """What the attacks must not have harmed: the next readings."""
        wanted = AFTER * (len(scene.NODES) + 1)
        with self._stage.scene("the nodes go on", "one more reading of each", wanted) as tell:
            for message in self._readings(AFTER):
                tell[message.verdict] += 1

    def _report(self, restored: bool) -> Report:
        stage = self._stage
        outside = stage.program.answers
        outside.subtract(stage.refused_on_purpose)
        del outside[Verdict.FRESH]
        return Report(
            planned=_planned(),
            sent=stage.ledger.sent,
            arrived=stage.ledger.arrived,
            attacks=stage.attacks,
            scenes=stage.scenes,
            session_restored=restored,
            refused_outside=dict(outside),
        )


def _planned() -> Mapping[str, int]:
    each = BEFORE + AFTER
    return dict.fromkeys(scene.NODES, each) | {scene.SEALED: each + DAY + LATER}
