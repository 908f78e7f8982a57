"""The demo from beginning to end: three acts, and a `Report` of what happened."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Final

from espseal import Keyring, Message, Receiver, Store, Verdict
from espseal.demo import scene
from espseal.demo.attacker import Attacker
from espseal.demo.attacks import Attack, Frame, last_word, plan
from espseal.demo.broker import HOST, Broker
from espseal.demo.interrupts import Interrupts
from espseal.demo.judge import FALSE_SESSION, Played, Report
from espseal.demo.ledger import Ledger, wait_until
from espseal.demo.nodes import Nodes
from espseal.demo.show import Show, Step

BEFORE: Final = 3
AFTER: Final = 1
"""How many readings each node sends before the attacks, and after them."""

_PATIENCE: Final = 6.0
_LENGTH: Final = 25.0
"""Seconds to wait for one thing, and for all: what does not come must not keep the demo up."""


def play(show: Show) -> Report:
    """Plays the demo, on this machine alone; takes well under 30 seconds."""
    interrupts = Interrupts()
    with interrupts.held(), ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="espseal-demo-"))
        stack.callback(show.close)
        broker = stack.enter_context(Broker())
        attacker = stack.enter_context(Attacker(HOST, broker.port))
        path = scene.make_keyring(Path(folder))
        receiver = Receiver(Keyring.load(path), Store.memory())
        ledger = Ledger()
        show.act(1)
        stack.enter_context(scene.program(receiver, ledger, HOST, broker.port))
        nodes = stack.enter_context(Nodes(path, ledger, HOST, broker.port))
        with interrupts.let_through():
            nodes.wait_for_sessions()
            return _Story(show, receiver, ledger, attacker, nodes).play()


class _Story:
    def __init__(
        self,
        show: Show,
        receiver: Receiver,
        ledger: Ledger,
        attacker: Attacker,
        nodes: Nodes,
    ) -> None:
        self._show = show
        self._receiver = receiver
        self._ledger = ledger
        self._attacker = attacker
        self._nodes = nodes
        self._played: list[Played] = []
        self._told: Counter[str] = Counter()
        self._end = monotonic() + _LENGTH

    def play(self) -> Report:
        for message in self._readings(BEFORE):
            self._show.reading(message.device or "?", message.text or "", self._wire(message))
        self._linger()
        self._show.act(2)
        for attack in self._attacks():
            self._attack(attack)
        restored = self._wait(lambda: not self._attacker.owns_the_session)
        self._go_on()
        # The last thing on the wire: once it is answered, nothing can still be on its way.
        self._attack(last_word(self._by_topic().values()))
        self._show.act(3)
        return self._report(restored)

    def _readings(self, each: int) -> Iterator[Message]:
        """Lets every node send so many readings; yields what arrives."""
        self._nodes.send(each)
        deadline = monotonic() + self._patience()
        for _ in range(each * len(scene.NODES)):
            try:
                yield self._ledger.arrivals.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                # The judge will say which one is missing.
                return

    def _wire(self, message: Message) -> bytes:
        """What the attacker saw of a message: the frame at the same place on its topic."""
        topic = message.topic or ""
        place = self._told[topic]
        self._told[topic] += 1

        def frames() -> list[Frame]:
            return [frame for frame in self._attacker.frames if frame.topic == topic]

        heard = self._wait(lambda: len(frames()) > place)
        return frames()[place].payload if heard else b""

    def _attacks(self) -> Iterator[Attack]:
        by_topic = self._by_topic()
        session_topic = self._attacker.session_topic
        if len(by_topic) < 2 or session_topic is None:
            # There is nothing to attack; the judge misses every reading and every attack.
            return iter(())
        mine, other, *_ = by_topic.values()
        return plan(mine, other, session_topic)

    def _by_topic(self) -> dict[str, Frame]:
        """The newest frame that was heard on each topic."""
        return {frame.topic: frame for frame in self._attacker.frames}

    def _attack(self, attack: Attack) -> None:
        """Plays one attack and counts the answers until each message has one."""
        step = Step(attack.name, attack.how, len(attack.shots))
        self._show.step(step)
        before = self._answers()
        self._attacker.fire(attack)
        answers: Counter[str] = Counter()

        def answered() -> bool:
            nonlocal answers
            answers = self._answers() - before
            self._show.step(replace(step, answers=answers))
            return answers.total() >= step.messages

        self._wait(answered)
        played = Played(attack.name, step.messages, answers)
        self._played.append(played)
        self._show.step(replace(step, answers=answers, well=played.well))
        self._linger()

    def _go_on(self) -> None:
        """What the attacks must not have harmed: the next readings."""
        wanted = AFTER * len(scene.NODES)
        step = Step("the nodes go on", "one more reading of each", wanted)
        answers: Counter[str] = Counter()
        self._show.step(step)
        for message in self._readings(AFTER):
            answers[message.verdict] += 1
            self._wire(message)
            self._show.step(replace(step, answers=answers))
        self._show.step(replace(step, answers=answers, well=answers.total() == wanted))
        self._linger()

    def _wait(self, condition: Callable[[], bool]) -> bool:
        return wait_until(condition, self._patience())

    def _linger(self) -> None:
        sleep(min(self._show.pace, self._patience()))

    def _patience(self) -> float:
        return max(0.0, min(_PATIENCE, self._end - monotonic()))

    def _answers(self) -> Counter[str]:
        answers = Counter({str(verdict): n for verdict, n in self._receiver.counts.items()})
        answers[FALSE_SESSION] = self._receiver.false_sessions
        return answers

    def _report(self, restored: bool) -> Report:
        outside = self._answers()
        del outside[Verdict.FRESH]
        for played in self._played:
            outside.subtract(played.answers)
        return Report(
            planned=BEFORE + AFTER,
            sent=self._ledger.sent,
            arrived=self._ledger.arrived,
            attacks=self._played,
            session_restored=restored,
            refused_outside=dict(outside),
        )
