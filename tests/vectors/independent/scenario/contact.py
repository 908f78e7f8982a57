"""Scenarios of devices that the store does not know, and of stores that are lost."""

from __future__ import annotations

from collections.abc import Iterator

from ..draw import draw
from .script import START, Script


def contact_scenarios() -> Iterator[Script]:
    yield first_contact()
    yield contact_by_data()
    yield empty_store()
    yield restored_store()
    yield heads_are_floors()
    yield tombstone()
    yield restart_keeps_all()
    yield danger_first_contact()


def first_contact() -> Script:
    s = Script("first-contact", "A new device: nothing is fresh before it is bound to a beacon.")
    kitchen = s.lists("kitchen")
    s.start()
    captured = kitchen.send(b"20.0")
    s.opens(captured, "stale_session", "Unbound: it may be any old frame.")
    s.asks("kitchen", "An empty message asks the device for a hello.")
    s.opens(captured, "stale_session", "Once more: the device is asked once a minute.")
    s.opens(kitchen.send(b"20.1"), "stale_session")
    beacon = s.minute()
    s.opens(captured, "stale_session", "A minute later.")
    s.asks("kitchen")
    unbound = kitchen.hello(draw("first-contact", "random/1", 16))
    s.opens(unbound, "stale_session", "A hello that is bound to no beacon is no first contact.")
    kitchen.beacon = beacon
    hello = kitchen.hello_again()
    s.fresh("kitchen", hello, None, "The same session, bound to the beacon.")
    head = ((START + 61) << 24) + 1
    s.is_welcomed("kitchen", kitchen, head)
    s.fresh("kitchen", kitchen.send(b"20.2"), b"20.2", "From now on unbound data are good.")
    s.opens(captured, "replayed", "The captured frames lie below the window.")
    s.opens(hello, "replayed", "So does the hello, whose tag is known: no welcome.")
    s.opens(unbound, "replayed")
    return s


def contact_by_data() -> Script:
    s = Script("contact-by-data", "First contact by bound data; the welcome comes with a hello.")
    attic = s.lists("attic", device_key=draw("contact-by-data", "own", 32).hex())
    attic.beacon = s.start()
    attic.counter = 501
    first = attic.send(b"1", bound=True)
    s.fresh("attic", first, b"1", "The device has a key of its own.")
    s.asks("attic", "Its counter is below the new head: only a hello helps it.")
    s.opens(first, "replayed", "The window opened at the beacon's time.")
    s.opens(attic.send(b"2", bound=True), "replayed", "Until the welcome.")
    hello = attic.hello(draw("contact-by-data", "random", 16))
    s.opens(hello, "replayed", "A bound hello below the head touches no window.")
    s.is_welcomed("attic", attic, (START << 24) + (1 << 20))
    s.fresh("attic", attic.send(b"3", bound=True), b"3")
    s.fresh("attic", attic.send(b"4"), b"4")
    return s


def empty_store() -> Script:
    s = Script("empty-store", "The store is lost: captured frames are never fresh again.")
    kitchen = s.lists("kitchen")
    kitchen.beacon = s.start()
    hello = s.says_hello("kitchen", kitchen)
    first = kitchen.counter
    s.streams(kitchen, first, first + 99, "fresh", "100 readings.")
    kitchen.counter += 100
    bound = kitchen.send(b"20.0", bound=True)
    s.fresh("kitchen", bound, b"20.0")
    s.minute()
    kitchen.beacon = s.again("empty", "A new, empty store.")
    s.streams(kitchen, first, first, "stale_session", "A captured reading.")
    s.asks("kitchen")
    s.streams(kitchen, first, first + 99, "stale_session", "All of them.")
    s.opens(bound, "forged", "Bound to a session that the new store never knew.")
    s.opens(hello, "forged")
    s.step(
        "send",
        "Commands wait for a new hello.",
        device="kitchen",
        plaintext="6f6e",
        expect="no_session",
    )
    s.says_hello("kitchen", kitchen)
    s.streams(kitchen, first, first + 99, "replayed", "All of them, below the window.")
    s.fresh("kitchen", kitchen.send(b"20.1"), b"20.1")
    s.sends("kitchen", kitchen, b"on", "The downlink counter begins anew, under a new session.")
    return s


