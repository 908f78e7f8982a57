"""The shims have NodeMCU's semantics, oddities included."""

import socket
import threading

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from espseal.simulator.lua import ScriptError
from espseal.simulator.machine import End

from .conftest import Bench

KEY = b"0123456789abcdef"


def encrypt(text: bytes, iv: bytes) -> bytes:
    encryptor = Cipher(AES(KEY), CBC(iv)).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def test_encrypt_pads_with_zeros_and_decrypt_never_strips(bench: Bench) -> None:
    bench.run('key, iv = "0123456789abcdef", "fedcba9876543210" return 0')
    iv = b"fedcba9876543210"
    five = bench.run('return crypto.encrypt("AES-CBC", key, "five", iv)')
    assert five == encrypt(b"five" + bytes(12), iv)
    block = bench.run('return crypto.encrypt("aes-cbc", key, ("x"):rep(16), iv)')
    assert block == encrypt(b"x" * 16, iv)
    assert bench.run('return crypto.encrypt("AES-CBC", key, "", iv)') == b""
    back = bench.run(
        'return crypto.decrypt("AES-CBC", key, crypto.encrypt("AES-CBC", key, "five", iv), iv)'
    )
    assert back == b"five" + bytes(12)


def test_ivs_of_other_lengths(bench: Bench) -> None:
    bench.run('key = "0123456789abcdef" return 0')
    for given, used in [("iv", b"iv" + bytes(14)), ("i" * 20, b"i" * 16), ("", bytes(16))]:
        got = bench.run(f'return crypto.encrypt("AES-CBC", key, "x", "{given}")')
        assert got == encrypt(b"x" + bytes(15), used)
    assert bench.run('return crypto.encrypt("AES-CBC", key, "x")') == encrypt(
        b"x" + bytes(15), bytes(16)
    )


def test_ecb_hmac_hash_and_mask(bench: Bench) -> None:
    encryptor = Cipher(AES(KEY), ECB()).encryptor()  # noqa: S305 - as the chip has it
    assert bench.run('return crypto.encrypt("AES-ECB", "0123456789abcdef", "x")') == (
        encryptor.update(b"x" + bytes(15)) + encryptor.finalize()
    )
    # RFC 2202, case 2
    mac = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    script = 'return crypto.hmac("SHA1", "what do ya want for nothing?", "Jefe")'
    assert bench.run(script).hex() == mac
    # FIPS 180-4, "abc"
    assert bench.run('return crypto.hash("sha1", "abc")').hex().startswith("a9993e364706816aba3e")
    assert bench.run('return crypto.mask("\\0\\1\\2\\3\\4", "\\255\\1")') == b"\xff\x00\xfd\x02\xfb"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('crypto.encrypt("AES-CBC", "short", "x")', "crypto op failed"),
        ('crypto.encrypt("AES-CBC", ("k"):rep(32), "x")', "crypto op failed"),
        ('crypto.encrypt("AES-CTR", ("k"):rep(16), "x")', "unknown cipher"),
        ('crypto.hash("sha3", "x")', "unknown hash mech"),
        ("crypto.hmac('sha1', nil, 'k')", "bad argument #2 to 'hmac' (string expected, got nil)"),
        ("crypto.toHex('x')", "nil value"),
        ("node.random(4294967295)", "bad argument"),
        ("node.random(2, 1)", "interval is empty"),
        ("tmr.create():alarm(0, tmr.ALARM_SINGLE, print)", "Range: 1-6870947"),
        ("tmr.create():alarm(6870948, tmr.ALARM_SINGLE, print)", "Range: 1-6870947"),
        ("tmr.create().alarm(5, tmr.ALARM_SINGLE, print)", "bad self"),
        ("mqtt.Client('x', 5):publish('t', 'p', 0, 0)", "not connected"),
        ("mqtt.Client('x', 5):connect('127.0.0.1', 1883, true)", "ssl not available"),
        ("mqtt.Client('x', 5):on('nothing', print)", "method not supported"),
        ("adc.read(1)", "channel"),
        ("dofile('nothing.lua')", "cannot open nothing.lua"),
        ("os.time()", "nil value"),
        ("io.open('x')", "nil value"),
    ],
)
def test_errors_are_lua_strings(bench: Bench, script: str, message: str) -> None:
    kind, text = bench.run(
        f"local ok, e = pcall(function() return {script} end) assert(not ok) "
        "return type(e), tostring(e)"
    )
    assert (kind, message in text.decode()) == (b"string", True), text


