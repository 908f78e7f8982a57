"""The core on this computer, under the address and undefined-behaviour sanitizers."""

import re
from pathlib import Path

import pytest

from .conftest import LIBRARY, check_vectors, run, test_names, vector_files

CORE = LIBRARY / "src" / "espseal"


@pytest.mark.parametrize("file", vector_files(), ids=lambda file: file.stem)
def test_vectors(host: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = run(host / "vectors", file)
    check_vectors(output, file)
    with capsys.disabled():
        print(f"\n{output}", end="")


def test_a_wrong_vector_fails(host: Path, tmp_path: Path) -> None:
    for name, field in [("sealed_open", "plaintext"), ("classic_open", "data")]:
        text = next(f for f in vector_files() if f.stem == name).read_text()
        at = text.index(f"\n{field}: ") + len(f"\n{field}: ")
        wrong = tmp_path / f"{name}.txt"
        wrong.write_text(text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :])
        output = run(host / "vectors", wrong, check=False)
        assert len(re.findall("^FAILED", output, re.MULTILINE)) == 1


@pytest.fixture(scope="module")
def said(host: Path) -> str:
    return run(host / "tests", check=False)


@pytest.mark.parametrize("name", test_names())
def test_device(said: str, name: str) -> None:
    lines = said.splitlines()
    assert f"ok {name}" in lines, said


@pytest.mark.parametrize("variant", range(8))
def test_power_cut_at_every_byte(host: Path, variant: int) -> None:
    output = run(host / "power", str(variant))
    cuts = re.fullmatch(r"ok (\d+) cuts\n", output)
    assert cuts is not None, output
    assert int(cuts[1]) > 5000


def test_a_million_random_frames(host: Path) -> None:
    output = run(host / "fuzz", "1000000")
    assert output.endswith("ok 1000000 frames\n")
    for verdict in ("malformed", "wrong_direction", "unknown_device", "forged"):
        assert re.search(rf"^{verdict} \d+$", output, re.MULTILINE), output


def test_the_core_stands_alone() -> None:
    """Crypto through one header, the C library's freestanding part, and its own files."""
    allowed = {"bearssl/bearssl.h", "string.h", "stdbool.h", "stddef.h", "stdint.h"}
    for file in sorted(CORE.iterdir()):
        text = file.read_text()
        assert set(re.findall(r"#include <(.+)>", text)) <= allowed, file
        assert not re.search(r"\b(malloc|calloc|realloc|free|alloca) ?\(", text), file
