"""The page of configure mode, filled in by Chromium at the size of a phone."""

import base64
import datetime
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page, expect

import espseal
from espseal.cli.provision import as_json
from espseal.cli.provision.surroundings import Surroundings
from support import wait_for

from .access_point import (
    REFERENCE,
    Scheme,
    ask,
    canonical,
    chromium,
    fresh,
    loaded,
    opened,
    phone,
    restarted,
    stored_text,
)
from .conftest import OUT
from .reference_board import Reference

SHOTS: Final = OUT / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Compiled once."""
    return Reference(tmp_path_factory.mktemp("board"))


@pytest.fixture
def board(program: Reference) -> Reference:
    return fresh(program)


@pytest.fixture
def port(board: Reference) -> Iterator[int]:
    with opened(board) as port:
        yield port


@pytest.fixture
def page(browser: Browser, port: int) -> Iterator[Page]:
    with phone(browser, port) as page:
        yield page


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Any]:
    """What `espseal provision lamp --format json` writes, as a file and as what is in it."""
    created = espseal.KeyringFile.create(tmp_path / "keyring.toml")
    created.add_fleet("home")
    created.add_sealed("lamp", fleet="home")
    around = Surroundings(mqtt_host="broker.example", mqtt_port=1884, wifi_ssid="my house")
    text = as_json.render(espseal.Keyring.load(created.path).provision("lamp"), around)
    (tmp_path / "lamp.json").write_text(text)
    given: dict[str, Any] = json.loads(text)
    return given


LABELS: Final = {
    "Name": "name",
    "Name of the network (SSID)": "wifi_ssid",
    "Host name or IP address": "mqtt_host",
    "Port": "mqtt_port",
    "Readings (up)": "up_topic",
    "Hello": "hello_topic",
    "Commands (down)": "down_topic",
    "Beacon of the host": "beacon_topic",
    "Address, 16 hex digits": "address",
    "Device key, 64 hex digits": "device_key",
    "Epoch of this key": "epoch",
}


def type_in(page: Page, given: dict[str, Any]) -> None:
    """Puts a provisioning file in by hand, as labels lead."""
    for label, name in LABELS.items():
        page.get_by_label(label, exact=True).fill(str(given[name]))


def save(page: Page) -> None:
    """Presses the button, and waits for what the board says."""
    with page.expect_response(lambda response: response.url.endswith("/settings")):
        page.get_by_role("button", name="Save, and run").tap()
    page.locator("#save:not([disabled])").wait_for(state="attached")


def problem(page: Page, name: str) -> str:
    """What is said beside an input, where it can be seen; "" if nothing is."""
    field = page.locator(f"#{name}")
    note = page.locator(f"#{name}_problem")
    if note.count() == 0:
        assert field.get_attribute("aria-invalid") is None
        return ""
    assert field.get_attribute("aria-invalid") == "true"
    assert field.get_attribute("aria-describedby") == f"{name}_problem"
    field.scroll_into_view_if_needed()
    above, below = field.bounding_box(), note.bounding_box()
    assert above is not None
    assert below is not None
    assert 0 <= below["y"] - above["y"] - above["height"] < 20
    return note.inner_text()


def blamed(page: Page) -> set[str]:
    """The inputs beside which something is said."""
    marked = page.locator("[aria-invalid]")
    return {str(marked.nth(at).get_attribute("id")) for at in range(marked.count())}


def test_an_empty_board_is_provisioned_by_hand(
    board: Reference, page: Page, file: dict[str, Any]
) -> None:
    assert page.locator("#state").inner_text() == "not provisioned"
    assert page.locator("#is_address").inner_text() == "none"
    type_in(page, file)
    page.get_by_label("Password", exact=True).nth(0).fill("secret of the house")
    page.get_by_label("A reading every … seconds").fill("30")
    page.get_by_label("IP address", exact=True).select_option("static")
    for name, value in {
        "Address of the board": "192.168.1.50",
        "Gateway": "192.168.1.1",
        "Network mask": "255.255.255.0",
        "DNS server": "192.168.1.1",
    }.items():
        page.get_by_label(name).fill(value)
    save(page)
    assert page.locator("#after_title").inner_text() == "Saved"
    said = page.locator("#after_text").inner_text()
    assert str(file["address"]) in said
    assert "my house" in said
    assert not page.locator("#form").is_visible()
    assert stored_text(board) == canonical(
        file
        | {"wifi_password": "secret of the house", "interval": "30"}
        | {"ip_address": "192.168.1.50", "ip_gateway": "192.168.1.1"}
        | {"ip_mask": "255.255.255.0", "ip_dns": "192.168.1.1"}
    )
    assert bytes.fromhex(file["device_key"]) in board.flash
    restarted(board)


@pytest.mark.parametrize("way", ["file", "paste"])
def test_a_provisioning_file_fills_it_in(
    board: Reference, page: Page, file: dict[str, Any], tmp_path: Path, way: str
) -> None:
    page.get_by_text("Fill in from a provisioning file").tap()
    if way == "file":
        page.get_by_label("Choose the file").set_input_files(tmp_path / "lamp.json")
    else:
        page.get_by_label("or paste it").fill((tmp_path / "lamp.json").read_text())
        page.get_by_role("button", name="Fill in").tap()
    page.get_by_text("inputs are filled in").wait_for()
    # The key does not stay to be looked at.
    assert page.locator("#json_text").input_value() == ""
    assert page.locator("#mqtt_port").input_value() == "1884"
    save(page)
    assert page.locator("#after_title").inner_text() == "Saved"
    assert stored_text(board) == canonical(file)
    assert bytes.fromhex(file["device_key"]) in board.flash


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"version": 2}', '{"name": "x"}'])
def test_what_is_no_provisioning_file_is_said_so(page: Page, text: str) -> None:
    page.get_by_text("Fill in from a provisioning file").tap()
    page.get_by_label("or paste it").fill(text)
    page.get_by_role("button", name="Fill in").tap()
    assert problem(page, "json_text").startswith("This is no ")
    assert page.locator("#name").input_value() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "x" * 200),
        ("wifi_ssid", "x" * 33),
        ("wifi_password", "short"),
        ("mqtt_host", "two words"),
        ("mqtt_port", "70000"),
        ("up_topic", "home/#"),
        ("address", "0123"),
        ("device_key", "not hex"),
        ("epoch", "often"),
        ("interval", "-1"),
        ("ip_mask", "255.255.255.999"),
        ("tls_fingerprint", "12:34"),
        ("tls_public_key", "****"),
        ("tls_ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
    ],
)
def test_what_is_wrong_is_said_beside_the_input(
    board: Reference, page: Page, file: dict[str, Any], name: str, value: str
) -> None:
    type_in(page, file)
    if name.startswith("ip_"):
        page.locator("#addressing").select_option("static")
    if name.startswith("tls_"):
        page.locator("#transport").select_option(name.removeprefix("tls_"))
    right = str(file.get(name, ""))
    page.locator(f"#{name}").fill(value)
    save(page)
    assert blamed(page) == {name}
    assert len(problem(page, name)) > 10
    assert page.evaluate("document.activeElement.id") == name
    assert page.get_by_role("alert").filter(visible=True).first.inner_text() == (
        "One input needs a change."
    )
    assert stored_text(board) is None
    # What was typed is still there, and what is changed is no longer blamed.
    assert page.locator("#mqtt_host").input_value() == file["mqtt_host"] or name == "mqtt_host"
    page.locator(f"#{name}").fill(right)
    assert blamed(page) == set()


def test_all_that_is_wrong_is_shown_and_the_first_is_focused(
    board: Reference, page: Page, file: dict[str, Any]
) -> None:
    type_in(page, file | {"epoch": "x", "mqtt_port": "0", "address": "0"})
    save(page)
    assert blamed(page) == {"mqtt_port", "address", "epoch"}
    assert page.evaluate("document.activeElement.id") == "mqtt_port"
    assert page.locator("#alert").inner_text() == "3 inputs need a change."
    type_in(page, file)
    save(page)
    assert page.locator("#after_title").inner_text() == "Saved"
    assert stored_text(board) == canonical(file)


def test_what_is_missing_is_said_beside_the_input(
    board: Reference, page: Page, file: dict[str, Any]
) -> None:
    for name in ("wifi_ssid", "mqtt_host", "address", "device_key"):
        type_in(page, file | {name: ""})
        save(page)
        assert blamed(page) == {name}
    assert stored_text(board) is None


def visible_inputs(page: Page) -> set[str]:
    """The inputs of the transport that can be seen, but for the choice."""
    inputs = page.locator("[data-when^='transport='] :is(input, textarea)").filter(visible=True)
    return {str(inputs.nth(at).get_attribute("id")) for at in range(inputs.count())}


def certificate() -> tuple[str, str, bytes, bytes]:
    """A certificate and its public key: PEM of both, DER of both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a broker")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    public = key.public_key()
    return (
        made.public_bytes(pem).decode(),
        public.public_bytes(pem, form).decode(),
        made.public_bytes(der),
        public.public_bytes(der, form),
    )


