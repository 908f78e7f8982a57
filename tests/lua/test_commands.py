"""What commands.lua promises: each session that a node draws is good for one command."""

import re
from typing import Any, TypeAlias

import pytest

from .conftest import LUA_KEYS, Bench, in_raw, seal_frame

Answer: TypeAlias = tuple[bytes | None, bytes | None]


class Taker:
    """Node 7, which takes commands; `now` is its clock, in seconds."""

    def __init__(self, bench: Bench, fields: str = "") -> None:
        bench.machine.generator.radio_up = True
        bench.run(
            f"""
            local espseal = assert(require("espseal").new{{
              crypto = {{
                decrypt = crypto.decrypt, encrypt = crypto.encrypt,
                hmac = function(...) macs = (macs or 0) + 1 return crypto.hmac(...) end,
              }},
              node = node, keys = {{{LUA_KEYS}}},
            }})
            clock = 0
            taker = require("commands").new{{
              espseal = espseal, node_id = "7", now = function() return clock end, {fields}
            }}
            function set(time) clock = time end
            -- A second result of nil would be dropped on the way to Python.
            function open(frame) local data, who = taker.open(frame) return data, who or false end
            radio_up = espseal.radio_up
            return 0
            """
        )
        self._bench = bench
        self.call("radio_up")

    def call(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - Lua values
        """Calls a function of the script."""
        return self._bench.machine.lua.call(self._bench.run(f"return {name}"), *arguments)

    def current(self, time: int = 0) -> bytes:
        """The session that it shows at a time."""
        self.call("set", time)
        session = self.call("taker.current")
        assert isinstance(session, bytes)
        return session

    def open(self, frame: bytes) -> Answer:
        """Data and None or the peer's ID, or None and the verdict."""
        data, answer = self.call("open", frame)
        return data, answer or None


@pytest.fixture
def taker(bench: Bench) -> Taker:
    """A node that takes commands of the host alone."""
    return Taker(bench)


def command(session: bytes, data: bytes = b"on") -> bytes:
    """A command to node 7."""
    return seal_frame(b">7", data, session)


def test_no_session_before_the_radio_is_up(bench: Bench) -> None:
    script = f"""
        local keys = {{{LUA_KEYS}}}
        local espseal = require("espseal").new{{crypto = crypto, node = node, keys = keys}}
        assert(select(2, espseal.draw_session()) == "radio_down")
        return require("commands").new{{
          espseal = espseal, node_id = "7", now = tmr.time}}.current()
    """
    assert bench.run(script) == (None, b"radio_down")
    assert bench.board.draws_before_ip == 0


def test_a_session_is_sixteen_draws(bench: Bench) -> None:
    script = f"""
        local value, asked = 0, {{}}
        local counting = {{random = function(low, high)
          asked[#asked + 1] = low .. "-" .. high
          value = (value + 17) % 256
          return value
        end}}
        local espseal = require("espseal").new{{
          crypto = crypto, node = counting, keys = {{{LUA_KEYS}}}}}
        espseal.radio_up()
        return espseal.draw_session(), table.concat(asked, " ")
    """
    session, asked = bench.run(script)
    assert session == bytes((17 * i) % 256 for i in range(1, 17)).hex().encode()
    assert asked == b" ".join([b"0-255"] * 16)


def test_sessions_differ(taker: Taker) -> None:
    sessions = [taker.current(60 * number) for number in range(100)]
    assert len(set(sessions)) == 100
    assert all(re.fullmatch(rb"[0-9a-f]{32}", session) for session in sessions)


def test_a_command_opens_once(taker: Taker) -> None:
    session = taker.current()
    frame = command(session)
    assert taker.open(frame) == (b"on", None)
    for copy in (frame, frame.upper(), in_raw(frame)):
        assert taker.open(copy) == (None, b"duplicate")
    # Under the next session the old command is still no news.
    following = taker.current()
    assert following != session
    assert taker.open(frame) == (None, b"duplicate")
    assert taker.open(seal_frame(b">7", b"", following, raw=True)) == (b"", None)


def test_each_session_is_good_for_one(taker: Taker) -> None:
    """Two hosts that do not know of each other use the same one."""
    session = taker.current()
    one, two = command(session, b"1"), command(session, b"2")
    assert taker.open(one) == (b"1", None)
    assert taker.open(two) == (None, b"stale_session")
    assert taker.open(two) == (None, b"stale_session")


def test_a_refused_frame_uses_nothing_up(taker: Taker) -> None:
    session = taker.current()
    refused: dict[bytes, list[bytes]] = {
        b"wrong_direction": [
            seal_frame(who, b"on", session)
            for who in (b"7", b">8", b">77", b">", b"7>8", b"8>7", b"7>7", b">7>", b">7>7", b"7>")
        ],
        b"forged": [command(b"0" * 32), command(b""), command(session[:-1])],
        b"malformed": [b"", b"on", command(session)[:-1], command(session) + b"\n"],
    }
    for verdict, frames in refused.items():
        for frame in frames:
            assert taker.open(frame) == (None, verdict), frame
    assert taker.current() == session
    assert taker.open(command(session)) == (b"on", None)


def test_every_flipped_bit_is_refused(taker: Taker) -> None:
    frame = command(taker.current())
    for index in range(len(frame)):
        for bit in range(8):
            other = bytearray(frame)
            other[index] ^= 1 << bit
            if bytes(other).lower() != frame:
                assert taker.open(bytes(other))[1] in {b"forged", b"malformed"}, (index, bit)
    assert taker.open(frame) == (b"on", None)


def test_a_session_is_renewed_also_without_a_command(taker: Taker) -> None:
    """Or a command that was lost on its way would silence the host for good."""
    first = taker.current(0)
    assert taker.current(59) == first
    second = taker.current(60)
    assert second != first
    # The one before is still good: a command may be on its way.
    assert taker.open(command(first)) == (b"on", None)
    assert taker.current(61) == second
    third = taker.current(120)
    fourth = taker.current(180)
    held_back = command(second)
    assert taker.open(held_back) == (None, b"forged")
    assert taker.open(command(third)) == (b"on", None)
    assert taker.open(command(fourth)) == (b"on", None)


def test_commands_that_come_do_not_keep_a_held_back_one_alive(taker: Taker) -> None:
    held_back = command(taker.current(0))
    assert taker.open(command(taker.current(60))) == (b"on", None)
    taker.current(60)
    assert taker.open(held_back) == (None, b"forged")


def test_what_is_remembered_is_bounded(taker: Taker, bench: Bench) -> None:
    frames = []
    for time in range(0, 600, 60):
        frames.append(command(taker.current(time)))
        assert taker.open(frames[-1]) == (b"on", None)
    verdicts = [taker.open(frame)[1] for frame in frames]
    # Refused either way; what tells a copy from a forgery costs memory.
    assert verdicts == [b"forged"] * 6 + [b"duplicate"] * 4
    bench.run("macs = 0 return 0")
    taker.current(600)
    taker.open(command(b"0" * 32))
    assert bench.run("return macs") <= 6


def test_peers_are_taken_by_name(bench: Bench) -> None:
    taker = Taker(bench, 'peers = {"8", "9"}')
    session = taker.current()
    assert taker.open(seal_frame(b"6>7", b"on", session)) == (None, b"unknown_device")
    assert taker.open(seal_frame(b"8>77", b"on", session)) == (None, b"wrong_direction")
    assert taker.open(seal_frame(b"8", b"on", session)) == (None, b"wrong_direction")
    frame = seal_frame(b"8>7", b"on", session)
    assert taker.open(frame) == (b"on", b"8")
    assert taker.open(frame) == (None, b"duplicate")
    assert taker.open(command(session)) == (None, b"stale_session")
    assert taker.open(command(taker.current())) == (b"on", None)


SEAL = f"""
  espseal = require("espseal").new{{crypto = crypto, node = node, keys = {{{LUA_KEYS}}}}}
  espseal.radio_up()
"""


def test_a_message_to_another_node(bench: Bench) -> None:
    taker = Taker(bench, 'peers = {"11242238"}')
    bench.run(f"session = {taker.current().decode()!r} return 0")
    frame = bench.run(SEAL + 'return espseal.seal("11242238", "5", session, "7")')
    assert taker.open(frame) == (b"5", b"11242238")
    # It is no reading, whoever's session it was sealed under.
    script = SEAL + 'return espseal.open(espseal.seal("1", "5", session, "7"), session)'
    assert bench.run(script) == (None, b"wrong_direction")
    script = SEAL + 'return espseal.open_field(espseal.seal("1", "5", "session", "7"), "session")'
    who, data, session, mac = bench.run(script)
    assert (who, data, session, len(mac)) == (b"1>7", b"5", b"session", 20)


@pytest.mark.parametrize(
    ("node_id", "to", "field"),
    [
        ('"1"', "nil", b"1"),
        ('"1"', '"7"', b"1>7"),
        ('"1234567"', '"7654321"', b"1234567>7654321"),
        ('"12345678"', '"7654321"', None),
        ('"1"', '""', None),
        ('""', '"1"', None),
        ('"1"', '"7>8"', None),
        ('"1"', '"7\\0"', None),
        ('"1"', "7", None),
    ],
)
def test_the_node_field(bench: Bench, node_id: str, to: str, field: bytes | None) -> None:
    assert bench.run(f'return require("espseal").node_field({node_id}, {to})') == field
    bench.machine.generator.radio_up = True
    sealed = f"espseal.seal({node_id}, '5', 'session', {to})"
    if field is None:
        assert bench.run(SEAL + f"return {sealed}") == (None, b"invalid_node_id")
    else:
        script = SEAL + f"return (espseal.open_field({sealed}, 'session'))"
        assert bench.run(script) == field


def test_memory(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """No limit, a note: the host's pointers are twice as long as the chip's."""
    for module in ("commands", "notice", "pool", "link"):
        used = bench.run(
            f"""
            collectgarbage() collectgarbage()
            local before = collectgarbage("count")
            {module} = require("{module}")
            collectgarbage() collectgarbage()
            return collectgarbage("count") - before
            """
        )
        with capsys.disabled():
            print(f"\n{module}.lua, loaded, Lua {bench.board.lua} on the host: {used:.1f} kB")
        assert 0 < used < 20
