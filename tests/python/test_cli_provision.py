"""``espseal provision``: what a device gets, in every form; never the fleet's key."""

import json
import re
import shutil
import stat
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import segno

from espseal import Device, Keyring, KeyringError, KeyringFile, Receiver, Sender, Store, sealed
from espseal.simulator import Node
from fleet import Talk
from test_cli import at_a_terminal, home, run, run_process, secrets_in, sentence

__all__ = ["home"]

ROOT = Path(__file__).resolve().parents[2]
FILES = {"nodemcu": "config.lua", "arduino": "espseal_config.h", "json": "kitchen.json"}
# Whatever may stand in a name and in a password.
NASTY = "a\"b\\c'd\u00e9?? {}\t*/ ]]"
SETTINGS = ("--mqtt-host", "broker.example", "--mqtt-port", "8883", "--mqtt-user", 'dev "1"')
GIVEN = {
    "mqtt_host": "broker.example",
    "mqtt_port": 8883,
    "mqtt_user": 'dev "1"',
    "mqtt_password": NASTY,
    "wifi_ssid": "cottage",
    "wifi_password": "correct horse",
}


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with the device kitchen in the default keyring."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    file = KeyringFile.create(path)
    file.add_group("greenhouse", topic="sensors/+", session_topic="sensors/session")
    file.add_fleet("home")
    file.add_device("cellar", group="greenhouse", node_id="7")
    file.add_sealed("kitchen", fleet="home", address="0011223344556677")
    file.set_minimum_epoch("kitchen", 2)
    return path