def test_each_transport_shows_its_inputs_alone(
    board: Reference, page: Page, file: dict[str, Any]
) -> None:
    choice = page.get_by_label("To the broker")
    shown = {}
    for transport in ("plain", "fingerprint", "public_key", "ca", "insecure"):
        choice.select_option(transport)
        shown[transport] = visible_inputs(page)
        assert page.locator("#mqtt_port").get_attribute("placeholder") == (
            "1883" if transport == "plain" else "8883"
        )
    assert shown == {
        "plain": set(),
        "fingerprint": {"tls_fingerprint"},
        "public_key": {"tls_public_key"},
        "ca": {"tls_ca", "ntp_server"},
        "insecure": {"confirm"},
    }
    # Insecure is asked for twice, and PEM and colons are taken as people have them.
    type_in(page, file | {"mqtt_port": ""})
    save(page)
    assert blamed(page) == {"confirm"}
    page.get_by_label("Type insecure to confirm").fill("insecure")
    save(page)
    assert stored_text(board) == canonical(file | {"mqtt_port": "", "transport": "insecure"})


@pytest.mark.parametrize("transport", ["fingerprint", "public_key", "ca"])
def test_pins_are_taken_as_people_have_them(
    board: Reference, page: Page, file: dict[str, Any], transport: str
) -> None:
    ca, key, ca_der, key_der = certificate()
    typed, kept = {
        "fingerprint": (":".join(["AB"] * 20), "ab" * 20),
        "public_key": (key, base64.b64encode(key_der).decode()),
        "ca": (ca, base64.b64encode(ca_der).decode()),
    }[transport]
    type_in(page, file)
    page.get_by_label("To the broker").select_option(transport)
    page.locator(f"#tls_{transport}").fill(typed)
    save(page)
    assert page.locator("#after_title").inner_text() == "Saved"
    assert stored_text(board) == canonical(
        file | {"transport": transport, f"tls_{transport}": kept}
    )


