"""The command `espseal`: in process through typer's runner, and as a real process."""

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import espseal
from espseal import Keyring, KeyringFile
from espseal.cli.app import app

GROUP = ("--topic", "sensors/+", "--session-topic", "sensors/session")
KEYS = {
    "iv_key": "hex:00112233445566778899aabbccddeeff",
    "data_key": "a key of 16 byte",
    "static_iv": "another 16 bytes",
    "passphrase": "correct horse battery staple",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and no keyring in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ESPSEAL_KEYRING", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def keyring(home: Path) -> Path:
    """A keyring with the group greenhouse and the device kitchen in it."""
    file = KeyringFile.create(home / "keys.toml")
    file.add_group("greenhouse", topic="sensors/+", session_topic="sensors/session")
    file.add_device("kitchen", group="greenhouse", node_id="11242238")
    return Path(file.path)


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=typed, prog_name="espseal")


def run_process(*words: str, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "espseal.cli", *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | env,
        check=False,
    )


def secrets_in(path: Path) -> list[str]:
    """Every key of a keyring file, in the forms in which it could be seen."""

    def walk(value: object, name: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(inner, key)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)
        elif isinstance(value, str) and name in ("session_key", "hex", "text"):
            yield value
            if name != "text":
                yield bytes.fromhex(value).decode("latin-1")

    found = list(walk(tomllib.loads(path.read_text())))
    assert found
    return found


def assert_no_key(path: Path, *outputs: str) -> None:
    for secret in secrets_in(path):
        for output in outputs:
            assert secret not in output
            assert secret.upper() not in output


def sentence(result: Result | subprocess.CompletedProcess[str], code: int) -> str:
    """What the command said on standard error: one line, no traceback."""
    assert (result.exit_code if isinstance(result, Result) else result.returncode) == code
    assert "Traceback" not in result.stdout + result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("espseal: ")
    return lines[0]


def at_a_terminal(words: tuple[str, ...], answers: list[tuple[str, str]]) -> tuple[str, int]:
    """Runs the command on a pseudo-terminal and answers each question when it is asked."""
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", spawn, sys.executable, "-m", "espseal.cli", *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = b""
        for question, answer in answers:
            seen = len(output)
            # The colon ends the question, and comes after the terminal has ceased to echo.
            while not (question.encode() in output[seen:] and output.endswith(b"): ")):
                byte = process.stdout.read(1)
                assert byte, output.decode()
                output += byte
            process.stdin.write(answer.encode())
            process.stdin.flush()
        output += process.stdout.read()
        return output.decode(), process.wait(60)


def add_to_group(path: Path, text: str) -> int:
    """Writes a line into the group of a keyring; returns its number."""
    lines = path.read_text().splitlines()
    line = lines.index("[[classic_group]]") + 1
    path.write_text("\n".join([*lines[:line], text, *lines[line:], ""]))
    return line + 1


# Help


