"""``espseal inspect``: a frame taken apart, and why it does not open."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import espseal
from espseal import classic
from keyrings import TEXT
from test_cli import assert_no_key, home, run, run_process, sentence

__all__ = ["home"]

ARTICLE = (
    "1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,"
    "564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289"
)
KEYS = classic.ClassicKeys(
    iv_key=b"test-only-iv-key",
    data_key=b"test-only-data-k",
    static_iv=b"test-only-static",
    passphrase=b"test only passphrase",
)
SESSION = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default keyring, with one group."""
    path = home / "keys.toml"
    path.touch(mode=0o600)
    path.write_text(TEXT.format(options=""))
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    return path


def frame(
    data: bytes = b"21.5",
    node: bytes = b"11242238",
    session: str = SESSION,
    **how: Any,  # noqa: ANN401 (as `seal` takes them)
) -> str:
    """A frame under the keys of the keyring."""
    sealed = classic.seal(KEYS, node, data, session, danger_accept_replays=True, **how)
    return sealed.decode() if how.get("layout") != "raw" else sealed.hex()


# Fields.


@pytest.mark.parametrize("width", [80, 120])
def test_the_fields_of_the_article_s_frame(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = run("inspect", ARTICLE)
    assert result.exit_code == 0
    assert "layout hex, 139 bytes" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()[3:7]]
    assert [(row[0], row[1], row[2], row[-1]) for row in rows] == [
        ("0", "32", "enc_iv", ARTICLE.split(",")[0]),
        ("33", "32", "enc_node", ARTICLE.split(",")[1]),
        ("66", "32", "enc_data", ARTICLE.split(",")[2]),
        ("99", "40", "mac", ARTICLE.split(",")[3]),
    ]
    assert "opens under the keys printed in the article" in result.stdout
    assert "11242238" in result.stdout
    assert '" f9dc2766548509e"' in result.stdout
    assert "There is no keyring" in result.stderr
    assert all(len(line) <= width for line in result.stdout.splitlines())


def test_white_space_in_a_pasted_frame(home: Path) -> None:
    pasted = "  " + ARTICLE.replace(",", " ,\n\t") + " \r\n"
    expected = run("inspect", ARTICLE, "--json").stdout
    assert run("inspect", pasted, "--json").stdout == expected
    (home / "frame.txt").write_text(pasted)
    assert run("inspect", "--file", "frame.txt", "--json").stdout == expected
    assert run("inspect", "-", "--json", typed=pasted).stdout == expected
    assert run("inspect", ARTICLE.upper(), "--json").exit_code == 0


def test_a_raw_frame_in_every_form(keyring: Path, home: Path) -> None:
    raw = bytes.fromhex(frame(b"x" * 40, layout="raw"))
    expected = run("inspect", raw.hex(), "--json", "--session", SESSION)
    assert expected.exit_code == 0
    record = json.loads(expected.stdout)
    assert (record["layout"], record["size"]) == ("raw", len(raw))
    assert [(f["name"], f["offset"], f["size"]) for f in record["fields"]] == [
        ("enc_iv", 0, 16),
        ("enc_node", 17, 16),
        ("enc_data", 34, 48),
        ("mac", 83, 40),
    ]
    assert record["fields"][0]["bytes"] == raw[:16].hex()
    assert record["findings"][0]["device"] == "kitchen"
    spaced = " ".join(raw.hex()[at : at + 2] for at in range(0, 2 * len(raw), 2))
    for text in (
        raw.hex().upper(),
        spaced,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ):
        assert run("inspect", text, "--json", "--session", SESSION).stdout == expected.stdout
    for suffix in (b"", b"\n", b"\r\n"):
        (home / "frame.bin").write_bytes(raw + suffix)
        result = run("inspect", "--file", "frame.bin", "--json", "--session", SESSION)
        assert result.stdout == expected.stdout
    assert_no_key(keyring, expected.stdout)


def test_the_bytes_of_a_hex_frame_in_hex() -> None:
    expected = run("inspect", ARTICLE, "--json").stdout
    assert run("inspect", ARTICLE.encode().hex(), "--json").stdout == expected
    assert run("inspect", base64.b64encode(ARTICLE.encode()).decode(), "--json").stdout == expected


def test_a_frame_of_the_port(keyring: Path) -> None:
    text = keyring.read_text().replace('session_topic = "sensors/session"', 'layout = "port"')
    text = text.replace('node_id = "11242238"', 'topic = "sensors/kitchen"')
    keyring.write_text(text.replace('node_id = "1234567"', 'topic = "sensors/cellar"'))
    sealed = frame(node=b"", session="", layout="port")
    result = run("inspect", sealed)
    assert result.exit_code == 0, result.output
    assert "layout port" in result.stdout
    assert "enc_node" not in result.stdout
    assert "--topic says which it is" in result.stdout
    assert "stale_session" in result.stdout
    result = run("inspect", sealed, "--topic", "sensors/cellar")
    assert "cellar" in result.stdout


