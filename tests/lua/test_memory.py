"""What each program takes of the Lua heap: the numbers of firmware/nodemcu/README.md.

The host's pointers are twice as long as the chip's, so its numbers are about twice as large.
"""

from typing import Any

import pytest

from espseal.simulator.config import LuaSource, render

from .conftest import KEYS, SESSION_TOPIC, TOPIC, Bench
from .sealed_host import ADDRESS, BEACON_TOPIC, DEVICE_KEY

CLASSIC: dict[str, Any] = {
    "wifi_ssid": "x",
    "mqtt_host": "127.0.0.1",
    "mqtt_port": 1,
    "topic": TOPIC,
    "session_topic": SESSION_TOPIC,
    "keys": KEYS,
}
SEALED: dict[str, Any] = {
    "wifi_ssid": "x",
    "mqtt_host": "127.0.0.1",
    "mqtt_port": 1,
    "address": ADDRESS.hex(),
    "device_key": DEVICE_KEY.hex(),
    "beacon_topic": BEACON_TOPIC,
}
COMMANDS = {
    "on_command": LuaSource("function() end"),
    "command_topic": "sensors/1/command",
    "command_session_topic": "sensors/1/command-session",
}
PROGRAMS = {
    "sealed sensor": ("main_sealed.lua", SEALED | {"on_command": LuaSource("function() end")}),
    "classic sensor": ("main.lua", CLASSIC),
    "classic sensor with commands": ("main.lua", CLASSIC | COMMANDS),
    "receiver": (
        "receiver.lua",
        CLASSIC | {"nodes": ["7"], "on_reading": LuaSource("function() end")},
    ),
}
COUNT = """
    function settled()
      collectgarbage() collectgarbage()
      return collectgarbage("count")
    end
    local function size_of(make)
      local before = settled()
      object = make()
      local size = settled() - before
      object = nil
      return size
    end
    -- A timer or a client of the chip takes some 50 bytes, of the simulator kilobytes.
    shims = 0
    for _, each in ipairs{{tmr, "create"}, {mqtt, "Client"}} do
      local module, name = each[1], each[2]
      local make = module[name]
      local size = size_of(function() return make("x", 60) end)
      module[name] = function(...)
        shims = shims + size
        return make(...)
      end
    end
    -- As in the Lua Flash Store: the code is there before, and is not counted.
    if %s then
      for name in pairs(file.list()) do
        local module = name:match("^(.*)%%.lua$")
        if module and not name:find("config") then package.preload[module] = loadfile(name) end
      end
    end
    before = settled()
    return 0
"""
HOST_HEAP = 2 * 44_000
"""Of the chip about 44 kB."""


@pytest.mark.parametrize("lfs", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_memory(bench: Bench, program: str, lfs: bool, capsys: pytest.CaptureFixture[str]) -> None:
    file, config = PROGRAMS[program]
    bench.board.flash[b"config.lua"] = render(config)
    bench.reset()
    bench.run(COUNT % str(lfs).lower())
    if lfs:
        bench.board.flash[b"start.lua"] = f'package.preload["{file[:-4]}"]()'.encode()
    bench.machine.start("start.lua" if lfs else file)
    # Without a broker's address it waits for one, with everything loaded.
    bench.events(0.3)
    assert any(line.startswith("mqtt: connection failed") for line in bench.lines), bench.lines
    assert bench.machine.panics == 0
    used = 1024 * bench.run("return settled() - before - shims")
    where = "its code in LFS" if lfs else "its code in the heap"
    with capsys.disabled():
        print(f"\n{program}, {where}, Lua {bench.board.lua} on the host: {used / 1000:.0f} kB")
    # Which is why a sealed sensor needs LFS.
    fits = lfs or program != "sealed sensor"
    assert 0 < used < (HOST_HEAP if fits else 2 * HOST_HEAP)
