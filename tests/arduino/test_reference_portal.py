"""Configure mode of the reference sketch, over raw sockets: what a stranger may send it."""

import contextlib
import random
import re
import socket
import time
from collections.abc import Iterator
from typing import Final

import pytest

from support import wait_for

from .access_point import (
    ADDRESS,
    ask,
    canonical,
    exchange,
    fresh,
    opened,
    parse,
    restarted,
    stored_text,
)
from .reference_board import Reference

# Seconds: of a board that closes soon.
IDLE, LAST = 3, 8
KEY: Final = "9c" * 32
SECRETS: Final = {
    "wifi_password": "the Wi-Fi's secret",
    "mqtt_password": "the broker's secret",
    "device_key": KEY,
}
GIVEN: Final = {
    "name": "kitchen",
    "address": "0123456789abcdef",
    "up_topic": "espseal/home/0123456789abcdef/up",
    "hello_topic": "espseal/home/0123456789abcdef/hello",
    "down_topic": "espseal/home/0123456789abcdef/down",
    "beacon_topic": "espseal/home/beacon",
    "wifi_ssid": 'a "house" \\ größer',
    "mqtt_host": "broker.example",
    "mqtt_user": "board",
    "epoch": "3",
    **SECRETS,
}


def lines(settings: dict[str, str]) -> str:
    """What the page sends."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


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


def alive(port: int) -> bool:
    """Whether the board still answers."""
    return ask(port, "GET", "/state").status == 200


def test_the_access_point_has_a_password_that_only_the_serial_port_tells(board: Reference) -> None:
    passwords = set()
    for _ in range(3):
        with opened(board) as port:
            (password,) = [
                line.removeprefix("password: ")
                for line in board.lines
                if line.startswith("password: ")
            ]
            passwords.add(password)
            assert re.fullmatch(r"([2-9a-km-np-z]{4}-){3}[2-9a-km-np-z]{4}", password)
            # Its name, its password, channel 1, not hidden, two clients.
            opens = (board.folder / "access-point").read_text().splitlines()
            assert opens == ["espseal-ab8bfe", password, "1", "0", "2"]
            assert "access point: espseal-ab8bfe" in board.lines
            for path in ("/", "/state"):
                assert password not in ask(port, "GET", path).text
        board.lines.clear()
    assert len(passwords) == 3


def test_an_empty_board_is_provisioned(board: Reference, port: int) -> None:
    before = ask(port, "GET", "/state").said
    assert before["state"] == "not provisioned"
    assert before["address"] == ""
    assert stored_text(board) is None
    answer = ask(port, "POST", "/settings", lines(GIVEN))
    assert answer.said == {"saved": GIVEN["address"]}
    assert stored_text(board) == canonical(GIVEN)
    assert bytes.fromhex(KEY) in board.flash
    restarted(board)


def test_secrets_are_written_and_never_read_back(board: Reference) -> None:
    with opened(board) as port:
        assert ask(port, "POST", "/settings", lines(GIVEN)).status == 200
    heard = ""
    with opened(board) as port:
        for method, path, body in (
            ("GET", "/", None),
            ("GET", "/state", None),
            ("POST", "/stay", ""),
            ("POST", "/settings", "mqtt_port=x\nwifi_password=\x01\n"),
            ("GET", "/settings", None),
            ("GET", "/flash.bin", None),
        ):
            answer = ask(port, method, path, body)
            heard += repr(answer)
            if path == "/state":
                state = answer.said
        for name, secret in SECRETS.items():
            assert secret not in heard
            assert state["fields"][name] == {"secret": True, "set": True}
        assert state["address"] == GIVEN["address"]
        assert state["epoch"] == 3
        assert state["state"] == "provisioned"
        assert state["fields"]["wifi_ssid"]["value"] == GIVEN["wifi_ssid"]
        # A setting changes; what is not sent stays, the key too.
        assert ask(port, "POST", "/settings", "interval=5\nwifi_password=\n").status == 200
        assert stored_text(board) == canonical(GIVEN | {"interval": "5", "wifi_password": ""})
        assert bytes.fromhex(KEY) in board.flash
    assert not any(secret in line for secret in SECRETS.values() for line in board.lines)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "0123"),
        ("up_topic", "home/#"),
        ("wifi_ssid", "x" * 33),
        ("wifi_password", "short"),
        ("ip_address", "192.168.1.256"),
        ("mqtt_port", "65536"),
        ("transport", "tls"),
        ("tls_fingerprint", "xy" * 20),
        ("tls_public_key", "****"),
        ("tls_ca", "AAAA"),
        ("interval", "99999999"),
        ("device_key", "00"),
        ("device_key", "0" * 64),
        ("epoch", "-1"),
    ],
)
def test_what_is_wrong_is_said_of_the_field(
    board: Reference, port: int, field: str, value: str
) -> None:
    answer = ask(port, "POST", "/settings", lines(GIVEN | {field: value}))
    assert answer.status == 422
    assert list(answer.said["problems"]) == [field]
    assert len(answer.said["problems"][field]) > 10
    assert value not in answer.said["problems"][field]
    assert stored_text(board) is None
    assert ask(port, "POST", "/settings", lines(GIVEN)).status == 200


def test_all_that_is_wrong_is_said_at_once(board: Reference, port: int) -> None:
    wrong = {"mqtt_port": "0", "interval": "often", "transport": "insecure"}
    answer = ask(port, "POST", "/settings", lines(GIVEN | wrong))
    assert set(answer.said["problems"]) == {"mqtt_port", "interval"} | {"confirm"}
    assert stored_text(board) is None


def test_insecure_must_be_spelled_out(board: Reference, port: int) -> None:
    wrong = GIVEN | {"transport": "insecure"}
    for confirm in ({}, {"confirm": "yes"}, {"confirm": ""}):
        answer = ask(port, "POST", "/settings", lines(wrong | confirm))
        assert (answer.status, list(answer.said["problems"])) == (422, ["confirm"])
    assert stored_text(board) is None
    assert ask(port, "POST", "/settings", lines(wrong | {"confirm": "insecure"})).status == 200
    assert "transport=insecure\n" in (stored_text(board) or "")


@pytest.mark.parametrize("body", ["nonsense", "color=red\n", "=\n", "name=a\0b\n", "\n"])
def test_a_body_that_is_no_list_of_settings(board: Reference, port: int, body: str) -> None:
    answer = ask(port, "POST", "/settings", body)
    assert answer.status == 422
    assert list(answer.said["problems"]) == [""]
    assert stored_text(board) is None


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"Host": ADDRESS}),
        (200, {"Host": f"{ADDRESS}:8080"}),
        (200, {"Origin": f"http://{ADDRESS}"}),
        # A name that a stranger's DNS points at the board (DNS rebinding).
        (421, {"Host": "evil.example"}),
        (421, {"Host": f"{ADDRESS}.evil.example"}),
        (421, {"Host": f"{ADDRESS}:80:80"}),
        (400, {"Host": ""}),
        # A form or a script of another page.
        (403, {"X-Espseal": ""}),
        (403, {"X-Espseal": "0"}),
        (403, {"Origin": "http://evil.example"}),
        (403, {"Origin": "null"}),
    ],
)
def test_only_its_own_page_may_change_something(
    board: Reference, port: int, status: int, headers: dict[str, str]
) -> None:
    answer = ask(port, "POST", "/settings", lines(GIVEN), **headers)
    assert answer.status == status, answer
    assert (stored_text(board) is not None) == (status == 200)


def test_reading_is_for_its_own_address_too(port: int) -> None:
    assert ask(port, "GET", "/state", Host="evil.example").status == 421
    assert ask(port, "GET", "/", Host="evil.example").status == 421


def test_no_page_may_frame_it_or_load_anything(port: int) -> None:
    headers = ask(port, "GET", "/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not any(name.startswith("Access-Control") for name in headers)


HEAD: Final = f"Host: {ADDRESS}\r\nX-Espseal: 1\r\n"


@pytest.mark.parametrize(
    ("status", "request_text"),
    [
        (404, f"GET /admin HTTP/1.1\r\n{HEAD}\r\n"),
        (404, f"GET /{'x' * 2000} HTTP/1.1\r\n{HEAD}\r\n"),
        (404, f"GET /../flash HTTP/1.1\r\n{HEAD}\r\n"),
        (405, f"DELETE / HTTP/1.1\r\n{HEAD}\r\n"),
        (405, f"HEAD / HTTP/1.1\r\n{HEAD}\r\n"),
        (405, f"OPTIONS /settings HTTP/1.1\r\n{HEAD}Origin: http://evil.example\r\n\r\n"),
        (405, f"GET /settings HTTP/1.1\r\n{HEAD}\r\n"),
        (405, f"GET /run HTTP/1.1\r\n{HEAD}\r\n"),
        (405, f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 0\r\n\r\n"),
        (405, f"POST /state HTTP/1.1\r\n{HEAD}Content-Length: 0\r\n\r\n"),
        (411, f"POST /settings HTTP/1.1\r\n{HEAD}\r\n"),
        (413, f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: 4609\r\n\r\n"),
        (413, f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: {'9' * 30}\r\n\r\n"),
        (413, f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: 99999\r\n\r\n" + "a" * 99999),
        (400, f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: -1\r\n\r\n"),
        (400, f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: 0x10\r\n\r\n"),
        (400, f"POST /stay HTTP/1.1\r\n{HEAD}Content-Length: 0\r\nContent-Length: 1\r\n\r\n"),
        (501, f"POST /settings HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}Content-Length: 5\r\n\r\nhello"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}{HEAD}\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD} folded\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}no colon\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}: no name\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}X: a\0b\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}X: a\nb\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{HEAD}X: a\rb\r\n\r\n"),
        (400, f"GET http://{ADDRESS}/ HTTP/1.1\r\n{HEAD}\r\n"),
        (400, f"GET  / HTTP/1.1\r\n{HEAD}\r\n"),
        (400, f"GET /\r\n{HEAD}\r\n"),
        (400, "\r\n\r\n"),
        (400, "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n"),  # TLS
        (400, f"GET / SPDY/3\r\n{HEAD}\r\n"),
        (505, f"GET / HTTP/2.0\r\n{HEAD}\r\n"),
        (431, f"GET / HTTP/1.1\r\n{HEAD}Cookie: {'c' * 4000}\r\n\r\n"),
        (431, "x" * 100000),
        (200, f"GET /?a=b HTTP/1.0\r\n{HEAD}\r\n"),
        (200, f"GET / HTTP/1.1\r\n{HEAD}Cookie: {'c' * 2500}\r\n\r\n"),
    ],
    ids=str,
)
def test_what_it_does_not_understand_it_refuses(port: int, status: int, request_text: str) -> None:
    answer = parse(exchange(port, request_text.encode("latin-1")))
    assert answer.status == status
    if status == 405:
        assert answer.headers["Allow"] == "GET, POST"
    assert alive(port)


def test_a_request_that_breaks_off_leaves_nothing(board: Reference, port: int) -> None:
    whole = lines(GIVEN)
    request = (
        f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: {len(whole.encode())}\r\n\r\n{whole}"
    ).encode()
    for length in (0, 1, 20, request.index(b"\r\n\r\n") + 3, len(request) - 1):
        assert parse(exchange(port, request[:length], half=True)).status in (0, 400)
    assert stored_text(board) is None
    assert alive(port)
    assert parse(exchange(port, request, half=True)).status == 200


def test_who_says_nothing_makes_room_for_who_does(port: int) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(5):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        started = time.monotonic()
        assert alive(port)
        # Each would be borne for 5 s.
        assert time.monotonic() - started < 15


def test_who_is_slow_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        while piece := slow.recv(4096):
            answer += piece
        assert parse(answer).status == 408
    assert alive(port)


def test_ten_thousand_random_requests(board: Reference, port: int) -> None:
    chance = random.Random(7)
    good = [
        f"GET / HTTP/1.1\r\n{HEAD}\r\n",
        f"GET /state HTTP/1.1\r\n{HEAD}\r\n",
        f"POST /stay HTTP/1.1\r\n{HEAD}Content-Length: 0\r\n\r\n",
        f"POST /settings HTTP/1.1\r\n{HEAD}Content-Length: 12\r\n\r\nmqtt_port=1\n",
    ]
    statuses: dict[int, int] = {}
    for _ in range(10000):
        request = bytearray(chance.choice(good).encode())
        for _ in range(chance.choice((0, 1, 1, 2, 5, 40))):
            at = chance.randrange(len(request) + 1)
            match chance.randrange(4):
                case 0:
                    request[at:at] = chance.randbytes(chance.randrange(1, 5))
                case 1:
                    del request[at : at + chance.randrange(1, 30)]
                case 2:
                    request[at : at + 1] = chance.choice((b"\r\n", b"\0", b" ", b":", b"\r\n\r\n"))
                case _:
                    request[at:at] = request[: chance.randrange(len(request) + 1)]
        status = parse(exchange(port, bytes(request), half=True)).status
        statuses[status] = statuses.get(status, 0) + 1
    assert set(statuses) <= {0, 200, 400, 403, 404, 405, 411, 413, 421, 422, 431, 501, 505}
    assert {200, 400, 403, 405, 421, 422} <= set(statuses)
    assert alive(port)
    assert stored_text(board) is None
    assert board.said("Reference/") == 2


def test_random_settings(board: Reference, port: int) -> None:
    chance = random.Random(8)
    names = [*GIVEN, "tls_ca", "tls_public_key", "tls_fingerprint", "transport", "ip_mask", "x", ""]
    for _ in range(2000):
        body = b"".join(
            chance.choice(names).encode()
            + chance.choice((b"=", b"=", b"=", b"", b"==", b"\n"))
            + (chance.randbytes(chance.randrange(60)) if chance.random() < 0.7 else b"A" * 500)
            + chance.choice((b"\n", b"\n", b"\r\n", b""))
            for _ in range(chance.randrange(12))
        )[:4608]
        assert ask(port, "POST", "/settings", body).status == 422
    assert alive(port)
    assert stored_text(board) is None


def test_it_does_nothing_of_run_mode_beside(board: Reference) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        here = {"mqtt_host": "127.0.0.1", "mqtt_port": str(broker.getsockname()[1])}
        with opened(board) as port:
            assert ask(port, "POST", "/settings", lines(GIVEN | here)).status == 200
            restarted(board)
            # In run mode it comes at once.
            broker.settimeout(60)
            broker.accept()[0].close()
        with opened(board) as port:
            broker.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    broker.accept()[0].close()
            for _ in range(200):
                assert alive(port)
            with pytest.raises(BlockingIOError):
                broker.accept()


def test_the_page_and_the_button_lead_back_to_run(board: Reference) -> None:
    with opened(board) as port:
        assert ask(port, "POST", "/run").status == 200
        restarted(board)
    # FLASH is still held from the start: it counts once it was let go.
    board.pins(_0="LOW")
    with opened(board) as port:
        assert alive(port)
        time.sleep(0.2)
        board.pins(_0="HIGH")
        assert alive(port)
        assert alive(port)
        board.pins(_0="LOW")
        assert alive(port)
        time.sleep(0.2)  # longer than contacts bounce
        board.pins(_0="HIGH")
        wait_for(lambda: board.said("the button was pressed"), "the button")
        restarted(board)


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(
        tmp_path_factory.mktemp("board"), f"-DPORTAL_IDLE_MS={IDLE}000 -DPORTAL_LAST_MS={LAST}000"
    )


def test_it_closes_though_somebody_looks_on(hurried: Reference) -> None:
    left = []
    with opened(hurried) as port:
        deadline = time.monotonic() + 60
        while not hurried.said("the time is over"):
            assert time.monotonic() < deadline
            with contextlib.suppress(ConnectionError):
                answer = ask(port, "GET", "/state")
                if answer.status == 200:
                    left.append(answer.said["seconds"])
        restarted(hurried)
    assert max(left) <= IDLE
    assert left == sorted(left, reverse=True)


def test_it_stays_for_who_types_but_not_for_ever(hurried: Reference) -> None:
    hurried.lines.clear()
    with opened(hurried) as port:
        started = asked = time.monotonic()
        silence = 0.0
        while not hurried.said("the time is over"):
            assert time.monotonic() < started + 60
            with contextlib.suppress(ConnectionError):
                ask(port, "POST", "/stay")
            now = time.monotonic()
            asked, silence = now, max(silence, now - asked)
            time.sleep(0.05)
        # Unless the test itself was held up.
        assert time.monotonic() - started > LAST - 1 or silence > IDLE - 1
