"""state.lua, record.lua and rtcslot.lua: no counter twice, whatever happens to power and memory."""

import hmac
import random
from collections.abc import Iterator

import pytest

from .conftest import Bench
from .flash import CutFlash, PowerCut

PLENTY = 10**9

BOOT = """
    bytes = require("bytes")
    sealed = require("sealed")(crypto)
    record = require("record")(file, crypto)
    local fields, mark = record.load()
    if not fields then
      fields = {
        address = "an addr.", origin = "original", epoch = "\\0\\0", key = ("k"):rep(32),
        ceiling = ("\\0"):rep(8),
      }
      mark = assert(record.save(fields))
    end
    state = require("state"){
      sealed = sealed, record = record, slot = require("rtcslot")(rtcmem, crypto),
      fields = fields, mark = mark, chunk = %d,
    }
    -- Seals; prints the counter.
    function use(times)
      for _ = 1, times do
        local frame = assert(state.seal(sealed.DATA, "", "x"))
        print(bytes.hex(frame:sub(13, 20)))
      end
      return true
    end
"""


def boot(bench: Bench, chunk: int = 1024) -> None:
    """Starts the device as main_sealed.lua does."""
    bench.run(BOOT % chunk + "return 0")


def power_cycle(bench: Bench, chunk: int = 1024) -> None:
    """Takes the power away: RTC memory holds anything after it."""
    bench.board.power_on()
    bench.reset()
    boot(bench, chunk)


def use(bench: Bench, times: int = 1) -> list[int]:
    """Seals so many frames; their counters."""
    before = len(bench.lines)
    bench.run(f"return use({times})")
    return [int(line, 16) for line in bench.lines[before:]]


def cut_during(bench: Bench, script: str, steps: int, fill: bytes) -> bool:
    """Runs a script; the power goes after so many steps of writing to flash. Whether it did."""
    bench.board.flash = flash = CutFlash(bench.board.flash, PLENTY, fill)
    bench.reset()
    boot(bench, chunk=2)
    function = bench.run(f"return function() {script} end")
    flash.steps = steps
    try:
        bench.machine.lua.call(function)
    except PowerCut:
        cut = True
    else:
        cut = False
    bench.board.flash = dict(flash)
    power_cycle(bench, chunk=2)
    return cut


def used(bench: Bench) -> list[int]:
    """All counters that frames were sealed with."""
    return [int(line, 16) for line in bench.lines]


def key_of(epoch: int) -> bytes:
    """The device key: HKDF-Expand, epoch times."""
    key = b"k" * 32
    for _ in range(epoch):
        key = hmac.digest(key, b"ratchet\1", "sha256")
    return key


def test_counters_rise_by_one(bench: Bench) -> None:
    boot(bench)
    assert use(bench, 300) == list(range(1, 301))


def test_a_chunk_is_one_write(bench: Bench) -> None:
    boot(bench, chunk=100)
    bench.board.flash = flash = CutFlash(bench.board.flash, PLENTY)
    power_cycle(bench, chunk=100)
    one, hundred = bench.run("return function() use(1) end, function() use(100) end")
    bench.run("return 0")
    record, emptied = len(flash[b"espseal.1"]), 1
    flash.steps = PLENTY
    bench.machine.lua.call(hundred)
    assert PLENTY - flash.steps == record
    bench.machine.lua.call(one)
    assert PLENTY - flash.steps == 2 * record + emptied
    bench.machine.lua.call(hundred)
    assert PLENTY - flash.steps == 3 * record + 2 * emptied


def test_after_a_power_loss_it_goes_on_above(bench: Bench) -> None:
    boot(bench, chunk=16)
    use(bench, 5)
    power_cycle(bench, chunk=16)
    assert use(bench, 20) == list(range(17, 37))
    power_cycle(bench, chunk=16)
    assert use(bench) == [49]


@pytest.mark.parametrize("fill", [b"", b"\xff", b"\0"])
def test_a_power_cut_at_every_byte_of_every_reservation(bench: Bench, fill: bytes) -> None:
    boot(bench, chunk=2)
    files = dict(bench.board.flash)
    cuts = 0
    for steps in range(170):
        bench.lines.clear()
        bench.board.flash = dict(files)
        bench.board.power_on()
        cuts += cut_during(bench, "use(4)", steps, fill)
        use(bench, 3)
        counters = used(bench)
        assert counters == sorted(set(counters)), steps
    # Each byte of two records was one of those instants.
    assert cuts >= 2 * 79


