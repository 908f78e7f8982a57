"""``espseal keyring import``: the keys out of people's programs, and never on the screen."""

import tomllib
from pathlib import Path

import pytest

from espseal import Keyring, KeyringFile
from espseal.cli.keyring.sketch import FIELDS, read
from test_cli import assert_no_key, at_a_terminal, home, run, run_process, sentence

__all__ = ["home"]

SKETCHES = Path(__file__).parent / "sketches"
OPTIONS = ("--name", "attic", "--topic", "attic/+", "--session-topic", "attic/session")

IV = bytes(range(0x10, 0x20))
KEYS = {
    "sender.lua": (
        b"test-only iv key",
        b"test-only data k",
        b"short iv" + bytes(8),
        b'test "only" -- no comment',
    ),
    "config.lua": (bytes(range(16)), b"test-only data k", IV, b"test only passphrase"),
    "Sensor.ino": (
        b"test-only iv key",
        b"test-only data k",
        b"\x10\x11\x12\x13\x14\x15\x16\x17abcd\x1c\x1d\x1e\x1f",
        b"test only // passphrase",
    ),
    "Terminated.cpp": (b"test-only iv key", b"test-only data k", IV, b"test only passphrase"),
    "receiver.py": (b"test-only iv key", b"test-only data k", IV, b"a word or 2"),
}
PORT = b"static-iv--test!iv-key-for-tests0data-key--tests1mac-key--tests2"
PORT_EXAMPLE = "07BN(%$*Xs-`9YKjRIv=5[a&HTn3s%@@OnKFPBjh`d=]t#wH)qDOW9yWW+fZT1xL"


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty keyring, the default one."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    KeyringFile.create(path)
    return path


def group(keyring: Path) -> dict[str, object]:
    """The only group of a keyring, as it stands in the file."""
    groups: list[dict[str, object]] = tomllib.loads(keyring.read_text()).get("classic_group", [])
    assert len(groups) == 1
    return groups[0]


def keys(keyring: Path) -> dict[str, bytes]:
    found = group(keyring)["keys"]
    assert isinstance(found, dict)
    return {name: bytes.fromhex(value["hex"]) for name, value in found.items()}


def written(folder: Path, text: str, name: str = "sketch.lua") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_of_a_sketch(keyring: Path, name: str) -> None:
    result = run("keyring", "import", str(SKETCHES / name), *OPTIONS)
    assert result.exit_code == 0, result.output
    assert keys(keyring) == dict(zip(FIELDS, KEYS[name], strict=True))
    added = Keyring.load(keyring).groups[0]
    assert (added.name, added.topic, added.session_topic) == ("attic", "attic/+", "attic/session")
    assert "allow_article_keys" not in keyring.read_text()
    assert_no_key(keyring, result.output)
    for key in KEYS[name]:
        assert key.decode("latin-1") not in result.output


def test_it_shows_where_each_key_stands() -> None:
    shown = run("keyring", "import", str(SKETCHES / "Sensor.ino"), *OPTIONS).stdout
    rows = [line.split() for line in shown.splitlines()[2:6]]
    assert rows == [
        ["iv_key", "8", "16", "bytes", "text"],
        ["data_key", "6", "16", "bytes", "text"],
        ["static_iv", "9", "16", "bytes", "bytes"],
        ["passphrase", "11", "23", "bytes", "text"],
    ]


