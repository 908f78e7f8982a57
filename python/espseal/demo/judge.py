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
    "sealed: replay": Verdict.DUPLICATE,
    "sealed: flipped bit": Verdict.FORGED,
    "replay, again": Verdict.DUPLICATE,
    "the command again": Verdict.DUPLICATE,
    "yesterday's command": Verdict.FORGED,
    "500 captured frames": Verdict.REPLAYED,
    "all old commands": Verdict.FORGED,
    "the old key's frames": Verdict.WRONG_EPOCH,
}
"""Every attack that must be played, and the one right answer to each of its messages."""

ALSO: Final[Mapping[str, frozenset[str]]] = {
    # Noise may begin like a sealed frame, but not to or from anyone.
    "flood: noise": frozenset({Verdict.WRONG_DIRECTION, Verdict.UNKNOWN_DEVICE}),
    # Among them is the node's word that it was welcomed, which is bound to a session.
    "500 captured frames": frozenset({Verdict.STALE_SESSION}),
}
"""Other answers that are right for some messages of an attack."""

SCENES: Final[Mapping[str, str]] = {
    "the nodes go on": Verdict.FRESH,
    "a day's readings": Verdict.FRESH,
    "a command": "obeyed",
    "a reboot": "welcomed",
    "its counter is wiped": "welcomed",
    "it is back": "right",
    "rotation": "right",
    "revocation": Verdict.REVOKED,
}
"""Every other scene that must be played, and the one right outcome of all that is done in it."""


@dataclass(frozen=True)
class Played:
    """An attack or a scene that was played: how many messages, and how many got which answer."""

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
        """Whether every message got the answer that is expected, and nothing else did."""
        answers = {answer: n for answer, n in self.answers.items() if n}
        right = {self.expected, *ALSO.get(self.name, ())}
        return (
            self.expected in answers
            and answers.keys() <= right
            and sum(answers.values()) == self.messages
        )

    @property
    def expected(self) -> str | None:
        """The one right answer to each message."""
        return EXPECTED.get(self.name) or SCENES.get(self.name)


@dataclass(frozen=True)
class Report:
    """All that happened.

    Arguments:
        planned: device -> how many readings it was to send.
        sent: device -> its readings, as the sensor gave them to the firmware.
        arrived: device -> its readings, as they were handed to the user's callback.
        attacks: the attacks, in the order of play.
        scenes: the other scenes, likewise.
        session_restored: whether the true session IDs stand on their topics after the attacks.
        refused_outside: verdict -> frames refused while no attack was on.
    """

    planned: Mapping[str, int]
    sent: Mapping[str, Sequence[str]]
    arrived: Mapping[str, Sequence[str]]
    attacks: Sequence[Played]
    scenes: Sequence[Played]
    session_restored: bool
    refused_outside: Mapping[str, int] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What went wrong, a sentence each; empty when all went well."""
        return [*self._of_readings(), *self._of_scenes()]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        problems = self.problems()
        return {
            "ok": not problems,
            "readings": {
                "planned": sum(self.planned.values()),
                "sent": {name: len(texts) for name, texts in self.sent.items()},
                "arrived": {name: len(texts) for name, texts in self.arrived.items()},
            },
            "attacks": [
                {
                    "name": attack.name,
                    "sent": attack.messages,
                    "arrived": attack.accepted,
                    "refused": attack.refused,
                    "expected": attack.expected,
                    "answers": dict(attack.answers),
                    "ok": attack.well,
                }
                for attack in self.attacks
            ],
            "scenes": [
                {
                    "name": scene.name,
                    "expected": {str(scene.expected): scene.messages},
                    "outcome": {answer: n for answer, n in scene.answers.items() if n},
                    "ok": scene.well,
                }
                for scene in self.scenes
            ],
            "session_restored": self.session_restored,
            "problems": problems,
        }

    def _of_readings(self) -> list[str]:
        problems = []
        for device in sorted({*self.planned, *self.sent, *self.arrived}):
            sent = Counter(self.sent.get(device, ()))
            arrived = Counter(self.arrived.get(device, ()))
            planned = self.planned.get(device, 0)
            if sent.total() != planned:
                problems.append(f"{device} sent {sent.total()} readings, not {planned}.")
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
            # A node that waits too long for its acknowledgement sends the same frame again; and
            # the revoked one may speak whenever it likes.
            if n and verdict not in (Verdict.DUPLICATE, Verdict.REVOKED)
        ]
        return problems

    def _of_scenes(self) -> list[str]:
        problems = []
        for what, every, all_played in (
            ("attack", EXPECTED, self.attacks),
            ("scene", SCENES, self.scenes),
        ):
            times = Counter(played.name for played in all_played)
            problems += [
                f"The {what} {name!r} was played {_times(times[name])}, not once."
                for name in every
                if times[name] != 1
            ]
            for played in all_played:
                if not played.well:
                    seen = ", ".join(f"{n} x {answer}" for answer, n in played.answers.items() if n)
                    problems.append(
                        f"The {what} {played.name!r} should have got {played.messages} x"
                        f" {played.expected} and got {seen or 'no answer'}."
                    )
        if not self.session_restored:
            problems.append("A forged session ID was left standing on its topic.")
        return problems


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")
