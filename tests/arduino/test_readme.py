"""The library's README does what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import LIBRARY, OUT, run

README = (LIBRARY / "README.md").read_text(encoding="utf-8")


def block(language: str, mark: str) -> str:
    """The code block of a language that holds this."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(next(text for found, text in fences if found == language and mark in text))


@pytest.fixture
def provisioned(tmp_path: Path) -> Path:
    """A folder where the first commands of the README were given."""
    (tmp_path / "wifi.txt").write_text("a password\n")
    espseal = shutil.which("espseal", path=str(Path(sys.executable).parent))
    assert espseal is not None
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    environment.pop("ESPSEAL_KEYRING", None)
    commands = block("", "espseal keyring new") + block("", "--format json").splitlines()[0]
    for command in commands.splitlines():
        ended = subprocess.run(
            [espseal, *command.split()[1:]],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return tmp_path


def test_the_program_compiles_with_what_the_commands_wrote(provisioned: Path) -> None:
    sketch = provisioned / "Readme"
    sketch.mkdir()
    (sketch / "Readme.ino").write_text(
        "static bool it_is_time() { return false; }\n" + block("cpp", "device.loop()")
    )
    shutil.copy(provisioned / "espseal_config.h", sketch)
    # The same steps as for an example, from outside of the library.
    run(
        *("make", "-s", "-j2", "sketch", f"OUT={OUT}", f"BUILD={sketch}"),
        f"SKETCH={os.path.relpath(sketch, LIBRARY)}",
    )
    assert (sketch / "sketch").exists()


def test_the_image_is_made_of_what_the_commands_wrote(provisioned: Path) -> None:
    command = next(c for c in block("", "flash_image.py").splitlines() if "flash_image" in c)
    script, given, made = command.split()[1:]
    run("python3", LIBRARY / script, provisioned / given, provisioned / made)
    image = (provisioned / made).read_bytes()
    assert len(image) == 8192
    assert image.count(0xFF) > 8000


def test_every_error_that_a_sketch_can_meet_is_explained() -> None:
    words = (LIBRARY / "src" / "espseal" / "words.c").read_text()
    errors = re.findall(r"[a-z_]+", "".join(re.findall(r'"(.*?)"', words.split("error_word(")[1])))
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE))
    # Only who seals frames without a device meets these.
    stateless = {"invalid_kind", "invalid_counter", "session_required"}
    said = {word for error in errors for word in error.split("0") if word} - {"ok"}
    assert said - stateless == explained