def commands(group: object = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    group = group or typer.main.get_command(app)
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    examples = result.stdout.partition("Examples")[2]
    assert " ".join(("espseal", *path)) in examples
    assert run(*path, "-h").stdout == result.stdout


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_the_examples_of_the_help_are_valid_command_lines(path: tuple[str, ...]) -> None:
    """Each is run with --help appended, which parses all that comes before it."""
    examples = run(*path, "--help").stdout.partition("Examples")[2].partition("Exit codes")[0]
    lines = re.sub(r"\\\s*\n", " ", examples).splitlines()
    shown = [line.strip() for line in lines if "espseal " in line]
    assert shown
    for line in shown:
        words = re.split("   | [|] ", re.sub(r"^.*?espseal ", "", line))[0].replace("'", "").split()
        assert run(*words, "--help").exit_code == 0, line


def test_the_exit_codes_are_documented() -> None:
    codes = run("--help").stdout.partition("Exit codes")[2]
    assert [int(code) for code in re.findall(r"^\s+(\d+) ", codes, re.MULTILINE)] == [
        0,
        1,
        2,
        3,
        4,
        130,
    ]


def test_version() -> None:
    assert run("--version").stdout == f"espseal {espseal.__version__}\n"


# What the caller did wrong


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("keyring", "nwe"), "Did you mean 'new'?"),
        (("--nonsense",), "--nonsense"),
        (("keyring", "add", "group"), "'NAME'"),
        (("keyring", "add", "group", "g"), "--topic"),
        (("keyring", "add", "group", "g", *GROUP, "--layout", "odd"), "'odd'"),
        (("keyring", "add", "group", "g", *GROUP, "--data", "odd"), "'odd'"),
        (("keyring", "add", "group", "g", *GROUP, "--keys", "odd"), "'odd'"),
        (("keyring", "add", "group", "g", *GROUP, "--iv-key", "x"), "--iv-key"),
        (("keyring", "add", "device", "d", "--group", "g"), "--node-id"),
        (("keyring", "add", "device", "d", "--group", "g", "--node-id", "1", "--topic", "t"), "--"),
        (("keyring", "list", "one", "--keyring", "two"), "once"),
        (("keyring", "check", "one", "--keyring", "two"), "once"),
        (("keyring", "new", "one", "--keyring", "two"), "once"),
    ],
)
def test_a_wrong_command_line(words: tuple[str, ...], says: str) -> None:
    said = sentence(run(*words), 2)
    assert says in said
    assert "--help'" in said


@pytest.mark.parametrize(
    "path", [(), ("keyring",), ("keyring", "add"), ("fleet",), ("device",)], ids=" ".join
)
def test_a_group_of_commands_shows_its_help(path: tuple[str, ...]) -> None:
    result = run(*path)
    assert result.exit_code == 2
    assert result.stdout.rstrip() == run(*path, "--help").stdout.rstrip()


@pytest.mark.parametrize(
    "words",
    [
        ("keyring", "check"),
        ("keyring", "list"),
        ("keyring", "import", "sketch.lua"),
        ("listen",),
        ("send", "kitchen", "on"),
        ("keyring", "add", "group", "g", *GROUP),
        ("keyring", "add", "device", "d", "--group", "g", "--node-id", "1"),
        ("fleet", "new", "home"),
        ("device", "add", "kitchen"),
        ("device", "rekey", "kitchen", "--yes"),
        ("provision", "kitchen"),
    ],
)
def test_no_keyring_yet(words: tuple[str, ...]) -> None:
    assert "keyring.toml" in sentence(run(*words), 1)


# keyring new


def test_new_makes_a_file_that_only_its_owner_reads(home: Path) -> None:
    result = run("keyring", "new")
    path = home / ".config" / "espseal" / "keyring.toml"
    assert result.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.load(path).groups == []
    assert str(path) in result.stdout
    assert_no_key(path, result.output)


def test_new_says_what_comes_next_and_that_works(home: Path) -> None:
    """The printed commands, typed one after the other, end in a valid keyring."""
    result = run("keyring", "new", "green house.toml")
    for _ in range(3):
        command = result.stdout.splitlines()[-1].strip()
        assert command.startswith("espseal keyring ")
        assert command.endswith("--keyring 'green house.toml'")
        result = run(*command.split()[1:-3], "--keyring", "green house.toml")
        assert result.exit_code == 0, result.output
        assert_no_key(home / "green house.toml", result.output)
    assert "is valid: 1 group, 1 device." in result.stdout


def test_new_leaves_a_file_that_is_there(keyring: Path) -> None:
    before = keyring.read_bytes()
    assert str(keyring) in sentence(run("keyring", "new", str(keyring)), 1)
    assert keyring.read_bytes() == before


def test_new_where_nothing_can_be_written() -> None:
    assert "/proc/nowhere" in sentence(run("keyring", "new", "/proc/nowhere/keyring.toml"), 1)


