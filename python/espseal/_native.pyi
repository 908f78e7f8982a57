"""The Rust core, as Python sees it. Import from `espseal`; this module is private."""

import os
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, final

from typing_extensions import Buffer

from espseal._verdict import Verdict

__all__ = [
    "Claims",
    "ClassicKeys",
    "ClassicOpened",
    "Device",
    "DeviceEntry",
    "DeviceKey",
    "Field",
    "Finding",
    "Fit",
    "FleetEntry",
    "GroupEntry",
    "Inspection",
    "Keyring",
    "KeyringFile",
    "Listed",
    "Message",
    "Provision",
    "Publication",
    "Receiver",
    "SealedFinding",
    "SealedFit",
    "SealedInspection",
    "SealedOpened",
    "Sender",
    "Store",
    "StoredDevice",
    "__version__",
    "classic_open",
    "classic_seal",
    "danger_classic_seal_with_iv",
    "inspect",
    "sealed_armor",
    "sealed_device_session",
    "sealed_disarm",
    "sealed_open",
    "sealed_seal",
    "session_id_is_valid",
]

__version__: Final[str]

_Payload: TypeAlias = Buffer | str
_Layout: TypeAlias = Literal["hex", "raw", "port"]
_DataMode: TypeAlias = Literal["text", "binary"]
_MacOver: TypeAlias = Literal["unpadded", "padded"]
_Policy: TypeAlias = Literal["pool", "strict"]

@final
class ClassicKeys:
    """The four keys of the classic frame (`src/CLASSIC.md`, Keys).

    Arguments (any bytes-like object, or ``str`` taken as UTF-8):
        iv_key: AES key of the encrypted IV, 16, 24 or 32 bytes.
        data_key: AES key of node ID and data, 16, 24 or 32 bytes.
        static_iv: IV of the encrypted IV, 16 bytes.
        passphrase: HMAC-SHA1 key, at least 1 byte.

    Raises:
        KeyringError: a key has the wrong length (``wrong_key_length``).
    """

    def __new__(
        cls, *, iv_key: _Payload, data_key: _Payload, static_iv: _Payload, passphrase: _Payload
    ) -> ClassicKeys: ...
    @staticmethod
    def generate() -> ClassicKeys:
        """Draws four new keys from the operating system: 16, 16, 16 and 32 bytes."""

@final
class Keyring:
    """The devices and their keys: the file that people decide (read-only here).

    Thread-safe and immutable; `KeyringFile` changes the file.
    """

    @staticmethod
    def load(
        path: str | os.PathLike[str] | None = None, *, allow_wide_permissions: bool = False
    ) -> Keyring:
        """Reads a keyring file.

        Arguments:
            path: the file; default ``$ESPSEAL_KEYRING``, else ``~/.config/espseal/keyring.toml``.
            allow_wide_permissions: take a file that others can read.

        Raises:
            KeyringError: with file, line and field, and what to do.
        """

    @staticmethod
    def parse(text: str) -> Keyring:
        """Reads a keyring from its TOML text. Raises `KeyringError` as `load` does."""

    @property
    def path(self) -> str | None:
        """The file it came from, or None."""

    @property
    def devices(self) -> list[DeviceEntry]:
        """Every device, in the order of the file."""

    @property
    def groups(self) -> list[GroupEntry]:
        """Every classic group, in the order of the file."""

    @property
    def fleets(self) -> list[FleetEntry]:
        """Every fleet, in the order of the file."""

    @property
    def up_filters(self) -> list[str]:
        """Where the readings of sealed devices arrive: each fleet's filter, and the topics of
        devices that have their own. Each once, in order."""

    def provision(self, name: str) -> Provision:
        """What a sealed device has to be given. It holds the device's key.

        Raises:
            KeyringError: ``unknown_name``, ``not_sealed``, or ``revoked``.
        """

    @property
    def warnings(self) -> list[str]:
        """What is allowed but dangerous, one sentence each (for `keyring check`)."""

@final
class DeviceEntry:
    """One device of a keyring. No keys."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str | None:
        """The classic group that it is in."""

    @property
    def node_id(self) -> str | None:
        """Its node ID; bytes that are not printable ASCII as ``\\xNN``. None in layout port."""

    @property
    def topic(self) -> str | None:
        """In layout port, the topic that names it."""

    @property
    def fleet(self) -> str | None:
        """The fleet that it is in. A device that migrates has a group and a fleet."""

    @property
    def address(self) -> str | None:
        """Its address in sealed frames, 16 hex digits."""

    @property
    def minimum_epoch(self) -> int | None:
        """The epoch below which nothing sealed is accepted of it."""

    @property
    def revoked(self) -> bool:
        """Whether all its sealed frames are refused."""

    @property
    def own_key(self) -> bool:
        """Whether its key is its own, not derived from the fleet's."""

    @property
    def up_topic(self) -> str | None:
        """Where it sends, if not where its fleet's devices do."""

    @property
    def hello_topic(self) -> str | None:
        """Where it says hello, if not where its fleet's devices do."""

    @property
    def down_topic(self) -> str | None:
        """Where it hears, if not where its fleet's devices do."""

@final
class GroupEntry:
    """One classic group of a keyring. No keys."""

    @property
    def name(self) -> str: ...
    @property
    def topic(self) -> str:
        """The topic filter of the readings."""

    @property
    def session_topic(self) -> str | None:
        """Where session IDs are published, if there are any."""

    @property
    def layout(self) -> _Layout: ...
    @property
    def data(self) -> _DataMode: ...
    @property
    def mac(self) -> _MacOver: ...
    @property
    def devices(self) -> int:
        """How many devices it has."""

