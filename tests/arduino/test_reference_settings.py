"""The reference sketch's settings by themselves, under the sanitizers."""

import re
from functools import cache
from pathlib import Path

import pytest

from .conftest import HERE, LIBRARY, OUT, run

REFERENCE = LIBRARY / "examples" / "Reference"


@cache
def build() -> Path:
    run("make", "-s", "-j2", "reference", f"OUT={OUT}")
    return OUT / "reference"


@pytest.fixture(scope="module")
def built() -> Path:
    return build()


@pytest.fixture(scope="module")
def said(built: Path) -> list[str]:
    return run(built / "tests", check=False).splitlines()


def names() -> list[str]:
    """The tests that are written in C++."""
    sources = sorted((HERE / "reference").glob("test_*.cpp"))
    return [
        name
        for source in sources
        for name in re.findall(r"^    TEST\((\w+)\),$", source.read_text(), re.MULTILINE)
    ]


@pytest.mark.parametrize("name", names())
def test_part(said: list[str], name: str) -> None:
    assert f"ok {name}" in said, "\n".join(said)


@pytest.mark.parametrize("variant", range(8))
def test_power_cut_at_every_byte_of_a_commit(built: Path, variant: int) -> None:
    output = run(built / "power", str(variant))
    cuts = re.fullmatch(r"ok (\d+) cuts\n", output)
    assert cuts is not None, output
    assert int(cuts[1]) > (4000 if variant & 4 else 1500)


def test_a_million_lines(built: Path) -> None:
    output = run(built / "fuzz", "1000000")
    counts = re.fullmatch(
        r"answered (\d+)\nrefused (\d+)\nrestarts (\d+)\nok 1000000 lines\n", output
    )
    assert counts is not None, output[-2000:]
    answered, refused, restarts = map(int, counts.groups())
    assert 1_000_000 > answered > refused > restarts > 1000


def test_they_are_small_on_the_chip(capsys: pytest.CaptureFixture[str]) -> None:
    bearssl = run(HERE / "bearssl-source").strip().splitlines()[-1]
    run("make", "-s", "-j2", "reference-lx106", f"OUT={OUT}", f"BEARSSL={bearssl}")
    objects = sorted((OUT / "lx106" / "reference").glob("*.o"))
    assert len(objects) == 12
    sizes = run("xtensa-lx106-elf-size", "-A", *objects)
    code = ram = sentences = 0
    for section, size in re.findall(r"^\.(\w+)\S* +(\d+) ", sizes, re.MULTILINE):
        code += int(size) if section in ("text", "literal") else 0
        sentences += int(size) if section == "irom" else 0
        ram += int(size) if section in ("data", "bss", "rodata") else 0
    usage = "".join(file.with_suffix(".su").read_text() for file in objects)
    stack = max(int(size) for size in re.findall(r"\t(\d+)\t", usage))
    with capsys.disabled():
        print(f"\ncode {code} B, sentences {sentences} B, RAM {ram} B, a call's stack {stack} B")
    assert 8000 < code < 16000
    assert 2000 < sentences < 8000
    assert 1000 < ram < 2000
    assert stack < 320


def test_the_parts_keep_to_their_order() -> None:
    """What is stored knows no port, no page and no radio."""
    allowed = {
        "codec": {"codec.h"},
        "checks": {"checks.h", "codec.h", "fields.h", "settings.h"},
        "fields": {"checks.h", "fields.h"},
        "settings": {"checks.h", "codec.h", "fields.h", "settings.h"},
        "missing": {"checks.h", "settings.h"},
        "slots": {"codec.h", "slots.h"},
        "settings_flash": {"provision.h"},
        "provision": {"codec.h", "provision.h", "settings.h", "slots.h"},
        "draft": {"codec.h", "provision.h"},
        "boot": {"boot.h", "codec.h", "provision.h"},
        "port": {"boot.h", "codec.h", "port.h"},
    }
    for part, headers in allowed.items():
        for file in [REFERENCE / f"{part}.cpp", REFERENCE / f"{part}.h"]:
            if file.exists():
                text = file.read_text()
                assert set(re.findall(r'#include "(.+)"', text)) <= headers, file
                # No heap that grows by itself, nothing of the C++ library.
                assert "std::" not in text, file
                assert not re.search(r"\bString\b(?! \()", re.sub(r"//.*", "", text)), file
