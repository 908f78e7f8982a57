"""The third act: what the sealed node alone can, and what is done to it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from espseal import Error, KeyringFile, SessionError, Verdict
from espseal.demo import scene
from espseal.demo.attacks import Shot, again
from espseal.demo.sealed_node import SealedNode
from espseal.demo.stage import Stage

CAPTURED: Final = 500
DAY: Final = CAPTURED
"""How many readings it sends in between: the attacker shall have enough frames to play with."""
LATER: Final = 2
"""How many after it was wiped, and after its key was ratcheted."""

_OBEYED: Final = "obeyed"
_RIGHT: Final = "right"


class SealedStory:
    """Plays the act.

    Arguments:
        stage: where it is played.
        keyring: path of the keyring, in which the node is revoked.
        node: the sealed node.
    """

    def __init__(self, stage: Stage, keyring: Path, node: SealedNode) -> None:
        self._stage = stage
        self._keyring = keyring
        self._node = node

    def play(self) -> None:
        """From its first command to its revocation."""
        self._day()
        self._command()
        captured = self._captured()
        self._reboot()
        self._wiped(captured)
        self._rotation()
        self._revocation()

    def _day(self) -> None:
        with self._stage.scene("a day's readings", "for the attacker to note", DAY) as tell:
            tell[Verdict.FRESH] = self._readings(DAY)

    def _command(self) -> None:
        with self._stage.scene("a command", "sent, obeyed, acknowledged", 1) as tell:
            if self._obeys("on"):
                tell[_OBEYED] += 1
        self._at_node("the command again", "at once, as it was", self._newest_command())

    def _captured(self) -> list[Shot]:
        attacker, node = self._stage.attacker, self._node
        heard = [*attacker.sealed(node.hello_topic), *attacker.sealed(node.up_topic)]
        return heard[:CAPTURED]

    def _reboot(self) -> None:
        with self._stage.scene("a reboot", "its power goes and returns", 1) as tell:
            captured = self._newest_command()
            self._node.reboot()
            tell["welcomed"] += self._stage.wait(lambda: self._node.is_welcomed)
        self._at_node("yesterday's command", "as it was captured", captured)

    def _newest_command(self) -> list[Shot]:
        return self._stage.attacker.sealed(self._node.down_topic)[-1:]

    def _wiped(self, captured: Sequence[Shot]) -> None:
        """Its flash forgets the counter; its old frames come at the same time as itself."""
        node, ledger = self._node, self._stage.ledger
        hellos = [shot for shot in captured if shot.topic == node.hello_topic]
        old = self._stage.attacker.sealed(node.down_topic)
        rejected = ledger.rejected_hellos
        with self._stage.scene("its counter is wiped", "it begins with 1 again", 1) as tell:
            node.wipe()
            attack = again(f"{CAPTURED} captured frames", "while it is coming back", captured)

            def own() -> Counter[str]:
                """Of itself: its hellos, refused as well, but answered with a higher counter;
                its word that it took the answer."""
                hello = ledger.rejected_hellos - rejected - len(hellos)
                return Counter(
                    {Verdict.REPLAYED: max(1, hello), Verdict.FRESH: max(1, node.welcomes)}
                )

            self._stage.attack(attack, besides=own)
            tell["welcomed"] += self._stage.wait(lambda: node.is_welcomed)
        with self._stage.scene("it is back", "a reading, a command", 2) as tell:
            tell[_RIGHT] += self._readings(1) + self._obeys("off")
        self._at_node("all old commands", "and welcomes", old)

    def _rotation(self) -> None:
        node = self._node
        old = self._newest_command()
        with self._stage.scene("rotation", "new key; the old one is gone", 3) as tell:
            ratchet = self._stage.program.sender.ratchet(scene.SEALED, patience=self._patience())
            tell[_RIGHT] += self._is_done(ratchet) + node.forgot_its_first_key
            arrived, newest = self._readings(1), self._stage.ledger.newest
            tell[_RIGHT] += arrived == 1 and newest is not None and newest.epoch == 1
        self._at_node("the old key's frames", "a command of yesterday's key", old)

    def _revocation(self) -> None:
        """Out of the keyring's trust: neither believed nor spoken to."""
        program = self._stage.program
        with self._stage.scene("revocation", "a reading, a command", 2) as tell:
            KeyringFile.open(self._keyring).revoke(scene.SEALED)
            program.restart()
            before = program.answers
            self._node.send(1, counts=False)
            self._stage.wait(lambda: (program.answers - before).total() > 0)
            answers = program.answers - before
            # A hello may come of itself.
            tell.update(answers.keys())
            try:
                program.sender.send(scene.SEALED, "on", timeout=self._patience())
            except SessionError as error:
                tell[error.code] += 1

    def _readings(self, number: int) -> int:
        """Lets it have so many readings; how many arrive."""
        arrivals = self._stage.ledger.arrivals
        before = arrivals.qsize()
        self._node.send(number)
        self._stage.wait(lambda: arrivals.qsize() - before >= number)
        return arrivals.qsize() - before

    def _obeys(self, command: str) -> bool:
        """Sends a command; whether it is acknowledged, and was obeyed once."""
        sender, before = self._stage.program.sender, self._node.obeyed
        sent = sender.send(
            scene.SEALED, command, timeout=self._patience(), patience=self._patience()
        )
        return self._is_done(sent) and self._node.obeyed == [*before, command]

    def _at_node(self, name: str, how: str, heard: Iterable[Shot]) -> None:
        """Plays at the node what was heard on its way to it; a word on which it acts would be
        counted, too."""
        node, before = self._node, len(self._node.obeyed)

        def answers() -> Counter[str]:
            return node.refused + Counter({Verdict.FRESH: len(node.obeyed) - before})

        self._stage.attack(again(name, how, heard), answers)

    def _is_done(self, sent: Future[None]) -> bool:
        try:
            sent.result(self._patience())
        except (Error, TimeoutError, ConnectionError):
            return False
        return True

    def _patience(self) -> float:
        return self._stage.patience()