@final
class FleetEntry:
    """One fleet of a keyring. No keys."""

    @property
    def name(self) -> str: ...
    @property
    def beacon_topic(self) -> str:
        """Where the beacon's sessions are published."""

    @property
    def up_filter(self) -> str:
        """The topic filter of the devices' readings."""

    @property
    def hello_filter(self) -> str:
        """The topic filter of the devices' hellos."""

    @property
    def danger_first_contact(self) -> bool:
        """Whether a device's first frame is believed without a beacon."""

    @property
    def devices(self) -> int:
        """How many devices it has."""

@final
class Provision:
    """What a sealed device holds (`src/SEALED.md`, Keys): never the fleet key."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str:
        """16 hex digits."""

    @property
    def device_key(self) -> DeviceKey:
        """The key of `epoch`. It belongs into files of mode 0600 alone."""

    @property
    def epoch(self) -> int:
        """The first epoch that is accepted of it."""

    @property
    def up_topic(self) -> str:
        """Where it sends."""

    @property
    def hello_topic(self) -> str:
        """Where it says hello."""

    @property
    def down_topic(self) -> str:
        """Where it hears."""

    @property
    def beacon_topic(self) -> str:
        """Where it hears the beacon."""

    def render(self, form: str, settings: dict[str, str | int] | None = None) -> str:
        """The file that the device is given. It belongs into files of mode 0600 alone.

        Arguments:
            form: ``nodemcu``, ``arduino`` or ``json``.
            settings: What it connects to, by the words of the file, like ``wifi_ssid`` and
                ``mqtt_host``. What a firmware cannot do without has a place to be filled in.

        Raises:
            KeyringError: no setting is called so (``invalid_value``).
            ValueError: there is no such form.
        """

@final
class KeyringFile:
    """Changes a keyring file in place: locked, atomic, its comments kept."""

    @staticmethod
    def default_path() -> str:
        """``$ESPSEAL_KEYRING``, else ``~/.config/espseal/keyring.toml``."""

    @staticmethod
    def create(path: str | os.PathLike[str] | None = None) -> KeyringFile:
        """Writes a new keyring with a new session key, mode 0600, and its folders.

        Raises:
            KeyringError: the file is there already (``already_exists``), or cannot be written.
        """

    @staticmethod
    def open(path: str | os.PathLike[str] | None = None) -> KeyringFile:
        """Opens a keyring that is valid. Raises `KeyringError` as `Keyring.load` does."""

    @property
    def path(self) -> str: ...
    def add_group(
        self,
        name: str,
        *,
        topic: str,
        session_topic: str | None = None,
        layout: _Layout = "hex",
        data: _DataMode = "text",
        mac: _MacOver = "unpadded",
        policy: _Policy = "pool",
        session_interval: int | None = None,
        session_life: int | None = None,
        command_topic: str | None = None,
        command_session_topic: str | None = None,
        keys: ClassicKeys | None = None,
        danger_accept_replays: bool = False,
        allow_article_keys: bool = False,
    ) -> None:
        """Appends a classic group; without ``keys`` new ones are drawn. Only layout ``port`` and
        ``danger_accept_replays`` go without a ``session_topic``. `docs/keyring.md` explains each.

        Arguments:
            session_interval: seconds between two session IDs.
            session_life: seconds that each is good for.
            command_topic: with ``{node_id}`` in it, as ``command_session_topic``.

        Raises:
            KeyringError: the keyring would no longer be valid (``duplicate_name`` and so on);
                the file is left as it was.
        """

    def add_device(
        self, name: str, *, group: str, node_id: str | None = None, topic: str | None = None
    ) -> None:
        """Appends a classic device: by its ``node_id``, or in layout ``port`` by its ``topic``.

        Raises:
            KeyringError: the keyring would no longer be valid; the file is left as it was.
            ValueError: both, or neither of them.
        """

    def add_fleet(
        self,
        name: str,
        *,
        beacon_topic: str | None = None,
        up_topic: str | None = None,
        hello_topic: str | None = None,
        down_topic: str | None = None,
        beacon_interval: int | None = None,
        beacon_life: int | None = None,
        danger_first_contact: bool = False,
    ) -> None:
        """Appends a fleet with a new key. `docs/keyring.md` has the defaults.

        Arguments:
            up_topic: with ``{address}`` as one of its levels, as ``hello_topic``, ``down_topic``.
            beacon_interval: seconds between two beacon sessions.
            beacon_life: seconds that each is good for.

        Raises:
            KeyringError: the keyring would no longer be valid; the file is left as it was.
        """

    def add_sealed(
        self,
        name: str,
        *,
        fleet: str,
        address: str | None = None,
        chip_id: int | None = None,
        up_topic: str | None = None,
        hello_topic: str | None = None,
        down_topic: str | None = None,
    ) -> str:
        """Gives a device a place in a fleet: a new one, or a classic one that migrates.

        Arguments:
            address: 16 hex digits; default 8 random bytes.
            chip_id: the chip's ID, up to 32 bits, which is interleaved with 4 random bytes.
            up_topic: where it sends, if not where its fleet's devices do; ``hello_topic`` and
                ``down_topic`` alike.

        Returns:
            Its address.

        Raises:
            KeyringError: the device has a fleet already (``duplicate_name``), or the keyring
                would no longer be valid; the file is left as it was.
            ValueError: both ``address`` and ``chip_id``.
        """

    def set_address(
        self, name: str, *, address: str | None = None, chip_id: int | None = None
    ) -> str:
        """Gives a sealed device another address, as `add_sealed` takes it, and returns it. With
        the address its key becomes another one, unless that is its own.
        """

    def set_topics(
        self,
        name: str,
        *,
        up_topic: str | None = None,
        hello_topic: str | None = None,
        down_topic: str | None = None,
    ) -> None:
        """Gives a sealed device topics of its own; where one is None, that of its fleet.

        Raises:
            KeyringError: no sealed device has this name, or the keyring would no longer be
                valid; the file is left as it was.
        """

    def rename(self, name: str, new: str) -> None:
        """Gives a device another name. Its address, its keys and what is known of it stay."""

    def revoke(self, name: str, *, undo: bool = False) -> None:
        """Has all sealed frames of a device refused; ``undo`` takes that back."""

    def remove(self, name: str, *, only: Literal["classic", "sealed"] | None = None) -> None:
        """Takes a device out of the keyring, or only one of its two sides."""

    def rekey(self, name: str, *, reached: int | None = None) -> int:
        """Draws a new key for a device alone; it has to be provisioned anew.

        Arguments:
            reached: the highest epoch that the store has seen of it.

        Returns:
            The new ``minimum_epoch``: nothing of the old key is accepted any more.
        """

    def set_minimum_epoch(self, name: str, epoch: int) -> None:
        """Refuses the device's keys of all epochs below this one. It is never lowered."""

