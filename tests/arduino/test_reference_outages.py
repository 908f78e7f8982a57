"""The reference sketch when something fails: broker, Wi-Fi, power, host, flash, itself."""

import itertools
import json
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto
from support import wait_for

from .hosting import Host
from .reference_board import Reference, running, settings_of

# Room for five readings.
SMALL = "-DOUTBOX_BYTES=250"


@pytest.fixture
def host(broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path) -> Iterator[Host]:
    with Host(broker, keyring, tmp_path) as host:
        yield host


@pytest.fixture
def settings(given: espseal.Provision, broker: Mosquitto) -> dict[str, str]:
    return settings_of(given, mqtt_host=broker.host, mqtt_port=broker.port)


@pytest.fixture
def board(tmp_path: Path) -> Reference:
    folder = tmp_path / "board"
    folder.mkdir()
    return Reference(folder, SMALL)


@pytest.fixture
def lamp(
    board: Reference, settings: dict[str, str], given: espseal.Provision, host: Host
) -> Iterator[Reference]:
    """The board, in a session with the host, whose first readings have arrived."""
    with running(board, settings, given):
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        wait_for(lambda: host.readings, "a reading")
        yield board


def numbers(host: Host) -> list[int]:
    """What was measured: the board of stubs counts."""
    return [json.loads(reading)["a0"] for reading in host.readings]


def are_all_there(found: list[int]) -> bool:
    """None lost, none twice, none before another."""
    return found == list(range(found[0], found[0] + len(found)))


def obeys(host: Host, lamp: Reference, command: str, level: int) -> None:
    """That it takes a command, and acknowledges."""
    sent = host.publish(host.sender.seal("lamp", command))
    wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")
    assert [line for line in lamp.lines if line.startswith("pin 5")][-1] == f"pin 5 is {level}"


def is_back(host: Host) -> bool:
    """Whether it is connected and has subscribed: the second message goes after that."""
    try:
        host.say("somewhere", b"")
        host.say("somewhere", b"")
    except RuntimeError:
        return False
    return True


def test_a_broker_restart(broker: Mosquitto, host: Host, lamp: Reference) -> None:
    for outage in range(1, 4):
        broker.restart()
        lamp.wait_for_line("Broker: connected", outage + 1)
        before = len(host.readings)
        wait_for(lambda before=before: len(host.readings) > before + 1, "readings")  # type: ignore[misc]
    assert are_all_there(numbers(host))
    obeys(host, lamp, "on", 1)


def test_a_broker_that_is_gone_for_long(broker: Mosquitto, host: Host, lamp: Reference) -> None:
    broker.stop()
    lamp.wait_for_line("No room for more readings", 4)
    # The host is back first: what the broker gets while nobody listens is lost behind the board.
    lamp.air("down")
    broker.start()
    wait_for(lambda: is_back(host), "the host")
    lamp.air("up")

    def drops() -> list[int]:
        return [json.loads(reading).get("dropped", 0) for reading in host.readings]

    # Those that waited say how many were gone when they were measured, the next ones all.
    wait_for(lambda: len(drops()) > 7 and 0 < drops()[-1] == drops()[-3], "a reading after it")
    told = json.loads(host.readings[-1])
    found = numbers(host)
    assert found == sorted(set(found)), "none twice, the oldest first"
    # The host's user sees how many there were that nobody has.
    dropped = found[-1] - found[0] + 1 - len(found)
    assert dropped == told["dropped"] >= 4
    # The oldest of those that waited are gone, in one piece, and none since.
    gaps = [b - a - 1 for a, b in itertools.pairwise(found) if b - a > 1]
    assert gaps == [dropped]
    # They were sealed when they were sent: no counter was skipped for those that are gone.
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))
    assert counters[-1] - counters[0] < len(counters) + 40


def test_wifi_that_comes_and_goes(host: Host, lamp: Reference) -> None:
    for flap in range(1, 5):
        lamp.air("down" if flap % 2 else "locked")
        lamp.wait_for_line("Wi-Fi: lost", flap)
        lamp.air("up")
        lamp.wait_for_line("Wi-Fi: joined", flap + 1)
    before = len(host.readings)
    wait_for(lambda: len(host.readings) > before + 2, "readings")
    assert are_all_there(numbers(host))
    obeys(host, lamp, "on", 1)


def test_wifi_that_is_gone_opens_no_access_point(host: Host, lamp: Reference) -> None:
    lamp.air("down")
    lamp.wait_for_line("no network of that name is heard", 3)
    lamp.air("locked")
    lamp.wait_for_line("it refuses the password", 2)
    # Not after a power cut either.
    lamp.off()
    lamp.forget("rtc.bin")
    lamp.on()
    lamp.wait_for_line("it refuses the password", 4)
    assert lamp.heard("mode: configure") == 0
    assert lamp.heard("mode: run") == 2
    lamp.air("up")
    before = len(host.readings)
    wait_for(lambda: len(host.readings) > before, "a reading")


def test_a_host_that_starts_anew_with_its_store(
    broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path, board: Reference
) -> None:
    given = keyring.provision("lamp")
    settings = settings_of(given, mqtt_host=broker.host, mqtt_port=broker.port)
    with running(board, settings, given):
        counters: list[int] = []
        for level in (1, 0, 1):
            with Host(broker, keyring, tmp_path) as host:
                wait_for(lambda host=host: host.readings, "a reading")  # type: ignore[misc]
                wait_for(lambda host=host: host.sender.is_ready("lamp"), "a session")  # type: ignore[misc]
                obeys(host, board, "on" if level else "off", level)
                counters += [message.counter or 0 for message in host.fresh]
        assert counters == sorted(set(counters))


