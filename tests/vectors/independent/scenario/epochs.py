"""Scenarios of the ratchet: the host's epoch moves when a frame of the new one verifies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import draw
from ..sealed import control
from ..sealed.keys import ratchet
from .device import Device
from .hellos import random, welcomed
from .script import Script

HOUR = 3600


def epoch_scenarios() -> Iterator[Script]:
    yield rotate_asleep()
    yield rotate_acknowledged()
    yield rotate_acknowledgement_lost()
    yield one_window_across_epochs()
    yield ahead()
    yield minimum_epoch()
    yield look_up()


def at_epoch(device: Device, epoch: int) -> Device:
    """Return a copy of the device that has ratcheted on."""
    key = ratchet(device.device_key, epoch - device.epoch)
    return replace(device, device_key=key, epoch=epoch, published=[])


def asks_to_ratchet(s: Script, device: Device, epoch: int, about: str = "") -> bytes:
    s.step("rotate", about, device="kitchen", expect="sent")
    return s.publishes("kitchen", device, device.sessions[0].session, control.ratchet_to(epoch))


def rotate_asleep() -> Script:
    s = Script("rotate-asleep", "Rotate, and the device sleeps for 25 hours: it is not locked out.")
    kitchen = welcomed(s)
    asks_to_ratchet(s, kitchen, 1, "Sending this changes nothing on the host.")
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0", "Epoch 0.")
    s.minute("The device sleeps, and the broker loses the frame.", 25 * HOUR)
    s.minute()
    kitchen.beacon = s.minute()
    s.fresh("kitchen", kitchen.send(b"20.1"), b"20.1", "Still in epoch 0.")
    s.fresh("kitchen", kitchen.send(b"20.2", bound=True), b"20.2")
    kitchen.boot(kitchen.counter)
    kitchen.beacon = s.minute()
    s.says_hello("kitchen", kitchen, "A new boot, in epoch 0.")
    kitchen_ratchet = asks_to_ratchet(s, kitchen, 1, "Once more.")
    assert kitchen.receive(kitchen_ratchet).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "Acknowledged under epoch 1: now it is that.")
    s.sends("kitchen", kitchen, b"on", "Under epoch 1.")
    return s


def rotate_acknowledged() -> Script:
    s = Script("rotate", "Rotate, acknowledge: the previous epoch is good for 24 hours.")
    kitchen = welcomed(s)
    before = at_epoch(kitchen, 0)
    frame = asks_to_ratchet(s, kitchen, 1)
    assert kitchen.receive(frame).verdict == "fresh"
    assert kitchen.epoch == 1
    acknowledged = kitchen.published[-1]
    before.counter = kitchen.counter + 1
    late = [before.send(b"%d" % number) for number in range(3)]
    kitchen.counter = before.counter
    s.fresh("kitchen", acknowledged, None, "Under epoch 1.")
    s.fresh("kitchen", late[0], b"0", "A frame of epoch 0, on its way for long.")
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0", "Epoch 1.")
    s.minute("23 hours later.", 23 * HOUR)
    s.fresh("kitchen", late[1], b"1", "Within the window and the 24 hours.", late=True)
    s.opens(late[1], "duplicate")
    s.minute("25 hours after the ratchet.", 2 * HOUR)
    s.opens(late[2], "wrong_epoch", "Never seen, and too late.")
    s.opens(late[0], "wrong_epoch", "Seen, and too late.")
    s.opens(frame_flipped(late[2]), "wrong_epoch", "Before the tag: the header's claim.")
    s.fresh("kitchen", kitchen.send(b"20.1"), b"20.1", "Epoch 1.")
    asks_to_ratchet(s, kitchen, 2)
    return s


def frame_flipped(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


def rotate_acknowledgement_lost() -> Script:
    s = Script("rotate-acknowledgement-lost", "The next reading tells as well that it ratcheted.")
    kitchen = welcomed(s)
    frame = asks_to_ratchet(s, kitchen, 1)
    assert kitchen.receive(frame).verdict == "fresh"
    again = asks_to_ratchet(s, at_epoch_before(kitchen, s), 1, "The host asks again, in epoch 0.")
    assert kitchen.receive(again).verdict == "wrong_epoch", "the device has no such key any more"
    s.fresh("kitchen", kitchen.send(b"20.0"), b"20.0", "The first that arrives is of epoch 1.")
    s.sends("kitchen", kitchen, b"on", "Under epoch 1, in the session of before.")
    s.step("rotate", "The next epoch.", device="kitchen", expect="sent")
    session = kitchen.sessions[0].session
    to_2 = s.publishes("kitchen", kitchen, session, control.ratchet_to(2))
    assert kitchen.receive(to_2).verdict == "fresh"
    s.fresh("kitchen", kitchen.published[-1], None, "Acknowledged under epoch 2.")
    return s


def at_epoch_before(device: Device, s: Script) -> Device:
    """Return the device as the host still believes it to be, in epoch 0."""
    key = s.player.hosts["a"].key(s.player.keyring[device.address], 0)
    return replace(device, device_key=key, epoch=0, published=[])


def one_window_across_epochs() -> Script:
    s = Script("one-window-across-epochs", "The window is one: a new epoch clears no bit.")
    kitchen = welcomed(s)
    first = kitchen.counter
    s.streams(kitchen, first, first + 19, "fresh", "20 readings in epoch 0.")
    kitchen.counter += 20
    later = at_epoch(kitchen, 1)
    s.fresh("kitchen", later.send(b"20.0"), b"20.0", "Epoch 1.")
    s.streams(kitchen, first, first + 19, "duplicate", "The 20 of epoch 0, during the overlap.")
    same = replace(later, counter=first)
    s.opens(same.send(b"20.0"), "duplicate", "A counter of epoch 0, in epoch 1.")
    return s


def ahead() -> Script:
    s = Script("ahead", "Up to 3 epochs ahead.")
    kitchen = welcomed(s)
    for epoch in (4, 5, 1024, 65535):
        device = at_epoch(kitchen, epoch)
        s.opens(device.send(b"x"), "wrong_epoch", f"{epoch} ahead.")
    four = at_epoch(kitchen, 4)
    s.opens(four.send(b"x", bound=True), "wrong_epoch", "4 ahead, bound.")
    s.opens(four.send(b"x"), "wrong_epoch", "4 ahead, retained.", retained="true")
    three = at_epoch(kitchen, 3)
    garbage = frame_flipped(three.send(b"x"))
    s.opens(garbage, "forged", "3 ahead, and it does not verify: nothing moves.")
    s.opens(at_epoch(kitchen, 4).send(b"x"), "wrong_epoch", "Still 4 ahead.")
    three = at_epoch(kitchen, 3)
    s.fresh("kitchen", three.send(b"20.0"), b"20.0", "3 ahead.")
    six = at_epoch(three, 6)
    seven = at_epoch(three, 7)
    s.opens(seven.send(b"x"), "wrong_epoch", "4 ahead of that.")
    s.fresh("kitchen", six.send(b"20.1"), b"20.1", "3 ahead of that.")
    s.opens(at_epoch(kitchen, 2).send(b"x"), "wrong_epoch", "Older than any overlap.")
    s.opens(kitchen.send(b"x"), "wrong_epoch", "Epoch 0.")
    return s


def minimum_epoch() -> Script:
    s = Script("minimum-epoch", "The keyring states the oldest epoch of a device.")
    old = s.lists("kitchen", minimum_epoch="2")
    beacon = s.start()
    for epoch in (0, 1):
        device = at_epoch(old, epoch)
        device.beacon = beacon
        s.opens(device.send(b"x", bound=True), "wrong_epoch", f"Epoch {epoch}.")
        s.opens(device.hello(random(s)), "wrong_epoch", "A hello as well.")
    kitchen = at_epoch(old, 2)
    kitchen.beacon = beacon
    s.says_hello("kitchen", kitchen, "Epoch 2.")
    s.sends("kitchen", kitchen, b"on", "Under epoch 2.")
    behind = at_epoch(old, 1)
    behind.counter = kitchen.counter
    s.opens(behind.send(b"x"), "wrong_epoch", "No overlap with what the keyring rules out.")
    return s


def look_up() -> Script:
    s = Script("look-up", "A store without the device's epoch looks 1024 steps up.")
    own = draw("look-up", "own", 32).hex()
    kitchen = s.lists("kitchen", device_key=own, minimum_epoch="10")
    beacon = s.start()
    beyond = at_epoch(kitchen, 10 + 1025)
    beyond.beacon = beacon
    s.opens(beyond.send(b"x", bound=True), "wrong_epoch", "1025 above.")
    s.opens(at_epoch(kitchen, 9).send(b"x"), "wrong_epoch", "Below.")
    far = at_epoch(kitchen, 10 + 1024)
    far.beacon = beacon
    s.says_hello("kitchen", far, "1024 above.")
    s.sends("kitchen", far, b"on", "Under that epoch.")
    behind = at_epoch(kitchen, 10 + 1023)
    behind.counter = far.counter
    s.opens(behind.send(b"x"), "wrong_epoch", "First contact brings no overlap.")
    next_epoch = at_epoch(far, 10 + 1025)
    s.fresh("kitchen", next_epoch.send(b"20.0"), b"20.0", "One ahead.")
    return s