@final
class Store:
    """Where a receiver keeps what it learns. Thread-safe; several receivers may share one."""

    @staticmethod
    def memory() -> Store:
        """A store that lives as long as the process."""

    @staticmethod
    def sqlite(
        path: str | os.PathLike[str] | None = None,
        *,
        durability: Literal["process", "power"] = "process",
    ) -> Store:
        """A store in an SQLite file: it outlives the process, and several may share it.

        Arguments:
            path: the file, made if it is missing, mode 0600; default
                ``~/.local/state/espseal/state.sqlite3``. It belongs on a local disk.
            durability: ``process`` survives the end of the process at any instant, ``kill -9``
                too; ``power`` survives a power cut, and waits for the disk at every frame.

        Raises:
            StoreError: with the file and what to do (``read_only``, ``disk_full``, ``locked``,
                ``corrupt``, ``newer_schema``, ``not_a_store``, ``io``); the file is left as it was.
        """

    def mark_restored(self) -> None:
        """Says that this store is a copy of what it was, as a backup is. Sealed devices are met
        anew, once they have heard a beacon that was minted from now on: what was accepted since
        the copy was made is never accepted again. Do it before a receiver uses the copy.

        Raises:
            StoreError: nothing was marked.
        """

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many frames got each verdict since the store was made, a few seconds late."""

    def devices(self, addresses: Sequence[str]) -> list[StoredDevice | None]:
        """What is known of sealed devices; None of one that nothing was heard of.

        Arguments:
            addresses: of 16 hex digits each.

        Raises:
            StoreError: the file cannot be read.
            ValueError: an address is none.
        """

    @property
    def path(self) -> str | None:
        """The file, or None in memory."""

@final
class StoredDevice:
    """What a store knows of a sealed device."""

    @property
    def head(self) -> int | None:
        """The highest counter accepted; None before its first ``fresh`` frame."""

    @property
    def epoch(self) -> int | None:
        """The highest epoch verified; None before its first ``fresh`` frame."""

    @property
    def last_seen(self) -> int | None:
        """When its last ``fresh`` frame came, in Unix seconds."""

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many of its frames got each verdict, a few seconds late. Those that did not verify
        (``forged``, ``wrong_epoch``, ``revoked``) only claim to be of it.
        """

@final
class Message:
    """A frame and what the receiver says of it.

    Fields that the verdict does not reach are None; until a frame has verified,
    nothing in it is believed, so ``device`` and ``node_id`` are None too.
    """

    @property
    def verdict(self) -> Verdict: ...
    @property
    def device(self) -> str | None:
        """The device's name in the keyring."""

    @property
    def node_id(self) -> str | None:
        """The verified node ID; bytes that are not printable ASCII as ``\\xNN``."""

    @property
    def group(self) -> str | None:
        """The classic group whose keys verified the frame."""

    @property
    def data(self) -> bytes | None:
        """The reading. Not None exactly when the verdict is ``fresh`` and ``kind`` is ``data``."""

    @property
    def kind(self) -> Literal["data", "hello", "control"]:
        """What the data is for. A classic frame carries ``data`` alone: readings and commands."""

    @property
    def address(self) -> str | None:
        """The address of a sealed frame, 16 lower-case hex digits; None for a classic frame."""

    @property
    def counter(self) -> int | None:
        """The counter of a sealed frame; None for a classic frame."""

    @property
    def epoch(self) -> int | None:
        """How often the key of a sealed frame was ratcheted; None for a classic frame."""

    @property
    def advanced(self) -> bool:
        """Whether it is newer than everything accepted of its device before, as far as the format
        tells: True for every fresh classic frame, whose order nothing proves.
        """

    @property
    def session_bound(self) -> bool:
        """Whether it verified under a session, live or expired."""

    @property
    def acknowledged(self) -> str | None:
        """Of a control frame that acknowledges, fresh or ``duplicate``: the ``tag`` of the
        `Publication` that arrived.
        """

    @property
    def mode(self) -> int | None:
        """Of a control frame that tells it: the mode that the device is in."""

    def done(self) -> None:
        """Says, under ``delivery="at_least_once"``, that the reading is stored: only then is it
        remembered, and MQTT's acknowledgement should follow. Otherwise, and a second time,
        it does nothing.

        Raises:
            StoreError: say so again.
        """

    @property
    def is_done(self) -> bool:
        """False while `done` has something to do."""

    @property
    def topic(self) -> str | None:
        """The topic that was given to `Receiver.open`."""

    @property
    def retained(self) -> bool:
        """The MQTT retain flag that was given to `Receiver.open`."""

    @property
    def replay_protected(self) -> bool:
        """False when ``danger_accept_replays`` let a frame without a session in."""

    @property
    def reason(self) -> str:
        """One sentence for a person: why this verdict, and what to do. No data and no key."""

    @property
    def text(self) -> str | None:
        """``data`` as UTF-8, undecodable bytes replaced; None when there is none."""