def test_errors_say_where(bench: Bench) -> None:
    with pytest.raises(ScriptError, match=r"^test\.lua:2: crypto op failed"):
        bench.run('\n local x = crypto.encrypt("AES-CBC", "short", "x") return x')


def test_eight_bit_strings_pass_unharmed(bench: Bench) -> None:
    every = bytes(range(256))
    bench.board.flash[b"every"] = every
    assert bench.run('return file.getcontents("every")') == every
    bench.run('file.putcontents("copy", file.getcontents("every")) return 0')
    assert bench.board.flash[b"copy"] == every


def test_random_repeats_until_there_is_an_ip_address(bench: Bench) -> None:
    draw = "local t = {} for i = 1, 8 do t[i] = node.random(0, 255) end return t[1], t[2], t[8]"
    join = """
        wifi.eventmon.register(wifi.eventmon.STA_GOT_IP, function(t) print("got " .. t.IP) end)
        wifi.setmode(wifi.STATION, false)
        return wifi.sta.config{ssid = "x", pwd = "", auto = true, save = false}
    """
    before, after = [], []
    for _ in range(3):
        before.append(bench.run(draw))
        assert bench.run(join) is True
        bench.events(0.05)
        after.append(bench.run(draw))
        bench.reset()
    assert bench.lines == ["got 192.168.4.2"] * 3
    assert len(set(before)) == 1
    assert len(set(after)) == 3
    assert bench.board.draws_before_ip == 3 * 8


def test_random_ranges(bench: Bench) -> None:
    script = """
        local low, high = 256, -1
        for _ = 1, 4000 do
          local n = node.random(0, 255)
          if n < low then low = n end
          if n > high then high = n end
        end
        return low, high, node.random(1), node.random(7, 7)
    """
    assert bench.run(script) == (0, 255, 1, 7)


def test_timers(bench: Bench) -> None:
    script = """
        count, semi = 0, 0
        auto = tmr.create()
        auto:alarm(20, tmr.ALARM_AUTO, function(t)
          assert(t == auto)
          count = count + 1
        end)
        once = tmr.create()
        once:alarm(10, tmr.ALARM_SINGLE, function() print("once") end)
        again = tmr.create()
        again:register(10, tmr.ALARM_SEMI, function() semi = semi + 1 end)
        assert(again:start() and not again:start())
        return (auto:state())
    """
    assert bench.run(script) is True
    bench.events(0.15)
    assert bench.lines == ["once"]
    count, semi, single, running, mode = bench.run(
        "return count, semi, once:state() == nil, again:state()"
    )
    assert 4 <= count <= 7
    assert (semi, single, running, mode) == (1, True, False, 2)
    assert bench.run("return again:start(), auto:stop(), auto:stop()") == (True, True, False)
    bench.events(0.05)
    assert bench.run("return semi, count") == (2, count)


def test_the_clock_runs(bench: Bench) -> None:
    first = bench.run("return tmr.now()")
    bench.events(0.03)
    assert 25_000 < bench.run("return tmr.now()") - first < 1_000_000
    assert bench.run("return tmr.time()") == 0


def test_files(bench: Bench) -> None:
    script = r"""
        local f = file.open("log", "w+")
        f:writeline("one") f:write("two\nthree")
        f:seek("set", 0)
        assert(f:readline() == "one\n" and f:read(2) == "tw" and f:read("\n") == "o\n")
        assert(f:read() == "three" and f:read() == nil)
        assert(not file.open("missing") and not file.exists("missing"))
        f:flush()
        f:write("not flushed")
        assert(file.rename("log", "old") and file.list()["old"] == 13)
        return file.getcontents("old")
    """
    assert bench.run(script) == b"one\ntwo\nthree"
    bench.run('local f = file.open("old", "a") f:write("!") f:close() file.remove("vectors.lua")')
    assert bench.board.flash[b"old"] == b"one\ntwo\nthree!"
    assert b"vectors.lua" not in bench.board.flash


