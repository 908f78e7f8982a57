"""hello.lua with a clock of the test's own: when it is said, and under which session."""

from typing import Any

import pytest

from .conftest import Bench

SETUP = """
    time, heard, timers, said, sleeps = 0, nil, {}, {}, false
    tmr = {
      ALARM_SINGLE = 0, ALARM_AUTO = 1, ALARM_SEMI = 2, time = function() return time end,
      create = function()
        local timer = {}
        function timer:alarm(pause, mode, callback)
          self.due, self.every, self.callback = 1000 * time + pause, mode == 1 and pause, callback
        end
        function timer:stop() self.due = nil end
        timers[#timers + 1] = timer
        return timer
      end,
    }
    -- Lets time pass, a second at a time.
    function pass(seconds)
      for _ = 1, seconds do
        time = time + 1
        for _, timer in ipairs(timers) do
          while timer.due and timer.due <= 1000 * time do
            timer.due = timer.every and timer.due + timer.every
            timer.callback()
          end
        end
      end
    end
    local sealed = require("sealed")(crypto)
    local state = require("state"){
      sealed = sealed, slot = {take = function() end}, mark = "",
      record = {save = function()
        if broken then return nil, "storage_failed" end
        return ""
      end},
      fields = {
        address = "an addr.", origin = "", epoch = "\\0\\0", key = ("k"):rep(32),
        ceiling = ("\\0"):rep(8),
      },
    }
    node.random = function() return 7 end
    sessions = require("sessions"){
      sealed = sealed, state = state, now = function() return time end,
    }
    hello = require("hello"){
      config = {beacon_topic = %s, session_settle = 1000}, state = state, sealed = sealed,
      sessions = sessions, version = "1", pump = function() end,
      beacon = {current = function() return heard end},
      lane = {add = function(item)
        local frame, code = item.seal()
        if frame then
          local bound = frame:byte(2) > 5 and "bound " or "unbound "
          said[#said + 1] = time .. " " .. bound .. require("bytes").hex(sessions.newest().id)
        end
        item.done()
      end},
    }
    function welcome()
      sessions.welcome(sessions.newest().id)
      hello.welcomed()
    end
"""


class Hello:
    """hello.lua, with what it said."""

    def __init__(self, bench: Bench, beacon_topic: str) -> None:
        self._bench = bench
        bench.run(SETUP % beacon_topic + "return 0")

    def run(self, script: str) -> Any:  # noqa: ANN401 - a Lua value
        """Runs Lua."""
        return self._bench.run(script + " return 0")

    def said(self) -> list[tuple[int, str, str]]:
        """Hellos since the last call: when, bound or unbound, the session."""
        text: bytes = self._bench.run('local s = table.concat(said, "\\n") said = {} return s')
        lines = [line.split() for line in text.decode().splitlines()]
        return [(int(when), bound, session) for when, bound, session in lines]


@pytest.fixture
def hello(bench: Bench) -> Hello:
    """A device that knows a beacon."""
    made = Hello(bench, '"b"')
    made.run('heard = ("b"):rep(16)')
    return made


def times(said: list[tuple[int, str, str]]) -> list[int]:
    """When."""
    return [when for when, _, _ in said]


def sessions(said: list[tuple[int, str, str]]) -> list[str]:
    """The different sessions, in order."""
    return list(dict.fromkeys(session for _, _, session in said))


def test_it_is_said_again_with_backoff_until_the_welcome(hello: Hello) -> None:
    hello.run("hello.connected() pass(200)")
    said = hello.said()
    assert times(said) == [0, 2, 6, 14, 30, 62, 122, 182]
    assert len(sessions(said)) == 1
    hello.run("welcome() pass(300)")
    assert hello.said() == []


def test_every_ten_minutes_there_is_another_session(hello: Hello) -> None:
    hello.run("hello.connected() welcome() pass(1250)")
    first, *later = hello.said()
    assert times(later)[0] == 600
    assert set(times(later)) >= {600, 602, 606, 1200, 1202}
    assert len(sessions([first, *later])) == 3


def test_after_a_reconnect_a_welcomed_device_shows_another_session(hello: Hello) -> None:
    hello.run("hello.connected() welcome() pass(5) hello.connected()")
    said = hello.said()
    assert times(said) == [0, 5]
    assert len(sessions(said)) == 2
    # This one was not welcomed yet: the same again.
    hello.run("pass(1) hello.connected()")
    assert sessions(hello.said()) == sessions(said)[1:]


def test_it_waits_for_the_beacon_and_not_for_ever(bench: Bench) -> None:
    hello = Hello(bench, '"b"')
    hello.run("hello.connected() pass(3)")
    assert hello.said() == []
    hello.run("pass(1)")
    assert hello.said()[0][:2] == (4, "unbound")
    hello.run('heard = ("b"):rep(16) hello.beacon()')
    late = hello.said()
    assert late[0][:2] == (4, "bound")
    hello.run("welcome() hello.beacon() pass(100)")
    assert hello.said() == []


def test_a_beacon_that_comes_in_time(bench: Bench) -> None:
    hello = Hello(bench, '"b"')
    hello.run('hello.connected() pass(1) heard = ("b"):rep(16) hello.beacon() welcome() pass(50)')
    assert [(when, bound) for when, bound, _ in hello.said()] == [(1, "bound")]


def test_without_a_beacons_topic_it_does_not_wait(bench: Bench) -> None:
    hello = Hello(bench, "nil")
    hello.run("hello.connected()")
    assert hello.said()[0][:2] == (0, "unbound")


def test_who_asks_gets_one_a_minute_and_is_not_forgotten(hello: Hello) -> None:
    hello.run("hello.connected() welcome() pass(10)")
    hello.said()
    hello.run("hello.asked() welcome() hello.asked() pass(30) hello.asked() pass(29)")
    first = hello.said()
    assert times(first) == [10]
    hello.run("pass(1) welcome() pass(200)")
    second = hello.said()
    assert times(second) == [70]
    assert len(sessions(first + second)) == 2
    hello.run("hello.asked() welcome()")
    assert times(hello.said()) == [270]


def test_a_flash_that_fails_for_a_while(hello: Hello) -> None:
    hello.run("broken = true hello.connected() pass(10)")
    assert hello.said() == []
    hello.run("broken = false pass(10)")
    assert len(hello.said()) >= 1


def test_the_same_random_bytes_give_other_sessions(hello: Hello) -> None:
    hello.run("for _ = 1, 5 do hello.connected() welcome() pass(1) end")
    assert len(sessions(hello.said())) == 5
