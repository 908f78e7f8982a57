"""What espseal.lua promises beyond the vectors."""

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import Bench

FIRMWARE = Path(__file__).parent.parent.parent / "firmware" / "nodemcu"

SETUP = """
  keys = {iv_key = "iv key: 16 bytes", data_key = "data key, 16 byt",
          static_iv = "static IV, 16 by", passphrase = "secret"}
  espseal = require("espseal").new{crypto = crypto, node = node, keys = keys}
"""


def test_round_trip(bench: Bench) -> None:
    result = bench.run(
        SETUP
        + """
        espseal.radio_up()
        for _, layout in ipairs{"hex", "raw"} do
          local device = require("espseal").new{
            crypto = crypto, node = node, keys = keys, layout = layout}
          device.radio_up()
          for size = 0, 66 do
            local data = ("\\255"):rep(size)
            local frame = assert(device.seal("11242238", data, "a session"))
            local node_id, opened, session = espseal.open(frame, {"x", "a session", "y"})
            assert(node_id == "11242238" and opened == data and session == "a session")
            assert(espseal.open(frame, "a session") == "11242238")
            local _, verdict = espseal.open(frame, "another")
            assert(verdict == "forged")
          end
        end
        return true
        """
    )
    assert result is True


def test_refuses_before_the_radio_is_up(bench: Bench) -> None:
    assert bench.run(SETUP + 'return espseal.seal("1", "5", "session")') == (None, b"radio_down")
    assert bench.board.draws_before_ip == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('"", "5", "session"', b"invalid_node_id"),
        ('"1234567890123456", "5", "session"', b"invalid_node_id"),
        ('"a>b", "5", "session"', b"invalid_node_id"),
        ('"a\\0", "5", "session"', b"invalid_node_id"),
        ('11242238, "5", "session"', b"invalid_node_id"),
        ('"1", 5, "session"', b"invalid_data"),
        ('"1", nil, "session"', b"invalid_data"),
        ('"1", "5\\0", "session"', b"data_ends_in_nul"),
        ('"1", "5", nil', b"no_session"),
        ('"1", "5", ""', b"session_required"),
        ('"1", "5", 5', b"session_required"),
        ('"1", ("5"):rep(961), "session"', b"frame_too_long"),
    ],
)
def test_codes_of_seal(bench: Bench, arguments: str, code: bytes) -> None:
    script = SETUP + f"espseal.radio_up() return espseal.seal({arguments})"
    assert bench.run(script) == (None, code)


def test_the_longest_data_fits(bench: Bench) -> None:
    script = SETUP + 'espseal.radio_up() return #espseal.seal("1", ("5"):rep(960), "session")'
    assert bench.run(script) == 107 + 2 * 960


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("iv_key", '"2345678901abcdef"', b"article_keys"),
        ("data_key", '"0123456789abcdef"', b"article_keys"),
        ("static_iv", '{text = "abcdef2345678901"}', b"article_keys"),
        ("static_iv", '{hex = "61626364656632333435363738393031"}', b"article_keys"),
        ("passphrase", '"mypassphrase"', b"article_keys"),
        ("iv_key", '"CHANGE-ME-iv-key"', b"placeholder_keys"),
        ("iv_key", '"too short"', b"wrong_key_length"),
        ("data_key", '("k"):rep(32)', b"wrong_key_length"),
        ("passphrase", '""', b"wrong_key_length"),
        ("iv_key", '{hex = "0"}', b"invalid_value"),
        ("iv_key", '{hex = "zz"}', b"invalid_value"),
        ("iv_key", "5", b"invalid_value"),
        ("iv_key", "nil", b"missing_field"),
    ],
)
def test_codes_of_new(bench: Bench, field: str, value: str, code: bytes) -> None:
    script = f'keys.{field} = {value} return require("espseal").new{{crypto=crypto, keys=keys}}'
    assert bench.run(SETUP + script) == (None, code, field.encode())


def test_known_keys_may_be_allowed(bench: Bench) -> None:
    allowed = """
        keys.passphrase = "mypassphrase"
        return require("espseal").new{crypto = crypto, keys = keys, allow_article_keys = true}
    """
    assert bench.run(SETUP + allowed)[b"seal"] is not None
    assert bench.run(SETUP + "return require('espseal').new{keys = keys, layout = 'port'}") == (
        None,
        b"invalid_value",
        b"layout",
    )


def test_keys_in_hex(bench: Bench) -> None:
    script = """
        keys.iv_key = {hex = require("espseal").to_hex(keys.iv_key):upper()}
        local other = require("espseal").new{crypto = crypto, node = node, keys = keys}
        other.radio_up()
        return espseal.open(other.seal("1", "5", "session"), "session")
    """
    assert bench.run(SETUP + script) == (b"1", b"5", b"session")


