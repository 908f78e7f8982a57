"""Builds what the tests run: once, into `.cache/arduino`."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = ROOT / "firmware" / "arduino"
OUT = ROOT / ".cache" / "arduino"
VECTORS = ROOT / "tests" / "vectors"
# A device keeps no window, and is no host.
NOT_FOR_DEVICES = {"sealed_window", "sealed_scenario"}


def vector_files() -> list[Path]:
    """The shared vectors that a device can run."""
    return sorted(file for file in VECTORS.glob("*.txt") if file.stem not in NOT_FOR_DEVICES)


def test_names() -> list[str]:
    """The tests that are written in C."""
    sources = sorted((HERE / "c").glob("test_*.c"))
    return [
        name
        for source in sources
        for name in re.findall(r"^    TEST\((\w+)\),$", source.read_text(), re.MULTILINE)
    ]


test_names.__test__ = False  # type: ignore[attr-defined]  # a list of names, no test


def run(*command: str | Path, timeout: float = 300, check: bool = True) -> str:
    """Runs a program to its end; what it printed."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert not check or ended.returncode == 0, f"{command[0]} failed:\n{ended.stdout[-4000:]}"
    return ended.stdout


@cache
def make_host() -> Path:
    """The tests for this computer, under the sanitizers."""
    run("make", "-s", "-j2", "host", f"OUT={OUT}")
    return OUT / "host"


@cache
def make_lx106() -> Path:
    """The images for the chip's instruction set."""
    bearssl = run(HERE / "bearssl-source").strip().splitlines()[-1]
    vectors = " ".join(str(file) for file in vector_files())
    run("make", "-s", "-j2", "lx106", f"OUT={OUT}", f"BEARSSL={bearssl}", f"VECTORS={vectors}")
    return OUT / "lx106"


@cache
def make_tls() -> Path:
    """A client of TLS for the chip, to compare with."""
    make_lx106()
    bearssl = run(HERE / "bearssl-source").strip().splitlines()[-1]
    run("make", "-s", "-j2", "tls", f"OUT={OUT}", f"BEARSSL={bearssl}")
    return OUT / "lx106"


def emulate(image: Path) -> str:
    """Runs an image on the emulated chip; what it printed."""
    assert image.exists(), image
    return run(
        "qemu-system-xtensa",
        *(
            "-M",
            "sim",
            "-cpu",
            "lx106",
            "-icount",
            "shift=0,sleep=off,align=off",
            "-semihosting",
            "-nographic",
        ),
        *("-monitor", "none", "-serial", "none", "-kernel", image),
        timeout=120,
    )


def check_vectors(output: str, file: Path) -> None:
    """That every record of a file was executed, or said why not, and was right."""
    records = len(re.findall(r"^name: ", file.read_text(), re.MULTILINE))
    said = re.search(
        rf"^{file.stem}: executed (\d+) failed (\d+) out of reach (\d+)$", output, re.MULTILINE
    )
    assert said is not None, output[-2000:]
    executed, failed, out_of_reach = map(int, said.groups())
    assert failed == 0, "\n".join(re.findall(r"^FAILED.*$", output, re.MULTILINE))
    assert executed > 0
    assert executed + out_of_reach == records


@pytest.fixture(scope="session")
def host() -> Path:
    return make_host()


@pytest.fixture(scope="session")
def lx106() -> Path:
    return make_lx106()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real one, which keeps what is retained over a restart."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, persistence=True) as broker:
        yield broker


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    """A fleet with one device, a lamp."""
    file = espseal.KeyringFile.create(tmp_path / "keyring.toml")
    file.add_fleet("home")
    file.add_sealed("lamp", fleet="home")
    return espseal.Keyring.load(file.path)


@pytest.fixture
def given(keyring: espseal.Keyring) -> espseal.Provision:
    """What the lamp is given."""
    return keyring.provision("lamp")
