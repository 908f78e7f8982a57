"""obey.lua and lane.lua with a link that is held still: what is acknowledged, when, how often."""

from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Bench
from .sealed_host import ADDRESS, DEVICE_KEY, Frame, Kind, Op, command, control, open_frame

SESSION = b"a session of it."

SETUP = f"""
    local bytes, sealed = require("bytes"), require("sealed")(crypto)
    broken, ready, handed, done, welcomes, obeyed = false, true, {{}}, nil, 0, 0
    local key = bytes.unhex("{DEVICE_KEY.hex()}")
    local state = require("state"){{
      sealed = sealed, slot = {{take = function() end}}, mark = "",
      record = {{save = function()
        if broken then return nil, "storage_failed" end
        return ""
      end}},
      fields = {{
        address = bytes.unhex("{ADDRESS.hex()}"), origin = "", epoch = "\\0\\0", key = key,
        ceiling = ("\\0"):rep(8),
      }},
    }}
    sessions = require("sessions"){{
      sealed = sealed, state = state, now = function() return 0 end,
    }}
    lane = require("lane"){{
      topic = "up", qos = 1, retain = 0, size = 10, retry = 1000,
      stats = {{published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0}},
      link = {{
        ready = function() return ready and not done end,
        publish = function(_, frame, _, _, acknowledged)
          handed[#handed + 1], done = frame, acknowledged
          return true
        end,
      }},
      seal = function(item) return item.seal() end,
      alive = function() return true end,
      delivered = function(item) if item.done then item.done() end end,
      dropped = function(item) if item.done then item.done() end end,
    }}
    obey = require("obey"){{
      config = {{on_command = function() obeyed = obeyed + 1 end}},
      state = state, sealed = sealed, sessions = sessions, stats = {{}}, lane = lane,
      welcomed = function() welcomes = welcomes + 1 end, ratcheted = function() end,
    }}
    function deliver()
      while done do
        local acknowledged = done
        done = nil
        acknowledged()
        lane.pump()
      end
    end
"""


@dataclass
class Device:
    """obey.lua and what is around it, but for the link."""

    bench: Bench

    def run(self, script: str) -> Any:  # noqa: ANN401 - a Lua value
        """Runs Lua."""
        return self.bench.run(script)

    def hear(self, *frames: bytes) -> None:
        """Downlinks come; what waits is sent if the link is ready."""
        obey = self.bench.run("return obey")
        for frame in frames:
            self.bench.machine.lua.call(obey, frame)
        self.bench.run("lane.pump() return 0")

    def sent(self) -> list[Frame]:
        """What was handed to the link since the last call; it is acknowledged now."""
        self.bench.run("deliver() return 0")
        table = self.bench.run("local h = handed handed = {} return h")
        opened = [open_frame(table[at + 1], SESSION) for at in range(len(table))]
        return [frame for frame in opened if frame is not None]


@pytest.fixture
def device(bench: Bench) -> Device:
    """A device that was welcomed."""
    bench.run(SETUP + f'sessions.draw("{SESSION.decode()}", true) return 0')
    made = Device(bench)
    made.hear(control(Op.WELCOME, bytes(8), 1, SESSION))
    assert [frame.plaintext[0] for frame in made.sent()] == [Op.ACK]
    assert made.run("return welcomes") == 1
    return made


def acks(frames: list[Frame]) -> list[bytes]:
    """V of what they acknowledge."""
    assert {frame.kind for frame in frames} <= {Kind.CONTROL}
    return [frame.plaintext[1:] for frame in frames if frame.plaintext[0] == Op.ACK]


def test_a_session_counts_once_its_acknowledgement_is_on_its_way(bench: Bench) -> None:
    bench.run(SETUP + f'sessions.draw("{SESSION.decode()}", true) ready = false return 0')
    device = Device(bench)
    device.hear(control(Op.WELCOME, bytes(8), 1, SESSION), command(b"on", 2, SESSION))
    assert device.run("return obeyed, welcomes") == (0, 0)
    device.run("ready = true lane.pump() return 0")
    device.hear(command(b"on", 3, SESSION))
    assert device.run("return obeyed, welcomes") == (1, 1)


def test_a_flood_of_copies_is_acknowledged_once_at_a_time(device: Device) -> None:
    frame = command(b"on", 2, SESSION)
    device.run("ready = false return 0")
    device.hear(*[frame] * 500)
    device.run("ready = true lane.pump() return 0")
    assert acks(device.sent()) == [frame[20:36]]
    device.hear(frame)
    assert acks(device.sent()) == [frame[20:36]]
    assert device.run("return obeyed") == 1


def test_an_acknowledgement_that_was_dropped_is_given_for_the_next_copy(device: Device) -> None:
    frames = [command(b"on", counter, SESSION) for counter in range(2, 14)]
    device.run("ready = false return 0")
    device.hear(*frames)
    device.run("ready = true lane.pump() return 0")
    assert acks(device.sent()) == [frame[20:36] for frame in frames[2:]]
    device.hear(frames[-1])
    assert acks(device.sent()) == [frames[-1][20:36]]


def test_a_welcome_that_flash_does_not_take_is_not_acknowledged(device: Device) -> None:
    device.run("broken = true return 0")
    welcome = control(Op.WELCOME, (2**40).to_bytes(8, "big"), 2, SESSION)
    device.hear(welcome)
    assert device.sent() == []
    device.run("broken = false return 0")
    device.hear(welcome)
    sent = device.sent()
    assert acks(sent) == [welcome[20:36]]
    assert sent[0].counter == 2**40


def test_an_acknowledgement_that_waits_through_a_ratchet_is_of_the_new_epoch(
    device: Device,
) -> None:
    device.run("ready = false return 0")
    device.hear(command(b"on", 2, SESSION), control(Op.RATCHET, b"\0\1", 3, SESSION))
    device.run("ready = true lane.pump() return 0")
    assert [frame.epoch for frame in device.sent()] == [1, 1]


def test_nothing_is_sealed_before_it_is_sent(device: Device) -> None:
    """What waits uses no counter: the order on the wire is the order of the counters."""
    device.run("ready = false return 0")
    device.hear(*[command(b"on", counter, SESSION) for counter in (2, 3, 4)])
    device.run("ready = true lane.pump() return 0")
    counters = [frame.counter for frame in device.sent()]
    assert counters == sorted(counters)
    assert len(counters) == 3
