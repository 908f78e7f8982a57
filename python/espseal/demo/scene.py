"""The people of the story: a keyring, the program that receives and commands, and four nodes."""

from collections import Counter
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

import espseal.paho
from espseal import Keyring, KeyringFile, Receiver, Sender, Store
from espseal.demo.judge import FALSE_SESSION
from espseal.demo.ledger import Ledger

GROUP: Final = "greenhouse"
TOPIC: Final = "greenhouse/sensors/+"
SESSION_TOPIC: Final = "greenhouse/session"
NODES: Final = {"kitchen": "11242238", "balcony": "1234567", "cellar": "9032417"}
"""The classic nodes and their IDs."""

FLEET: Final = "house"
SEALED: Final = "boiler"
"""The sealed node."""


_PATIENCE: Final = 10.0


def make_keyring(folder: Path) -> Path:
    """Makes the keyring of the demo, with new keys; returns where it is."""
    file = KeyringFile.create(folder / "keyring.toml")
    file.add_group(GROUP, topic=TOPIC, session_topic=SESSION_TOPIC)
    for name, node_id in NODES.items():
        file.add_device(name, group=GROUP, node_id=node_id)
    file.add_fleet(FLEET)
    file.add_sealed(SEALED, fleet=FLEET)
    return Path(file.path)


class Program:
    """The user's program: what the README shows, with the ledger as its callbacks.

    It runs for as long as the ``with`` block lasts, and can be started anew amid that.

    Arguments:
        keyring: path of the keyring, which each start reads.
        ledger: told of each message.
        host, port: the broker.
    """

    def __init__(self, keyring: Path, ledger: Ledger, host: str, port: int) -> None:
        self._keyring = keyring
        self._ledger = ledger
        self._address = host, port
        self._store = Store.memory()
        self._before = Counter[str]()
        self._receiver: Receiver
        self._client: Client
        self._attachment: espseal.paho.Attachment

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def answers(self) -> Counter[str]:
        """How many messages got which answer, since the first start."""
        counts = Counter({str(verdict): n for verdict, n in self._receiver.counts.items()})
        counts[FALSE_SESSION] = self._receiver.false_sessions
        return self._before + counts

    @property
    def sender(self) -> espseal.paho.Sender:
        """Sends commands."""
        return self._attachment.sender

    def restart(self) -> None:
        """Ends it and starts it anew, on the same store, with the keyring as it is now."""
        self._stop()
        self._before = self.answers
        self._start()

    def _start(self) -> None:
        keyring = Keyring.load(self._keyring)
        self._receiver = Receiver(keyring, self._store)
        sender = Sender(keyring, self._store)
        self._client = Client(CallbackAPIVersion.VERSION2)
        listening = Event()
        self._client.on_subscribe = lambda *_: listening.set()
        self._attachment = espseal.paho.attach(
            self._client,
            self._receiver,
            on_message=self._ledger.took,
            on_rejected=self._ledger.rejected,
            sender=sender,
        )
        self._client.connect(*self._address)
        self._client.loop_start()
        # What is sent before that would be lost.
        if not listening.wait(_PATIENCE):
            raise TimeoutError("The broker of the demo does not answer.")

    def _stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
