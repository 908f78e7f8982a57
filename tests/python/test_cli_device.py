"""``espseal device``: devices of a fleet, from the first to the last day."""

import datetime
import json
import re
import stat
import time
from pathlib import Path

import pytest

from espseal import Device, DeviceEntry, Keyring, KeyringFile, Receiver, Sender, Store
from fleet import Talk
from test_cli import assert_no_key, at_a_terminal, home, run, sentence

__all__ = ["home"]


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A classic device, a sealed one, and one that migrates, in the default keyring."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    file = KeyringFile.create(path)
    path.write_text(path.read_text() + "# A word of its owner.\n")
    file.add_group("greenhouse", topic="sensors/+", session_topic="sensors/session")
    file.add_fleet("home")
    file.add_device("kitchen", group="greenhouse", node_id="11242238")
    file.add_sealed("cellar", fleet="home", address="0011223344556677")
    file.add_device("attic", group="greenhouse", node_id="7")
    file.add_sealed("attic", fleet="home", address="8899aabbccddeeff")
    return path


def devices(keyring: Path) -> dict[str, DeviceEntry]:
    return {each.name: each for each in Keyring.load(keyring).devices}


def test_add_draws_an_address(keyring: Path) -> None:
    for name in ("shed", "pond"):
        result = run("device", "add", name)
        assert result.exit_code == 0, result.output
        device = devices(keyring)[name]
        assert (device.fleet, device.group, device.minimum_epoch) == ("home", None, 0)
        assert device.address is not None
        assert device.address in result.stdout
        assert_no_key(keyring, result.output)
    found = devices(keyring)
    assert found["shed"].address != found["pond"].address
    assert "# A word of its owner.\n" in keyring.read_text()
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o600


@pytest.mark.parametrize("chip", ["11242238", "0xab8afe", "AA:BB:00:ab:8a:fe", "aa-bb-00-ab-8a-fe"])
def test_add_with_the_id_of_the_chip(keyring: Path, chip: str) -> None:
    drawn = set()
    for name in ("one", "two"):
        assert run("device", "add", name, "--chip-id", chip).exit_code == 0
        address = bytes.fromhex(devices(keyring)[name].address or "")
        assert address[1::2].hex() == "00ab8afe"
        drawn.add(address[::2])
    assert len(drawn) == 2


def test_add_with_an_address_that_is_given(keyring: Path) -> None:
    assert run("device", "add", "shed", "--address", "1111222233334444").exit_code == 0
    assert devices(keyring)["shed"].address == "1111222233334444"


@pytest.mark.parametrize("mac", ["18:FE:34:a2:66:29", "18-fe-34-a2-66-29", "18fe34a26629"])
def test_topics_called_by_the_mac(keyring: Path, mac: str) -> None:
    result = run("device", "add", "shed", "--mac", mac)
    assert result.exit_code == 0, result.output
    topics = {
        "up_topic": "mqtt_tx_18fe34a26629",
        "hello_topic": "mqtt_tx_18fe34a26629",
        "down_topic": "mqtt_rx_18fe34a26629",
    }
    given = Keyring.load(keyring).provision("shed")
    assert {name: getattr(given, name) for name in topics} == topics
    assert "mqtt_rx_18fe34a26629" in result.stdout
    shown = json.loads(run("device", "show", "shed", "--json").stdout)
    assert {name: shown[name] for name in topics} == topics
    assert shown["address"] == given.address
    lines = [line.rstrip() for line in run("device", "show", "shed").stdout.splitlines()]
    assert "hears on       mqtt_rx_18fe34a26629" in lines
    assert "up_topic" not in json.loads(run("device", "show", "cellar", "--json").stdout)


