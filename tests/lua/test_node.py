"""The simulated node itself: power, panics, failures of the host."""

import subprocess
import sys
from pathlib import Path

import pytest

from espseal.simulator import LuaSource, LuaVersion, Node, firmware_files
from espseal.simulator.config import render


def program(directory: Path, text: str) -> Path:
    """A firmware directory with one file."""
    (directory / "main.lua").write_text(text)
    return directory


def test_a_panic_reboots(tmp_path: Path, lua: LuaVersion) -> None:
    firmware = program(
        tmp_path,
        """
        print("boot " .. rtcmem.read32(0))
        rtcmem.write32(0, 7)
        tmr.create():alarm(10, tmr.ALARM_SINGLE, function() local x = nil + 1 return x end)
        """,
    )
    with Node(chip_id=1, config=None, lua=lua, firmware=firmware) as node:
        line = node.wait_for(lambda line: line.startswith("PANIC"))
        assert line.startswith("PANIC: unprotected error in call to Lua API (main.lua:4: ")
        node.wait_for(lambda line: line == "boot 7")
        assert node.panics >= 1
        assert node.boots >= 2


def test_an_error_at_startup_leaves_the_prompt(tmp_path: Path, lua: LuaVersion) -> None:
    with Node(chip_id=1, config=None, lua=lua, firmware=program(tmp_path, "error('no')")) as node:
        node.wait_for(lambda line: "main.lua:1: no" in line)
        assert (node.panics, node.boots) == (1, 1)


def test_restart_and_sleep_keep_rtc_memory_and_a_power_cycle_does_not(
    tmp_path: Path, lua: LuaVersion
) -> None:
    firmware = program(
        tmp_path,
        """
        local boots = file.getcontents("boots") or ""
        file.putcontents("boots", boots .. "x")
        print(#boots .. " " .. rtcmem.read32(5))
        rtcmem.write32(5, 1000 + #boots)
        if #boots == 0 then node.restart() end
        if #boots == 1 then node.dsleep(100000) end
        if #boots == 2 then node.dsleep(0) end
        """,
    )
    with Node(chip_id=1, config=None, lua=lua, firmware=firmware) as node:
        node.wait_for(lambda line: line == "1 1000")
        node.wait_for(lambda line: line == "2 1001")
        assert node.flash["boots"] == b"xxx"
        node.power_cycle()
        assert node.wait_for(lambda line: line.startswith("3 ")) != "3 1002"


def test_an_exception_of_the_sensor_is_not_swallowed(tmp_path: Path, lua: LuaVersion) -> None:
    def broken() -> int:
        raise KeyError("sensor")

    firmware = program(tmp_path, "pcall(function() adc.read(0) end)")
    node = Node(chip_id=1, config=None, lua=lua, firmware=firmware, sensor=broken)
    node.start()
    with pytest.raises(KeyError, match="sensor"):
        node.wait_for(lambda _: False)
    node.close()


@pytest.mark.parametrize("value", [-1, 1025, "5"])
def test_a_value_that_no_adc_has(tmp_path: Path, value: int) -> None:
    firmware = program(tmp_path, "adc.read(0)")
    with (
        pytest.raises(ValueError, match="from 0 to 1024"),
        Node(chip_id=1, config=None, firmware=firmware, sensor=lambda: value) as node,
    ):
        node.wait_for(lambda _: False)


def test_wait_for_says_what_it_saw(tmp_path: Path) -> None:
    firmware = program(tmp_path, "print('one') print('two', 2) print('one')")
    with Node(chip_id=1, config=None, firmware=firmware) as node:
        assert node.wait_for(lambda line: line.startswith("two")) == "two\t2"
        assert node.wait_for(lambda line: line == "one") == "one"
        with pytest.raises(TimeoutError, match=r"0\.1 s; the last ones:\n  one\n  two"):
            node.wait_for(lambda _: True, timeout=0.1)


def test_wrong_use() -> None:
    with pytest.raises(ValueError, match=r'"5\.1" or "5\.3"'):
        Node(chip_id=1, config=None, lua="5.2")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cannot hold a set"):
        Node(chip_id=1, config={"topic": set()})
    with Node(chip_id=1, config=None) as node, pytest.raises(RuntimeError, match="started before"):
        node.start()
    node.close()


def test_a_directory_without_firmware(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Node(chip_id=1, config=None, firmware=tmp_path)


def test_the_firmware_has_one_copy() -> None:
    source = Path(__file__).parent.parent.parent / "firmware" / "nodemcu"
    assert firmware_files() == {path.name: path.read_bytes() for path in source.glob("*.lua")}


def test_render() -> None:
    text = render(
        {
            "a": 'quote " \\ \n é',
            "b": b"\x00\xff",
            "c": True,
            "d": {"hex": "00", "none": None},
            "e": 1.5,
            "f": ["one", 2],
            "sensor": LuaSource("function() end"),
        }
    )
    assert text == (
        b'return {sensor = function() end, a = "quote \\034 \\092 \\010 \\195\\169", '
        b'b = "\\000\\255", c = true, d = {hex = "00"}, e = 1.5, f = {"one", 2}}\n'
    )
    with pytest.raises(TypeError, match="no field name"):
        render({"not a name": 1})


def test_without_lupa_one_sentence_says_what_to_do() -> None:
    script = "import sys; sys.modules['lupa.lua51'] = None; import espseal.simulator"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    last = result.stderr.strip().splitlines()[-1]
    assert last == "ImportError: espseal.simulator needs lupa: pip install 'espseal[demo]'"
