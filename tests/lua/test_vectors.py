"""The shared vectors, read and run in Lua: against the modules on the shims' crypto under Lua 5.1
and 5.3, and in a bare Lua 5.3 with 32-bit numbers, where NodeMCU's would overflow."""

import subprocess
from pathlib import Path

import pytest

from .conftest import Bench
from .lua32 import interpreter

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
FIRMWARE = HERE.parent.parent / "firmware" / "nodemcu"

CLASSIC = ["classic_seal", "classic_open", "classic_reject"]
SEALED = [
    "sealed_seal",
    "sealed_open",
    "sealed_reject",
    "sealed_keys",
    "sealed_control",
    "sealed_head",
    "aes_siv",
]
RUNNERS = {
    **dict.fromkeys(CLASSIC, "vectors.lua"),
    **dict.fromkeys(SEALED, "sealed_vectors.lua"),
    "sealed_device": "device_vectors.lua",
}
OUT_OF_REACH = {
    "session": "session IDs are minted and verified by the host",
    "sealed_window": "the window is the host's",
    "sealed_scenario": "these are the host's",
    "sealed_detect": "a device takes one format only",
    "aes_siv_wycheproof": "a frame has three components, these have one",
}


def test_no_file_is_forgotten() -> None:
    assert {path.stem for path in VECTORS.glob("*.txt")} == {*RUNNERS, *OUT_OF_REACH}


def check(name: str, build: str, executed: int, reasons: list[str], failures: list[str]) -> None:
    """None is lost on the way: each was executed, or has its reason."""
    records = (VECTORS / f"{name}.txt").read_bytes().count(b"\nname: ")
    print(f"{name}, {build}: {executed} of {records} vectors executed")
    print("\n".join(f"  out of a device's reach, {reason}" for reason in reasons))
    assert failures == []
    assert executed > 0
    assert executed + sum(int(reason.split(":")[0]) for reason in reasons) == records


@pytest.mark.parametrize("name", RUNNERS)
def test_vectors(bench: Bench, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (VECTORS / f"{name}.txt").read_bytes()
    run = bench.run(f'return dofile("{RUNNERS[name]}"){{crypto = crypto, node = node}}')
    executed, failures, reasons = bench.machine.lua.call(run, text)
    with capsys.disabled():
        print()
        check(
            name,
            f"Lua {bench.board.lua}",
            executed,
            reasons.decode().splitlines(),
            failures.decode().splitlines(),
        )


@pytest.mark.parametrize("name", RUNNERS)
def test_vectors_with_32_bit_numbers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = VECTORS / f"{name}.txt"
    command: list[str | Path] = [interpreter(), HERE / "standalone.lua", FIRMWARE, HERE]
    command += [RUNNERS[name], vectors]
    output = subprocess.check_output(command, text=True).splitlines()

    def after(start: str) -> list[str]:
        return [line.removeprefix(start) for line in output if line.startswith(start)]

    (executed,) = after("executed ")
    with capsys.disabled():
        print()
        check(
            name,
            "Lua 5.3 with 32-bit numbers",
            int(executed),
            after("out of reach "),
            after("failed "),
        )


def test_the_numbers_have_32_bits() -> None:
    """Or the test above would prove nothing."""
    script = "print(0x7fffffff + 1 == -0x7fffffff - 1, 16777216.0 + 1.0 == 16777216.0)"
    output = _lua32(script)
    assert output.split() == ["true", "true"]


def test_the_crypto_of_the_bare_interpreter() -> None:
    """Known answers: FIPS 197 (C.1), FIPS 180-4 ("abc"), RFC 2202 (2), RFC 4231 (2)."""
    script = f"""
        local crypto = dofile("{HERE}/crypto.lua")
        package.path = "{FIRMWARE}/?.lua"
        local bytes = require("bytes")
        local key = bytes.unhex("000102030405060708090a0b0c0d0e0f")
        local text = bytes.unhex("00112233445566778899aabbccddeeff")
        local block = crypto.encrypt("AES-ECB", key, text)
        assert(crypto.decrypt("AES-ECB", key, block) == text)
        local two = crypto.encrypt("AES-CBC", key, text .. text, key)
        assert(crypto.decrypt("AES-CBC", key, two, key) == text .. text)
        local what = "what do ya want for nothing?"
        for _, each in ipairs{{block, crypto.hash("SHA1", "abc"), crypto.hash("sha256", "abc"),
          crypto.hmac("sha1", what, "Jefe"), crypto.hmac("SHA256", what, "Jefe")}} do
          print(bytes.hex(each))
        end
    """
    assert _lua32(script).split() == [
        "69c4e0d86a7b0430d8cdb78070b4c55a",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ]


@pytest.mark.parametrize(
    ("name", "record", "field"),
    [
        ("classic_open", "article-sample", "frame"),
        ("sealed_seal", "known-uplink", "frame"),
        ("sealed_open", "known-uplink", "frame"),
        ("sealed_keys", "ratchet-to-last", "ratcheted"),
        ("sealed_control", "ratchet-0", "plaintext"),
        ("sealed_head", "in-order", "counters"),
        ("sealed_device", "device-commands-005", "payload"),
        ("aes_siv", "frame-0-unbound", "sealed"),
    ],
)
def test_a_wrong_vector_fails(bench: Bench, name: str, record: str, field: str) -> None:
    text = (VECTORS / f"{name}.txt").read_bytes()
    at = text.index(f"\n{field}: ".encode(), text.index(f"name: {record}\n".encode())) + 1
    at = text.index(b"\n", at) - 1
    digit = b"1" if text[at : at + 1] != b"1" else b"2"
    run = bench.run(f'return dofile("{RUNNERS[name]}"){{crypto = crypto, node = node}}')
    wrong = text[:at] + digit + text[at + 1 :]
    _, failures, _ = bench.machine.lua.call(run, wrong)
    assert len(failures.decode().splitlines()) == 1


def _lua32(script: str) -> str:
    result = subprocess.run(
        [interpreter(), "/dev/stdin"], input=script, text=True, capture_output=True, check=True
    )
    return result.stdout
