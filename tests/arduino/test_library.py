"""The library as the Arduino IDE and PlatformIO see it."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from .conftest import LIBRARY, ROOT, run

SOURCES = LIBRARY / "src"


def properties() -> dict[str, str]:
    """`library.properties`."""
    lines = (LIBRARY / "library.properties").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert properties()["version"] == version
    assert json.loads((LIBRARY / "library.json").read_text())["version"] == version


def test_the_ide_finds_all_that_it_asks_for() -> None:
    found = properties()
    for name in ("name", "author", "maintainer", "sentence", "paragraph", "category"):
        assert found[name], name
    assert found["architectures"] == "esp8266"
    assert (SOURCES / found["includes"]).exists()
    for header in json.loads((LIBRARY / "library.json").read_text())["headers"]:
        assert (SOURCES / header).exists()
    # An example's folder and its sketch have one name.
    for folder in (LIBRARY / "examples").iterdir():
        assert (folder / f"{folder.name}.ino").exists()


def public_names() -> tuple[set[str], set[str], set[str]]:
    """Types, methods and constants that a sketch uses."""
    text = "".join((SOURCES / f"{name}.h").read_text() for name in ("Espseal", "EspsealMqtt"))
    types = set(re.findall(r"^(?:class|struct) (\w+)", text, re.MULTILINE))
    types |= set(re.findall(r"^using (\w+)", text, re.MULTILINE)) - {"EspsealLink"}
    public = re.sub(r"\n(?: private| protected):.*?(?=\n(?: public)?:|\n};)", "", text, flags=re.S)
    methods = set(re.findall(r"^ {4}(?:[\w<>:&*]+ )+[&*]?(\w+)\(", public, re.MULTILINE))
    methods |= set(re.findall(r"^(?:inline )?void (\w+)\(", text, re.MULTILINE))
    words = (SOURCES / "espseal" / "words.h").read_text()
    constants = set(re.findall(r"\b(ESPSEAL_[A-Z_]+)\b(?=,| *=|\s*/\*|\n})", words))
    return types, methods, constants


def test_keywords_are_the_public_names() -> None:
    lines = (LIBRARY / "keywords.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows), "one tab between a name and its kind"
    by_kind: dict[str, set[str]] = {}
    for name, kind in rows:
        by_kind.setdefault(kind, set()).add(name)
    types, methods, constants = public_names()
    assert by_kind["KEYWORD1"] >= {
        "EspsealSealed",
        "EspsealClassic",
        "EspsealSealedMqtt",
        "EspsealClassicMqtt",
    }
    assert by_kind["KEYWORD1"] <= types | {"espseal_error", "espseal_verdict"}
    assert by_kind["KEYWORD2"] <= methods | {"espseal_error_word", "espseal_verdict_word"}
    verdicts = {name for name in constants if not name.startswith("ESPSEAL_ERROR_")}
    assert by_kind["LITERAL1"] <= constants | {"ESPSEAL_PROVISIONED"}
    assert {"ESPSEAL_OK", "ESPSEAL_FRESH"} <= by_kind["LITERAL1"] & verdicts
    every_word = {name for name in constants if name.startswith("ESPSEAL_ERROR_")}
    assert every_word <= by_kind["LITERAL1"], "an error without a colour"


@pytest.mark.parametrize("given", ["no.json", "bad.json"])
def test_the_image_says_what_is_wrong(tmp_path: Path, given: str) -> None:
    (tmp_path / "bad.json").write_text('{"address": "00", "device_key": "00", "epoch": 0}')
    said = run(
        "python3",
        LIBRARY / "extras" / "flash_image.py",
        tmp_path / given,
        tmp_path / "image.bin",
        check=False,
    )
    assert given in said
    assert not (tmp_path / "image.bin").exists()