@pytest.mark.parametrize("fill", [b"", b"\xff", b"\0"])
def test_a_power_cut_at_every_byte_of_a_ratchet(bench: Bench, fill: bytes) -> None:
    boot(bench)
    use(bench, 3)
    files = dict(bench.board.flash)
    seen = set()
    for steps in range(100):
        bench.board.flash = dict(files)
        done = not cut_during(bench, 'assert(state.ratchet("\\0\\2"))', steps, fill)
        epoch, key = bench.run("return bytes.number(state.epoch), state.key")
        assert epoch == 2 or (epoch == 0 and not done)
        assert key == key_of(epoch)
        assert use(bench) > [3]
        if epoch == 2:
            # Neither file holds a key from which this one follows.
            kept = b"".join(text for name, text in bench.board.flash.items() if b"espseal." in name)
            assert key_of(0) not in kept
            assert key_of(1) not in kept
        seen.add((epoch, done))
    assert seen == {(0, False), (2, False), (2, True)}


def test_nothing_is_sealed_that_flash_does_not_reserve(bench: Bench) -> None:
    boot(bench, chunk=3)
    use(bench, 3)
    bench.run("function file.open(name, mode) return nil end return 0")
    refusal = (None, b"storage_failed")
    assert bench.run('return state.seal(sealed.DATA, "", "x")') == refusal
    assert bench.run('return state.ratchet("\\0\\1")') == refusal
    assert bench.run("return state.lift(bytes.of(100, 8))") == refusal
    assert bench.run("return bytes.number(state.epoch), state.key") == (0, key_of(0))


@pytest.mark.parametrize(
    "write",
    [
        "return nil",
        "return true",
        "return f:write(text:sub(1, -2))",
        "return f:write(text .. 'x')",
        "return f:write((text:gsub('an', 'bn')))",
    ],
)
def test_a_write_that_did_not_take_is_noticed(bench: Bench, write: str) -> None:
    boot(bench, chunk=3)
    use(bench, 3)
    bench.run(
        f"""
        local open = file.open
        function file.open(name, mode)
          local f = open(name, mode)
          if mode ~= "w" then return f end
          return {{
            write = function(_, text) {write} end,
            flush = function() return f:flush() end,
            close = function() return f:close() end,
          }}
        end
        return 0
        """
    )
    assert bench.run('return state.seal(sealed.DATA, "", "x")') == (None, b"storage_failed")
    power_cycle(bench, chunk=3)
    assert use(bench) == [4]


@pytest.mark.parametrize("content", [b"", b"\xff" * 79, b"\0" * 79, b"\xff" * 4096, None])
def test_what_is_no_record_is_none(bench: Bench, content: bytes | None) -> None:
    boot(bench)
    use(bench, 2)
    names = [
        name for name in bench.board.flash if name.startswith(b"espseal.") and b"lua" not in name
    ]
    assert len(names) == 2
    for name in names:
        if content is None:
            del bench.board.flash[name]
        else:
            bench.board.flash[name] = content
    assert bench.run('return (require("record")(file, crypto).load())') is None


