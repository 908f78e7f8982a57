"""Whether the demo's story ended well: pure, and stricter than the screen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from espseal import Verdict

FALSE_SESSION: Final = "false_session"
"""What the authority says of a session ID that it did not mint: no frame, so no verdict."""

EXPECTED: Final[Mapping[str, str]] = {
    "replay": Verdict.DUPLICATE,
    "flipped bit: IV": Verdict.FORGED,
    "flipped bit: node ID": Verdict.FORGED,
    "flipped bit: data": Verdict.FORGED,
    "flipped bit: MAC": Verdict.FORGED,
    "another node's ID": Verdict.FORGED,
    "forged session ID": FALSE_SESSION,
    "flood: noise": Verdict.MALFORMED,
    "flood: look-alikes": Verdict.FORGED,
    "flood: session IDs": FALSE_SESSION,
    "replay, again": Verdict.DUPLICATE,
}
"""Every attack that must be played, and the one right answer to each of its messages."""


@dataclass(frozen=True)
class Played:
    """An attack that was played: how many messages, and how many got which answer."""

    name: str
    messages: int
    answers: Mapping[str, int]

    @property
    def accepted(self) -> int:
        """How many messages were taken for readings."""
        return self.answers.get(Verdict.FRESH, 0)

    @property
    def refused(self) -> int:
        """How many messages were answered with anything but ``fresh``."""
        return sum(self.answers.values()) - self.accepted

    @property
    def well(self) -> bool:
        """Whether every message got the answer expected of this attack, and nothing else did."""
        expected = EXPECTED.get(self.name)
        return {k: n for k, n in self.answers.items() if n} == {expected: self.messages}


@dataclass(frozen=True)
class Report:
    """All that happened.

    Arguments:
        planned: how many readings each device was to send.
        sent: device -> its readings, as the sensor gave them to the firmware.
        arrived: device -> its readings, as they were handed to the user's callback.
        attacks: the attacks, in the order of play.
        session_restored: whether the true session ID stands on its topic after the attacks.
        refused_outside: verdict -> frames refused while no attack was on.
    """

    planned: int
    sent: Mapping[str, Sequence[str]]
    arrived: Mapping[str, Sequence[str]]
    attacks: Sequence[Played]
    session_restored: bool
    refused_outside: Mapping[str, int] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What went wrong, a sentence each; empty when all went well."""
        return [*self._of_readings(), *self._of_attacks()]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        problems = self.problems()
        return {
            "ok": not problems,
            "readings": {
                "planned": self.planned * len(self.sent),
                "sent": {name: len(texts) for name, texts in self.sent.items()},
                "arrived": {name: len(texts) for name, texts in self.arrived.items()},
            },
            "attacks": [
                {
                    "name": attack.name,
                    "sent": attack.messages,
                    "arrived": attack.accepted,
                    "refused": attack.refused,
                    "expected": EXPECTED.get(attack.name),
                    "answers": dict(attack.answers),
                    "ok": attack.well,
                }
                for attack in self.attacks
            ],
            "session_restored": self.session_restored,
            "problems": problems,
        }

    def _of_readings(self) -> list[str]:
        problems = []
        for device in sorted({*self.sent, *self.arrived}):
            sent = Counter(self.sent.get(device, ()))
            arrived = Counter(self.arrived.get(device, ()))
            if sent.total() != self.planned:
                problems.append(f"{device} sent {sent.total()} readings, not {self.planned}.")
            for text in sorted(sent.keys() | arrived.keys()):
                if sent[text] != arrived[text]:
                    problems.append(
                        f"The reading {text!r} of {device} was sent {_times(sent[text])}"
                        f" and arrived {_times(arrived[text])}."
                    )
        if not self.sent:
            problems.append("No reading was sent.")
        problems += [
            f"{_times(n).capitalize()} a frame was refused as {verdict} with no attack on."
            for verdict, n in self.refused_outside.items()
            # A node that waits too long for its acknowledgement sends the same frame again.
            if n and verdict != Verdict.DUPLICATE
        ]
        return problems

    def _of_attacks(self) -> list[str]:
        played = Counter(attack.name for attack in self.attacks)
        problems = [
            f"The attack {name!r} was played {_times(played[name])}, not once."
            for name in EXPECTED
            if played[name] != 1
        ]
        for attack in self.attacks:
            if not attack.well:
                seen = ", ".join(f"{n} x {answer}" for answer, n in attack.answers.items() if n)
                problems.append(
                    f"The attack {attack.name!r} should have got {attack.messages} x"
                    f" {EXPECTED.get(attack.name)} and got {seen or 'no answer'}."
                )
        if not self.session_restored:
            problems.append("The forged session ID was left standing on the session topic.")
        return problems


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")
