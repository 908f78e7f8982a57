"""sessions.lua: the verdict on what the host sends, in the closed list's order."""

import pytest

from .conftest import Bench
from .sealed_host import ADDRESS, DEVICE_KEY, Frame, Kind, Op, command, control, key_of

OLD, NEW = b"the old session.", b"the new session."
THIRD, STRANGE = b"a third session.", b"no one's session"

SETUP = f"""
    bytes, time = require("bytes"), 0
    sealed = require("sealed")(crypto)
    key = bytes.unhex("{DEVICE_KEY.hex()}")
    state = {{
      address = bytes.unhex("{ADDRESS.hex()}"), epoch = "\\0\\0", keys = sealed.keys(key),
    }}
    sessions = require("sessions"){{
      sealed = sealed, state = state, now = function() return time end,
    }}
    function draw(id) sessions.draw(id, true) end
    function adopt(id)
      draw(id)
      assert(sessions.welcome(id))
    end
    function judge(frame)
      local verdict, message = sessions.open(frame)
      return verdict, message and message.plaintext or "-"
    end
"""


class Device:
    """The sessions of a device, without the rest of it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        bench.run(SETUP + "return 0")
        self._judge = bench.run("return judge")

    def run(self, script: str) -> None:
        """Runs Lua."""
        self._bench.run(script + " return 0")

    def adopt(self, session: bytes) -> None:
        """A session was offered, and its welcome acknowledged."""
        self.run(f'adopt("{session.decode()}")')

    def at(self, seconds: int) -> None:
        """Sets the clock."""
        self.run(f"time = {seconds}")

    def hear(self, frame: bytes) -> str:
        """The verdict."""
        verdict: bytes = self._bench.machine.lua.call(self._judge, frame)[0]
        return verdict.decode()

    def message(self, frame: bytes) -> bytes:
        """The plaintext that goes on to be obeyed or acknowledged; "-" for none."""
        text: bytes = self._bench.machine.lua.call(self._judge, frame)[1]
        return text


@pytest.fixture
def device(bench: Bench) -> Device:
    """A device that was welcomed."""
    made = Device(bench)
    made.adopt(OLD)
    return made


def heard(device: Device, *counters: int, session: bytes = OLD) -> list[str]:
    """Verdicts on commands with these counters."""
    return [device.hear(command(b"go", counter, session)) for counter in counters]


def test_no_window(device: Device) -> None:
    """Commands 6, 7, then 5: a withheld "unlock" must not open after a later "lock"."""
    assert heard(device, 6, 7, 5) == ["fresh", "fresh", "replayed"]
    assert heard(device, 7, 6, 8, 7) == ["duplicate", "replayed", "fresh", "replayed"]


def test_what_is_acknowledged_again_is_the_very_frame(device: Device) -> None:
    assert device.message(command(b"lock", 6, OLD)) == b"lock"
    assert device.message(command(b"lock", 6, OLD)) == b"lock"
    # A host that uses a counter twice is not told that this one was taken.
    assert device.hear(command(b"unlock", 6, OLD)) == "duplicate"
    assert device.message(command(b"unlock", 6, OLD)) == b"-"


def test_an_unbound_downlink_is_stale(device: Device) -> None:
    assert device.hear(Frame(Kind.DATA, True, 0, 9, b"", b"go").seal()) == "stale_session"
    assert heard(device, 9) == ["fresh"]


def test_a_reflected_uplink_goes_the_wrong_way(device: Device) -> None:
    for session in (b"", OLD):
        assert device.hear(Frame(Kind.DATA, False, 0, 9, session, b"go").seal()) == (
            "wrong_direction"
        )


def test_a_downlink_under_the_uplink_key_is_forged(device: Device) -> None:
    """The direction in the header is turned, the key is the old one."""
    uplink = Frame(Kind.DATA, False, 0, 9, OLD, b"go").seal()
    assert device.hear(uplink[:1] + bytes([uplink[1] | 1]) + uplink[2:]) == "forged"


def test_other_devices_and_epochs(device: Device) -> None:
    other = Frame(Kind.DATA, True, 0, 9, OLD, b"go", address=b"another.").seal()
    assert device.hear(other) == "unknown_device"
    device.run(f'state.epoch = "\\0\\2" state.keys = sealed.keys(bytes.unhex("{key_of(2).hex()}"))')
    for epoch, verdict in ((0, "wrong_epoch"), (1, "wrong_epoch"), (3, "wrong_epoch")):
        assert device.hear(command(b"go", 9, OLD, epoch)) == verdict
    assert device.hear(command(b"go", 9, OLD, 2)) == "fresh"


@pytest.mark.parametrize("session", [STRANGE, NEW])
def test_a_session_that_is_not_the_devices_is_forged(device: Device, session: bytes) -> None:
    assert heard(device, 9, session=session) == ["forged"]


def test_every_flipped_bit_is_refused(device: Device) -> None:
    frame = command(b"a command of the host", 9, OLD)
    for at in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[at // 8] ^= 1 << at % 8
        assert device.hear(bytes(damaged)) not in ("fresh", "duplicate", "replayed"), at
    assert device.hear(frame) == "fresh"


def test_refused_frames_change_nothing(device: Device) -> None:
    device.hear(command(b"go", 2**63, STRANGE))
    device.hear(Frame(Kind.DATA, True, 0, 2**62, b"", b"go").seal())
    assert heard(device, 1) == ["fresh"]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xf5" * 35,
        b"\xf5" + bytes(35),
        Frame(Kind.DATA, True, 0, 0, OLD, b"go").seal(),
        Frame(Kind.HELLO, True, 0, 1, OLD, b"go").seal(),
        Frame(Kind.CONTROL, True, 0, 1, b"", b"\4").seal(),
        b"\xf4" + command(b"go", 1, OLD)[1:],
        b"\xf5\x0f" + command(b"go", 1, OLD)[2:],
        b"\xf5\x13" + command(b"go", 1, OLD)[2:],
        command(bytes(16349), 1, OLD),
    ],
)
def test_malformed(device: Device, frame: bytes) -> None:
    assert device.hear(frame) == "malformed"


def test_the_longest_frame(device: Device) -> None:
    assert device.message(command(bytes(16348), 1, OLD)) == bytes(16348)


# Which session.


def test_before_its_welcome_a_session_takes_nothing_else(device: Device) -> None:
    device.run(f'draw("{NEW.decode()}")')
    assert heard(device, 1, session=NEW) == ["stale_session"]
    assert device.hear(control(Op.RATCHET, b"\0\1", 2, NEW)) == "stale_session"
    assert heard(device, 3) == ["fresh"]
    assert device.hear(control(Op.WELCOME, bytes(8), 4, NEW)) == "fresh"
    assert device.hear(control(Op.WELCOME, bytes(8), 4, NEW)) == "duplicate"
    assert device.hear(control(Op.WELCOME, bytes(8), 3, NEW)) == "replayed"


def test_the_old_session_ends_with_the_first_command_under_the_new_one(device: Device) -> None:
    device.adopt(NEW)
    assert heard(device, 7) == ["fresh"]
    assert heard(device, 8, session=NEW) == ["fresh"]
    assert heard(device, 9) == ["stale_session"]


def test_a_welcome_is_no_command(device: Device) -> None:
    device.adopt(NEW)
    assert device.hear(control(Op.WELCOME, bytes(8), 5, NEW)) == "fresh"
    assert heard(device, 7) == ["fresh"]


@pytest.mark.parametrize("op", [Op.RATCHET, Op.QUERY_MODE, Op.SET_MODE])
def test_every_other_control_frame_is_one(device: Device, op: Op) -> None:
    device.adopt(NEW)
    body = {Op.RATCHET: b"\0\1", Op.QUERY_MODE: b"", Op.SET_MODE: b"\0"}[op]
    assert device.hear(control(op, body, 5, NEW)) == "fresh"
    assert heard(device, 7) == ["stale_session"]
    assert heard(device, 5, 4, session=NEW) == ["duplicate", "replayed"]


def test_or_after_a_minute(device: Device) -> None:
    device.at(100)
    device.adopt(NEW)
    device.at(159)
    assert heard(device, 7) == ["fresh"]
    device.at(160)
    assert heard(device, 8) == ["stale_session"]
    assert heard(device, 1, session=NEW) == ["fresh"]


def test_a_sole_command_after_eleven_minutes(device: Device) -> None:
    """It was held back; the device asks for a new session every ten."""
    late = command(b"unlock", 1, OLD)
    device.at(600)
    device.adopt(NEW)
    device.at(660)
    assert device.hear(late) == "stale_session"


def test_who_holds_back_the_hello_cannot_keep_a_session_alive(device: Device) -> None:
    device.at(600)
    device.run(f'draw("{NEW.decode()}")')
    device.at(659)
    assert heard(device, 1) == ["fresh"]
    device.at(660)
    assert heard(device, 2) == ["stale_session"]


def test_several_hellos_may_be_on_their_way(device: Device) -> None:
    """The host welcomes the first; the second is lost."""
    device.run(f'draw("{NEW.decode()}")')
    device.run(f'draw("{THIRD.decode()}")')
    assert device.hear(control(Op.WELCOME, bytes(8), 5, NEW)) == "fresh"
    device.run(f'assert(sessions.welcome("{NEW.decode()}"))')
    assert heard(device, 6, session=NEW) == ["fresh"]
    assert heard(device, 7) == ["stale_session"]
    assert device.hear(control(Op.WELCOME, bytes(8), 8, THIRD)) == "fresh"


def test_a_session_without_a_beacon_takes_a_welcome_and_no_command(device: Device) -> None:
    device.run(f'sessions.draw("{NEW.decode()}", false)')
    assert device.hear(control(Op.WELCOME, bytes(8), 1, NEW)) == "fresh"
    device.run(f'assert(sessions.welcome("{NEW.decode()}"))')
    assert heard(device, 2, session=NEW) == ["stale_session"]
    assert device.hear(control(Op.RATCHET, b"\0\1", 2, NEW)) == "stale_session"
    assert device.hear(control(Op.WELCOME, bytes(8), 2, NEW)) == "fresh"


def test_only_what_was_drawn_is_welcomed_and_once(device: Device) -> None:
    device.run(f'assert(not sessions.welcome("{NEW.decode()}"))')
    device.run(f'assert(not sessions.welcome("{OLD.decode()}"))')
    assert heard(device, 1, session=NEW) == ["forged"]
    assert heard(device, 1) == ["fresh"]


def test_ended_sessions_are_told_from_strange_ones_for_a_while(device: Device) -> None:
    names = [f"session {number:08d}".encode() for number in range(10)]
    for name in names:
        device.adopt(name)
    # Four live, four are remembered.
    verdicts = [heard(device, 1, session=name)[0] for name in (OLD, *names)]
    assert verdicts == ["forged"] * 3 + ["stale_session"] * 4 + ["fresh"] * 4
    device.at(60)
    verdicts = [heard(device, 2, session=name)[0] for name in names[-4:]]
    assert verdicts == ["stale_session"] * 3 + ["fresh"]


def test_a_body_that_does_not_parse_uses_its_counter(device: Device) -> None:
    assert device.hear(control(Op.RATCHET, b"\0", 1, OLD)) == "fresh"
    assert heard(device, 1, 2) == ["duplicate", "fresh"]
