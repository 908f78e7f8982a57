"""setup_sealed.lua and scrub.lua: which key a device has, and that an old one does not stay."""

from collections.abc import Mapping
from typing import Any

import pytest

from espseal.simulator.config import render

from .conftest import Bench
from .flash import CutFlash, PowerCut
from .sealed_host import ADDRESS, DEVICE_KEY, key_of

PLENTY = 10**9
OTHER_KEY = bytes(range(0x80, 0xA0))

BOOT = """
    local config, parts = require("setup_sealed")()
    if not config then return false end
    bytes, file_config, state = require("bytes"), config, require("state")(parts)
    return true
"""


def configure(bench: Bench, **changes: Any) -> None:  # noqa: ANN401 - any field's value
    """Writes config.lua."""
    fields: Mapping[str, Any] = {
        "wifi_ssid": "x",
        "mqtt_host": "127.0.0.1",
        "address": ADDRESS.hex(),
        "device_key": DEVICE_KEY.hex(),
        **changes,
    }
    bench.board.flash[b"config.lua"] = render(fields)


def boot(bench: Bench) -> bool:
    """Boots; whether the device goes on."""
    bench.board.power_on()
    bench.reset()
    went_on: bool = bench.run(BOOT)
    return went_on


def identity(bench: Bench) -> tuple[bytes, int, bytes]:
    """Address, epoch and key."""
    found: tuple[bytes, int, bytes] = bench.run(
        "return state.address, bytes.number(state.epoch), state.key"
    )
    return found


def use(bench: Bench) -> int:
    """Seals a frame; its counter."""
    frame: bytes = bench.run('return state.seal(0, "", "x")')
    return int.from_bytes(frame[12:20], "big")


def records(bench: Bench) -> bytes:
    """What the files of the record hold."""
    return b"".join(
        text for name, text in bench.board.flash.items() if name in (b"espseal.1", b"espseal.2")
    )


@pytest.fixture
def device(bench: Bench) -> Bench:
    """A device that was provisioned, and has used a counter."""
    configure(bench)
    assert boot(bench)
    assert use(bench) == 1
    return bench


def test_the_first_boot_takes_the_key_of_config_lua(device: Bench) -> None:
    assert identity(device) == (ADDRESS, 0, DEVICE_KEY)
    assert device.lines == ["provisioned", f"address {ADDRESS.hex()}, epoch 0"]
    assert DEVICE_KEY in records(device)


def test_later_boots_take_the_record(device: Bench) -> None:
    configure(device, device_key=None)
    assert boot(device)
    assert identity(device) == (ADDRESS, 0, DEVICE_KEY)
    assert use(device) == 1025
    assert device.lines[2:] == [f"address {ADDRESS.hex()}, epoch 0"]


def test_the_record_of_a_later_epoch_wins(device: Bench) -> None:
    device.run('return state.ratchet("\\0\\2")')
    assert boot(device)
    assert identity(device) == (ADDRESS, 2, key_of(2))


def test_another_key_is_a_device_provisioned_anew(device: Bench) -> None:
    device.run('return state.ratchet("\\0\\2")')
    configure(device, device_key=OTHER_KEY.hex())
    assert boot(device)
    assert identity(device) == (ADDRESS, 0, OTHER_KEY)
    assert "provisioned anew" in device.lines
    # The window of the host stays: so does the counter.
    assert use(device) == 1025
    assert key_of(2) not in records(device)
    assert boot(device)
    assert identity(device) == (ADDRESS, 0, OTHER_KEY)
    assert device.lines.count("provisioned anew") == 1


def test_so_is_one_of_a_higher_epoch(device: Bench) -> None:
    configure(device, device_key=key_of(7).hex(), epoch=7)
    assert boot(device)
    assert identity(device) == (ADDRESS, 7, key_of(7))
    device.run('return state.ratchet("\\0\\8")')
    assert boot(device)
    assert identity(device) == (ADDRESS, 8, key_of(8))


def test_another_address_counts_anew(device: Bench) -> None:
    configure(device, address="aa" * 8)
    assert boot(device)
    assert identity(device) == (b"\xaa" * 8, 0, DEVICE_KEY)
    assert use(device) == 1