@pytest.fixture
def given(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options for all that a device can be told, passwords out of a file and the environment."""
    (home / "wifi").write_text("correct horse\nnot this line\n")
    monkeypatch.setenv("ESPSEAL_DEVICE_MQTT_PASSWORD", NASTY)
    monkeypatch.setenv("ESPSEAL_DEVICE_WIFI_SSID", "cottage")
    return (*SETTINGS, "--wifi-password-file", "wifi")


def expected(keyring: Path) -> dict[str, Any]:
    provisioned = Keyring.load(keyring).provision("kitchen")
    return {
        "name": "kitchen",
        "address": "0011223344556677",
        "device_key": provisioned.device_key.expose().hex(),
        "epoch": 2,
        "up_topic": "espseal/0011223344556677/up",
        "hello_topic": "espseal/0011223344556677/hello",
        "down_topic": "espseal/0011223344556677/down",
        "beacon_topic": "espseal/home/beacon",
    }


def out_of_lua(path: Path) -> dict[str, Any]:
    """What the program of the device sees."""
    # The Lua of the firmware.
    lua = import_module("lupa.lua51").LuaRuntime(encoding="utf-8")
    table = lua.execute(path.read_text())
    return {name: table[name] for name in table}


def out_of_c(path: Path) -> dict[str, Any]:
    """What a compiler sees: each macro, printed."""
    names = re.findall(r"#define ESPSEAL_(\w+) ", path.read_text())
    lines = ["#include <stdio.h>", f'#include "{path}"', "int main(void) {"]
    for name in names:
        macro = f"ESPSEAL_{name}"
        if name in ("ADDRESS", "DEVICE_KEY"):
            lines += [
                f"{{ static const unsigned char bytes[] = {macro};",
                'for (unsigned i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);',
                "putchar(0); }",
            ]
        elif name in ("EPOCH", "MQTT_PORT"):
            lines += [f'printf("%d", {macro}); putchar(0);']
        else:
            lines += [f"fwrite({macro}, 1, sizeof {macro}, stdout);"]
    program = path.with_suffix(".c")
    program.write_text("\n".join([*lines, "return 0; }", ""]))
    compiler = shutil.which("cc")
    assert compiler is not None
    built = path.with_suffix(".out")
    subprocess.run(
        [compiler, "-std=c99", "-Wall", "-Werror", "-trigraphs", "-o", built, program], check=True
    )
    printed = subprocess.run([built], stdout=subprocess.PIPE, check=True).stdout.decode()
    values = printed.split("\0")[:-1]
    found: dict[str, Any] = dict(zip([name.lower() for name in names], values, strict=True))
    return {
        name: int(value) if name in ("epoch", "mqtt_port") else value
        for name, value in found.items()
    }


def read(form: str, path: Path) -> dict[str, Any]:
    if form == "nodemcu":
        return out_of_lua(path)
    if form == "arduino":
        return out_of_c(path)
    found: dict[str, Any] = json.loads(path.read_text())
    assert found.pop("version") == 1
    return found


@pytest.mark.parametrize("form", FILES)
def test_a_file_has_all_that_the_device_needs(
    keyring: Path, form: str, given: tuple[str, ...], home: Path
) -> None:
    result = run("provision", "kitchen", "--format", form, *given)
    assert result.exit_code == 0, result.output
    path = home / FILES[form]
    found = read(form, path)
    wanted = expected(keyring) | GIVEN
    if form == "nodemcu":
        assert callable(found.pop("sensor"))
        del wanted["name"]
    assert found == wanted
    assert "capitals" not in result.output


def test_the_json_is_what_a_device_reads(keyring: Path, given: tuple[str, ...], home: Path) -> None:
    assert run("provision", "kitchen", "--format", "json", *given).exit_code == 0
    device = Device.load(home / "kitchen.json", hold=0)
    wanted = expected(keyring)
    for name in ("name", "address", "epoch", "hello_topic", "down_topic", "beacon_topic"):
        assert getattr(device, name) == wanted[name]
    for name in ("mqtt_host", "mqtt_port", "mqtt_user", "mqtt_password"):
        assert getattr(device, name) == GIVEN[name]
    assert device.topic == wanted["up_topic"]
    opened = sealed.open(device.seal("21.5"), sealed.DeviceKey(bytes.fromhex(wanted["device_key"])))
    assert (opened.data, opened.epoch) == (b"21.5", 2)


def test_the_firmware_starts_with_the_config(home: Path) -> None:
    """As the firmware's own example, which says what there is."""
    assert run("provision", "kitchen", "--wifi-ssid", "cottage").exit_code == 0
    config = home / "config.lua"
    example = (ROOT / "firmware" / "nodemcu" / "sealed.config.example.lua").read_text()
    assert set(out_of_lua(config)) <= set(re.findall(r"^  (?:-- )?(\w+) = ", example, re.MULTILINE))
    text = config.read_text().replace("BROKER.EXAMPLE", "127.0.0.1")
    with Node(chip_id=7, config=None, startup="main_sealed.lua") as node:
        node.wait_for(lambda line: line.startswith("stopped: no config.lua"))
        node.reflash({"config.lua": text.encode()})
        node.wait_for(lambda line: line == "address 0011223344556677, epoch 2")


@pytest.mark.parametrize("form", FILES)
def test_a_file_is_for_its_owner_alone_and_the_key_not_on_the_screen(
    keyring: Path, form: str, given: tuple[str, ...], home: Path
) -> None:
    before = keyring.read_bytes()
    result = run("provision", "kitchen", "--format", form, *given)
    path = home / FILES[form]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert expected(keyring)["device_key"] not in result.output
    assert NASTY not in result.output
    assert "correct horse" not in result.output
    text = path.read_text()
    compact = re.sub(r"[^0-9a-f]", "", text.replace("0x", ""))
    for secret in secrets_in(keyring):
        assert secret not in text
        assert not re.fullmatch("[0-9a-f]{64}", secret) or secret not in compact
    assert keyring.read_bytes() == before
    assert {each.name for each in home.iterdir()} == {
        "keys.toml",
        "keys.toml.lock",
        "wifi",
        path.name,
    }


@pytest.mark.parametrize("form", FILES)
def test_a_file_that_is_there_stays_unless_forced(form: str, home: Path) -> None:
    path = home / FILES[form]
    path.write_text("mine")
    path.chmod(0o644)
    assert "--force" in sentence(run("provision", "kitchen", "--format", form), 1)
    assert path.read_text() == "mine"
    assert run("provision", "kitchen", "--format", form, "--force").exit_code == 0
    assert "0011" in path.read_text() or "0x00" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_the_file_goes(home: Path) -> None:
    (home / "folder").mkdir()
    for output, path in [("folder", "folder/config.lua"), ("other.lua", "other.lua")]:
        assert run("provision", "kitchen", "-o", output).exit_code == 0
        assert (home / path).exists()
    assert "no such folder" in sentence(run("provision", "kitchen", "-o", "none/x.lua"), 1)
    KeyringFile.open(home / "keys.toml").rename("kitchen", "../.up stairs")
    assert run("provision", "../.up stairs", "--format", "json").exit_code == 0
    assert (home / "-.-.up-stairs.json").exists()


def test_without_broker_and_wifi_it_says_what_is_left_to_do(keyring: Path, home: Path) -> None:
    result = run("provision", "kitchen")
    assert "wifi_ssid, mqtt_host" in result.stdout
    found = out_of_lua(home / "config.lua")
    assert found["wifi_ssid"] == "YOUR-WIFI"
    assert found["mqtt_host"] == "BROKER.EXAMPLE"
    result = run("provision", "kitchen", "--format", "json")
    assert read("json", home / "kitchen.json") == expected(keyring)
    assert "capitals" not in result.stdout
    result = run("provision", "kitchen", "--format", "arduino")
    assert "wifi_ssid, mqtt_host" in result.stdout
    change = dict.fromkeys(("wifi_ssid", "wifi_password", "mqtt_host"), "CHANGE-ME")
    assert out_of_c(home / "espseal_config.h") == expected(keyring) | change
    words = ("--wifi-ssid", "open", "--mqtt-host", "b", "--mqtt-user", "{address}", "--force")
    result = run("provision", "kitchen", "--format", "arduino", *words)
    assert "capitals" not in result.stdout
    assert out_of_c(home / "espseal_config.h") == expected(keyring) | {
        "wifi_ssid": "open",
        "wifi_password": "",
        "mqtt_host": "b",
        "mqtt_user": "0011223344556677",
    }


def test_a_nasty_name(keyring: Path, home: Path) -> None:
    name = '*/ kit"chen\\ \u00e9 ]] --'
    KeyringFile.open(keyring).rename("kitchen", name)
    assert out_of_lua(written("nodemcu", name))["epoch"] == 2
    assert out_of_c(written("arduino", name))["name"] == name
    assert home


def written(form: str, name: str) -> Path:
    assert run("provision", name, "--format", form).exit_code == 0
    return Path(FILES[form]).resolve()


def test_a_pipe_gets_the_file_itself(keyring: Path, home: Path) -> None:
    result = run_process("provision", "kitchen", "--format", "json", "--output", "-")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"version": 1} | expected(keyring)
    assert result.stderr == ""
    assert not list(home.glob("*.json"))


