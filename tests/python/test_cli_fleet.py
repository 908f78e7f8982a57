"""``espseal fleet``: fleets are made and listed, and their keys never shown."""

import json
import stat
from pathlib import Path

import pytest

from espseal import Keyring, KeyringFile
from test_cli import assert_no_key, home, run, run_process, secrets_in, sentence

__all__ = ["home"]


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty keyring, the default one."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    KeyringFile.create(path)
    return path


def test_a_new_fleet_has_a_key_of_its_own(keyring: Path) -> None:
    outputs = [run("fleet", "new", name) for name in ("home", "barn")]
    assert [each.exit_code for each in outputs] == [0, 0], outputs[0].output
    fleets = Keyring.load(keyring).fleets
    assert [(each.name, each.beacon_topic) for each in fleets] == [
        ("home", "espseal/home/beacon"),
        ("barn", "espseal/barn/beacon"),
    ]
    assert len(set(secrets_in(keyring))) == len(secrets_in(keyring))
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
    assert_no_key(keyring, *(each.output for each in outputs))


def test_what_comes_next_works(keyring: Path) -> None:
    """The printed commands, typed one after the other, end in a file for the device."""
    result = run("fleet", "new", "home")
    for _ in range(2):
        command = result.stdout.splitlines()[-1].strip()
        assert command.startswith("espseal ")
        result = run(*command.split()[1:])
        assert result.exit_code == 0, result.output
    assert Path("config.lua").exists()
    assert_no_key(keyring, result.output)


def test_topics_and_times_of_its_own(keyring: Path) -> None:
    result = run(
        *("fleet", "new", "barn", "--beacon-topic", "barn/beacon"),
        *("--up-topic", "barn/{address}/up", "--hello-topic", "barn/{address}/hi"),
        *("--down-topic", "barn/{address}/down"),
        *("--beacon-interval", "30", "--beacon-life", "90"),
    )
    assert result.exit_code == 0, result.output
    (fleet,) = Keyring.load(keyring).fleets
    assert (fleet.beacon_topic, fleet.up_filter, fleet.hello_filter) == (
        "barn/beacon",
        "barn/+/up",
        "barn/+/hi",
    )
    text = keyring.read_text()
    assert "beacon_interval = 30" in text
    assert "beacon_life = 90" in text
    assert 'down_topic = "barn/{address}/down"' in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("home",), "`home` is already the name"),
        (("a/#",), "beacon_topic"),
        (("barn", "--up-topic", "barn/up"), "`{address}`"),
        (("barn", "--beacon-topic", "espseal/home/beacon"), "no other fleet"),
        (("barn", "--beacon-life", "10"), "longer than"),
        (("",), "1 to 64 characters"),
    ],
)
def test_a_fleet_that_cannot_be(keyring: Path, words: tuple[str, ...], says: str) -> None:
    run("fleet", "new", "home")
    before = keyring.read_bytes()
    assert says in sentence(run("fleet", "new", *words), 1)
    assert keyring.read_bytes() == before


def test_list(keyring: Path) -> None:
    assert run("fleet", "list").stdout == ""
    assert "no fleet yet" in run("fleet", "list").stderr
    file = KeyringFile.open(keyring)
    file.add_fleet("home")
    file.add_sealed("kitchen", fleet="home")
    for words in (("fleet", "list"), ("keyring", "list"), ("keyring", "check")):
        result = run(*words)
        for word in ("home", "espseal/+/up", "espseal/home/beacon", "1"):
            assert word in result.stdout
        assert_no_key(keyring, result.output)
    assert json.loads(run("fleet", "list", "--json").stdout) == [
        {
            "name": "home",
            "up_filter": "espseal/+/up",
            "hello_filter": "espseal/+/hello",
            "beacon_topic": "espseal/home/beacon",
            "danger_first_contact": False,
            "devices": 1,
        }
    ]
    assert "is valid: 1 fleet, 1 device." in run("keyring", "check").stdout


def test_check_warns_of_a_first_contact_without_a_beacon(keyring: Path) -> None:
    KeyringFile.open(keyring).add_fleet("barn", danger_first_contact=True)
    result = run("keyring", "check")
    assert result.exit_code == 0
    assert "warning: fleet `barn` believes" in result.stdout


def test_completion_knows_the_fleets(keyring: Path) -> None:
    file = KeyringFile.open(keyring)
    file.add_fleet("home")
    file.add_group("greenhouse", topic="sensors/+", session_topic="sensors/session")
    file.add_device("kitchen", group="greenhouse", node_id="1")
    file.add_sealed("cellar", fleet="home")
    for line, completed in [
        ("device add x --fleet", ["home"]),
        ("device add", ["kitchen"]),
        ("device rekey", ["cellar"]),
        ("device remove", ["cellar", "kitchen"]),
        ("provision", ["cellar"]),
    ]:
        words = f"espseal {line} "
        done = run_process(
            _ESPSEAL_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split())),
        )
        assert sorted(done.stdout.split()) == completed, done.stderr