@final
class Publication:
    """What an adapter publishes for the receiver or the sender."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def qos(self) -> int: ...
    @property
    def retain(self) -> bool: ...
    @property
    def tag(self) -> str | None:
        """Of a sealed frame: by which its acknowledgement names it, 32 lower-case hex digits."""

@final
class Receiver:
    """Opens uplinks, mints session IDs and beacons, welcomes sealed devices. Thread-safe.

    Arguments:
        keyring: whom to believe.
        store: what was learnt; see `Store`.
        authority: True publishes session IDs and beacons; False follows those of another receiver.
        delivery: of the readings of sealed devices. ``at_most_once`` remembers one, then hands it
            over; ``at_least_once`` remembers it when `Message.done` says so, and after a crash
            before that hands it over again. Classic ones are always remembered first.

    Raises:
        StoreError: the store cannot be read.
    """

    def __new__(
        cls,
        keyring: Keyring,
        store: Store,
        *,
        authority: bool = True,
        delivery: Literal["at_most_once", "at_least_once"] = "at_most_once",
    ) -> Receiver: ...
    def open(
        self,
        payload: _Payload,
        *,
        topic: str | None = None,
        retained: bool = False,
        raise_rejected: bool = False,
    ) -> Message:
        """Opens one frame. Never raises for what a peer sent, unless asked.

        Arguments:
            payload: the MQTT payload, any bytes-like object or ``str``.
            topic: the topic it came on; selects the groups whose filter matches.
                Without it every group is tried.
            retained: the MQTT retain flag; it only relabels what is refused anyway.
            raise_rejected: raise `Rejected` for every verdict but ``fresh``.

        Raises:
            Rejected: only with ``raise_rejected``.
            StoreError: the store failed; the frame was not accepted and may be given again.
            Error: ``not_done``: too many messages of this device wait for `Message.done`; the
                frame was not accepted and may be given again.
        """

    def hear(self, payload: _Payload, *, topic: str, retained: bool = False) -> bool:
        """Takes a message of a session or beacon topic (see `subscriptions`): a false ID is
        answered with the true one at the next `publications`. Returns whether the topic was one;
        if not, the message is for `open`.

        Arguments:
            payload: the MQTT payload.
            topic: the topic it came on.
            retained: the MQTT retain flag: an authority gives way to a live one, and a retained
                ID says nothing about who is.
        """

    def publications(self) -> list[Publication]:
        """Mints the session IDs and beacons that are due and returns what to publish now, in
        order: those, welcomes to sealed devices, and empty messages that ask for a hello. After
        each `open` something may be due.
        """

    def reconnected(self) -> None:
        """Call after each (re)connection: the current session IDs are published again."""

    def next_due(self) -> float | None:
        """Seconds (0 or more) until `publications` has something new; None for never, as with
        a follower. `hear`, `open` (policy ``strict``) and `reconnected` may bring it forward.
        """

    @property
    def delivery(self) -> Literal["at_most_once", "at_least_once"]:
        """As it was given."""

    @property
    def reading_filters(self) -> list[str]:
        """The filters of the readings: subscribe to them and pass their messages to `open`."""

    @property
    def subscriptions(self) -> list[str]:
        """The session and beacon topics, and the filters of the hellos: subscribe to them and
        pass their messages to `hear`, and what that does not know to `open`.
        """

    @property
    def keyring(self) -> Keyring: ...
    @property
    def counts(self) -> dict[Verdict, int]:
        """How many frames got each verdict since this receiver was made."""

    @property
    def false_sessions(self) -> int:
        """How many payloads of the session and beacon topics were no ID of this keyring."""

    @property
    def unreadable_bodies(self) -> int:
        """How many verified hellos and control frames said nothing that this version knows."""

    @property
    def trouble(self) -> str | None:
        """What keeps it from taking session IDs, in one sentence, like a wrong clock."""

@final
class Sender:
    """Seals commands. Thread-safe.

    A sealed device takes them under the session that it acknowledged last, from hosts on the
    store of the fleet's authority (`src/SEALED.md`, Commands). A classic one, whose group has a
    ``command_topic``, draws sessions and shows them, retained, on its command-session topic;
    each is good for one command (`src/CLASSIC.md`, Commands). One that has both formats gets
    classic commands until its first sealed frame came.
    """

    def __new__(cls, keyring: Keyring, store: Store) -> Sender: ...
    @property
    def subscriptions(self) -> list[str]:
        """The command-session topics of classic devices: subscribe to them and pass their
        messages to `hear`.
        """

    def hear(self, payload: _Payload, *, topic: str) -> bool:
        """Takes a message of a command-session topic. Returns whether the topic was one."""

    def is_ready(self, device: str) -> bool:
        """Whether a command to this device can be sealed now. Raises `KeyringError`."""

    def seal(self, device: str, data: _Payload) -> Publication:
        """Seals one command. Of a sealed device the acknowledgement names its ``tag``
        (`Message.acknowledged`); of a classic one it uses up the session that the node shows.

        Raises:
            KeyringError: no such device (``unknown_name``), or its group has no command topics.
            SessionError: ``no_session``: the device has acknowledged or shows none;
                ``not_authority``: no receiver on this store publishes the fleet's beacon;
                ``revoked``; ``counter_exhausted``.
            DataError: the frame cannot carry this.
            StoreError: nothing was sealed.
        """

    def ratchet(self, device: str) -> Publication:
        """Asks a sealed device to ratchet its key once. Nothing changes here until its first
        frame of the new epoch comes.

        Raises:
            SessionError: as `seal`, or ``epoch_exhausted``.
            Error: ``wrong_format``: the device is classic.
        """

    def acknowledges(self, payload: _Payload) -> str | None:
        """The ``tag`` of the `Publication` that a device acknowledges with this uplink, None if it
        is no such one. For a process beside the receiver: nothing is remembered or accepted.

        Raises:
            StoreError: the store failed.
        """

    def query_mode(self, device: str) -> Publication:
        """Asks a sealed device for its mode (`Message.mode`). Raises as `ratchet`."""

    def tells_mode(self, device: str, payload: _Payload) -> int | None:
        """The mode that the device tells with this uplink, if it came after the last `query_mode`
        of this sender. For a process beside the receiver, as `acknowledges`.

        Raises:
            KeyringError: no such device (``unknown_name``).
            StoreError: the store failed.
        """

    def set_mode(self, device: str, mode: int) -> Publication:
        """Puts a sealed device into a mode, 0 to 255. Raises as `ratchet`."""

@final
class Device:
    """A device's own end, for tests, simulators and Linux devices. Thread-safe.

    A classic one seals readings under the session that it heard last, and opens commands.

    A sealed one is run by its publications. After each connect call `reconnected` and subscribe
    to `subscriptions`; give the messages of ``beacon_topic`` to `hear` and those of
    ``down_topic`` to `open`; after each, and when `next_due` says so, publish what
    `publications` gives. Readings go there with `send`.
    """

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        *,
        state: str | os.PathLike[str] | None = None,
        firmware: str | None = None,
        hold: float = 10.0,
        hello_interval: float = 600.0,
    ) -> Device:
        """Reads a device file: of a sealed device the JSON that it was provisioned with, of a
        classic one TOML (see docs/keyring.md), for which ``path`` alone matters.

        A sealed device keeps its counter, its epoch and its key in a state file, which one
        process uses at a time. Never put an older copy of it back: it cannot be told from the
        last one, and its counters were used. After a ratchet ``device_key`` is taken out of the
        JSON file, since the present key could be computed from it.

        Arguments:
            path: the file; others may not read it.
            state: the state file; without it ``<path>.state``.
            firmware: what its hello calls its firmware.
            hold: how many seconds readings wait for the host's welcome.
            hello_interval: how many seconds pass from one session to the next.

        Raises:
            KeyringError: the file cannot be used; with file, line and field.
            StateError: the state file cannot be used (``in_use``, ``state_missing``,
                ``state_damaged``, ``not_a_state``, ``newer_state``, ``other_device``, ``no_key``,
                ``wide_permissions``, ``io``).
            ValueError: a time is negative.
        """

    @staticmethod
    def from_keyring(
        keyring: Keyring,
        name: str,
        *,
        format: Literal["classic", "sealed"] | None = None,  # noqa: A002
        state: str | os.PathLike[str] | None = None,
        firmware: str | None = None,
        hold: float = 10.0,
        hello_interval: float = 600.0,
    ) -> Device:
        """Takes the keys of a device out of a keyring. For tests and simulators.

        Arguments:
            keyring: where the device is listed.
            name: its name there.
            format: of a device that has both; without it sealed, if it can be.
            state: the state file of a sealed device. Without it the counter begins with 1 each
                time, and a host that knows the device takes nothing before it has welcomed it.
            firmware, hold, hello_interval: as for `load`.

        Raises:
            KeyringError: no such device (``unknown_name``).
            Error: it does not send this format (``wrong_format``).
            StateError: the state file cannot be used.
            ValueError: ``format`` is none, or a time is negative.
        """

    @property
    def name(self) -> str: ...
    @property
    def format(self) -> Literal["classic", "sealed"]:
        """Which frames it sends."""

    @property
    def address(self) -> str | None:
        """What the frames of a sealed one carry, 16 hex digits."""

    @property
    def epoch(self) -> int | None:
        """How many ratchet steps the key of a sealed one has made."""

    @property
    def topic(self) -> str | None:
        """Where its readings go; for a classic one, if its file says so."""

    @property
    def session_topic(self) -> str | None:
        """Where a classic one hears session IDs, if it needs any."""

    @property
    def hello_topic(self) -> str | None:
        """Where the hellos of a sealed one go."""

    @property
    def down_topic(self) -> str | None:
        """Where a sealed one gets what `open` takes."""

    @property
    def beacon_topic(self) -> str | None:
        """Where a sealed one gets what `hear` takes."""

    @property
    def subscriptions(self) -> list[str]:
        """What to subscribe to after each connect."""

    @property
    def mqtt_host(self) -> str | None:
        """The broker, if the provisioning file names it; so the three below."""

    @property
    def mqtt_port(self) -> int | None: ...
    @property
    def mqtt_user(self) -> str | None: ...
    @property
    def mqtt_password(self) -> str | None: ...
    @property
    def is_welcomed(self) -> bool:
        """Whether the host has welcomed a sealed one since it started."""

    @property
    def mode(self) -> int:
        """The mode that the host set last, 0 to 255; the application says what it means."""

    def set_mode(self, mode: int) -> None:
        """Goes into a mode by itself, like one that was stored.

        Arguments:
            mode: 0 to 255.

        Raises:
            Error: it is a classic device (``wrong_format``).
        """

    @property
    def ignored(self) -> int:
        """How many verified control frames said what this version does not know."""

    @property
    def trouble(self) -> str | None:
        """What a person should do, in one sentence; None if nothing."""

    def hear(self, payload: _Payload) -> bool:
        """Takes a session off the session topic or the beacon topic.

        Arguments:
            payload: as it came.

        Returns:
            False, and it is ignored, if it is none. A device cannot tell a true from a false one.
        """

    def seal(self, data: _Payload, *, to: _Payload | None = None) -> bytes:
        """Seals one reading, to be published on ``topic``.

        Arguments:
            data: the reading.
            to: another classic node, whose session was heard last: the reading is for it.

        Returns:
            The frame.

        Raises:
            SessionError: a classic device has heard no session ID yet (``no_session``); a sealed
                one waits for its welcome, and for no longer than ``hold`` (``not_welcomed``).
            DataError: the frame cannot carry this (``data_ends_in_nul``, ``frame_too_long``).
            StateError: the counter cannot be kept (``state_changed``, ``io``, ``forked``,
                ``counter_exhausted``).
            Error: a sealed device speaks to its host alone (``wrong_format``).
        """

    def send(self, data: _Payload) -> None:
        """Puts a reading of a sealed device into its outbox: `publications` gives it, sealed,
        once the device is welcomed, or has waited for that as long as ``hold`` says.

        Arguments:
            data: the reading.

        Raises:
            DataError: no frame can carry this (``frame_too_long``), or 1024 readings wait already
                (``outbox_full``).
            Error: it is a classic device (``wrong_format``).
        """

    def draw_command_session(self) -> bytes:
        """Draws a session for one command to a classic device. The one drawn before stays good
        too.

        Returns:
            32 hex digits to publish, retained, on the device's command-session topic.

        Raises:
            Error: it is a sealed device (``wrong_format``).
        """

    def open(self, payload: _Payload, *, topic: str | None = None) -> Message:
        """Opens a command, or to a classic device a message of another node (then ``node_id``
        says whose). Never raises for what a peer sent.

        What a sealed device takes without handing it on (a welcome, a ratchet, a mode) is
        ``fresh``, too, and has no data. After each call, see `publications`: the answer is
        there. An empty payload asks for a hello, and is ``malformed``.

        Arguments:
            payload: as it came.
            topic: what the message says as its ``topic``.

        Returns:
            The verdict, and with ``fresh`` the command's data.

        Raises:
            StateError: nothing was taken, and the payload may be given again.
        """

    def publications(self) -> list[Publication]:
        """What a sealed device has to publish now: acknowledgements, hellos, readings. Publish
        them while MQTT is connected; they are given once.

        Raises:
            StateError: the counter cannot be kept; what could not be sealed comes next time.
        """

    def next_due(self) -> float | None:
        """Seconds until `publications` has something; None for never."""

    def reconnected(self) -> None:
        """Says that MQTT is connected, after each connect: a sealed device greets its host."""

@final
class ClassicOpened:
    """What `classic_open` found."""

    @property
    def verdict(self) -> Verdict:
        """``fresh``, ``malformed`` or ``forged``: there is no state to tell more."""

    @property
    def node(self) -> bytes | None:
        """The node field, its padding stripped."""

    @property
    def data(self) -> bytes | None: ...
    @property
    def session(self) -> int | None:
        """Which of the sessions fits."""

    @property
    def malformed(self) -> str | None:
        """Why the bytes are no frame, as one word."""

    @property
    def offset(self) -> int | None:
        """Where, in bytes from 0."""

def classic_open(
    frame: _Payload,
    keys: ClassicKeys,
    sessions: list[_Payload],
    *,
    layout: _Layout = "hex",
    data: _DataMode = "text",
    mac: _MacOver = "unpadded",
) -> ClassicOpened:
    """Opens a frame under one key set (`src/CLASSIC.md`, Opening).

    Arguments:
        frame: the bytes on the wire.
        keys: the key set.
        sessions: the exact bytes that enter the MAC, one or more; none in layout port.
        layout: ``port`` or not; hex and raw are told apart by the bytes.
        data: whether the data may end in NUL bytes (``binary``).
        mac: what the MAC covers.
    """

def classic_seal(
    keys: ClassicKeys,
    node: _Payload,
    data: _Payload,
    session: _Payload,
    *,
    layout: _Layout = "hex",
    mode: _DataMode = "text",
    mac: _MacOver = "unpadded",
    danger_accept_replays: bool = False,
) -> bytes:
    """Seals a frame (`src/CLASSIC.md`, Sealing). ``node`` is the node field: a node ID,
    ``>`` and a node ID, or two node IDs with ``>`` between them.

    Raises:
        DataError: the frame cannot carry this.
    """

def danger_classic_seal_with_iv(
    keys: ClassicKeys,
    node: _Payload,
    data: _Payload,
    session: _Payload,
    iv: bytes,
    *,
    layout: _Layout = "hex",
    mode: _DataMode = "text",
    mac: _MacOver = "unpadded",
    danger_accept_replays: bool = False,
) -> bytes:
    """`classic_seal` with an IV of the caller's, 16 bytes. An IV that repeats shows which
    readings are equal: only for vectors.
    """

@final
class DeviceKey:
    """The key of one device in one epoch, 32 bytes (`src/SEALED.md`, Keys).

    Raises:
        KeyringError: ``key`` is not 32 bytes long (``wrong_key_length``).
    """

    def __new__(cls, key: _Payload) -> DeviceKey: ...
    @staticmethod
    def of_fleet(fleet_key: _Payload, address: str) -> DeviceKey:
        """The key of epoch 0 of the device with this address, 16 hex digits (RFC 5869).

        Raises:
            KeyringError: ``fleet_key`` is not 32 bytes long (``wrong_key_length``).
            ValueError: ``address`` is not 16 hex digits.
        """

    def ratchet(self, steps: int = 1) -> DeviceKey:
        """The key so many epochs later. There is no way back."""

    def expose(self) -> bytes:
        """The raw bytes: to provision a device, and for nothing else."""

@final
class SealedOpened:
    """What `sealed_open` found. Without a verified tag nothing of the header is told."""

    @property
    def verdict(self) -> Verdict:
        """``fresh``, ``malformed``, ``wrong_direction`` or ``forged``: there is no state to
        tell more."""

    @property
    def kind(self) -> Literal["data", "hello", "control"] | None: ...
    @property
    def address(self) -> str | None:
        """16 lower-case hex digits."""

    @property
    def epoch(self) -> int | None: ...
    @property
    def counter(self) -> int | None: ...
    @property
    def session_bound(self) -> bool:
        """Whether it is bound to a session."""

    @property
    def session(self) -> int | None:
        """Which of the sessions fits; None if it is not bound to one."""

    @property
    def data(self) -> bytes | None:
        """The plaintext, of whichever kind."""

    @property
    def malformed(self) -> str | None:
        """Why the bytes are no frame, as one word."""

    @property
    def offset(self) -> int | None:
        """Where, in bytes from 0; of an armored frame, in its text."""

def sealed_open(
    frame: _Payload,
    key: DeviceKey,
    *,
    direction: Literal["uplink", "downlink"] = "uplink",
    sessions: Sequence[bytes] = ...,
    context: _Payload | None = None,
) -> SealedOpened:
    """Opens a frame, binary or armored, under one key (`src/SEALED.md`, Opening).

    Arguments:
        frame: the bytes on the wire.
        key: of the epoch that the frame names.
        direction: in which it went.
        sessions: those that it may be bound to, 16 bytes each.
        context: what it was sealed with; None is the empty one.
    """

def sealed_seal(
    key: DeviceKey,
    data: _Payload,
    *,
    address: str,
    counter: int,
    epoch: int = 0,
    direction: Literal["uplink", "downlink"] = "uplink",
    kind: Literal["data", "hello", "control"] = "data",
    session: bytes | None = None,
    context: _Payload | None = None,
) -> bytes:
    """Seals a plaintext (`src/SEALED.md`, Sealing).

    Arguments:
        key: of the epoch.
        data: the plaintext, at most 16348 bytes; 36 bytes more are on the wire.
        address: the device's, 16 hex digits.
        counter: one that this device never used in this direction, from 1 to 2**64 - 1.
        epoch: how many ratchet steps the key has made.
        direction: ``uplink`` from the device, ``downlink`` to it.
        kind: what it is for.
        session: what it is bound to, 16 bytes.
        context: what both ends agree on; None is the empty one.

    Raises:
        DataError: there is no such frame (``counter_zero``, ``downlink_hello``,
            ``unbound_control``), or it is too long (``frame_too_long``).
        ValueError: ``address``, ``direction`` or ``kind`` is none.
    """

def sealed_armor(frame: _Payload) -> str:
    """The text of a binary frame: base64url without padding (RFC 4648, 5)."""

def sealed_disarm(text: _Payload) -> bytes:
    """The binary frame of a text. Raises `ValueError`, with the offset, if it is no armor."""

def sealed_device_session(key: DeviceKey, counter: int, beacon: bytes, random: bytes) -> bytes:
    """The session that a device draws, 16 bytes (`src/SEALED.md`, H1).

    Arguments:
        key: of its epoch.
        counter: that of its hello.
        beacon: the beacon's session, or 16 zeros.
        random: 16 random bytes.
    """

def session_id_is_valid(session_key: _Payload, payload: _Payload) -> bool:
    """Whether a payload is a session ID that this key of 32 bytes made."""

def inspect(
    payload: _Payload,
    keyring: Keyring | None = None,
    *,
    sessions: list[_Payload] | None = None,
    store: Store | None = None,
    topic: str | None = None,
) -> Inspection:
    """Takes a frame apart, and tries every key on it in every way that senders make frames:
    for the person who owns the keys. A receiver answers ``forged`` and no more.

    Arguments:
        payload: the frame; white space of a paste is tolerated in text.
        keyring: whose keys are tried; on a classic frame the article's always are.
        sessions: session IDs to try, as they travel; a sealed frame's may be 16 bytes, too.
        store: the session IDs that it knows are tried, too.
        topic: leaves out the classic groups whose filter does not match.

    Raises:
        StoreError: the store failed.
    """

@final
class Inspection:
    """What `inspect` found."""

    @property
    def frame(self) -> bytes:
        """The frame without white space and armor; offsets count from its start."""

    @property
    def format(self) -> Literal["classic", "sealed"]:
        """Which of the two it is, or begins like."""

    @property
    def armored(self) -> bool:
        """Whether it came as the text of a sealed frame."""

    @property
    def layout(self) -> _Layout | None:
        """Of a classic frame; None if it is malformed."""

    @property
    def fields(self) -> list[Field]:
        """In the order in which they stand; none if it is malformed, unless it begins like a
        sealed frame and is long enough.
        """

    @property
    def malformed(self) -> str | None:
        """Why it is no frame, as one word."""

    @property
    def offset(self) -> int | None:
        """Where, in bytes from 0."""

    @property
    def reason(self) -> str | None:
        """Why it is no frame, as one sentence."""

    @property
    def findings(self) -> list[Finding]:
        """Of a classic frame: one for each key set that was tried; the article's come last."""

    @property
    def sealed(self) -> SealedInspection | None:
        """Of a sealed frame: its claims, and what came of the keys."""

