"""What pool.lua promises: several sessions live, and each frame is accepted once."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import LUA_KEYS, Bench, in_raw, seal_frame

MODULE = f"""
    local espseal = assert(require("espseal").new{{
      crypto = {{
        decrypt = crypto.decrypt, encrypt = crypto.encrypt,
        hmac = function(...) macs = (macs or 0) + 1 return crypto.hmac(...) end,
      }},
      node = node, keys = {{{LUA_KEYS}}},
    }})
    clock = 0
    local function new(fields)
      fields.espseal, fields.crypto, fields.node_id = espseal, crypto, "R"
      fields.now = function() return clock end
      return require("pool").new(fields)
    end
    function set(time) clock = time end
"""
LIFE, INTERVAL = 120, 30


class Receiver:
    """Node R: takes readings of nodes 1 and 2, messages of nodes 8 and 9."""

    def __init__(self, bench: Bench, fields: str = "") -> None:
        bench.machine.generator.radio_up = True
        believed = 'nodes = {"1", "2"}, peers = {"8", "9"}'
        bench.run(MODULE + f"espseal.radio_up() pool = new{{{believed}, {fields}}} return 0")
        self._bench = bench
        self._open = bench.run("return pool.open")
        self._current = bench.run("return pool.current")
        self._set = bench.run("return set")

    def current(self, time: int) -> bytes:
        """The session that it shows at a time, in seconds."""
        self.at(time)
        session = self._bench.machine.lua.call(self._current)
        assert isinstance(session, bytes)
        return session

    def at(self, time: int) -> None:
        """Sets the clock."""
        self._bench.machine.lua.call(self._set, time)

    def open(self, frame: bytes) -> Any:  # noqa: ANN401 - Lua values
        """The node ID and the data, or None and the verdict."""
        return self._bench.machine.lua.call(self._open, frame)

    def macs(self) -> int:
        """How many MACs were computed since the last call."""
        count = self._bench.run("local count = macs or 0 macs = 0 return count")
        assert isinstance(count, int)
        return count


@pytest.fixture
def receiver(bench: Bench) -> Receiver:
    """Node R with its defaults."""
    return Receiver(bench)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ("", b"missing_field", b"nodes"),
        ('nodes = "1"', b"invalid_value", b"nodes"),
        ("nodes = {1}", b"invalid_value", b"nodes"),
        ("peers = {true}", b"invalid_value", b"peers"),
        ("nodes = {}, interval = 0", b"invalid_value", b"session_interval"),
        ("nodes = {}, interval = 120", b"invalid_value", b"session_life"),
        ("nodes = {}, memory = 0", b"invalid_value", b"session_memory"),
    ],
)
def test_codes_of_new(bench: Bench, fields: str, code: bytes, field: bytes) -> None:
    assert bench.run(MODULE + f"return new{{{fields}}}") == (None, code, field)


def test_no_session_before_the_radio_is_up(bench: Bench) -> None:
    script = MODULE + 'return new{nodes = {"1"}}.current()'
    assert bench.run(script) == (None, b"radio_down")
    assert bench.board.draws_before_ip == 0


def test_every_frame_is_fresh_once(receiver: Receiver) -> None:
    session = receiver.current(0)
    for data in (b"5", b"5", b"", b"x" * 100):
        frame = seal_frame(b"1", data, session)
        assert receiver.open(frame) == (b"1", data)
        for copy in (frame, frame.upper(), in_raw(frame)):
            assert receiver.open(copy) == (None, b"duplicate")


def test_who_is_believed(receiver: Receiver) -> None:
    session = receiver.current(0)
    answers = {
        b"1": (b"1", b"5"),
        b"2": (b"2", b"5"),
        b"8>R": (b"8", b"5"),
        b"9>R": (b"9", b"5"),
        # Listed as the one and sending as the other: it could be meant for the host.
        b"8": (None, b"unknown_device"),
        b"1>R": (None, b"unknown_device"),
        b"3": (None, b"unknown_device"),
        b"3>R": (None, b"unknown_device"),
        b"R": (None, b"unknown_device"),
        b">R": (None, b"wrong_direction"),
        b">1": (None, b"wrong_direction"),
        b"8>r": (None, b"wrong_direction"),
        b"8>": (None, b"wrong_direction"),
        b"8>9": (None, b"wrong_direction"),
        b"R>8": (None, b"wrong_direction"),
        b"8>R>R": (None, b"wrong_direction"),
        b"1>": (None, b"wrong_direction"),
    }
    for who, answer in answers.items():
        assert receiver.open(seal_frame(who, b"5", session)) == answer, who


@pytest.mark.parametrize(
    ("fields", "who"), [("nodes = nil", b"1"), ("peers = nil", b"8>R"), ("nodes = nil", b">R")]
)
def test_what_is_not_taken_at_all(bench: Bench, fields: str, who: bytes) -> None:
    receiver = Receiver(bench, fields)
    answer = receiver.open(seal_frame(who, b"5", receiver.current(0)))
    assert answer == (None, b"wrong_direction")


def test_a_refused_frame_changes_nothing(receiver: Receiver) -> None:
    session = receiver.current(0)
    frame = seal_frame(b"1", b"5", session)
    for index in range(len(frame)):
        other = bytearray(frame)
        other[index] ^= 1
        if bytes(other).lower() != frame:
            assert receiver.open(bytes(other)) in [(None, b"forged"), (None, b"malformed")], index
    for payload in (None, b"", b"5", frame[:-1], b"\xff" * 100):
        assert receiver.open(payload) == (None, b"malformed")  # type: ignore[arg-type]
    for foreign in (b"", b"0" * 32, session.upper() + b"0"):
        assert receiver.open(seal_frame(b"1", b"5", foreign)) == (None, b"forged")
    assert receiver.current(0) == session
    assert receiver.open(frame) == (b"1", b"5")


def test_several_sessions_live(receiver: Receiver) -> None:
    sessions = [receiver.current(time) for time in range(0, LIFE, INTERVAL)]
    assert len(set(sessions)) == 4
    assert receiver.current(LIFE - 1) == sessions[-1]
    for session in sessions:
        assert receiver.open(seal_frame(b"1", b"5", session)) == (b"1", b"5")


def test_a_session_ends(receiver: Receiver) -> None:
    first = receiver.current(0)
    frame, late = seal_frame(b"1", b"5", first), seal_frame(b"1", b"6", first)
    last = seal_frame(b"1", b"7", first)
    for each in (frame, last):
        receiver.open(each)
    receiver.at(LIFE - 1)
    assert receiver.open(frame) == (None, b"duplicate")
    receiver.at(LIFE)
    assert receiver.open(late) == (None, b"stale_session")
    assert receiver.open(frame) == (None, b"stale_session")
    # The retained copy comes at every connection, for days.
    assert receiver.open(last) == (None, b"duplicate")
    for time in range(LIFE, 3600, INTERVAL):
        receiver.current(time)
    assert receiver.open(late) == (None, b"forged")
    assert receiver.open(last) == (None, b"duplicate")
    # A changed copy with the true one's MAC is none.
    fields = last.split(b",")
    fields[2] = b"00" + fields[2][2:] if fields[2][:2] != b"00" else b"11" + fields[2][2:]
    assert receiver.open(b",".join(fields)) == (None, b"forged")


def test_nothing_lives_through_a_pause(receiver: Receiver) -> None:
    """As when the node was busy for long: no session is live, and the next is a new one."""
    first = receiver.current(0)
    receiver.at(10 * LIFE)
    assert receiver.open(seal_frame(b"1", b"5", first)) == (None, b"stale_session")
    second = receiver.current(10 * LIFE)
    assert second != first
    assert receiver.open(seal_frame(b"1", b"5", second)) == (b"1", b"5")


def test_a_full_session_ends_and_not_an_entry(bench: Bench) -> None:
    receiver = Receiver(bench, "memory = 3")
    older = receiver.current(0)
    session = receiver.current(INTERVAL)
    frames = [seal_frame(b"1", b"%d" % number, session) for number in range(4)]
    for frame in frames[:3]:
        assert receiver.open(frame)[0] == b"1"
    assert receiver.open(frames[3]) == (None, b"stale_session")
    assert [receiver.open(frame)[1] for frame in frames[:3]] == [
        b"stale_session",
        b"stale_session",
        b"duplicate",  # the last one of its node
    ]
    # The others live on, and there is a new one before its time.
    assert receiver.open(seal_frame(b"2", b"5", older)) == (b"2", b"5")
    assert receiver.current(INTERVAL) not in (older, session)


def test_a_full_session_that_is_not_shown_ends_alone(bench: Bench) -> None:
    receiver = Receiver(bench, "memory = 1")
    older = receiver.current(0)
    session = receiver.current(INTERVAL)
    assert receiver.open(seal_frame(b"1", b"5", older)) == (b"1", b"5")
    assert receiver.current(INTERVAL) == session
    assert receiver.open(seal_frame(b"1", b"5", session)) == (b"1", b"5")


def test_the_number_of_macs_depends_on_the_sessions_alone(receiver: Receiver) -> None:
    session = b""
    for time in range(0, 3600, INTERVAL):
        session = receiver.current(time)
    frames = [
        seal_frame(b"1", b"5", session),
        seal_frame(b"3", b"5", session),
        seal_frame(b">R", b"5", session),
        seal_frame(b"1", b"5", b"0" * 32),
    ]
    counts = []
    for frame in frames:
        receiver.macs()
        receiver.open(frame)
        counts.append(receiver.macs())
    # Four live ones, and two that have ended.
    assert counts == [6] * 4


def steps(seed: int) -> Iterator[tuple[str, int]]:
    """What happens: time passes, a frame comes under some session, an old one comes again."""
    dice = random.Random(seed)
    for _ in range(600):
        yield dice.choices(["wait", "frame", "again"], [2, 5, 5])[0], dice.randrange(10**6)


@pytest.mark.parametrize("seed", range(3))
def test_against_a_model(bench: Bench, seed: int) -> None:
    """Whatever happens: a frame is fresh if its session lives and holds fewer than memory, and
    never again."""
    receiver = Receiver(bench, "memory = 8")
    time = 0
    minted: dict[bytes, int] = {receiver.current(0): 0}
    accepted: dict[bytes, int] = dict.fromkeys(minted, 0)
    sent: list[bytes] = []
    fresh: set[bytes] = set()
    for kind, number in steps(seed):
        if kind == "wait":
            time += number % 40
        elif kind == "frame":
            known = list(minted)[-8:]
            session = known[number % len(known)]
            frame = seal_frame(b"1", b"%d" % number, session)
            sent.append(frame)
            receiver.at(time)
            lives = time < minted[session] + LIFE and accepted[session] < 8
            answer = receiver.open(frame)
            assert (answer[0] is not None) == lives, (kind, number)
            if lives:
                accepted[session] += 1
                fresh.add(frame)
            else:
                assert answer[1] in {b"stale_session", b"forged"}
        elif sent:
            receiver.at(time)
            frame = sent[-1 - number % min(len(sent), 30)]
            node_id, verdict = receiver.open(frame)
            assert node_id is None
            assert verdict in {b"stale_session", b"forged"} or frame in fresh
        shown = receiver.current(time)
        if shown not in minted:
            minted[shown], accepted[shown] = time, 0
    assert len(fresh) > 50


def test_memory_is_bounded(bench: Bench) -> None:
    receiver = Receiver(bench)

    def used(rounds: range) -> float:
        for time in rounds:
            session = receiver.current(time)
            for node_id in (b"1", b"2", b"8>R"):
                receiver.open(seal_frame(node_id, b"5", session))
        size = bench.run('collectgarbage() collectgarbage() return collectgarbage("count")')
        assert isinstance(size, float | int)
        return float(size)

    first = used(range(600))
    assert used(range(600, 3000)) < first + 4
