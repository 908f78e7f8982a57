"""Two receivers on one store."""

from pathlib import Path

import espseal
from fleet import Talk
from support import new_fleet


def test_both_learn_what_is_acknowledged(tmp_path: Path) -> None:
    """A broker brings the acknowledgement to both, and whoever sealed the command may be second."""
    keyring, store = new_fleet(tmp_path, "lamp"), espseal.Store.memory()
    authority = espseal.Receiver(keyring, store)
    follower = espseal.Receiver(keyring, store, authority=False)
    lamp = espseal.Device.from_keyring(keyring, "lamp")
    Talk(authority, lamp).carry()
    command = espseal.Sender(keyring, store).seal("lamp", "on")
    assert lamp.open(command.payload).data == b"on"
    (answer,) = lamp.publications()
    told = [each.open(answer.payload, topic=answer.topic) for each in (follower, authority)]
    assert [each.verdict for each in told] == ["fresh", "duplicate"]
    assert [each.acknowledged for each in told] == [command.tag] * 2
    # Of another that is refused nothing is said.
    forged = authority.open(answer.payload[:-1] + b"?", topic=answer.topic)
    assert (forged.verdict, forged.acknowledged) == ("forged", None)