@final
class Field:
    """One field of a frame."""

    @property
    def name(self) -> str:
        """As in `src/CLASSIC.md` (``enc_iv``, ``enc_node``, ``enc_data``, ``mac``) and in
        `src/SEALED.md` (``magic``, ``flags``, ``epoch``, ``address``, ``counter``, ``V``, ``C``).
        """

    @property
    def offset(self) -> int:
        """In bytes from the start of the frame."""

    @property
    def size(self) -> int:
        """In bytes of the frame."""

@final
class Finding:
    """What came of one key set, on a classic frame."""

    @property
    def group(self) -> str | None:
        """The group whose keys they are; None for those printed in the article."""

    @property
    def owner(self) -> str | None:
        """The device whose own keys they are."""

    @property
    def fit(self) -> Fit | None:
        """How the frame verifies under them; None if it does not."""

    @property
    def iv_fits(self) -> bool:
        """Whether ``iv_key`` and ``static_iv`` fit, as far as the IV tells."""

    @property
    def claims(self) -> Claims | None:
        """Whom a frame that does not verify claims to be of: then ``data_key`` fits, too."""

@final
class Claims:
    """Whom a classic frame that does not verify claims to be of."""

    @property
    def node(self) -> bytes:
        """The node field, its padding stripped."""

    @property
    def device(self) -> str | None:
        """The device that the keyring lists for it."""