def test_a_classic_device_migrates(keyring: Path) -> None:
    result = run("device", "add", "kitchen")
    assert result.exit_code == 0, result.output
    assert "Gave the device kitchen a place in the fleet home" in result.stdout
    device = devices(keyring)["kitchen"]
    assert (device.group, device.node_id, device.fleet) == ("greenhouse", "11242238", "home")
    result = run("device", "remove", "kitchen", "--only", "classic", "--yes")
    assert result.exit_code == 0, result.output
    device = devices(keyring)["kitchen"]
    assert (device.group, device.node_id, device.fleet) == (None, None, "home")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("add", "cellar"), 1, "`cellar` is already the name"),
        (("add", "shed", "--fleet", "barn"), 1, "there is home"),
        (("add", "shed", "--address", "0011223344556677"), 1, "already belongs to `cellar`"),
        (("add", "shed", "--address", "12"), 1, "16 hex digits"),
        (("add", "shed", "--address", "1" * 16, "--chip-id", "1"), 2, "--chip-id"),
        (("add", "shed", "--chip-id", "4294967296"), 2, "2^32"),
        (("add", "shed", "--chip-id", "-1"), 2, "2^32"),
        (("add", "shed", "--chip-id", "aa:bb:cc"), 2, "2^32"),
        (("add", "shed", "--chip-id", "kitchen"), 2, "2^32"),
        (("add", "shed", "--mac", "18:fe:34:a2:66"), 2, "six pairs"),
        (("add", "shed", "--mac", "18fe34a2662x"), 2, "six pairs"),
        (("show", "shed"), 1, "no device named shed"),
        (("rename", "shed", "x"), 1, "no device named `shed`"),
        (("rename", "cellar", "attic"), 1, "`attic` is already the name"),
        (("revoke", "kitchen"), 1, "`kitchen` is in no fleet"),
        (("rekey", "kitchen", "--yes"), 1, "`kitchen` is in no fleet"),
        (("rekey", "cellar", "--reached", "65535", "--yes"), 1, "at most 65535"),
        (("rekey", "cellar"), 2, "--yes"),
        (("remove", "cellar"), 2, "--yes"),
        (("remove", "shed", "--yes"), 1, "no device named `shed`"),
        (("remove", "kitchen", "--only", "classic", "--yes"), 1, "in no fleet and in no group"),
        (("remove", "cellar", "--only", "classic", "--yes"), 1, "in no classic group"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    keyring: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    before = keyring.read_bytes()
    assert says in sentence(run("device", *words), code)
    assert keyring.read_bytes() == before


def test_the_fleet_is_named_where_there_are_several(keyring: Path, home: Path) -> None:
    KeyringFile.open(keyring).add_fleet("barn")
    assert "home, barn" in sentence(run("device", "add", "shed"), 2)
    assert run("device", "add", "shed", "--fleet", "barn").exit_code == 0
    empty = KeyringFile.create(home / "empty.toml").path
    assert "espseal fleet new" in sentence(run("device", "add", "shed", "-k", empty), 1)


def test_list(keyring: Path) -> None:
    KeyringFile.open(keyring).revoke("attic")
    result = run("device", "list")
    lines = [re.split(r"  +", line.strip()) for line in result.stdout.splitlines()[2:]]
    rows = {name: cells for name, *cells in lines}
    assert rows == {
        "kitchen": ["11242238", "classic", "greenhouse"],
        "cellar": ["0011223344556677", "sealed", "home", "0"],
        "attic": ["8899aabbccddeeff", "classic + sealed, revoked", "greenhouse, home", "0"],
    }
    listed = json.loads(run("device", "list", "--json").stdout)
    assert listed[0] == {"name": "kitchen", "group": "greenhouse", "node_id": "11242238"}
    assert listed[1] == {
        "name": "cellar",
        "fleet": "home",
        "address": "0011223344556677",
        "minimum_epoch": 0,
        "own_key": False,
        "revoked": False,
        "epoch": 0,
        "head": None,
        "last_seen": None,
        "frames": {},
    }
    assert_no_key(keyring, result.output)
    # To look is no reason to make a store.
    assert not Path(".local").exists()


@pytest.fixture
def heard(keyring: Path, home: Path) -> Path:
    """A store that has heard two readings of the cellar, one of them twice, in epoch 2."""
    path = home / "other place.sqlite3"
    loaded, store = Keyring.load(keyring), Store.sqlite(path)
    host = Receiver(loaded, store)
    device = Device.from_keyring(loaded, "cellar")
    talk = Talk(host, device)
    talk.carry()
    for _ in range(2):
        talk.ratchet(Sender(loaded, store))
    device.send("21.5")
    talk.carry()
    last = device.seal("21.6")
    assert [host.open(last).verdict for _ in range(2)] == ["fresh", "duplicate"]
    assert host.open(bytes([*last[:-1], last[-1] ^ 1])).verdict == "forged"
    return path


def test_list_says_what_was_heard(heard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time()
    listed = json.loads(run("device", "list", "--json", "--state", str(heard)).stdout)[1]
    # The hello, the acknowledgements of the welcome and of two ratchets, and two readings.
    assert listed["frames"] == {"fresh": 6, "duplicate": 1, "forged": 1}
    assert (listed["epoch"], listed["minimum_epoch"]) == (2, 0)
    assert listed["head"] >= 6
    assert before - 60 < listed["last_seen"] < before + 60
    monkeypatch.setenv("COLUMNS", "200")
    result = run("device", "list", "--state", str(heard))
    (row,) = [line for line in result.stdout.splitlines() if "cellar" in line]
    name, _, _, _, epoch, head, seen, frames = re.split(r"  +", row.strip())
    assert (name, epoch, int(head)) == ("cellar", "2", listed["head"])
    assert datetime.datetime.fromisoformat(seen).timestamp() == listed["last_seen"]
    assert frames == "6 fresh, 1 forged, 1 duplicate"
    shown = run("device", "show", "cellar", "--state", str(heard)).stdout
    assert "6 fresh, 1 forged, 1 duplicate" in shown
    assert str(listed["head"]) in shown


def test_a_new_key_begins_after_the_epoch_that_was_heard(keyring: Path, heard: Path) -> None:
    result = run("device", "rekey", "cellar", "--yes", "--state", str(heard))
    assert result.exit_code == 0, result.output
    assert devices(keyring)["cellar"].minimum_epoch == 3


def test_a_removed_device_that_is_added_again_is_no_new_one(keyring: Path, heard: Path) -> None:
    """What was accepted of its address stays known."""
    assert run("device", "remove", "cellar", "--yes").exit_code == 0
    assert run("device", "add", "cellar", "--address", "0011223344556677").exit_code == 0
    listed = json.loads(run("device", "list", "--json", "--state", str(heard)).stdout)
    assert [each["epoch"] for each in listed if each["name"] == "cellar"] == [2]
    assert devices(keyring)["cellar"].minimum_epoch == 0


def test_a_store_that_cannot_be_read_is_one_sentence(home: Path) -> None:
    (home / "state").write_text("no store at all, but long enough to be looked at")
    assert "state" in sentence(run("device", "list", "--state", "state"), 1)


def test_a_list_too_long_to_be_drawn(keyring: Path) -> None:
    text = "".join(
        f'[[device]]\nname = "d {n}"\nsealed = {{ fleet = "home", address = "{n:016x}" }}\n'
        for n in range(1200)
    )
    with keyring.open("a") as file:
        file.write(text)
    for words in (("device", "list"), ("keyring", "list")):
        lines = run(*words).stdout.splitlines()
        (row,) = [line for line in lines if line.startswith("d 1199 ")]
        (other,) = [line for line in lines if line.startswith("cellar ")]
        (head,) = [line for line in lines if re.match("name .*address", line)]
        at = head.index("address")
        assert row[at:].split()[0] == "00000000000004af"
        assert other[at:].split()[0] == "0011223344556677"


def test_list_of_nothing(home: Path) -> None:
    empty = KeyringFile.create(home / "empty.toml").path
    result = run("device", "list", "-k", empty)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no device yet" in result.stderr
    assert run("device", "list", "--json", "-k", empty).stdout == "[]\n"


def test_show(keyring: Path) -> None:
    KeyringFile.open(keyring).rekey("attic", reached=4)
    result = run("device", "show", "attic")
    shown = dict(re.split(r"  +", line.strip()) for line in result.stdout.splitlines())
    assert shown == {
        "name": "attic",
        "group": "greenhouse",
        "node ID": "7",
        "fleet": "home",
        "address": "8899aabbccddeeff",
        "first epoch": "5",
        "key": "its own",
        "epoch": "5",
    }
    assert json.loads(run("device", "show", "attic", "--json").stdout)["own_key"] is True
    assert_no_key(keyring, result.output)


def test_rename(keyring: Path) -> None:
    before = devices(keyring)["cellar"]
    assert run("device", "rename", "cellar", "store room").exit_code == 0
    after = devices(keyring)["store room"]
    assert (after.address, after.fleet) == (before.address, before.fleet)


def test_revoke_and_undo(keyring: Path) -> None:
    before = keyring.read_bytes()
    result = run("device", "revoke", "cellar")
    assert result.exit_code == 0
    assert "warning" not in result.output
    assert devices(keyring)["cellar"].revoked
    assert run("device", "revoke", "cellar", "--undo").exit_code == 0
    assert keyring.read_bytes() == before


def test_revoke_says_what_it_does_not_stop() -> None:
    """The keys of a group are everyone's in it: no revocation takes them back."""
    assert "greenhouse" in run("device", "revoke", "attic").stdout


def test_rekey_draws_another_key(keyring: Path) -> None:
    before = Keyring.load(keyring).provision("cellar")
    result = run("device", "rekey", "cellar", "--yes", "--reached", "9")
    assert result.exit_code == 0, result.output
    after = Keyring.load(keyring).provision("cellar")
    assert (after.epoch, after.address) == (10, before.address)
    assert after.device_key.expose() != before.device_key.expose()
    assert_no_key(keyring, result.output)
    assert after.device_key.expose().hex() not in result.output


@pytest.mark.parametrize(
    ("words", "answer", "done"),
    [
        (("rekey", "cellar"), "y", True),
        (("rekey", "cellar"), "n", False),
        (("remove", "cellar"), "yes", True),
        (("remove", "cellar"), "", False),
    ],
)
def test_what_cannot_be_taken_back_is_asked_for(
    keyring: Path, words: tuple[str, ...], answer: str, done: bool
) -> None:
    before = keyring.read_bytes()
    output, code = at_a_terminal(("device", *words), [("cellar", f"{answer}\n")])
    assert code == (0 if done else 1), output
    assert (keyring.read_bytes() != before) is done
    assert ("Nothing was changed" in output) is not done


def test_every_change_is_whole_and_for_its_owner_alone(keyring: Path, home: Path) -> None:
    for words in (
        ("add", "shed"),
        ("rename", "shed", "hut"),
        ("revoke", "hut"),
        ("rekey", "hut", "--yes"),
        ("remove", "hut", "--yes"),
    ):
        assert run("device", *words).exit_code == 0
        assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
    assert {path.name for path in home.iterdir()} <= {"keys.toml", "keys.toml.lock"}