def test_the_environment_names_the_keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPSEAL_KEYRING", str(home / "elsewhere.toml"))
    result = run("keyring", "new")
    assert (home / "elsewhere.toml").exists()
    assert "--keyring" not in result.stdout
    assert run("keyring", "check").exit_code == 0


# keyring add


def test_add_group_says_all_that_a_group_may(keyring: Path) -> None:
    result = run(
        *("keyring", "add", "group", "attic", "--topic", "attic/+", "-k", str(keyring)),
        *("--session-topic", "attic/session", "--mac", "padded", "--policy", "strict"),
        *("--session-interval", "20", "--session-life", "60"),
        *("--command-topic", "attic/{node_id}/command"),
        *("--command-session-topic", "attic/{node_id}/session"),
    )
    assert result.exit_code == 0, result.output
    group = tomllib.loads(keyring.read_text())["classic_group"][1]
    del group["keys"]
    assert group == {
        "name": "attic",
        "topic": "attic/+",
        "session_topic": "attic/session",
        "mac": "padded",
        "policy": "strict",
        "session_interval": 20,
        "session_life": 60,
        "command_topic": "attic/{node_id}/command",
        "command_session_topic": "attic/{node_id}/session",
    }


@pytest.mark.parametrize("layout", ["hex", "raw"])
@pytest.mark.parametrize("data", ["text", "binary"])
def test_add_group_draws_new_keys(keyring: Path, layout: str, data: str) -> None:
    result = run(
        *("keyring", "add", "group", "attic", "--topic", "attic/+"),
        *("--session-topic", "attic/session", "--layout", layout, "--data", data),
        *("--keyring", str(keyring)),
    )
    assert result.exit_code == 0, result.output
    group = Keyring.load(keyring).groups[1]
    assert (group.name, group.topic, group.session_topic) == ("attic", "attic/+", "attic/session")
    assert (group.layout, group.data, group.devices) == (layout, data, 0)
    assert len(set(secrets_in(keyring))) == len(secrets_in(keyring))
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
    assert_no_key(keyring, result.output)


def test_add_group_asks_for_the_keys(keyring: Path) -> None:
    words = ("keyring", "add", "group", "attic", "-k", str(keyring), "--keys", "prompt", *GROUP)
    result = run_process(*words, typed="\n".join(KEYS.values()) + "\n")
    assert result.returncode == 0, result.stderr
    stored = tomllib.loads(keyring.read_text())["classic_group"][1]["keys"]
    for name, typed in KEYS.items():
        given = bytes.fromhex(typed[4:]) if typed.startswith("hex:") else typed.encode()
        kept = stored[name]
        assert given == (bytes.fromhex(kept["hex"]) if "hex" in kept else kept["text"].encode())
        form = "hex" if typed.startswith("hex:") else "text"
        assert f"{name}: taken as {form}, {len(given)} bytes" in result.stderr
        assert typed.removeprefix("hex:") not in result.stdout + result.stderr
    assert_no_key(keyring, result.stdout, result.stderr)


def test_at_a_terminal_the_keys_are_not_shown(keyring: Path) -> None:
    words = ("keyring", "add", "group", "attic", "-k", str(keyring), "--keys", "prompt", *GROUP)
    output, code = at_a_terminal(words, [(f"{name} (", f"{KEYS[name]}\n") for name in KEYS])
    assert code == 0, output
    assert "not shown" in output
    assert "iv_key: taken as hex, 16 bytes" in output
    assert_no_key(keyring, output)