@final
class Fit:
    """How a frame verifies."""

    @property
    def layout(self) -> _Layout: ...
    @property
    def mode(self) -> _DataMode:
        """Whether its data may end in NUL bytes."""

    @property
    def mac(self) -> _MacOver:
        """What its MAC covers."""

    @property
    def as_in_keyring(self) -> bool:
        """Whether the keyring says that this group's frames are made so."""

    @property
    def session(self) -> Literal["given", "stored", "empty", "none"]:
        """What it verified under."""

    @property
    def session_time(self) -> int | None:
        """When a stored session was minted, in Unix seconds."""

    @property
    def session_life(self) -> int | None:
        """How long the group's sessions live, in seconds."""

    @property
    def device(self) -> str | None:
        """The device that the keyring lists for it."""

    @property
    def node(self) -> bytes:
        """The node field, its padding stripped."""

    @property
    def iv(self) -> bytes: ...
    @property
    def data(self) -> bytes:
        """The plaintext: show it only to who asked for it."""

@final
class SealedInspection:
    """What a sealed frame claims, and what came of the keys."""

    @property
    def direction(self) -> Literal["uplink", "downlink"]: ...
    @property
    def kind(self) -> Literal["data", "hello", "control"]: ...
    @property
    def session_bound(self) -> bool:
        """Whether it says that it is bound to a session."""

    @property
    def epoch(self) -> int: ...
    @property
    def address(self) -> str:
        """16 hex digits."""

    @property
    def counter(self) -> int: ...
    @property
    def listed(self) -> Listed | None:
        """The device that the keyring lists under this address."""

    @property
    def findings(self) -> list[SealedFinding]:
        """One for each source of keys that was tried; at most one fits."""

    @property
    def sessions_given(self) -> int:
        """How many of the sessions that were given could be tried."""

    @property
    def sessions_of_beacons(self) -> int:
        """How many beacons' sessions the store knows."""

    @property
    def sessions_of_device(self) -> int:
        """How many sessions the store knows the device to have drawn."""

