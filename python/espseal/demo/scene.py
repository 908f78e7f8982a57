"""The people of the story: a keyring, the program that receives, and three nodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

import espseal.paho
from espseal import KeyringFile, Receiver
from espseal.demo.ledger import Ledger

GROUP = "greenhouse"
TOPIC = "greenhouse/sensors/+"
SESSION_TOPIC = "greenhouse/session"
NODES = {"kitchen": "11242238", "balcony": "1234567", "cellar": "9032417"}


def make_keyring(folder: Path) -> Path:
    """Makes the keyring of the demo, with new keys; returns where it is."""
    file = KeyringFile.create(folder / "keyring.toml")
    file.add_group(GROUP, topic=TOPIC, session_topic=SESSION_TOPIC)
    for name, node_id in NODES.items():
        file.add_device(name, group=GROUP, node_id=node_id)
    return Path(file.path)


@contextmanager
def program(receiver: Receiver, ledger: Ledger, host: str, port: int) -> Iterator[None]:
    """The user's program: what the README shows, with the ledger as its callback."""
    client = Client(CallbackAPIVersion.VERSION2)
    espseal.paho.attach(client, receiver, TOPIC, on_message=ledger.took)
    client.connect(host, port)
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()
