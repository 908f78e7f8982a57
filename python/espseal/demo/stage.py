"""Where the story is played: the people of it, the clock, and the notes for the judge."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic, sleep
from typing import Final

from espseal.demo.attacker import Attacker
from espseal.demo.attacks import Attack
from espseal.demo.judge import Played
from espseal.demo.ledger import Ledger, wait_until
from espseal.demo.scene import Program
from espseal.demo.show import Show, Step

_PATIENCE: Final = 12.0
_LENGTH: Final = 50.0
"""Seconds to wait for one thing, and for all: what does not come must not keep the demo up."""


class Stage:
    """What all acts share.

    Arguments:
        show: tells it.
        program: the user's.
        ledger: what was sent and what arrived.
        attacker: at the broker.
    """

    def __init__(self, show: Show, program: Program, ledger: Ledger, attacker: Attacker) -> None:
        self.show = show
        self.program = program
        self.ledger = ledger
        self.attacker = attacker
        self.attacks: list[Played] = []
        self.scenes: list[Played] = []
        self.refused_on_purpose: Counter[str] = Counter()
        """What the program refused in an attack or a scene."""
        self._end = monotonic() + _LENGTH

    def attack(
        self,
        attack: Attack,
        answers: Callable[[], Counter[str]] | None = None,
        *,
        besides: Callable[[], Counter[str]] = Counter,
    ) -> None:
        """Plays one attack and counts the answers until each message has one.

        Arguments:
            attack: what the attacker sends.
            answers: how many messages ever got which answer; by default from the program.
            besides: how many of them were not the attacker's.
        """
        source = answers or (lambda: self.program.answers)
        step = Step(attack.name, attack.how, len(attack.shots))
        self.show.step(step)
        before = source()
        self.attacker.fire(attack)
        counted = Counter[str]()

        def answered() -> bool:
            nonlocal counted
            counted = source() - before - besides()
            self.show.step(replace(step, answers=counted))
            return counted.total() >= step.messages

        self.wait(answered)
        if answers is None:
            self.refused_on_purpose += counted + besides()
        self._played(self.attacks, step, counted)

    @contextmanager
    def scene(self, name: str, how: str, messages: int) -> Iterator[Counter[str]]:
        """Plays a scene that is no attack; the block counts the outcomes."""
        step = Step(name, how, messages, attack=False)
        self.show.step(step)
        counted = Counter[str]()
        yield counted
        self._played(self.scenes, step, counted)

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Waits for a condition; whether it came in time."""
        return wait_until(condition, self.patience())

    def patience(self) -> float:
        """Seconds that there are to wait for one thing."""
        return max(0.0, min(_PATIENCE, self._end - monotonic()))

    def linger(self) -> None:
        """Lets a person follow."""
        sleep(min(self.show.pace, self.patience()))

    def _played(self, where: list[Played], step: Step, answers: Mapping[str, int]) -> None:
        played = Played(step.name, step.messages, answers)
        where.append(played)
        self.show.step(replace(step, answers=answers, well=played.well))
        self.linger()