def test_secrets_are_not_shown_again(
    browser: Browser, board: Reference, file: dict[str, Any]
) -> None:
    given = file | {"name": "it is \"here\" & 'there' <b>"}
    with opened(board) as port, phone(browser, port) as page:
        type_in(page, given)
        for name in ("wifi_password", "device_key"):
            assert page.locator(f"#{name}").get_attribute("type") == "password"
        page.get_by_label("Show passwords and keys as I type").check()
        assert page.locator("#device_key").get_attribute("type") == "text"
        page.locator("#wifi_password").fill("secret of the house")
        save(page)
        assert page.locator("#after_title").inner_text() == "Saved"
        restarted(board)
    heard: list[bytes] = []
    with opened(board) as port, phone(browser, port) as page:
        page.on("response", lambda response: heard.append(response.body()))
        page.reload()
        loaded(page)
        assert page.locator("#state").inner_text() == "provisioned"
        assert page.locator("#is_address").inner_text() == file["address"]
        assert page.locator("#name").input_value() == given["name"]
        for name in ("wifi_password", "mqtt_password", "device_key"):
            field = page.locator(f"#{name}")
            assert field.input_value() == ""
            assert (field.get_attribute("placeholder") == "Is set; empty keeps it.") == (
                name != "mqtt_password"
            )
        # What is not typed stays as it is; a password can be taken away.
        page.get_by_label("Take it away").check()
        save(page)
        assert page.locator("#after_title").inner_text() == "Saved"
    assert stored_text(board) == canonical(given)
    assert bytes.fromhex(file["device_key"]) in board.flash
    assert len(heard) >= 2
    assert all(file["device_key"].encode() not in body for body in heard)
    assert all(b"secret of the house" not in body for body in heard)


def test_the_button_of_the_page_saves_nothing(
    board: Reference, page: Page, file: dict[str, Any]
) -> None:
    type_in(page, file)
    page.get_by_role("button", name="Back to run").tap()
    page.get_by_text("nothing was saved.").wait_for()
    restarted(board)
    assert stored_text(board) is None


def test_it_says_that_the_time_is_over(page: Page) -> None:
    expect(page.locator("#left")).to_have_text(re.compile(r"in [45]:\d\d"))
    page.clock.install()
    page.reload()
    loaded(page)
    page.clock.fast_forward(301000)
    expect(page.locator("#after_title")).to_have_text("The time is over")
    assert not page.locator("#form").is_visible()