def test_ctrl_c_at_a_question(keyring: Path) -> None:
    before = keyring.read_bytes()
    words = ("keyring", "add", "group", "attic", "-k", str(keyring), "--keys", "prompt", *GROUP)
    output, code = at_a_terminal(words, [("iv_key (", "\x03")])
    assert code == 130
    assert "Traceback" not in output
    assert keyring.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"iv_key": "hex:0"}, "iv_key"),
        ({"iv_key": "hex:no hex at all"}, "iv_key"),
        ({"data_key": "fifteen bytes.."}, "data_key"),
        ({"static_iv": "a key of 24 bytes is too"}, "static_iv"),
        ({"passphrase": ""}, "passphrase"),
    ],
)
def test_a_key_that_is_none(keyring: Path, change: dict[str, str], says: str) -> None:
    before = keyring.read_bytes()
    typed = KEYS | change
    words = ("keyring", "add", "group", "attic", "-k", str(keyring), "--keys", "prompt", *GROUP)
    result = run_process(*words, typed="\n".join(typed.values()) + "\n")
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("espseal: ")
    assert says in last
    assert "Traceback" not in result.stderr
    assert keyring.read_bytes() == before
    for key in (key for key in typed.values() if len(key) > len("hex:0")):
        assert key.removeprefix("hex:") not in result.stdout + result.stderr


@pytest.mark.parametrize("given", range(4))
def test_the_keys_end_too_early(keyring: Path, given: int) -> None:
    words = ("keyring", "add", "group", "attic", "-k", str(keyring), "--keys", "prompt", *GROUP)
    result = run_process(*words, typed="".join(f"{key}\n" for key in list(KEYS.values())[:given]))
    assert result.returncode == 1
    assert f"The input ended before {list(KEYS)[given]}" in result.stderr.splitlines()[-1]
    assert len(Keyring.load(keyring).groups) == 1


def test_names_are_there_once(keyring: Path) -> None:
    before = keyring.read_bytes()
    where = ("--keyring", str(keyring))
    assert "greenhouse" in sentence(run("keyring", "add", "group", "greenhouse", *GROUP, *where), 1)
    device = ("--group", "greenhouse", "--node-id", "2")
    assert "kitchen" in sentence(run("keyring", "add", "device", "kitchen", *device, *where), 1)
    device = ("--group", "greenhouse", "--node-id", "11242238")
    assert "11242238" in sentence(run("keyring", "add", "device", "cellar", *device, *where), 1)
    assert keyring.read_bytes() == before


def test_a_device_of_no_group(keyring: Path) -> None:
    device = ("--group", "nowhere", "--node-id", "2", "--keyring", str(keyring))
    assert "nowhere" in sentence(run("keyring", "add", "device", "cellar", *device), 1)


def test_a_device_that_its_topic_names(keyring: Path) -> None:
    espseal.KeyringFile.open(keyring).add_group(
        "port", topic="roof/+", layout="port", danger_accept_replays=True
    )
    device = ("--group", "port", "--topic", "roof/wind", "--keyring", str(keyring))
    result = run("keyring", "add", "device", "wind", *device)
    assert result.exit_code == 0, result.output
    assert "topic roof/wind" in result.stdout
    assert Keyring.load(keyring).devices[-1].topic == "roof/wind"
    shown = run("keyring", "list", "--keyring", str(keyring)).stdout
    assert "roof/wind" in shown
    listed = json.loads(run("keyring", "list", "--keyring", str(keyring), "--json").stdout)
    assert listed["devices"][-1] == {
        "name": "wind",
        "group": "port",
        "node_id": None,
        "topic": "roof/wind",
    }
    assert_no_key(keyring, result.output, shown)


@pytest.mark.parametrize(
    ("line", "begun", "completed"),
    [
        ("keyring add device -k {} cellar --group", "gr", ["greenhouse"]),
        ("send -k {}", "ki", ["kitchen"]),
        ("send -k {}", "x", []),
        ("listen -k {}", "se", ["sensors/+"]),
        ("listen -k /nowhere", "se", []),
    ],
)
def test_completion_knows_the_keyring(
    keyring: Path, line: str, begun: str, completed: list[str]
) -> None:
    line = f"espseal {line.format(keyring)} "
    done = run_process(
        _ESPSEAL_COMPLETE="complete_bash",
        COMP_WORDS=line + begun,
        COMP_CWORD=str(len(line.split())),
    )
    assert done.stdout.split() == completed, done.stderr


# keyring list


