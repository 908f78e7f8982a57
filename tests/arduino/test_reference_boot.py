"""In which mode the reference sketch starts, and what decides it."""

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import wait_for

from .reference_core import ADDRESS, IDENTITY, SETTINGS, Board

# Long enough for a slow machine; and so short that it is over at once.
SLOW = "-DDOUBLE_RESET_MS=600000 -DHELD_MS=600000 -DWELL_MS=600000"
FAST = "-DDOUBLE_RESET_MS=1 -DHELD_MS=200 -DWELL_MS=1"
POWER, WATCHDOG, EXCEPTION, SOFT_WATCHDOG, RESTART, SLEEP, BUTTON = range(7)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """One that is provisioned, and was just switched on."""
    board = Board(tmp_path, SLOW)
    with board:
        board.give(SETTINGS, IDENTITY)
        board.boots(2)
    board.forget("rtc.bin")
    board.lines.clear()
    with board:
        assert board.boots(1) == "mode run, bad boots 0: provisioned"
        yield board


def flags(board: Board) -> int:
    """What the board keeps in RTC memory about this boot: 1 well, 4 pressed."""
    memory = (board.folder / "rtc.bin").read_bytes()
    return int.from_bytes(memory[4 * 50 : 4 * 50 + 2], "little") if len(memory) == 512 else 0


def again(board: Board, reason: int) -> str:
    """A reset; what the boot after it says."""
    before = len(board.modes)
    board.reset(reason)
    return board.boots(before + 1)


@pytest.mark.parametrize("reason", [POWER, WATCHDOG, EXCEPTION, SOFT_WATCHDOG, RESTART])
def test_five_bad_boots_lead_into_safe_mode(board: Board, reason: int) -> None:
    for bad in range(1, 5):
        assert again(board, reason) == f"mode run, bad boots {bad}: provisioned"
    safe = "mode safe, bad boots 5: it crashed too often"
    assert again(board, reason) == safe
    # It waits there: for a reset it is not done.
    assert again(board, BUTTON) == safe
    assert again(board, reason).startswith("mode safe, bad boots 6")
    assert board.ask("espseal?").startswith("espseal 1 safe ")
    assert board.ask("mode run") == "espseal ok"
    assert board.boots(len(board.modes) + 1) == "mode run, bad boots 0: provisioned"


def test_a_sketch_that_restarts_in_a_loop_ends_in_safe_mode(tmp_path: Path) -> None:
    with Board(tmp_path, SLOW) as board:
        board.give(SETTINGS, IDENTITY)
        board.boots(2)
    board.forget("rtc.bin")
    with Board(tmp_path, f"{SLOW} -DCRASH") as board:
        wait_for(lambda: any(mode.startswith("mode safe") for mode in board.modes), "safe mode")
    assert [mode.split(":")[0] for mode in board.modes[:6]] == [
        *(f"mode run, bad boots {bad}" for bad in range(5)),
        "mode safe, bad boots 5",
    ]


def test_what_is_no_crash_is_not_counted(board: Board) -> None:
    for _ in range(3):
        assert again(board, EXCEPTION).startswith("mode run")
    # A press of the button is neither good nor bad; after deep sleep all is well.
    assert again(board, BUTTON) == "mode run, bad boots 3: provisioned"
    assert again(board, EXCEPTION) == "mode run, bad boots 4: provisioned"
    assert again(board, SLEEP) == "mode run, bad boots 0: provisioned"


def test_noise_in_rtc_memory_is_a_first_boot(board: Board) -> None:
    for _ in range(4):
        again(board, EXCEPTION)
    board.off()
    (board.folder / "rtc.bin").write_bytes(os.urandom(512))
    board.on()
    assert board.boots(6) == "mode run, bad boots 0: provisioned"
    # And a bit of it that flips, wherever.
    memory = bytearray((board.folder / "rtc.bin").read_bytes())
    for byte in range(4 * 50, 4 * 53):
        board.off()
        flipped = bytearray(memory)
        flipped[byte] ^= 0x10
        (board.folder / "rtc.bin").write_bytes(flipped)
        before = len(board.modes)
        board.on()
        assert board.boots(before + 1) == "mode run, bad boots 0: provisioned"


def test_the_reset_button_twice(board: Board) -> None:
    assert again(board, BUTTON).startswith("mode run")
    wanted = "mode configure, bad boots 0: the reset button was pressed twice"
    assert again(board, BUTTON) == wanted
    # A third press leads back.
    assert again(board, BUTTON).startswith("mode run")


def test_the_reset_button_twice_in_safe_mode(board: Board) -> None:
    for _ in range(5):
        again(board, WATCHDOG)
    assert again(board, BUTTON).startswith("mode safe")
    assert again(board, BUTTON).startswith("mode configure")


def test_other_resets_are_no_button(board: Board) -> None:
    assert again(board, BUTTON).startswith("mode run")
    assert again(board, EXCEPTION).startswith("mode run")
    assert again(board, BUTTON).startswith("mode run")


def test_presses_that_are_far_apart(board: Board) -> None:
    board.off()
    with Board(board.folder, FAST) as board:
        for _ in range(3):
            assert again(board, BUTTON).startswith("mode run")
            wait_for(lambda: not flags(board) & 4, "the press to be forgotten")