def test_typing_keeps_it_open(page: Page, port: int) -> None:
    wait_for(lambda: ask(port, "GET", "/state").said["seconds"] < 298, "a pause")
    with page.expect_response(lambda response: response.url.endswith("/stay")) as waiting:
        page.locator("#name").fill("kitchen")
    assert waiting.value.json()["seconds"] >= 299


def test_it_says_that_the_board_is_gone(board: Reference, page: Page) -> None:
    board.off()
    for button in ("Save, and run", "Back to run"):
        page.get_by_role("button", name=button).tap()
        page.get_by_text("The board does not answer.").wait_for()
        page.locator("#alert").evaluate("alert => { alert.hidden = true; }")


# The lightest contrast of any text, and of any border of an input, with what is behind it.
CONTRAST: Final = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const back = parts(getComputedStyle(element).backgroundColor);
      if (back.length === 3 || back[3] === 1) return back;
    }
    return null;
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one) + 0.05, light(other) + 0.05];
    return Math.max(a, b) / Math.min(a, b);
  };
  let text = 99, border = 99, count = 0;
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility() || element.tagName === 'SCRIPT') continue;
    const style = getComputedStyle(element), own = behind(element);
    if (element.matches('input,select,textarea')) {
      border = Math.min(border, ratio(parts(style.borderTopColor), behind(element.parentElement)));
      text = Math.min(text, ratio(parts(getComputedStyle(element, '::placeholder').color), own));
    }
    if ([...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) {
      text = Math.min(text, ratio(parts(style.color), own));
      count++;
    }
  }
  return [text, border, count];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_suits_a_phone_by_day_and_by_night(
    browser: Browser, port: int, file: dict[str, Any], scheme: Scheme
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with phone(browser, port, scheme) as page:
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", back))) > 3 * 128) == (scheme == "light")
        page.screenshot(path=SHOTS / f"page-{scheme}.png", full_page=True)
        type_in(page, file | {"mqtt_port": "70000", "wifi_ssid": ""})
        page.locator("#addressing").select_option("static")
        page.locator("#transport").select_option("insecure")
        page.get_by_text("Fill in from a provisioning file").tap()
        save(page)
        assert {"mqtt_port", "wifi_ssid", "confirm"} & blamed(page)
        text, border, count = page.evaluate(CONTRAST)
        assert text >= 4.5
        assert border >= 3
        assert count > 50
        page.screenshot(path=SHOTS / f"problems-{scheme}.png", full_page=True)
        # Nothing is cut off at the side, and everything is as large as a finger.
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for control in page.locator("input, select, textarea, button, label.tick").all():
            if control.is_visible() and control.get_attribute("type") != "checkbox":
                box = control.bounding_box()
                assert box is not None
                assert box["height"] >= 44


VOID: Final = {"meta", "link", "input", "br", "img", "hr"}


class Document(HTMLParser):
    """Takes HTML apart, and insists on what a browser would forgive."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.inputs: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), (tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if tag == "label" and "for" in given:
            self.labels.append(str(given["for"]))
        if tag in ("input", "select", "textarea"):
            self.inputs.append(given | {"in_label": "yes" if "label" in self.open else None})
        assert not any(name.startswith("on") for name in given)
        assert given.get("src") is None
        assert str(given.get("href", "data:")).startswith("data:")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"


def test_the_document_is_sound() -> None:
    source = (REFERENCE / "page.h").read_text()
    text = re.search(r'R"page\((.*)\)page";', source, re.DOTALL)
    assert text is not None
    assert len(text[1].encode()) < 16384
    assert "\t" not in text[1]
    document = Document(text[1])
    assert document.open == []
    assert len(document.ids) == len(set(document.ids))
    assert set(document.labels) <= set(document.ids)
    for given in document.inputs:
        assert given["id"] in document.labels or given["in_label"], given
    # Nothing comes from elsewhere.
    assert re.findall(r"https?://|@import|url\(", text[1]) == []
    # It has an input for each setting, and the board one for each of the page's.
    table = (REFERENCE / "fields.cpp").read_text()
    fields = re.findall(r'^    \{"(\w+)", Kind', table, re.MULTILINE)
    ours = {str(given["id"]) for given in document.inputs}
    assert len(fields) == 24
    assert ours - set(fields) == {"json_file", "json_text", "show", "addressing", "confirm"}
    assert set(fields) - ours == set()
