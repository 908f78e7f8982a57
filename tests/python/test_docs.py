"""The documents say what is: examples, tables, links and settings are checked against the code."""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import paho.mqtt.client as mqtt
import pytest

import espseal
import espseal.paho
from broker import Mosquitto
from support import new_client, new_keyring, stop, wait_for

ROOT = Path(__file__).resolve().parents[2]
KEYRING = ROOT / "docs" / "keyring.md"
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "firmware").glob("*/*.md")]
)


def blocks(document: Path, language: str | None = None) -> list[str]:
    """The fenced blocks of a document, all of them or those of one language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return [text for tag, text in found if language is None or tag == language]


def section(document: Path, heading: str) -> str:
    """What stands between a heading and the next one."""
    text = document.read_text().split(f"\n{heading}\n", 1)[1]
    return re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its heading."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def anchors(document: Path) -> set[str]:
    """What a link to a heading of this document may say after its #."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    for link in links:
        if "://" in link:
            continue
        path, _, anchor = unquote(link).partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_is_there(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(" ".join(re.findall(r"^([a-z][a-z0-9 -]*):", makefile, re.MULTILINE)).split())
    named = set(
        re.findall(r"`make ([a-z0-9-]+)`|^\$ make ([a-z0-9-]+)", document.read_text(), re.MULTILINE)
    )
    assert {name for pair in named for name in pair if name} <= targets


def test_the_versions_that_are_named() -> None:
    rust = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    readme = (ROOT / "README.md").read_text()
    assert re.findall(r"Rust (\d[\d.]*\d)", readme) == [rust]
    assert {f">={each}" for each in re.findall(r"Python (\d[\d.]*\d)", readme)} == {python}


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"


# The keyring.


def load(text: str, folder: Path) -> espseal.Keyring | espseal.Device:
    """Reads a block as what it is: only the file of a device has a table `[classic]`."""
    if "\n[classic]\n" not in text:
        return espseal.Keyring.parse(text)
    path = folder / "device.toml"
    path.touch(mode=0o600)
    path.write_text(text)
    return espseal.Device.load(path)


@pytest.mark.parametrize("text", blocks(KEYRING, "toml"))
def test_every_example_of_the_keyring_is_valid(text: str, tmp_path: Path) -> None:
    loaded = load(text, tmp_path)
    if isinstance(loaded, espseal.Keyring):
        assert [device.name for device in loaded.devices] == ["kitchen", "cellar", "attic"]
        assert loaded.warnings == []
    else:
        assert (loaded.name, loaded.topic) == ("kitchen", "sensors/kitchen")


EXAMPLE, DEVICE = blocks(KEYRING, "toml")
INLINE = 'sealed = { fleet = "home", address = "0011223344556677" }\n'
SEALED = EXAMPLE.replace(INLINE, '[device.sealed]\nfleet = "home"\naddress = "0011223344556677"\n')


@pytest.mark.parametrize(
    ("heading", "text", "line"),
    [
        ("## At the top", EXAMPLE, "version = 1"),
        ("## `[[classic_group]]`", EXAMPLE, "[[classic_group]]"),
        ("## `[[fleet]]`", EXAMPLE, "[[fleet]]"),
        ("## `[[device]]`", EXAMPLE, "[[device]]"),
        ("### `classic` of a device", EXAMPLE, "[device.classic]"),
        ("### `sealed` of a device", SEALED, "[device.sealed]"),
        ("## The four keys", EXAMPLE, "[classic_group.keys]"),
        ("## The file of a single device", DEVICE, "version = 1"),
        ("### `[classic]` in the file of a device", DEVICE, "[classic]"),
    ],
)
def test_every_field_is_explained(heading: str, text: str, line: str, tmp_path: Path) -> None:
    """The code says which fields it knows when it meets one that it does not."""
    with pytest.raises(espseal.KeyringError) as raised:
        load(text.replace(f"{line}\n", f"{line}\nnonsense = 1\n", 1), tmp_path)
    assert raised.value.code == "unknown_field"
    known = set(str(raised.value).split("known here: ")[1].split(", "))
    if heading == "### `classic` of a device":
        known.add("topic")  # in layout port, where `node_id` is none
    explained = [re.findall(r"`(\w+)`", cells[0]) for cells in rows(section(KEYRING, heading))]
    assert {name for names in explained for name in names} == known


def test_every_field_of_a_provisioning_file_is_explained(tmp_path: Path) -> None:
    (text,) = blocks(KEYRING, "json")
    path = tmp_path / "attic.json"
    path.touch(mode=0o600)
    path.write_text(text)
    device = espseal.Device.load(path)
    given = {**json.loads(text), "up_topic": device.topic}
    del given["version"], given["device_key"]
    seen = {name: getattr(device, "topic" if name == "up_topic" else name) for name in given}
    assert seen == given
    path.write_text(text.replace("{", '{"nonsense": 1,', 1))
    with pytest.raises(espseal.KeyringError) as raised:
        espseal.Device.load(path, state=tmp_path / "another")
    known = set(str(raised.value).split("known here: ")[1].split(", "))
    table = rows(section(KEYRING, "## What a sealed device is given"))
    assert {name for cells in table for name in re.findall(r"`(\w+)`", cells[0])} == known


GROUP = EXAMPLE.split("[[device]]")[0]
KITCHEN = '[[device]]\nname = "kitchen"\nclassic = { group = "greenhouse", node_id = "11242238" }\n'
MISTAKES = {
    "syntax": EXAMPLE.replace('"kitchen"', '"kitchen'),
    "unsupported_version": EXAMPLE.replace("version = 1", "version = 2"),
    "missing_field": EXAMPLE.replace('topic = "sensors/+"\n', ""),
    "unknown_field": EXAMPLE.replace('name = "kitchen"', 'name = "kitchen"\ncolour = "red"'),
    "invalid_value": EXAMPLE.replace('"11242238"', "11242238"),
    "wrong_key_length": EXAMPLE.replace("2233445566778899aabbccddeeff0011", "22"),
    "article_keys": GROUP.replace(
        '{ hex = "112233445566778899aabbccddeeff00" }', '{ text = "0123456789abcdef" }'
    ),
    "duplicate_name": EXAMPLE + KITCHEN.replace("11242238", "1"),
    "duplicate_address": EXAMPLE + KITCHEN.replace("kitchen", "shed"),
    "no_group": EXAMPLE + KITCHEN.replace("kitchen", "shed").replace("greenhouse", "nowhere"),
    "no_fleet": EXAMPLE.replace('fleet = "home"', 'fleet = "barn"'),
    "no_format": EXAMPLE + '[[device]]\nname = "shed"\n',
    "revoked": EXAMPLE.replace('"0011223344556677"', '"0011223344556677", revoked = true'),
}


def mistakes() -> dict[str, re.Pattern[str]]:
    """The codes that docs/keyring.md lists, and what their messages end with."""
    found = {}
    for code, message, _ in rows(section(KEYRING, "## What a mistake says")):
        text = re.findall(r"`(.*?)`", message)[0]
        found[code.strip("`")] = re.compile(re.escape(text).replace("…", ".*") + "$")
    return found


def complaint(code: str, folder: Path) -> espseal.KeyringError:
    """Makes a mistake and returns what is said of it."""
    path = folder / "keyring.toml"
    path.touch(mode=0o600)
    path.write_text(MISTAKES.get(code, EXAMPLE))
    with pytest.raises(espseal.KeyringError) as raised:
        if code == "no_file":
            path.unlink()
        elif code == "io":
            path.write_bytes(b"\xff")
        elif code == "already_exists":
            espseal.KeyringFile.create(path)
        elif code == "wide_permissions":
            path.chmod(0o644)
        elif code == "unknown_name":
            espseal.Device.from_keyring(espseal.Keyring.load(path), "shed")
        elif code == "not_sealed":
            espseal.Keyring.load(path).provision("kitchen")
        elif code == "not_classic":
            espseal.KeyringFile.open(path).remove("attic", only="classic")
        elif code == "revoked":
            espseal.Keyring.load(path).provision("attic")
        espseal.Keyring.load(path)
    return raised.value


@pytest.mark.parametrize("code", list(mistakes()))
def test_every_mistake_says_what_is_listed(code: str, tmp_path: Path) -> None:
    error = complaint(code, tmp_path)
    assert error.code == code
    said = str(error).replace("`", "").replace(str(tmp_path), "")
    assert mistakes()[code].search(said), said


def test_every_mistake_is_listed() -> None:
    source = (ROOT / "src" / "error.rs").read_text()
    code = source.split("impl KeyringProblem")[1].split("\n}\n")[0]
    assert set(re.findall(r'=> "(\w+)"', code)) == set(mistakes())


# The verdicts.


def test_every_verdict_is_explained() -> None:
    readme = section(ROOT / "README.md", "## What the verdicts mean")
    assert set(re.findall(r"`(\w+)`", readme)) >= {str(verdict) for verdict in espseal.Verdict}
    explained = [cells[0].strip("`") for cells in rows(readme)]
    security = rows(section(ROOT / "SECURITY.md", "## What to do about a verdict"))
    assert {"fresh", *(cells[0].strip("`") for cells in security)} == set(explained)
    assert len(set(explained)) == len(explained)


# The broker.


def test_the_listener_lets_devices_in_that_have_a_password(tmp_path: Path) -> None:
    """The lines of the README, on another port and with another password file."""
    broker = Mosquitto(tmp_path, passwords={"kitchen": "secret"})
    (lines,) = [each for each in blocks(ROOT / "README.md", "text") if "listener" in each]
    for there, here in {
        "1883": str(broker.port),
        "/etc/mosquitto/passwd": str(tmp_path / "passwords"),
    }.items():
        assert lines.count(there) == 1
        lines = lines.replace(there, here)
    # As root it would become a user who may not read the test's folder.
    (tmp_path / "mosquitto.conf").write_text(f"{lines}user root\n")
    answers: list[bool] = []
    with broker:
        for password in ("secret", "wrong", None):
            client = new_client()
            client.on_connect = lambda *arguments: answers.append(arguments[3].is_failure)
            client.username_pw_set("kitchen", password)
            client.connect(broker.host, broker.port)
            client.loop_start()
            wait_for(lambda: answers, "the broker's answer")
            stop(client)
            assert answers.pop(0) is (password != "secret")
            answers.clear()


class User:
    """A client with a password that hears whatever it may."""

    def __init__(self, broker: Mosquitto, name: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.client = new_client()
        self.client.username_pw_set(name, name)
        self.client.on_message = self._take
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        granted: list[object] = []
        self.client.on_subscribe = lambda *_: granted.append(True)
        wait_for(self.client.is_connected, "the connection")
        self.client.subscribe("sensors/#", 1)
        wait_for(lambda: granted, "the subscription")

    def send(self, topic: str, payload: bytes) -> None:
        """Publishes; a broker acknowledges what it then drops, too."""
        self.client.publish(topic, payload, 1).wait_for_publish(60)

    def _take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


def test_the_permissions_for_the_session_topic(tmp_path: Path) -> None:
    """The list in SECURITY.md: what it allows works, and nothing else does."""
    (acl,) = [each for each in blocks(ROOT / "SECURITY.md", "text") if "pattern" in each]
    names = ("host", "kitchen", "cellar")
    with Mosquitto(tmp_path, passwords={name: name for name in names}, acl=acl) as broker:
        host, kitchen, cellar = users = [User(broker, name) for name in names]
        kitchen.send("sensors/session", b"false")
        kitchen.send("sensors/cellar", b"not mine")
        kitchen.send("sensors/kitchen", b"mine")
        host.send("sensors/session", b"true")
        session = ("sensors/session", b"true")
        wait_for(lambda: all(session in user.heard for user in users), "the session ID")
        assert host.heard == [("sensors/kitchen", b"mine"), session]
        assert kitchen.heard == cellar.heard == [session]

        keyring = new_keyring(tmp_path, {"kitchen": "11242238"})
        receiver = espseal.Receiver(keyring, espseal.Store.memory())
        device = espseal.Device.from_keyring(keyring, "kitchen")
        fresh: list[espseal.Message] = []
        attachment = espseal.paho.attach(
            host.client, receiver, "sensors/+", on_message=fresh.append
        )
        wait_for(lambda: device.hear(cellar.heard[-1][1]), "a session ID")
        kitchen.send("sensors/kitchen", device.seal("21.5"))
        wait_for(lambda: fresh, "the reading")
        assert (fresh[0].device, fresh[0].text, attachment.refused) == ("kitchen", "21.5", ())
        for user in users:
            stop(user.client)


# The picture.


def test_the_picture_stands_by_itself() -> None:
    """One file, no font and no image from elsewhere, and words for those who cannot see it."""
    picture = (ROOT / "docs" / "data-way.svg").read_text()
    assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)(\w[^\"')]*)", picture) == []
    assert "<title" in picture
    assert "<desc" in picture


def test_no_path_of_one_machine_is_named() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"/(root|tmp|work)/", document.read_text()), document
