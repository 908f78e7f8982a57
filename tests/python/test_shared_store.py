"""Two receivers on one store, and on one each."""

import time
from pathlib import Path

import espseal
from fleet import Talk
from support import new_fleet, wait_for


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


def test_a_follower_on_another_store_meets_devices_when_the_first_meets_them_anew(
    tmp_path: Path,
) -> None:
    """What `docs/keyring.md` says of several receivers."""
    keyring, store = new_fleet(tmp_path, "lamp"), espseal.Store.sqlite(tmp_path / "state")
    lamp = espseal.Device.from_keyring(keyring, "lamp")
    Talk(espseal.Receiver(keyring, store), lamp).carry()
    follower = espseal.Receiver(keyring, espseal.Store.memory(), authority=False)
    second = int(time.time())
    wait_for(lambda: time.time() > second + 1, "a session that is newer than the store")

    def opened() -> list[tuple[str, str]]:
        # Started anew it has a new beacon.
        talk = Talk(espseal.Receiver(keyring, store), lamp, follower)
        talk.carry()
        lamp.send("21")
        talk.carry()
        assert {*talk.verdicts} == {"fresh"}
        return [(str(each.kind), each.verdict.value) for each in talk.followed]

    assert opened() == [("hello", "fresh"), ("control", "replayed"), ("data", "replayed")]
    assert opened() == [("hello", "replayed"), ("control", "replayed"), ("data", "replayed")]
    store.mark_restored()
    assert opened()[1:] == [("control", "fresh"), ("data", "fresh")]
    assert opened() == [("hello", "fresh"), ("control", "fresh"), ("data", "fresh")]
