"""A board in configure mode: its page over a real socket, for a browser and for raw requests."""

import contextlib
import json
import re
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from support import wait_for

from .conftest import LIBRARY
from .reference_board import ORDER, Reference

REFERENCE: Final = LIBRARY / "examples" / "Reference"
# What needs no saying in the stored text.
INITIAL: Final = {"transport": "plain", "ntp_server": "pool.ntp.org", "interval": "60"}
# What the access point gives the board; the tests' network has it at another place.
ADDRESS: Final = "192.168.4.1"
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
Scheme = Literal["light", "dark"]
CHROMIUM: Final = "/usr/bin/chromium"


def fresh(board: Reference) -> Reference:
    """The board as it comes from the shop; it is off."""
    board.forget("flash.bin", "settings.bin", "rtc.bin", "pins", "access-point")
    board.lines.clear()
    return board


@contextmanager
def opened(board: Reference) -> Iterator[int]:
    """Switches the board on, presses reset twice, and switches it off again; the port that its page
    is on."""
    board.forget("ports")
    started = board.said("Reference/")
    (board.folder / "reset").write_text("6")
    with board:
        wait_for(lambda: board.said("Reference/") > started, "the first start")
        board.reset()
        yield port_of(board)


def port_of(board: Reference) -> int:
    """Where the board serves; waits until it does."""
    ports = board.folder / "ports"
    wait_for(ports.exists, "the access point")
    return int(ports.read_text().split()[1])


def restarted(board: Reference) -> None:
    """Waits until the board has left configure mode by itself."""

    def left() -> bool:
        starts = [line for line in board.lines if line.startswith("Reference/")]
        return "mode: configure" not in starts[-1]

    wait_for(left, "the restart")


@dataclass
class Answer:
    """What the board said to a request; status 0: it closed the connection without a word."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def said(self) -> dict[str, Any]:
        """The JSON in it."""
        said: dict[str, Any] = json.loads(self.text)
        return said


def exchange(port: int, request: bytes, *, half: bool = False) -> bytes:
    """Sends bytes, and reads until the board closes the connection.

    Arguments:
        port: of the board.
        request: what is sent; the board may close before all of it is.
        half: whether the board is told that nothing more comes.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
            if half:
                connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
                if complete(answer):
                    break
        return answer


def complete(answer: bytes) -> bool:
    """Whether an answer that says its length is whole."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"^Content-Length: (\d+)\r?$", head, re.MULTILINE)
    return bool(end) and length is not None and len(body) >= int(length[1])


def parse(answer: bytes) -> Answer:
    """Takes an answer apart."""
    if not answer:
        return Answer(0)
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    version, status, _ = first.split(" ", 2)
    assert version == "HTTP/1.1", first
    headers = dict(line.split(": ", 1) for line in lines)
    if "Content-Length" in headers:
        assert len(body) == int(headers["Content-Length"])
    return Answer(int(status), headers, body.decode())


def ask(
    port: int, method: str, path: str, body: str | bytes | None = None, **headers: str
) -> Answer:
    """A request as the page makes it; ``headers`` replace the page's, "" leaves one out."""
    content = body.encode() if isinstance(body, str) else body
    given = {"Host": ADDRESS, "X-Espseal": "1"}
    if content is not None or method == "POST":
        given["Content-Length"] = str(len(content or b""))
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    request = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + (content or b"")
    return parse(exchange(port, request))


def canonical(settings: dict[str, Any]) -> str:
    """The stored text of settings, from the words of the provisioning file."""
    plain = settings.get("transport", "plain") == "plain"
    initial = INITIAL | {"mqtt_port": "1883" if plain else "8883"}
    return "".join(
        f"{name}={settings[name]}\n"
        for name in ORDER
        if str(settings.get(name, "")) not in ("", initial.get(name))
    )


def stored_text(board: Reference) -> str | None:
    """The settings in flash, if a slot is valid: read by the format, not by the sketch."""
    file = board.folder / "settings.bin"
    memory = file.read_bytes() if file.exists() else b""
    newest: tuple[int, str] | None = None
    for at in range(0, len(memory), 4096):
        slot = memory[at : at + 4096]
        magic, version, length, sequence, checksum = struct.unpack_from("<IHHII", slot)
        text = slot[16 : 16 + length]
        if (magic, version) != (0x45535246, 1) or zlib.crc32(slot[:12] + text) != checksum:
            continue
        assert set(slot[16 + length :]) <= {0xFF}
        if newest is None or sequence > newest[0]:
            newest = (sequence, text.decode())
    return newest and newest[1]


expect.set_options(timeout=60000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that finds the boards of the tests at the access point's address."""
    assert Path(CHROMIUM).exists(), "install Debian's chromium (make debian)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {ADDRESS} 127.0.0.1"],
        )
        yield browser
        browser.close()


def loaded(page: Page) -> None:
    """Waits until the page knows the board. (Its policy forbids to wait by a script.)"""
    expect(page.locator("#mac")).to_have_text("5ccf7fab8bfe", timeout=60000)


@contextmanager
def phone(browser: Browser, port: int, scheme: Scheme = "light") -> Iterator[Page]:
    """The page on a phone; at its end no script of it has failed, and it asked nobody else."""
    context = browser.new_context(
        viewport=PHONE, device_scale_factor=2, color_scheme=scheme, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    page.set_default_timeout(60000)
    failures: list[str] = []
    asked: set[str] = set()
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on(
        "console",
        lambda line: (
            failures.append(line.text)
            # What the board says of inputs, and that it is off, the page tells by itself.
            if line.type == "error" and not re.search("status of 422|ERR_CONN", line.text)
            else None
        ),
    )
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.goto(f"http://{ADDRESS}:{port}/")
    loaded(page)
    yield page
    context.close()
    assert not failures
    assert asked == {f"{ADDRESS}:{port}"}
