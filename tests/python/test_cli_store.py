"""``espseal store restored``: a copy of a store believes no frame twice."""

import shutil
from pathlib import Path

import pytest

from espseal import Device, Keyring, KeyringFile, Receiver, Store
from fleet import Talk
from test_cli import home, run, sentence

__all__ = ["home"]


@pytest.fixture
def keyring(home: Path) -> Keyring:
    """A fleet with the device kitchen."""
    file = KeyringFile.create(home / "keys.toml")
    file.add_fleet("home")
    file.add_sealed("kitchen", fleet="home")
    return Keyring.load(file.path)


@pytest.mark.parametrize("given", [True, False])
def test_what_was_accepted_after_the_copy_stays_old(
    keyring: Keyring, home: Path, given: bool
) -> None:
    path = home / "state" if given else home / ".local/state/espseal/state.sqlite3"
    device = Device.from_keyring(keyring, "kitchen")
    Talk(Receiver(keyring, Store.sqlite(path)), device).carry()
    shutil.copytree(path.parent, home / "backup", dirs_exist_ok=True)
    frame = device.seal("21.5")
    assert Receiver(keyring, Store.sqlite(path)).open(frame).verdict == "fresh"

    for each in (home / "backup").glob(f"{path.name}*"):
        shutil.copy(each, path.parent)
    result = run("store", "restored", *(["--state", "state"] if given else []))
    assert result.exit_code == 0, result.output
    assert path.name in result.stdout
    host = Receiver(keyring, Store.sqlite(path))
    assert host.open(frame).verdict == "stale_session"


def test_without_a_store_it_says_so(home: Path) -> None:
    assert "state.sqlite3" in sentence(run("store", "restored"), 1)
    assert not (home / ".local").exists()
    (home / "state").write_text("something else, and long enough to be looked at")
    assert "state" in sentence(run("store", "restored", "--state", "state"), 1)