@final
class Listed:
    """A sealed device of the keyring, and what the store knows of it."""

    @property
    def name(self) -> str: ...
    @property
    def fleet(self) -> str: ...
    @property
    def own_key(self) -> bool:
        """Whether its key is its own, not derived from the fleet's."""

    @property
    def revoked(self) -> bool: ...
    @property
    def minimum_epoch(self) -> int: ...
    @property
    def topic(self) -> str:
        """Where such a frame goes."""

    @property
    def reached_epoch(self) -> int | None:
        """The highest epoch verified; None if the store knows nothing of it, as the next two."""

    @property
    def head(self) -> int | None:
        """The highest counter accepted."""

    @property
    def last_seen(self) -> int | None:
        """When its last fresh frame came, in Unix seconds."""

@final
class SealedFinding:
    """What came of some keys, on a sealed frame."""

    @property
    def keys_of(self) -> Literal["device", "former", "unlisted", "reversed", "others", "fleet"]:
        """The listed device's; the one that its fleet gave it before it got its own; what a fleet
        gives for an address that is not listed; those of the device whose address is this one
        read from its end; of all other devices; a fleet's key itself.
        """

    @property
    def fleet(self) -> str | None:
        """The fleet, where the keys come out of its key."""

    @property
    def devices(self) -> int:
        """How many devices they are of."""

    @property
    def epochs(self) -> list[int]:
        """The epochs that were tried."""

    @property
    def fit(self) -> SealedFit | None:
        """How the frame verifies under one of them; None if it does not."""

