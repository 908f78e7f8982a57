"""The shared vectors, read and run in Lua against espseal.lua on the shims' crypto."""

from pathlib import Path

import pytest

from .conftest import Bench

VECTORS = Path(__file__).parent.parent / "vectors"


@pytest.mark.parametrize("name", ["classic_seal", "classic_open", "classic_reject"])
def test_vectors(bench: Bench, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (VECTORS / f"{name}.txt").read_bytes()
    records = text.count(b"\nname: ")
    run = bench.run('return dofile("vectors.lua"){crypto = crypto, node = node}')
    executed, failures, skipped = bench.machine.lua.call(run, text)
    reasons = skipped.decode().splitlines()
    with capsys.disabled():
        print(f"\n{name}, Lua {bench.board.lua}: {executed} of {records} vectors executed")
        print("\n".join(f"  out of a device's reach, {reason}" for reason in reasons))
    assert failures.decode() == ""
    assert executed > 0
    # None is lost on the way: each was executed or has its reason.
    assert executed + sum(int(reason.split(":")[0]) for reason in reasons) == records


def test_a_wrong_vector_fails(bench: Bench) -> None:
    text = (VECTORS / "classic_open.txt").read_bytes()
    frame = text.index(b"\nframe: ") + len("\nframe: ")
    digit = b"1" if text[frame + 1 : frame + 2] != b"1" else b"2"
    run = bench.run('return dofile("vectors.lua"){crypto = crypto, node = node}')
    wrong = text[: frame + 1] + digit + text[frame + 2 :]
    _, failures, _ = bench.machine.lua.call(run, wrong)
    assert len(failures.decode().splitlines()) == 1