def test_list_shows_groups_and_devices(keyring: Path) -> None:
    result = run("keyring", "list", str(keyring))
    assert result.exit_code == 0
    for word in ("greenhouse", "sensors/+", "sensors/session", "kitchen", "11242238"):
        assert word in result.stdout
    listed = json.loads(run("keyring", "list", "--json", str(keyring)).stdout)
    checked = json.loads(run("keyring", "check", "--json", str(keyring)).stdout)
    assert listed == {name: checked[name] for name in ("groups", "fleets", "devices")}
    assert_no_key(keyring, result.output)


def test_list_of_nothing(home: Path) -> None:
    path = KeyringFile.create(home / "keys.toml").path
    result = run("keyring", "list", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "is empty" in result.stderr
    assert json.loads(run("keyring", "list", "--json", path).stdout) == {
        "groups": [],
        "fleets": [],
        "devices": [],
    }


# keyring check


def test_check_lists_what_there_is(keyring: Path) -> None:
    result = run("keyring", "check", str(keyring))
    assert result.exit_code == 0
    for word in (
        "greenhouse",
        "sensors/+",
        "sensors/session",
        "hex",
        "text",
        "kitchen",
        "11242238",
    ):
        assert word in result.stdout
    assert_no_key(keyring, result.output)


def test_check_as_json(keyring: Path) -> None:
    result = run("keyring", "check", "--json", str(keyring))
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "path": str(keyring),
        "valid": True,
        "groups": [
            {
                "name": "greenhouse",
                "topic": "sensors/+",
                "session_topic": "sensors/session",
                "layout": "hex",
                "data": "text",
                "devices": 1,
            }
        ],
        "fleets": [],
        "devices": [{"name": "kitchen", "group": "greenhouse", "node_id": "11242238"}],
        "warnings": [],
    }
    assert_no_key(keyring, result.output)


def test_check_says_where_a_mistake_is(keyring: Path) -> None:
    line = add_to_group(keyring, 'layout = "odd"')
    said = sentence(run("keyring", "check", str(keyring)), 1)
    assert f"{keyring}:{line}" in said
    assert "layout" in said
    result = run("keyring", "check", "--json", str(keyring))
    assert result.exit_code == 1
    mistake = json.loads(result.stdout)["error"]
    assert (mistake["file"], mistake["line"]) == (str(keyring), line)
    assert mistake["message"]
    assert mistake["code"]
    assert_no_key(keyring, result.output, said)


def test_check_refuses_a_file_that_others_can_read(keyring: Path) -> None:
    keyring.chmod(0o644)
    assert str(keyring) in sentence(run("keyring", "check", str(keyring)), 1)


def test_check_warns_of_what_is_dangerous(keyring: Path) -> None:
    add_to_group(keyring, "danger_accept_replays = true")
    result = run("keyring", "check", str(keyring))
    assert result.exit_code == 0
    assert "warning: " in result.stdout
    assert len(json.loads(run("keyring", "check", "--json", str(keyring)).stdout)["warnings"]) == 1


# As a process


def test_no_colour_in_a_pipe_and_colour_when_forced(keyring: Path) -> None:
    assert "\x1b[" not in run_process("keyring", "check", str(keyring)).stdout
    assert "\x1b[" in run_process("keyring", "check", str(keyring), FORCE_COLOR="1").stdout
    forbidden = run_process("keyring", "check", str(keyring), FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[" not in forbidden


def test_a_pipe_that_takes_only_ascii(keyring: Path) -> None:
    result = run_process("keyring", "check", str(keyring), PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert "kitchen" in result.stdout


def test_long_paths_are_not_broken(home: Path) -> None:
    path = home / ("a" * 120) / ("b" * 120) / "keyring.toml"
    result = run_process("keyring", "new", str(path), COLUMNS="40")
    assert f"Made {path} " in result.stdout


def test_a_missing_extra_is_one_sentence() -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['typer'] = None\nimport espseal.cli as c\nc.main()",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "espseal: the command needs the package typer: pip install 'espseal[cli]'"
    ]