@pytest.mark.parametrize(
    ("given", "offset", "says"),
    [
        (ARTICLE[:-1], 99, "wrong length"),
        (ARTICLE.replace("d1a0", "d1x0"), 35, "hex digit"),
        (ARTICLE[1:], 0, "wrong length"),
        ("hello", 0, "no frame"),
        ("", 0, "no frame"),
        ("\N{SNOWMAN},,,", 0, "wrong length"),
        ("1" * 5000, 2048, "2048"),
    ],
)
def test_what_is_no_frame(given: str, offset: int, says: str) -> None:
    result = run("inspect", given)
    assert result.exit_code == 1
    assert "This is no frame" in result.stdout
    assert says in result.stdout
    marker = result.stdout.splitlines()[-1]
    assert marker.endswith(f"^ offset {offset}")
    record = json.loads(run("inspect", given, "--json").stdout)
    assert (record["offset"], record["fields"], record["findings"]) == (offset, [], [])
    assert record["malformed"]


def test_the_mark_stands_below_the_mistake() -> None:
    shown, marker = run("inspect", ARTICLE.replace("d1a0", "d1x0")).stdout.splitlines()[-2:]
    assert shown[marker.index("^")] == "x"


# Who, and why not.


def test_a_good_frame(keyring: Path) -> None:
    result = run("inspect", frame(), "--session", SESSION)
    assert result.exit_code == 0, result.output
    for word in ("group house", "kitchen", "11242238", "21.5", "the one given"):
        assert word in result.stdout
    assert "receiver answers" not in result.stdout
    assert_no_key(keyring, result.output)


def test_a_session_of_the_state(keyring: Path, home: Path) -> None:
    state = home / ".local" / "state" / "espseal" / "state.sqlite3"
    loaded = espseal.Keyring.load(keyring)
    device = espseal.Device.from_keyring(loaded, "cellar")
    before = run("inspect", ARTICLE)
    # Looking makes no state.
    assert not state.exists()
    assert "It does not open" not in before.stdout
    receiver = espseal.Receiver(loaded, espseal.Store.sqlite(state))
    for publication in receiver.publications():
        assert device.hear(publication.payload)
    sealed = device.seal("18.2").decode()
    result = run("inspect", sealed)
    assert result.exit_code == 0, result.output
    assert "ours, minted " in result.stdout
    assert "cellar" in result.stdout
    # A receiver that ran on takes it; to one that starts now the session has expired.
    assert "starts now on this state answers stale_session" in result.stdout
    assert "does not find it stale for" in result.stdout
    other = run("inspect", sealed, "--state", str(home / "other.sqlite3"))
    assert other.exit_code == 1


