"""The wheel, as a user installs it: into a new environment, used in an empty folder."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, built with what the tests have already compiled."""
    folder = tmp_path_factory.mktemp("wheel")
    maturin = Path(sys.executable).with_name("maturin")
    command: list[str | Path] = [
        maturin,
        "build",
        "--quiet",
        "--profile",
        "dev",
        "--locked",
        "--out",
        folder,
    ]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    (wheel,) = folder.glob("espseal-*.whl")
    return wheel


def test_it_carries_the_firmware_in_one_copy_with_the_repository(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        firmware = sorted((ROOT / "firmware" / "nodemcu").glob("*.lua"))
        assert firmware
        for file in firmware:
            packed = f"espseal/simulator/nodemcu/{file.name}"
            assert archive.read(packed) == file.read_bytes()
    assert "espseal/py.typed" in names
    assert "espseal/_native.pyi" in names
    assert not [name for name in names if name.startswith(("tests/", "src/", "firmware/"))]


def test_the_demo_runs_from_it_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    locked: list[str | Path] = [
        "--require-hashes",
        "--requirement",
        ROOT / "requirements-demo.lock",
    ]
    subprocess.run([*install, *locked], check=True, timeout=900)
    subprocess.run([*install, "--no-deps", wheel], check=True, timeout=300)
    folder = tmp_path / "empty"
    folder.mkdir()
    clean = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    demo = subprocess.run(
        [environment / "bin" / "espseal", "demo"],
        cwd=folder,
        env={**clean, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "each exactly once" in demo.stdout
    assert list(folder.iterdir()) == []