def test_what_is_not_flushed_is_lost(bench: Bench) -> None:
    bench.run('f = file.open("log", "w") f:write("lost") return 0')
    bench.reset()
    assert bench.run('return file.getcontents("log")') == b""


def test_rtc_memory(bench: Bench) -> None:
    script = "rtcmem.write32(126, 1, -1, 7) rtcmem.write32(200, 5) return rtcmem.read32(126, 9)"
    assert bench.run(script) == (1, -1)
    bench.reset()
    assert bench.run("return rtcmem.read32(127)") == -1
    assert bench.run("return select('#', rtcmem.read32(128))") == 0
    bench.board.power_on()
    assert bench.run("return rtcmem.read32(120, 8)") != (0, 0, 0, 0, 0, 0, 1, -1)


def test_restart_lets_the_script_go_on(bench: Bench) -> None:
    bench.run('node.restart() print("still here") return 0')
    before = bench.machine.end
    bench.events(0.05)
    assert bench.lines == ["still here"]
    assert (before, bench.machine.end) == (None, End.RESTART)


def test_an_error_in_a_callback_is_a_panic(bench: Bench) -> None:
    bench.run('tmr.create():alarm(1, tmr.ALARM_SINGLE, function() error("oh") end) return 0')
    bench.events(0.1)
    assert bench.machine.end is End.PANIC
    assert bench.lines == ["PANIC: unprotected error in call to Lua API (test.lua:1: oh)"]