def test_an_old_session(keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espseal.cli.inspect.words.age", lambda _time: 121)
    loaded = espseal.Keyring.load(keyring)
    device = espseal.Device.from_keyring(loaded, "cellar")
    for publication in espseal.Receiver(loaded, espseal.Store.sqlite()).publications():
        device.hear(publication.payload)
    result = run("inspect", device.seal("18.2").decode())
    assert "starts now on this state answers stale_session" in result.stdout
    assert "another" not in result.stdout


@pytest.mark.parametrize(
    ("how", "session", "says"),
    [
        ({"mac": "padded"}, SESSION, 'mac = "padded" in the group house'),
        ({"mode": "binary"}, SESSION, 'data = "binary"'),
        ({}, "", "danger_accept_replays"),
        ({"node": b">11242238"}, SESSION, "wrong_direction"),
        ({"node": b"99"}, SESSION, "unknown_device"),
    ],
)
def test_why_a_receiver_refuses_it(
    keyring: Path, how: dict[str, Any], session: str, says: str
) -> None:
    data = b"1\0" if how.get("mode") else b"1"
    result = run("inspect", frame(data, session=session, **how), "--session", SESSION)
    assert result.exit_code == 0, result.output
    assert says in " ".join(result.stdout.split())
    assert_no_key(keyring, result.output)


@pytest.mark.parametrize(
    ("node", "says"),
    [(b">11242238", "a command to 11242238"), (b"1>2", "a message of 1 to 2"), (b"\xff", "0xff")],
)
def test_who_speaks_to_whom(keyring: Path, node: bytes, says: str) -> None:
    assert says in run("inspect", frame(node=node), "--session", SESSION).stdout
    assert keyring.exists()


def test_a_frame_that_does_not_open(keyring: Path) -> None:
    text = keyring.read_text()
    own = """
[device.classic.keys]
iv_key = { text = "another-iv-key--" }
data_key = { text = "another-data-key" }
static_iv = { text = "another-staticiv" }
passphrase = { text = "the passphrase of attic" }
"""
    device = '\n[[device]]\nname = "attic"\n[device.classic]\ngroup = "house"\nnode_id = "5"\n'
    keyring.write_text(text + device + own)
    result = run("inspect", frame(), "--session", "f" * 32)
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    for words in (
        "It does not open.",
        "the keys of the group house no iv_key, static_iv and data_key fit",
        "the own keys of attic no",
        "the keys printed in the article no",
        "under the empty session and 1 given.",
        "It claims to be of 11242238, which is kitchen, and only its MAC is wrong.",
        "a session that is not known here",
    ):
        assert words in said, words
    assert "21.5" not in said
    assert_no_key(keyring, result.output)
    findings = json.loads(run("inspect", frame(), "--json").stdout)["findings"]
    assert findings == [
        {
            "group": "house",
            "owner": None,
            "fits": False,
            "iv_fits": True,
            "claims": {"node": "11242238", "device": "kitchen"},
        },
        {"group": "house", "owner": "attic", "fits": False, "iv_fits": False, "claims": None},
        {"group": None, "owner": None, "fits": False, "iv_fits": False, "claims": None},
    ]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("passphrase", "only its MAC is wrong"),
        ("data_key", "another data_key"),
        ("iv_key", "other keys (iv_key or static_iv"),
        ("static_iv", "other keys (iv_key or static_iv"),
    ],
)
def test_which_key_is_another(keyring: Path, key: str, says: str) -> None:
    lines = keyring.read_text().splitlines()
    other = [
        f'{key} = {{ text = "sixteen letters." }}' if each.startswith(key) else each
        for each in lines
    ]
    keyring.write_text("\n".join(other))
    result = run("inspect", frame(), "--session", SESSION)
    assert result.exit_code == 1
    assert says in " ".join(result.stdout.split())


def test_a_topic_of_no_group(keyring: Path) -> None:
    result = run("inspect", frame(), "--session", SESSION, "--topic", "elsewhere/x")
    assert result.exit_code == 1
    assert "No group of the keyring has a topic filter that matches" in result.stdout
    assert keyring.exists()


def test_data_that_would_move_a_terminal(keyring: Path) -> None:
    for data, shown in ((b"\x1b[2J", r"\x1b[2J"), (b"\xff", "0xff"), (b"", "(empty)")):
        result = run("inspect", frame(data), "--session", SESSION)
        assert shown in result.stdout
        assert "\x1b" not in result.stdout
    assert keyring.exists()


def test_json_of_a_frame_that_opens(keyring: Path) -> None:
    result = run("inspect", frame(b"\xff"), "--session", SESSION, "--json")
    assert json.loads(result.stdout)["findings"][0] == {
        "group": "house",
        "owner": None,
        "fits": True,
        "as_in_keyring": True,
        "mode": "text",
        "mac": "unpadded",
        "session": "given",
        "session_time": None,
        "device": "kitchen",
        "node": "11242238",
        "data": "/w==",
        "encoding": "base64",
    }
    assert_no_key(keyring, result.output)


# The command line.


@pytest.mark.parametrize("words", [(), (ARTICLE, "--file", "x")])
def test_one_frame(words: tuple[str, ...]) -> None:
    assert "either FRAME or --file" in sentence(run("inspect", *words), 2)


def test_files_that_are_not_there(home: Path) -> None:
    assert "/nowhere" in sentence(run("inspect", "--file", "/nowhere"), 1)
    # A keyring that was named must be there.
    assert "/nowhere" in sentence(run("inspect", ARTICLE, "--keyring", "/nowhere"), 1)
    letter = home / "letter.txt"
    letter.write_text("Dear Sir or Madam, this is no store, and it is longer than a header.\n" * 20)
    assert str(letter) in sentence(run("inspect", ARTICLE, "--state", str(letter)), 1)


def test_no_colour_in_a_pipe_and_colour_when_forced() -> None:
    assert "\x1b[" not in run_process("inspect", ARTICLE).stdout
    assert "\x1b[" in run_process("inspect", ARTICLE, FORCE_COLOR="1").stdout
    assert "\x1b[" not in run_process("inspect", ARTICLE, FORCE_COLOR="1", NO_COLOR="1").stdout
