"""Provisioning over the serial port, as a program does it."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from .reference_core import ADDRESS, IDENTITY, KEY, PASSWORD, SETTINGS, Board, text


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path) as board:
        yield board


def settings_of(board: Board) -> bytes:
    """The two sectors."""
    return (board.folder / "settings.bin").read_bytes()


def test_from_an_empty_board_to_one_that_runs(board: Board) -> None:
    assert board.boots(1) == "mode unprovisioned, bad boots 0: not provisioned yet"
    assert board.ask("espseal?") == "espseal 1 unprovisioned none Reference 1.0"
    assert board.give(SETTINGS, IDENTITY) == f"espseal saved {ADDRESS}"
    assert board.boots(2) == "mode run, bad boots 0: provisioned"
    assert board.ask("espseal?") == f"espseal 1 run {ADDRESS} Reference 1.0"
    assert text(SETTINGS) in settings_of(board)
    assert bytes.fromhex(KEY) in board.flash
    board.ask("get")
    shown = [line.removeprefix("espseal ") for line in board.lines if line.startswith("espseal ")]
    assert "name Küche" in shown
    assert "wifi_ssid house & home" in shown
    assert "wifi_password *" in shown
    # No secret was printed, in any form.
    printed = "\n".join(board.lines)
    assert PASSWORD not in printed
    assert KEY[:16] not in printed


def test_settings_change_and_the_key_stays(board: Board) -> None:
    board.give(SETTINGS, IDENTITY)
    board.boots(2)
    other = {**SETTINGS, "mqtt_host": "other.example"}
    assert board.give(other) == f"espseal saved {ADDRESS}"
    board.boots(3)
    assert text(other) in settings_of(board)
    assert text(SETTINGS) not in settings_of(board)
    stored = settings_of(board), board.flash
    # Refused: nothing has changed.
    refused = board.give({**SETTINGS, "address": "fedcba9876543210"})
    assert refused.startswith("espseal error device_key ")
    assert (settings_of(board), board.flash) == stored
    assert board.ask("set interval soon").startswith("espseal error interval ")
    assert board.ask("save 00000000").startswith("espseal error save ")
    assert board.ask("espseal?").startswith("espseal 1 run ")


def test_an_erased_board_is_a_new_one(board: Board) -> None:
    board.give(SETTINGS, IDENTITY)
    board.boots(2)
    assert board.ask("erase none").startswith("espseal error erase ")
    assert board.ask(f"erase {ADDRESS}") == "espseal erased"
    assert board.boots(3).startswith("mode unprovisioned, bad boots 0: not provisioned yet")
    assert settings_of(board) + board.flash == b"\xff" * 4 * 4096


def test_half_of_it_is_nothing(board: Board) -> None:
    board.give(SETTINGS, IDENTITY)
    board.boots(2)
    board.off()
    (board.folder / "flash.bin").unlink()
    board.on()
    assert board.boots(3).endswith(": provisioning was interrupted: do it again")
    assert board.give(SETTINGS, IDENTITY) == f"espseal saved {ADDRESS}"
    assert board.boots(4).startswith("mode run")
    # Noise in the settings' sectors, and half of a slot.
    whole = settings_of(board)
    for left in (os.urandom(8192), whole[:60] + b"\xff" * 8132, b"\0" * 8192):
        board.off()
        (board.folder / "settings.bin").write_bytes(left)
        boots = len(board.modes)
        board.on()
        assert board.boots(boots + 1).startswith("mode unprovisioned")


def test_a_board_never_answers_what_is_not_for_it(board: Board) -> None:
    board.boots(1)
    seeded = random.Random(7)
    board.type(
        *("".join(seeded.choices("abc %#\t~{}\\", k=seeded.randrange(300))) for _ in range(500))
    )
    assert board.ask("espseal?").startswith("espseal 1 ")
    assert [line for line in board.lines if "espseal" in line] == [board.lines[-1]]