def test_a_terminal_gets_no_key_unless_asked(keyring: Path) -> None:
    key = expected(keyring)["device_key"]
    words = ("provision", "kitchen", "--format", "json", "--output", "-")
    output, code = at_a_terminal(words, [])
    assert code == 2
    assert "--show-key" in output
    assert key not in output
    output, code = at_a_terminal((*words, "--show-key"), [])
    assert code == 0
    assert key in output


def drawn(output: str) -> list[list[int]]:
    """The modules of a code out of half blocks, light ones as 0, without the border."""
    pairs = {" ": (1, 1), "\u2580": (0, 1), "\u2584": (1, 0), "\u2588": (0, 0)}
    rows: list[list[int]] = []
    for line in output.splitlines():
        if line and set(line) <= set(pairs):
            cells = [pairs[sign] for sign in line]
            rows += [[top for top, _ in cells], [bottom for _, bottom in cells]]
    size = len(rows[0])
    return [row[4 : size - 4] for row in rows[4 : size - 4]]


def test_the_qr_code_is_that_of_the_json(keyring: Path, given: tuple[str, ...]) -> None:
    result = run("provision", "kitchen", "--format", "qr", "--show-key", *given)
    assert result.exit_code == 0, result.output
    wanted = {"version": 1} | expected(keyring) | GIVEN
    code = segno.make_qr(json.dumps(wanted, separators=(",", ":")), error="l", boost_error=False)
    assert drawn(result.stdout) == [list(row) for row in code.matrix]
    assert expected(keyring)["device_key"] not in result.output


def test_no_qr_code_unless_asked(keyring: Path) -> None:
    assert "--show-key" in sentence(run("provision", "kitchen", "--format", "qr"), 2)
    for answer, shown in (("n", False), ("y", True)):
        output, code = at_a_terminal(
            ("provision", "kitchen", "--format", "qr"), [("Show it?", f"{answer}\n")]
        )
        assert code == (0 if shown else 1), output
        assert ("\u2588\u2588" in output) is shown
        assert expected(keyring)["device_key"] not in output


def test_a_terminal_that_cannot_draw_is_told() -> None:
    words = ("provision", "kitchen", "--format", "qr", "--show-key")
    result = run_process(*words, PYTHONIOENCODING="ascii")
    assert "--format json" in sentence(result, 1)