def test_the_iv_is_sixteen_uniform_hex_digits(bench: Bench) -> None:
    script = """
        local asked, given, value = {}, {}, 0
        local counting = {random = function(low, high)
          asked[low .. " to " .. high] = (asked[low .. " to " .. high] or 0) + 1
          value = (value + 1) % 256
          return value
        end}
        -- The first thing encrypted is the IV.
        local spy = {hmac = crypto.hmac, encrypt = function(name, key, text, iv)
          if key == keys.iv_key then given[#given + 1] = text end
          return crypto.encrypt(name, key, text, iv)
        end}
        local device = require("espseal").new{crypto = spy, node = counting, keys = keys}
        device.radio_up()
        for _ = 1, 16 do device.seal("1", "5", "session") end
        return table.concat(given), asked["0 to 255"]
    """
    ivs, draws = bench.run(SETUP + script)
    assert draws == 256
    assert {bytes([digit]): ivs.count(digit) for digit in b"0123456789abcdef"} == {
        bytes([digit]): 16 for digit in b"0123456789abcdef"
    }


def test_the_number_of_macs_depends_on_the_sessions_alone(bench: Bench) -> None:
    script = """
        local macs = 0
        local spy = {decrypt = crypto.decrypt, encrypt = crypto.encrypt,
          hmac = function(...) macs = macs + 1 return crypto.hmac(...) end}
        espseal.radio_up()
        local frame = espseal.seal("1", "5", "b")
        local device = require("espseal").new{crypto = spy, node = node, keys = keys}
        local counts = {}
        for _, each in ipairs{frame, frame:gsub("^..", "00"), frame:gsub("%x$", "x")} do
          if type(each) == "string" then
            macs = 0
            device.open(each, {"a", "b", "c"})
            counts[#counts + 1] = macs
          end
        end
        return table.concat(counts, " ")
    """
    assert bench.run(SETUP + script) == b"3 3 0"


def test_every_flipped_bit_is_refused(bench: Bench) -> None:
    frame = bench.run(SETUP + 'espseal.radio_up() return espseal.seal("1", "5", "session")')
    bench.run(SETUP + "function try(frame) return espseal.open(frame, 'session') end return 0")
    attempt = bench.run("return try")
    for index in range(len(frame)):
        for bit in range(8):
            other = bytearray(frame)
            other[index] ^= 1 << bit
            if bytes(other).lower() == frame:
                continue  # the case of a hex digit means nothing
            answer = bench.machine.lua.call(attempt, bytes(other))
            assert answer in [(None, b"forged"), (None, b"malformed")], (index, bit)


def test_the_empty_session_is_never_tried(bench: Bench) -> None:
    script = """
        local careless = require("espseal").new{
          crypto = crypto, node = node, keys = keys, danger_accept_replays = true}
        careless.radio_up()
        local frame = assert(careless.seal("1", "5", ""))
        assert(careless.open(frame, "") == "1")
        return espseal.open(frame, {"", "x"})
    """
    assert bench.run(SETUP + script) == (None, b"forged")


@pytest.mark.parametrize("payload", ["nil", "5", '""', '("0"):rep(2049)', '",,,"'])
def test_no_frame_is_malformed(bench: Bench, payload: str) -> None:
    assert bench.run(SETUP + f"return espseal.open({payload}, 's')") == (None, b"malformed")


def test_no_global_is_made(bench: Bench) -> None:
    script = """
        local before = {}
        for name in pairs(_G) do before[name] = true end
        require("espseal").new{}
        for name in pairs(_G) do assert(before[name], name) end
        return true
    """
    assert bench.run(script) is True


@pytest.mark.parametrize("version", ["5.1", "5.3"])
@pytest.mark.parametrize("name", sorted(path.name for path in FIRMWARE.glob("*.lua")))
def test_no_arithmetic_that_some_build_lacks(version: str, name: str) -> None:
    listing = subprocess.run(
        [f"luac{version}", "-l", "-l", "-p", FIRMWARE / name],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    operations = set(re.findall(r"^\t\d+\t\[\d+\]\t(\w+)", listing, re.MULTILINE))
    assert "RETURN" in operations
    assert not operations & {
        "DIV", "IDIV", "POW", "BAND", "BOR", "BXOR", "SHL", "SHR", "BNOT",
    }  # fmt: skip


def test_memory(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """No limit, a note: the host's pointers are twice as long as the chip's."""
    used = bench.run(
        """
        collectgarbage() collectgarbage()
        local before = collectgarbage("count")
        espseal = require("espseal")
        collectgarbage() collectgarbage()
        return collectgarbage("count") - before
        """
    )
    with capsys.disabled():
        print(f"\nespseal.lua, loaded, Lua {bench.board.lua} on the host: {used:.1f} kB")
    assert 0 < used < 44