def test_every_flipped_bit_of_a_record_is_noticed(bench: Bench) -> None:
    boot(bench)
    record = bench.board.flash[b"espseal.1"]
    bench.run('function try() return (require("record")(file, crypto).load()) == nil end return 0')
    attempt = bench.run("return try")
    assert bench.machine.lua.call(attempt) is False
    for at in range(8 * len(record)):
        damaged = bytearray(record)
        damaged[at // 8] ^= 1 << at % 8
        bench.board.flash[b"espseal.1"] = bytes(damaged)
        assert bench.machine.lua.call(attempt) is True, at


def test_the_older_record_holds_while_the_newer_is_damaged(bench: Bench) -> None:
    boot(bench, chunk=4)
    use(bench, 5)
    newest = max([b"espseal.1", b"espseal.2"], key=lambda name: bench.board.flash[name][9:13])
    bench.board.flash[newest] = bench.board.flash[newest][:-1]
    bench.reset()
    boot(bench, chunk=4)
    assert bench.run("return state.epoch") == b"\0\0"


def test_the_sequence_carries(bench: Bench) -> None:
    """Which record is newer is no question of one byte."""
    boot(bench, chunk=1)
    assert use(bench, 600) == list(range(1, 601))
    power_cycle(bench, chunk=1)
    assert use(bench) == [601]


# RTC memory.


def sleep(bench: Bench) -> bool:
    """Goes to deep sleep; whether RTC memory has the counter."""
    slept: bool = bench.run("return state.sleep()")
    return slept


def test_deep_sleep_wastes_no_counter_and_no_write(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    flash = {name: text for name, text in bench.board.flash.items() if b".lua" not in name}
    for start in range(4, 40, 3):
        assert sleep(bench) is True
        bench.reset()
        boot(bench)
        assert use(bench, 3) == [start, start + 1, start + 2]
    now = {name: text for name, text in bench.board.flash.items() if b".lua" not in name}
    assert now == flash


def test_after_it_has_said_that_it_sleeps_it_seals_nothing(bench: Bench) -> None:
    """A late callback: what `node.dsleep` begins takes a moment."""
    boot(bench)
    use(bench, 3)
    sleep(bench)
    assert bench.run('return state.seal(sealed.DATA, "", "x")') == (None, b"asleep")
    assert bench.run("return state.lift(bytes.of(9, 8))") == (None, b"asleep")
    bench.reset()
    boot(bench)
    assert use(bench) == [4]


def test_a_reset_after_the_wake_finds_no_old_counter(bench: Bench) -> None:
    """Of a watchdog: RTC memory outlives it, and would hold the counter of the last sleep."""
    boot(bench)
    use(bench, 3)
    sleep(bench)
    bench.reset()
    boot(bench)
    assert use(bench, 5) == [4, 5, 6, 7, 8]
    bench.reset()
    boot(bench)
    assert use(bench) == [1025]


def test_a_reset_before_the_first_seal_wastes_a_chunk_and_no_more(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    sleep(bench)
    for _ in range(2):
        bench.reset()
        boot(bench)
    assert use(bench) == [1025]


def test_a_reset_between_saying_and_sleeping(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    sleep(bench)  # and the watchdog bites before the chip sleeps
    bench.reset()
    boot(bench)
    assert use(bench) == [4]


def test_an_image_of_rtc_memory_is_never_taken_twice(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    sleep(bench)
    image = list(bench.board.rtc)
    bench.reset()
    boot(bench)
    use(bench, 2000)  # flash has another record now
    bench.board.rtc[:] = image
    bench.reset()
    boot(bench)
    assert use(bench) > [2003]


@pytest.fixture
def generator() -> Iterator[random.Random]:
    """The same numbers in each run."""
    yield random.Random(20261121)


def test_random_rtc_memory_is_never_a_counter(bench: Bench, generator: random.Random) -> None:
    boot(bench)
    for _ in range(100):
        # Also such as has the shape: two bytes in each word.
        top = generator.choice([2**32, 2**16])
        bench.board.rtc[:] = [generator.randrange(top) for _ in range(128)]
        bench.reset()
        boot(bench)
        use(bench)
    counters = used(bench)
    assert counters == [1 + 1024 * number for number in range(100)]


def test_every_flipped_bit_of_the_rtc_slot_is_noticed(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    sleep(bench)
    image = list(bench.board.rtc)
    changed = [at for at in range(128) if image[at] != 0]
    files = dict(bench.board.flash)
    for word in range(120, 128):
        for bit in range(32):
            bench.board.rtc[:] = image
            bench.board.rtc[word] ^= 1 << bit
            bench.board.flash = dict(files)
            bench.reset()
            boot(bench)
            assert use(bench) == [1025], (word, bit)
    assert min(changed) >= 0


def test_a_build_without_rtcmem(bench: Bench) -> None:
    bench.run("rtcmem = nil return 0")
    boot(bench)
    use(bench, 3)
    assert sleep(bench) is False
    bench.reset()
    bench.run("rtcmem = nil return 0")
    boot(bench)
    assert use(bench) == [1025]


# The welcome's floor, and the end of the numbers.


def lift(bench: Bench, floor: int) -> bool:
    """A welcome; whether it leapt."""
    leapt: bool = bench.run(f'return state.lift(bytes.unhex("{floor:016x}"))')
    return leapt


@pytest.mark.parametrize(
    ("floor", "leapt", "next_counter"),
    [(0, False, 4), (3, False, 4), (4, False, 4), (5, True, 5), (2**40 + 7, True, 2**40 + 7)],
)
def test_the_next_counter_is_the_floor_or_above(
    bench: Bench, floor: int, leapt: bool, next_counter: int
) -> None:
    boot(bench)
    use(bench, 3)
    assert lift(bench, floor) is leapt
    assert use(bench) == [next_counter]


def test_a_floor_is_in_flash_before_it_is_used(bench: Bench) -> None:
    boot(bench)
    use(bench, 3)
    lift(bench, 2**50)
    power_cycle(bench)
    assert use(bench) >= [2**50]


def test_frames_of_before_the_leap_are_passed(bench: Bench) -> None:
    boot(bench)
    script = """
        local before = state.seal(sealed.DATA, "", "x")
        local still = state.passed(before)
        state.lift(bytes.of(9, 8))
        return still, state.passed(before), state.passed(state.seal(sealed.DATA, "", "x"))
    """
    assert bench.run(script) == (False, True, False)


def test_the_last_counter_is_the_last(bench: Bench) -> None:
    boot(bench)
    assert lift(bench, 2**64 - 2) is True
    assert use(bench, 2) == [2**64 - 2, 2**64 - 1]
    refusal = (None, b"counter_exhausted")
    assert bench.run('return state.seal(sealed.DATA, "", "x")') == refusal
    power_cycle(bench)
    assert bench.run('return state.seal(sealed.DATA, "", "x")') == refusal


def test_carries_reach_every_byte(bench: Bench) -> None:
    boot(bench)
    for bits in range(8, 64, 8):
        lift(bench, 2**bits - 1)
        assert use(bench, 3) == [2**bits - 1, 2**bits, 2**bits + 1]