def test_a_host_that_has_lost_its_store(
    broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path, board: Reference
) -> None:
    given = keyring.provision("lamp")
    settings = settings_of(given, mqtt_host=broker.host, mqtt_port=broker.port)
    captured: list[tuple[str, bytes]] = []
    with running(board, settings, given):
        for life in ("first", "second"):
            store = tmp_path / life
            store.mkdir()
            with Host(broker, keyring, store) as host:
                wait_for(lambda host=host: host.sender.is_ready("lamp"), "a session")  # type: ignore[misc]
                wait_for(lambda host=host: host.readings, "a reading")  # type: ignore[misc]
                obeys(host, board, "on", 1)
                # What the host before has seen is not news to this one.
                due = len(host.messages) + len(captured)
                for topic, frame in captured:
                    host.say(topic, frame)
                wait_for(lambda host=host, due=due: len(host.messages) >= due, "the replays")  # type: ignore[misc]
                assert are_all_there(numbers(host))
                captured = list(host.frames)


def test_a_power_cut(host: Host, lamp: Reference) -> None:
    for _ in range(3):
        lamp.off()
        lamp.forget("rtc.bin")
        before = len(host.fresh)
        lamp.on()
        wait_for(lambda before=before: len(host.fresh) > before, "a reading")  # type: ignore[misc]
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))
    wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")


def test_a_counter_that_was_wiped(
    host: Host, lamp: Reference, settings: dict[str, str], given: espseal.Provision
) -> None:
    wait_for(lambda: len(host.fresh) >= 3, "readings")
    lamp.off()
    lamp.forget("rtc.bin", "flash.bin")
    captured, before = list(host.frames), len(host.fresh)
    lamp.on()
    # Settings without a key are no device: it waits for somebody.
    lamp.wait_for_line("mode: unprovisioned", 2)
    lamp.provision(settings, given)
    wait_for(lambda: len(host.fresh) >= before + 2, "readings")
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))
    accepted = {message.counter for message in host.fresh}
    heard = len(host.messages)
    for topic, frame in captured:
        host.say(topic, frame)
    wait_for(lambda: len(host.messages) >= heard + len(captured), "the replays")
    replayed = [message.counter for message in host.fresh]
    assert len(replayed) == len(set(replayed)) >= len(accepted)


RECORD, ROW = 72, 56


def record(flash: bytes, sequence: int, counter: int | None = None) -> bytes:
    """The newest record of a device with another sequence number, and perhaps counter."""
    sector = flash[:4096] if flash[:1] != b"\xff" else flash[4096:]
    used = next(at for at in range(0, 4096, RECORD) if sector[at] == 0xFF)
    newest = bytearray(sector[used - RECORD : used - 4])
    newest[64:] = struct.pack("<I", sequence)
    if counter is not None:
        newest[48:56] = struct.pack("<Q", counter)
    return bytes(newest) + struct.pack("<I", zlib.crc32(newest) ^ 0xFFFFFFFF or 1)


def test_a_device_without_a_counter_says_so(lamp: Reference) -> None:
    lamp.off()
    (lamp.folder / "flash.bin").write_bytes(
        record(lamp.flash, 1000, 2**64 - 1).ljust(8192, b"\xff")
    )
    lamp.on()
    lamp.wait_for_line("Nothing can be sealed: counter_exhausted.")


def test_a_sector_of_flash_that_is_full(host: Host, lamp: Reference) -> None:
    lamp.off()
    # A row with room for one more.
    row = b"".join(record(lamp.flash, 1000 + at) for at in range(ROW - 1))
    (lamp.folder / "flash.bin").write_bytes(row.ljust(8192, b"\xff"))
    sectors = []
    # Each start without RTC memory reserves counters: the last record of the row, the first of the
    # other sector, and one more.
    for _ in range(3):
        lamp.forget("rtc.bin")
        before = len(host.fresh)
        lamp.on()
        wait_for(lambda before=before: len(host.fresh) > before, "a reading")  # type: ignore[misc]
        lamp.off()
        sectors.append([lamp.flash[at : at + 4096].strip(b"\xff") != b"" for at in (0, 4096)])
    assert sectors == [[True, False], [False, True], [False, True]]
    assert lamp.heard("mode: run") == 4
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))


def test_a_board_that_keeps_crashing_stops_and_waits(host: Host, lamp: Reference) -> None:
    lamp.air("down")
    crash, before = 3, lamp.heard("Wi-Fi: joining")
    # The first one ends a boot that was well, the next five do not.
    for boot in range(1, 6):
        lamp.reset(crash)
        lamp.wait_for_line("Wi-Fi: joining", before + boot)
    lamp.reset(crash)
    lamp.wait_for_line("mode: safe")
    lamp.air("up")
    # It does not try what it crashed in.
    lamp.type("espseal?")
    assert lamp.wait_for_line("espseal 1 ").startswith("espseal 1 safe ")
    time.sleep(0.5)
    assert lamp.heard("Wi-Fi: joining") == before + 5
    lamp.type("mode run")
    arrived = len(host.readings)
    wait_for(lambda: len(host.readings) > arrived, "a reading")


def test_crashes_after_it_was_connected_are_no_boot_loop(host: Host, lamp: Reference) -> None:
    for boot in range(2, 9):
        lamp.wait_for_line("Broker: connected", boot - 1)
        lamp.reset(3)
    before = len(host.readings)
    wait_for(lambda: len(host.readings) > before, "a reading")
    assert lamp.heard("mode: safe") == 0