def test_an_address_in_capitals_is_the_same(device: Bench) -> None:
    configure(device, address=ADDRESS.hex().upper(), device_key=DEVICE_KEY.hex().upper())
    assert boot(device)
    assert use(device) == 1025


def test_the_topics(device: Bench) -> None:
    topics = "return file_config.up_topic, file_config.hello_topic, file_config.down_topic"
    start = f"espseal/{ADDRESS.hex()}/".encode()
    assert device.run(topics) == (start + b"up", start + b"hello", start + b"down")
    configure(device, up_topic="mine", hello_topic="too", down_topic="here")
    assert boot(device)
    assert device.run(topics) == (b"mine", b"too", b"here")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"address": None}, "missing_field (address)"),
        ({"sensor": None}, "missing_field (sensor)"),
        ({"mqtt_host": None}, "missing_field (mqtt_host)"),
        ({"address": "0011"}, "invalid_value (address)"),
        ({"address": "g" * 16}, "invalid_value (address)"),
        ({"address": 11}, "invalid_value (address)"),
        ({"device_key": "00"}, "invalid_value (device_key)"),
        ({"device_key": "g" * 64}, "invalid_value (device_key)"),
        ({"device_key": 5}, "invalid_value (device_key)"),
        ({"device_key": "CHANGE-ME"}, "placeholder_keys (device_key)"),
        ({"device_key": None}, "missing_field (device_key)"),
        ({"epoch": -1}, "invalid_value (epoch)"),
        ({"epoch": 65536}, "invalid_value (epoch)"),
        ({"epoch": 1.5}, "invalid_value (epoch)"),
        ({"epoch": "0"}, "invalid_value (epoch)"),
        ({"interval": 0}, "invalid_value (interval)"),
        ({"sleep": 2147484}, "invalid_value (sleep)"),
        ({"hello_interval": 0}, "invalid_value (hello_interval)"),
        ({"hold": 0}, "invalid_value (hold)"),
        ({"reserve": 0}, "invalid_value (reserve)"),
    ],
)
def test_it_stops_on_a_configuration_that_cannot_be_meant(
    bench: Bench, changes: dict[str, Any], line: str
) -> None:
    configure(bench, **changes)
    assert not boot(bench)
    assert bench.lines[-1].removesuffix(": see sealed.config.example.lua") == "stopped: " + line
    assert records(bench) == b""


def test_the_example_itself_is_refused(bench: Bench) -> None:
    bench.board.flash[b"config.lua"] = bench.board.flash[b"sealed.config.example.lua"]
    assert not boot(bench)
    assert bench.lines == ["stopped: invalid_value (address): see sealed.config.example.lua"]


def test_without_config_lua(bench: Bench) -> None:
    assert not boot(bench)
    assert bench.lines == ["stopped: no config.lua: see sealed.config.example.lua"]


def test_a_flash_that_takes_nothing(bench: Bench) -> None:
    configure(bench)
    bench.reset()
    bench.run("file.open = function() return nil end return 0")
    assert bench.run(BOOT) is False
    assert bench.lines[-1] == "stopped: storage_failed"


def test_without_its_record_it_begins_again(device: Bench) -> None:
    """The host's welcome lifts the counter; after a ratchet it must be provisioned anew."""
    for name in (b"espseal.1", b"espseal.2"):
        device.board.flash.pop(name, None)
    assert boot(device)
    assert use(device) == 1


# The key that lies in config.lua.


def text_of(config: str) -> bytes:
    """A config.lua that a person wrote."""
    return config.replace("KEY", DEVICE_KEY.hex()).encode()