def test_the_next_command_works(keyring: Path) -> None:
    result = run("keyring", "import", str(SKETCHES / "sender.lua"), *OPTIONS)
    command = result.stdout.splitlines()[-1].split()
    assert run(*command[1:]).exit_code == 0
    assert [each.group for each in Keyring.load(keyring).devices] == ["attic"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('ivkey="a key of 16 byte"', b"a key of 16 byte"),
        ("IV_KEY = 'a key of 16 byte' -- mine", b"a key of 16 byte"),
        ("local ivKey = [[a key of 16 byte]]", b"a key of 16 byte"),
        ("local ivKey = [==[\na ]] of 16 bytes]==]", b"a ]] of 16 bytes"),
        ('keys["iv_key"] = "a key of 16 byte"', b"a key of 16 byte"),
        ('M.ivkey = "a\\32key\\x20of 16 byte"', b"a key of 16 byte"),
        ('ivkey = "a \\"key\\" of 16b."', b'a "key" of 16b.'),
        ('ivkey = encoder.fromHex("00ff")', b"\x00\xff"),
        ("ivkey = file.read()", None),
        ('ivkey = crypto.hash("sha1", "x")', None),
        ('ivkey = "a" .. node.chipid()', None),
    ],
)
def test_spellings_in_lua(tmp_path: Path, text: str, found: bytes | None) -> None:
    sketch = read(Path(written(tmp_path, f"-- a comment\n{text}\n")))
    assert [(each.line, each.value) for each in sketch.keys["iv_key"]] == [(2, found)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('const char* ivkey = "a key";', b"a key"),
        ('const char *const iv_key PROGMEM = "a key";', b"a key"),
        ('static char ivKey[17] = "a key";', b"a key"),
        ('String ivKey = String("a key");', b"a key"),
        ('String ivKey("a key");', b"a key"),
        ('String ivKey = F("a key");', b"a key"),
        ('std::string ivKey{"a key"};', b"a key"),
        ('const uint8_t* kIvKey = (const uint8_t*)"a key";', b"a key"),
        ('#define IVKEY "a key"', b"a key"),
        ('#define IV_KEY ("a key")', b"a key"),
        ("#define IV_KEY {0x61, 0x20, 'k', 101, 121}", b"a key"),
        ("uint8_t ivKey[] = { 0x61,0x20,0x6B, 0x65,0x79, };", b"a key"),
        ('this->ivKey = "a key";', b"a key"),
        ('const char ivkey[] = "a" " key";', b"a key"),
        ('const char ivkey[] = "\\x61\\40key\\n";', b"a key\n"),
        ("byte ivKey[] = { 300 };", None),
        ('const char* ivkey = getenv("IVKEY");', None),
    ],
)
def test_spellings_in_cpp(tmp_path: Path, text: str, found: bytes | None) -> None:
    sketch = read(Path(written(tmp_path, f"/* a\ncomment */ {text}\n", "sketch.ino")))
    assert [(each.line, each.value) for each in sketch.keys["iv_key"]] == [(2, found)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ivkey = 'a key'", b"a key"),
        ("IV_KEY: Final[bytes] = b'a key'", None),
        ("IV_KEY: bytes = b'a key'", b"a key"),
        ('iv_key = """a key"""', b"a key"),
        ('self._iv_key = r"a\\key"', b"a\\key"),
        ("iv_key = bytes([0x61, 0x20, 0x6b, 0x65, 0x79])", b"a key"),
        ("iv_key = bytearray(b'a key')", b"a key"),
        ("iv_key = bytes.fromhex('61 20 6b 65 79')", b"a key"),
        ("iv_key = binascii.unhexlify(b'61206b6579')", b"a key"),
        ("iv_key = 'a key'.encode()", b"a key"),
        ("keys = {'ivkey': b'a key'}", b"a key"),
        ("keys = dict(ivkey=b'a key')", b"a key"),
        ("iv_key = os.environ['IVKEY']", None),
    ],
)
def test_spellings_in_python(tmp_path: Path, text: str, found: bytes | None) -> None:
    sketch = read(Path(written(tmp_path, f"# a comment\n{text}\n", "sketch.py")))
    assert found in [each.value for each in sketch.keys["iv_key"]]
    assert {each.line for each in sketch.keys["iv_key"]} == {2}


@pytest.mark.parametrize("name", [*KEYS, "Port.ino", "article.lua"])
def test_the_language_shows_in_the_text(tmp_path: Path, name: str) -> None:
    text = (SKETCHES / name).read_text()
    anonymous = read(Path(written(tmp_path, text, "sketch")))
    named = read(SKETCHES / name)
    assert anonymous == named


def test_what_is_used_only_is_not_set(tmp_path: Path) -> None:
    text = """
iv = crypto.decrypt("AES-CBC", ivkey, encrypted_iv, staticiv)
if ivkey == "a key of 16 byte" then print("datakey") end
"""
    sketch = read(Path(written(tmp_path, text)))
    assert not any(sketch.keys.values())


# The keys that everyone has.


@pytest.mark.parametrize("field", FIELDS)
def test_the_keys_of_the_article_are_refused(keyring: Path, home: Path, field: str) -> None:
    own = {"iv_key": "a" * 16, "data_key": "b" * 16, "static_iv": "c" * 16, "passphrase": "d" * 16}
    article = {
        each: (read(SKETCHES / "article.lua").keys[each][0].value or b"").decode()
        for each in FIELDS
    }
    text = "".join(f'{name} = "{key}"\n' for name, key in (own | {field: article[field]}).items())
    before = keyring.read_bytes()
    result = run("keyring", "import", written(home, text), *OPTIONS)
    said = sentence(result, 1)
    assert f"The {field} is printed in the article" in said
    assert "--allow-article-keys" in said
    assert article[field] not in result.output
    assert keyring.read_bytes() == before


def test_the_keys_of_the_article_are_allowed(keyring: Path) -> None:
    path = str(SKETCHES / "article.lua")
    result = run("keyring", "import", path, *OPTIONS, "--allow-article-keys")
    assert result.exit_code == 0, result.output
    assert "warning: everyone knows" in result.stdout
    assert group(keyring)["allow_article_keys"] is True
    assert_no_key(keyring, result.output)


# The port.