def test_a_board_that_stood_for_a_while_is_well(board: Board) -> None:
    for bad in range(1, 4):
        assert again(board, EXCEPTION) == f"mode run, bad boots {bad}: provisioned"
    board.off()
    with Board(board.folder, FAST) as board:
        for _ in range(3):
            board.boots(1)
            wait_for(lambda: flags(board) & 1, "all to be well")
            assert again(board, EXCEPTION) == "mode run, bad boots 0: provisioned"


def test_safe_mode_is_not_well_however_long_it_stands(board: Board) -> None:
    for _ in range(5):
        again(board, EXCEPTION)
    board.off()
    with Board(board.folder, FAST) as board:
        assert board.boots(1).startswith("mode safe")
        time.sleep(0.5)
        assert not flags(board) & 1
        assert again(board, BUTTON).startswith("mode safe")


def test_flash_held_for_a_moment_is_nothing(board: Board) -> None:
    for level in ("LOW", "HIGH"):
        board.pins(_0=level)
        time.sleep(0.3)
    assert board.ask("espseal?").startswith("espseal 1 run ")
    assert len(board.modes) == 1


def test_flash_held_and_let_go(board: Board) -> None:
    board.off()
    with Board(board.folder, FAST) as board:
        board.boots(1)
        board.pins(_0="LOW")
        # It has seen that once it answers a second time.
        for _ in range(2):
            assert board.ask("espseal?").startswith("espseal 1 run ")
        time.sleep(0.5)
        # The chip's loader would start, were it still low.
        assert board.ask("espseal?").startswith("espseal 1 run ")
        assert len(board.modes) == 1
        board.pins(_0="HIGH")
        wanted = "mode configure, bad boots 0: somebody at the board asked for it"
        assert board.boots(2) == wanted
        assert again(board, POWER).startswith("mode run")


@pytest.mark.parametrize("provisioned", [False, True])
def test_configure_mode_by_the_port(tmp_path: Path, provisioned: bool) -> None:
    with Board(tmp_path) as board:
        board.boots(1)
        if provisioned:
            board.give(SETTINGS, IDENTITY)
            board.boots(2)
        boots = len(board.modes)
        assert board.ask("mode configure") == "espseal ok"
        assert board.boots(boots + 1).startswith("mode configure")
        assert board.ask("mode run") == "espseal ok"
        expected = "mode run" if provisioned else "mode unprovisioned"
        assert board.boots(boots + 2).startswith(expected)


def test_the_host_asks_for_configure_mode_once(board: Board) -> None:
    board.off()
    board.forget("rtc.bin")
    set_mode(board, 1)
    board.on()
    assert board.boots(2) == "mode configure, bad boots 0: the host asked for it"
    # The power fails there: it does not stay open.
    board.off()
    board.forget("rtc.bin")
    board.on()
    assert board.boots(3) == "mode run, bad boots 0: provisioned"


def test_safe_mode_comes_before_what_the_host_asked_for(board: Board) -> None:
    for _ in range(4):
        again(board, EXCEPTION)
    board.off()
    set_mode(board, 1)
    board.on()
    assert board.boots(6).startswith("mode safe")


def test_another_mode_of_the_hosts_is_not_ours(board: Board) -> None:
    board.off()
    board.forget("rtc.bin")
    set_mode(board, 7)
    board.on()
    assert board.boots(2) == "mode run, bad boots 0: provisioned"


def test_a_crash_over_what_is_stored_ends_in_safe_mode_without_it(board: Board) -> None:
    board.off()
    board.forget("rtc.bin")
    with Board(board.folder, f"{SLOW} -DCRASH_IN_LOAD") as board:
        assert board.boots(1) == "mode safe, bad boots 6: it crashed too often"
        assert board.ask("get") == "espseal ok"
        assert board.ask("espseal?").startswith(f"espseal 1 safe {ADDRESS} ")


def test_safe_mode_is_left_by_provisioning(board: Board) -> None:
    for _ in range(5):
        again(board, EXCEPTION)
    board.off()
    (board.folder / "settings.bin").unlink()
    board.on()
    assert board.boots(7).startswith("mode safe")
    assert board.give(SETTINGS, IDENTITY).startswith("espseal saved")
    assert board.boots(8) == "mode run, bad boots 0: provisioned"


def set_mode(board: Board, mode: int) -> None:
    """What a control frame of the host does to the record in flash (store.h)."""
    flash = bytearray(board.flash)
    sector = 0 if flash[4096:4100] == b"\xff" * 4 else 4096
    records = [flash[at : at + 72] for at in range(sector, sector + 4032, 72)]
    used = [record for record in records if record[:4] != b"\xff" * 4]
    new = bytearray(used[-1])
    new[4] = mode
    new[64:68] = (int.from_bytes(new[64:68], "little") + 1).to_bytes(4, "little")
    new[68:72] = (zlib.crc32(new[:68]) ^ 0xFFFFFFFF or 1).to_bytes(4, "little")
    at = sector + 72 * len(used)
    flash[at : at + 72] = new
    (board.folder / "flash.bin").write_bytes(flash)