class Server:
    """A broker that says what it is told to, one answer to each thing it hears; None: hangs up."""

    def __init__(self, *answers: bytes | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._answers = answers
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener, self._listener.accept()[0] as client:
            for answer in self._answers:
                self.heard += client.recv(4096)
                if answer is None:
                    return
                client.sendall(answer)
            while data := client.recv(4096):
                self.heard += data

    def join(self) -> None:
        """Waits until the node has hung up."""
        self._thread.join(10)
        assert not self._thread.is_alive()


CONNACK = b"\x20\x02\x00\x00"
CLIENT = """
    client = mqtt.Client("id", 60)
    client:on("offline", function() print("offline") end)
    client:connect("127.0.0.1", PORT, function() print("connected") READY end,
      function(_, reason) print("failed " .. reason) end)
    return 0
"""


def start(bench: Bench, port: int, ready: str = "") -> None:
    bench.run(CLIENT.replace("PORT", str(port)).replace("READY", ready))


def test_connect_names_the_protocol(bench: Bench) -> None:
    server = Server(CONNACK)
    start(bench, server.port)
    bench.events(0.2)
    assert bench.run("return client:close()") is True
    bench.events(0.05)
    server.join()
    assert bench.lines == ["connected"]
    assert server.heard == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id" + b"\xe0\x00"


def test_publish_is_repeated_until_acknowledged_without_dup(bench: Bench) -> None:
    server = Server(CONNACK)
    start(bench, server.port, 'client:publish("t", "x", 1, 0, function() print("acked") end)')
    bench.events(1.4)
    bench.run("client:close() return 0")
    bench.events(0.05)
    server.join()
    assert bench.lines == ["connected"]
    assert server.heard.count(b"\x32\x06\x00\x01t\x00\x01x") == 2


PUBLISH = b"\x32\x06\x00\x01t\x00\x01x"
PUBLISH_X = 'client:publish("t", "x", 1, 0, function() print("acked") end)'


def test_the_queue_outlives_the_connection(bench: Bench) -> None:
    first, second = Server(CONNACK, None), Server(CONNACK, b"\x40\x02\x00\x01")
    start(bench, first.port, PUBLISH_X)
    bench.events(0.2)
    assert bench.lines == ["connected", "offline"]
    bench.run(f"client:connect('127.0.0.1', {second.port}, function() print('back') end) return 0")
    bench.events(0.2)
    assert bench.lines == ["connected", "offline", "back", "acked"]
    assert (first.heard[-8:], second.heard[-8:]) == (PUBLISH, PUBLISH)
    bench.run("client:close() return 0")
    bench.events(0.05)
    first.join()
    second.join()


def test_close_empties_the_queue_and_does_not_call_offline(bench: Bench) -> None:
    first, second = Server(CONNACK), Server(CONNACK)
    start(bench, first.port, PUBLISH_X)
    bench.events(0.2)
    bench.run(f"client:close() client:connect('127.0.0.1', {second.port}) return 0")
    bench.events(0.2)
    bench.run("client:close() return 0")
    bench.events(0.05)
    first.join()
    second.join()
    assert bench.lines == ["connected", "connected"]
    assert PUBLISH in first.heard
    assert PUBLISH not in second.heard


def test_connect_while_connected_raises(bench: Bench) -> None:
    server = Server(CONNACK)
    start(bench, server.port)
    bench.events(0.2)
    with pytest.raises(ScriptError, match="already connected"):
        bench.run(f"client:connect('127.0.0.1', {server.port}) return 0")
    bench.run("client:close() return 0")
    bench.events(0.05)
    server.join()


def test_refusals_have_reasons(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed_port = free.getsockname()[1]
    start(bench, closed_port)
    bench.events(0.1)
    assert bench.lines == ["failed -5"]
    server = Server(b"\x20\x02\x00\x05")
    start(bench, server.port)
    bench.events(0.2)
    # The failure first; then, for TCP was connected, offline too.
    assert bench.lines == ["failed -5", "failed 5", "offline"]
    server.join()
    server = Server(b"\x30\x02\x00\x05")
    start(bench, server.port)
    bench.events(0.2)
    assert bench.lines[3:] == ["failed -4", "offline"]
    server.join()
    bench.run("client:connect('no.such.host.invalid', 1883) return 0")
    bench.events(0.2)
    assert bench.lines[5:] == ["failed -3"]


def test_what_publish_returns(bench: Bench) -> None:
    for limit in (1460, 1024):
        server = Server(CONNACK)
        bench.board.publish_limit = limit
        start(bench, server.port)
        bench.events(0.2)
        # 3 bytes of header, 2 and 1 of topic, and 2 of message ID at QoS 1.
        for qos, room in ((0, limit - 6), (1, limit - 8)):
            script = f"return client:publish('t', ('x'):rep({room}), {qos}, 0), " + (
                f"client:publish('t', ('x'):rep({room + 1}), {qos}, 0)"
            )
            assert bench.run(script) == (True, False)
        bench.run("client:close() return 0")
        bench.events(0.05)
        server.join()


def test_what_arrives(bench: Bench) -> None:
    def message(payload: bytes) -> bytes:
        body = b"\x00\x01t" + payload
        length = (
            bytes([len(body)])
            if len(body) < 128
            else bytes([len(body) % 128 | 128, len(body) // 128])
        )
        return b"\x30" + length + body

    arriving = message(b"") + message(b"\x00\xff") + message(b"x" * 1018) + message(b"y" * 1019)
    server = Server(CONNACK + arriving + message(b"end"))
    bench.run(
        CLIENT.replace("PORT", str(server.port))
        .replace("READY", "")
        .replace(
            "client:connect",
            """
            client:on("message", function(...)
              local _, topic, payload = ...
              print(topic .. " " .. select("#", ...) .. " " .. #(payload or ""))
            end)
            client:on("overflow", function(_, topic, payload) print("overflow " .. topic) end)
            client:connect""",
        )
    )
    bench.events(0.3)
    bench.run("client:close() return 0")
    bench.events(0.05)
    server.join()
    # An empty payload is no argument; 1024 bytes in all are the most that is handed over.
    assert bench.lines == ["connected", "t 2 0", "t 3 2", "t 3 1018", "overflow t", "t 3 3"]


def test_the_lua_flash_store(bench: Bench) -> None:
    look = 'local found, base, _, size, list = node.flashindex("%s") return '
    none = bench.run(look % "one" + "found == nil, type(base), type(size), list == nil")
    assert none == (True, b"number", b"number", True)
    bench.board.lfs = {b"one": b"return ... or 'none'", b"two": b"oh no"}
    found = bench.run(look % "one" + "type(found), base == nil, found('given'), found()")
    assert found == (b"function", True, b"given", b"none")
    other = bench.run(look % "three" + "type(found), type(base), list[1], list[2]")
    assert other == (b"number", b"number", b"one", b"two")
    with pytest.raises(ScriptError, match="two:1: "):
        bench.run('node.flashindex("two") return 0')