def scrub(bench: Bench) -> bool:
    """Runs scrub.lua."""
    done: bool = bench.run('return require("scrub")(file)')
    return done


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('return {\n  device_key = "KEY",\n}\n', "return {\n  device_key = nil,\n}\n"),
        ("return {device_key='KEY', epoch = 0}", "return {device_key=nil, epoch = 0}"),
        ('-- device_key = "KEY"\nreturn {}', "-- device_key = nil\nreturn {}"),
        ('return {device_key  =\t"KEY" }', "return {device_key  =\tnil }"),
        (
            'local c = {}\nc.device_key = "KEY"\nreturn c',
            "local c = {}\nc.device_key = nil\nreturn c",
        ),
    ],
)
def test_the_key_goes_and_nothing_else_does(bench: Bench, before: str, after: str) -> None:
    bench.board.flash[b"config.lua"] = text_of(before)
    assert scrub(bench) is True
    assert bench.board.flash[b"config.lua"] == after.encode()
    assert b"config.new" not in bench.board.flash


@pytest.mark.parametrize("config", ["return {}", 'local k = "KEY"\nreturn {device_key = k}', ""])
def test_a_key_that_it_does_not_find_stays(bench: Bench, config: str) -> None:
    bench.board.flash[b"config.lua"] = text_of(config)
    assert scrub(bench) is False
    assert bench.board.flash[b"config.lua"] == text_of(config)
    assert b"config.new" not in bench.board.flash


def test_a_key_that_it_does_not_find_is_said(device: Bench) -> None:
    device.run('return state.ratchet("\\0\\1")')
    fields = f'wifi_ssid = "x", mqtt_host = "x", address = "{ADDRESS.hex()}", sensor = print'
    device.board.flash[b"config.lua"] = text_of(
        f'local k = "KEY"\nreturn {{{fields}, device_key = k}}'
    )
    assert boot(device)
    assert "config.lua still holds the first key: take the line device_key out" in device.lines
    assert identity(device) == (ADDRESS, 1, key_of(1))


def test_the_boot_after_a_ratchet_takes_it_out(device: Bench) -> None:
    """The power went between the ratchet and config.lua."""
    device.run('return state.ratchet("\\0\\1")')
    assert DEVICE_KEY.hex().encode() in device.board.flash[b"config.lua"]
    assert boot(device)
    assert DEVICE_KEY.hex().encode() not in device.board.flash[b"config.lua"]
    assert boot(device)
    assert identity(device) == (ADDRESS, 1, key_of(1))


def test_without_a_ratchet_it_stays(device: Bench) -> None:
    """If flash loses the record, the device can begin again."""
    assert boot(device)
    assert DEVICE_KEY.hex().encode() in device.board.flash[b"config.lua"]


@pytest.mark.parametrize("fill", [b"", b"\xff"])
def test_a_power_cut_at_every_byte_of_it(device: Bench, fill: bytes) -> None:
    device.run('return state.ratchet("\\0\\1")')
    files = dict(device.board.flash)
    total = len(files[b"config.lua"]) + 10
    outcomes = set()
    for steps in range(total):
        device.board.flash = flash = CutFlash(files, PLENTY, fill)
        device.reset()
        scrubs = device.run('return function() require("scrub")(file) end')
        flash.steps = steps
        try:
            device.machine.lua.call(scrubs)
        except PowerCut:
            outcomes.add("cut")
        else:
            outcomes.add("done")
        device.board.flash = dict(flash)
        assert boot(device)
        assert identity(device) == (ADDRESS, 1, key_of(1))
        assert device.run("return file_config.mqtt_host") == b"127.0.0.1"
        # The boot did what was left to do.
        assert DEVICE_KEY.hex().encode() not in b"".join(device.board.flash.values())
        assert b"config.new" not in device.board.flash
    assert outcomes == {"cut", "done"}


@pytest.mark.parametrize("fill", [b"", b"\xff", b"\0"])
def test_a_power_cut_at_every_byte_of_the_first_boot(bench: Bench, fill: bytes) -> None:
    configure(bench)
    files = dict(bench.board.flash)
    for steps in range(100):
        bench.board.flash = flash = CutFlash(files, PLENTY, fill)
        bench.reset()
        boots = bench.run('return function() require("setup_sealed")() end')
        flash.steps = steps
        try:
            bench.machine.lua.call(boots)
        except PowerCut:
            pass
        else:
            assert steps >= 79
        bench.board.flash = dict(flash)
        assert boot(bench)
        assert identity(bench) == (ADDRESS, 0, DEVICE_KEY)
        assert use(bench) == 1
