"""The core on the chip's instruction set, in an emulator: right, and within its budgets."""

import re
from pathlib import Path

import pytest

from . import costs
from .conftest import check_vectors, emulate, run, test_names, vector_files


@pytest.fixture(scope="module")
def said(lx106: Path) -> str:
    return emulate(lx106 / "chip.elf")


@pytest.mark.parametrize("file", vector_files(), ids=lambda file: file.stem)
def test_vectors(said: str, file: Path) -> None:
    check_vectors(said, file)


@pytest.mark.parametrize("name", test_names())
def test_device(said: str, name: str) -> None:
    assert f"ok {name}" in said.splitlines(), said


@pytest.fixture(scope="module")
def measured(lx106: Path) -> costs.Costs:
    return costs.measure(lx106)


@pytest.mark.parametrize(("what", "instructions"), costs.INSTRUCTIONS_MAX.items())
def test_instructions(measured: costs.Costs, what: str, instructions: int) -> None:
    assert measured.calls[what].instructions <= instructions


def test_stack(measured: costs.Costs) -> None:
    over = {name: call.stack for name, call in measured.calls.items() if call.stack > 1126}
    assert not over, "over 1.1 kB of stack"


@pytest.mark.parametrize(("what", "size"), costs.CODE_MAX.items())
def test_code_size(measured: costs.Costs, what: str, size: int) -> None:
    assert measured.code[what].own <= size


def test_context(measured: costs.Costs) -> None:
    assert measured.context["sealed"] <= 600
    assert measured.context["classic"] <= 600


def test_no_heap(lx106: Path) -> None:
    """What the core calls: BearSSL, itself, and a few functions of string.h."""
    known = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strlen"}
    for file in sorted((lx106 / "core").glob("*.o")):
        symbols = run("xtensa-lx106-elf-nm", "--undefined-only", file).split()
        called = {name for name in symbols if name not in ("U", f"{file}:")}
        strange = {n for n in called - known if not n.startswith(("br_", "espseal_"))}
        assert not strange, file.name


def test_the_readme_has_the_table(measured: costs.Costs) -> None:
    written = costs.README.read_text(encoding="utf-8")
    now = costs.updated(written, measured)
    said = "the costs in the README are others: run `python -m tests.arduino.costs`"
    assert _INSTRUCTIONS.sub("N", now) == _INSTRUCTIONS.sub("N", written), said
    for of_now, of_then in zip(
        _INSTRUCTIONS.findall(now), _INSTRUCTIONS.findall(written), strict=True
    ):
        # The counter moves once in 25 instructions: whether it has just done so is no cost.
        assert abs(_number(of_now) - _number(of_then)) <= 25, said


_INSTRUCTIONS = re.compile(r"\d{1,3}(?: \d{3})+")


def _number(text: str) -> int:
    return int(text.replace(" ", ""))