_Mistake: TypeAlias = Literal[
    "other_epoch",
    "epoch_order",
    "address_order",
    "counter_order",
    "other_device",
    "former_key",
    "fleet_key",
    "other_direction",
    "changed_flags",
    "session_left_out",
    "session_unsaid",
    "session_text",
    "session_zeros",
    "header_order",
    "components",
    "context",
    "tag_last",
    "key_halves",
    "not_expanded",
    "whole_counter",
]

@final
class SealedFit:
    """How a sealed frame verifies."""

    @property
    def device(self) -> str | None:
        """The device whose key it is."""

    @property
    def epoch(self) -> int:
        """The epoch of the key."""

    @property
    def direction(self) -> Literal["uplink", "downlink"]:
        """Which way it was sealed to go."""

    @property
    def kind(self) -> Literal["data", "hello", "control"]:
        """As what it was sealed."""

    @property
    def session(
        self,
    ) -> Literal["none", "given", "beacon", "current", "pending", "expired", "zeros"]:
        """What it is bound to: nothing, one that was given, a beacon's, one that the device drew,
        or 16 zero bytes.
        """

    @property
    def session_time(self) -> int | None:
        """When a session of this keyring's beacons was minted, in Unix seconds."""

    @property
    def session_life(self) -> int | None:
        """How long those live, in seconds."""

    @property
    def mistakes(self) -> list[_Mistake]:
        """What is wrong with it; a receiver takes it only if nothing is."""

    @property
    def data(self) -> bytes:
        """The plaintext, of whichever kind: show it only to who asked for it."""

    @property
    def body(self) -> dict[str, int | str] | None:
        """What a hello or a control frame says; None of data, and of what does not parse."""
