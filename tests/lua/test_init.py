"""init.lua: which program starts, and from where. It takes its 3 s, so all boards boot at once."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from espseal.simulator import LuaVersion, Node
from espseal.simulator.config import render

from .conftest import KEYS
from .sealed_host import ADDRESS, DEVICE_KEY

BROKER = {"mqtt_host": "127.0.0.1", "mqtt_port": 1}
SEALED: dict[str, Any] = {**BROKER, "address": ADDRESS.hex(), "device_key": DEVICE_KEY.hex()}
CLASSIC: dict[str, Any] = {**BROKER, "topic": "t", "session_topic": "s", "keys": KEYS}
ADDRESS_LINE = f"address {ADDRESS.hex()}, epoch 0"
NO_CONFIG = "stopped: no config.lua: see "


@dataclass
class Case:
    """A board, what is changed on it before it boots, and the line that it prints."""

    config: Mapping[str, Any] | None
    line: str
    lfs: bool = False
    changes: Mapping[str, bytes | None] | None = None


def without(*programs: str) -> dict[str, bytes | None]:
    """Programs that were not uploaded."""
    return dict.fromkeys(programs)


CASES = [
    # What config.lua is for starts, from files and from LFS.
    Case(SEALED, ADDRESS_LINE),
    Case(SEALED, ADDRESS_LINE, lfs=True),
    Case(CLASSIC, "node ID 7"),
    Case(CLASSIC, "node ID 7", lfs=True),
    # What there is starts, and says what is missing.
    Case(None, NO_CONFIG + "config.example.lua"),
    Case(None, NO_CONFIG + "config.example.lua", lfs=True),
    Case(None, NO_CONFIG + "receiver.config.example.lua", changes=without("main.lua")),
    Case(
        None,
        NO_CONFIG + "sealed.config.example.lua",
        changes=without("main.lua", "receiver.lua"),
    ),
    # A config.lua that is broken is for the program to complain about.
    Case(
        None,
        "PANIC: unprotected error in call to Lua API (config.lua:1: oh no)",
        changes={"config.lua": b'error("oh no")'},
    ),
    # The power went while config.lua was written anew.
    Case(None, ADDRESS_LINE, changes={"config.new": render({"wifi_ssid": "x", **SEALED})}),
    # Files come before LFS: what was uploaded last is what runs.
    Case(
        SEALED,
        "mine function",
        lfs=True,
        changes={"main_sealed.lua": b'print("mine " .. type(require("bytes").add))'},
    ),
    Case(
        SEALED,
        "false\t1\ttrue",
        lfs=True,
        changes={
            "main_sealed.lua": b"""
                local found, why = pcall(require, "nothing")
                local said = why:find("no module in LFS", 1, true)
                print(found, (why:find("module 'nothing' not found", 1, true)), said ~= nil)
            """
        },
    ),
]


def test_what_starts(lua: LuaVersion) -> None:
    with ExitStack() as boards:
        nodes = []
        for case in CASES:
            node = Node(chip_id=7, config=case.config, lua=lua, startup="init.lua", lfs=case.lfs)
            nodes.append(boards.enter_context(node))
            if case.changes:
                node.reflash(case.changes)
        for node, case in zip(nodes, CASES, strict=True):
            node.wait_for(lambda line, case=case: line == case.line)  # type: ignore[misc]
        for node, case in zip(nodes, CASES, strict=True):
            assert (node.panics > 0) == ("oh no" in case.line), case
            if case.lfs:
                assert {n for n in node.flash if n.endswith(".lua")} <= {
                    "init.lua",
                    "config.lua",
                    *(case.changes or ()),
                }
        renamed = nodes[9]
        assert ("config.lua" in renamed.flash, "config.new" in renamed.flash) == (True, False)