def test_the_id_of_the_chip_goes_into_the_address(keyring: Path, home: Path) -> None:
    before = Keyring.load(keyring).provision("kitchen")
    result = run("provision", "kitchen", "--format", "json", "--chip-id", "11242238")
    assert result.exit_code == 0, result.output
    found = read("json", home / "kitchen.json")
    assert bytes.fromhex(found["address"])[1::2].hex() == "00ab8afe"
    assert found == expected(keyring) | {
        name: value.replace("0011223344556677", found["address"])
        for name, value in expected(keyring).items()
        if isinstance(value, str)
    }
    assert found["device_key"] != before.device_key.expose().hex()
    assert found["address"] in result.stderr
    # Once more: it is of this chip already.
    result = run("provision", "kitchen", "--format", "json", "--chip-id", "0xab8afe", "--force")
    assert read("json", home / "kitchen.json") == found


def test_the_chip_changes_nothing_when_the_file_cannot_be_written(keyring: Path) -> None:
    before = keyring.read_bytes()
    Path("config.lua").write_text("mine")
    assert "--force" in sentence(run("provision", "kitchen", "--chip-id", "1"), 1)
    assert keyring.read_bytes() == before


def met(keyring: Path, state: Path, epochs: int) -> str:
    """A host meets the kitchen, and has its key ratcheted; the device's address."""
    loaded, store = Keyring.load(keyring), Store.sqlite(state)
    host = Receiver(loaded, store)
    device = Device.from_keyring(loaded, "kitchen")
    talk = Talk(host, device)
    talk.carry()
    for _ in range(epochs):
        talk.ratchet(Sender(loaded, store))
    return device.address or ""


def test_a_device_that_is_provisioned_again_is_believed(keyring: Path, home: Path) -> None:
    """It starts with the epoch that it had reached: nothing before is accepted any more."""
    state = home / "state"
    met(keyring, state, 3)
    result = run("provision", "kitchen", "--format", "json", "--state", str(state))
    assert result.exit_code == 0, result.output
    assert "has reached epoch 5" in result.stderr
    assert read("json", home / "kitchen.json")["epoch"] == 5
    host = Receiver(Keyring.load(keyring), Store.sqlite(state))
    device = Device.load(home / "kitchen.json")
    talk = Talk(host, device)
    talk.carry()
    assert device.is_welcomed
    device.send("21.5")
    talk.carry()
    assert talk.verdicts[-1] == "fresh"


def test_a_device_that_has_sent_keeps_its_address(keyring: Path, home: Path) -> None:
    state = home / "state"
    address = met(keyring, state, 0)
    before = keyring.read_bytes()
    words = ("provision", "kitchen", "--chip-id", "1", "--state", str(state))
    assert address in sentence(run(*words), 1)
    assert keyring.read_bytes() == before
    assert not Path("config.lua").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("attic",), 1, "no device named `attic`"),
        (("cellar",), 1, "`cellar` is in no fleet"),
        (("kitchen", "--format", "odd"), 2, "'odd'"),
        (("kitchen", "--format", "qr", "--output", "code.txt"), 2, "--output"),
        (("kitchen", "--chip-id", "many"), 2, "--chip-id"),
        (("kitchen", "--mqtt-port", "0"), 2, "--mqtt-port"),
        (("kitchen", "--mqtt-password-file", "none"), 1, "none"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: tuple[str, ...], code: int, says: str) -> None:
    assert says in sentence(run("provision", *words), code)
    assert not Path("config.lua").exists()


def test_a_revoked_device_gets_no_key(keyring: Path) -> None:
    KeyringFile.open(keyring).revoke("kitchen")
    assert "is revoked" in sentence(run("provision", "kitchen"), 1)
    assert not Path("config.lua").exists()


def test_no_setting_becomes_code(keyring: Path) -> None:
    """Names stand in the source of a program; values are quoted."""
    provisioned = Keyring.load(keyring).provision("kitchen")
    assert 'mqtt_host = "a\\034"' in provisioned.render("nodemcu", {"mqtt_host": 'a"'})
    for name in ("a = os.exit()", "device_key", "version", ""):
        with pytest.raises(KeyringError) as raised:
            provisioned.render("nodemcu", {name: 1})
        assert raised.value.code == "invalid_value"
    with pytest.raises(ValueError, match="nodemcu, arduino, json"):
        provisioned.render("basic")