def test_the_key_of_the_port(keyring: Path) -> None:
    options = ("--name", "roof", "--topic", "roof/+")
    result = run("keyring", "import", str(SKETCHES / "Port.ino"), *options)
    assert result.exit_code == 0, result.output
    assert "stale_session" in result.stdout
    assert keys(keyring) == {
        "static_iv": PORT[:16],
        "iv_key": PORT[16:32],
        "data_key": PORT[32:48],
        "passphrase": PORT[48:],
    }
    added = Keyring.load(keyring).groups[0]
    assert (added.layout, added.session_topic) == ("port", None)
    assert_no_key(keyring, result.output)
    assert PORT.decode() not in result.output
    command = result.stdout.splitlines()[-1].replace("sensors/kitchen", "roof/wind").split()
    assert run(*command[1:]).exit_code == 0


def test_the_port_with_replays_accepted(keyring: Path) -> None:
    options = ("--name", "roof", "--topic", "roof/+", "--danger-accept-replays")
    result = run("keyring", "import", str(SKETCHES / "Port.ino"), *options)
    assert result.exit_code == 0, result.output
    assert group(keyring)["danger_accept_replays"] is True
    assert "stale_session" not in result.stdout


@pytest.mark.parametrize(
    "line",
    [
        f'crypto.setKey("{PORT.decode()}");',
        f'#define CRYPTO_KEY "{PORT.decode()}"',
        f'const char secretKey[65] = "{PORT.decode()}";',
    ],
)
def test_spellings_of_the_key_of_the_port(tmp_path: Path, line: str) -> None:
    sketch = read(Path(written(tmp_path, f"{line}\n", "sketch.ino")))
    assert [each.value for each in sketch.port] == [PORT]


def test_the_example_of_the_port_is_refused(home: Path) -> None:
    file = written(home, f'String key = "{PORT_EXAMPLE}";', "sketch.ino")
    options = ("--name", "roof", "--topic", "roof/+")
    result = run("keyring", "import", file, *options)
    assert "in the examples of the Arduino port" in sentence(result, 1)
    assert PORT_EXAMPLE not in result.output
    result = run("keyring", "import", file, *options, "--allow-article-keys")
    assert result.exit_code == 0, result.output
    assert "everyone knows the key" in result.stdout


def test_the_port_has_no_session_topic() -> None:
    result = run("keyring", "import", str(SKETCHES / "Port.ino"), *OPTIONS)
    assert "no session" in sentence(result, 2)


# What is wrong.


def test_what_is_missing(home: Path) -> None:
    result = run("keyring", "import", written(home, 'ivkey = "a key of 16 byte"\n'), *OPTIONS)
    assert "Missing in this file: data_key, static_iv, passphrase" in sentence(result, 1)
    assert result.stdout.count("missing") == 3
    result = run("keyring", "import", written(home, "print('hello')\n"), *OPTIONS)
    assert "no keys of the article" in sentence(result, 1)


def test_a_key_that_is_not_written_out() -> None:
    said = sentence(run("keyring", "import", str(SKETCHES / "elsewhere.lua"), *OPTIONS), 1)
    assert "static_iv is set in line 1, but not to a value that stands there" in said


def test_a_key_with_two_values() -> None:
    said = sentence(run("keyring", "import", str(SKETCHES / "two.lua"), *OPTIONS), 1)
    assert "iv_key has different values in the lines 2, 5" in said


def test_a_key_of_a_wrong_length(keyring: Path, home: Path) -> None:
    text = 'staticiv = "sixteen bytes...";ivkey = "fifteen bytes..";datakey = "sixteen bytes..."'
    before = keyring.read_bytes()
    result = run("keyring", "import", written(home, f'{text};passphrase = "p"'), *OPTIONS)
    assert "iv_key: is 15 bytes long" in sentence(result, 1)
    assert keyring.read_bytes() == before
    assert "fifteen" not in result.output


def test_a_file_that_is_not_there() -> None:
    assert "/nowhere.lua" in sentence(run("keyring", "import", "/nowhere.lua", *OPTIONS), 1)


def test_a_file_that_is_no_text(home: Path) -> None:
    path = home / "picture.png"
    path.write_bytes(bytes(range(256)) * 10)
    assert "no keys" in sentence(run("keyring", "import", str(path), *OPTIONS), 1)


# The questions.


def test_nobody_to_ask() -> None:
    file = str(SKETCHES / "config.lua")
    for left_out in ("--name", "--topic", "--session-topic"):
        at = OPTIONS.index(left_out)
        result = run_process("keyring", "import", file, *OPTIONS[:at], *OPTIONS[at + 2 :])
        assert left_out in sentence(result, 2)


def test_it_asks_for_what_no_option_says(keyring: Path) -> None:
    output, code = at_a_terminal(
        ("keyring", "import", str(SKETCHES / "sender.lua")),
        [
            ("name of the group", "\n"),
            ("name of the group", "attic\n"),
            ("topic filter", "attic/+\n"),
            ("session IDs", "\n"),
        ],
    )
    assert code == 0, output
    # What the program publishes on and subscribes to is offered.
    assert "(Enter: attic/temperature)" in output
    added = Keyring.load(keyring).groups[0]
    assert (added.name, added.topic, added.session_topic) == ("attic", "attic/+", "attic/sessionID")
    assert_no_key(keyring, output)