def restored_store() -> Script:
    s = Script("restored-store", "A backup of the store: what came after it is never fresh again.")
    kitchen = s.lists("kitchen")
    before = s.start()
    kitchen.beacon = before
    s.says_hello("kitchen", kitchen)
    old = kitchen.send(b"20.0", bound=True)
    s.fresh("kitchen", old, b"20.0")
    s.step("save", "The backup.")
    kitchen.beacon = s.minute()
    later = [kitchen.send(b"20.1"), kitchen.send(b"20.2", bound=True)]
    s.fresh("kitchen", later[0], b"20.1")
    s.fresh("kitchen", later[1], b"20.2")
    first = kitchen.counter
    s.streams(kitchen, first, first + 199, "fresh", "200 readings.")
    kitchen.counter += 200
    kitchen.beacon = s.again("restore", "The backup is put back, and the store marked restored.")
    s.opens(later[0], "stale_session", "Above the head of the backup, and unbound.")
    s.asks("kitchen")
    s.streams(kitchen, first, first + 199, "stale_session", "All that the backup does not know.")
    s.opens(later[1], "forged", "Bound to a session that the backup does not know.")
    s.opens(old, "stale_session", "Bound to one that it knows, and which has expired.")
    s.step(
        "send",
        "Commands wait for a new hello.",
        device="kitchen",
        plaintext="6f6e",
        expect="no_session",
    )
    s.says_hello("kitchen", kitchen, "Bound to a session minted since: first contact.")
    s.opens(later[0], "replayed")
    s.streams(kitchen, first, first + 199, "replayed", "All below the window.")
    s.fresh("kitchen", kitchen.send(b"20.3"), b"20.3")
    return s


def heads_are_floors() -> Script:
    s = Script("heads-are-floors", "A restored head counts, where it is above the beacon's time.")
    cellar = s.lists("cellar")
    cellar.beacon = s.start()
    cellar.counter = 1 << 60
    s.says_hello("cellar", cellar, "A device that is far ahead.")
    s.step("save")
    cellar.beacon = s.again("restore", "")
    cellar.counter = 1
    hello = cellar.hello(draw("heads-are-floors", "random", 16))
    s.fresh("cellar", hello, None, "It lost its counter meanwhile.")
    s.is_welcomed("cellar", cellar, (1 << 60) + 2)
    s.fresh("cellar", cellar.send(b"1"), b"1")
    return s


def tombstone() -> Script:
    s = Script("tombstone", "A device is removed and listed again: its window is still there.")
    kitchen = s.lists("kitchen")
    kitchen.beacon = s.start()
    s.says_hello("kitchen", kitchen)
    first = kitchen.counter
    s.streams(kitchen, first, first + 99, "fresh", "100 readings.")
    kitchen.counter += 100
    s.step("remove", device="kitchen")
    kitchen.beacon = s.again("restart", "With the keyring as it is now.")
    s.streams(kitchen, first, first + 99, "unknown_device", "Captured readings.")
    s.opens(kitchen.send(b"20.0", bound=True), "unknown_device", "A new reading.")
    s.lists_again("kitchen", kitchen)
    kitchen.beacon = s.again("restart", "Listed again.")
    s.streams(kitchen, first, first + 35, "replayed", "Captured readings below the window.")
    s.streams(kitchen, first + 36, first + 99, "duplicate", "Captured readings within it.")
    s.fresh("kitchen", kitchen.send(b"20.1"), b"20.1")
    return s


def restart_keeps_all() -> Script:
    s = Script("restart", "A restart keeps windows and sessions; the beacon's sessions expire.")
    kitchen = s.lists("kitchen")
    old = s.start()
    kitchen.beacon = old
    s.says_hello("kitchen", kitchen)
    reading = kitchen.send(b"20.0")
    s.fresh("kitchen", reading, b"20.0")
    held = kitchen.send(b"20.1", bound=True)
    unbound = kitchen.send(b"20.2")
    kitchen.beacon = s.again("restart", "At once, with a new session: a second newer.")
    s.opens(reading, "duplicate", "The window is as it was.")
    s.opens(held, "stale_session", "Bound to a session that has expired with the restart.")
    s.fresh("kitchen", unbound, b"20.2")
    s.sends("kitchen", kitchen, b"on", "The device's session is current, the counter goes on.")
    return s


def danger_first_contact() -> Script:
    about = "First contact switched off: any frame opens the window, and captured ones do so too."
    s = Script("danger-first-contact", about, danger_first_contact=True)
    kitchen, attic = s.lists("kitchen"), s.lists("attic")
    attic.beacon = s.start()
    kitchen.counter = 1000
    reading = kitchen.send(b"20.0")
    s.fresh("kitchen", reading, b"20.0", "Unbound: the head is its counter, and all bits are set.")
    s.asks("kitchen", "A hello is wanted all the same: there is no session to command under.")
    s.opens(reading, "duplicate")
    kitchen.counter = 999
    s.opens(kitchen.send(b"19.9"), "duplicate")
    kitchen.counter = 900
    s.opens(kitchen.send(b"19.0"), "replayed")
    kitchen.counter = 1001
    s.fresh("kitchen", kitchen.send(b"20.1"), b"20.1")
    attic.counter = 7
    s.fresh("attic", attic.send(b"18.0", bound=True), b"18.0", "Bound: the beacon's time counts.")
    s.asks("attic")
    s.opens(attic.send(b"18.1"), "replayed")
    hello = kitchen.hello(draw(s.name, "random", 16))
    s.fresh("kitchen", hello, None, "An unbound hello.")
    s.is_welcomed("kitchen", kitchen, s.head(kitchen) + 1)
    kitchen.beacon = s.again("empty", "The store is lost, and what was captured is fresh.")
    s.fresh("kitchen", reading, b"20.0", "That is the danger.")
    s.asks("kitchen")
    return s
