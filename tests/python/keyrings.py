"""Keyrings and devices for tests. These keys are printed here: they protect nothing."""

import espseal

TEXT = """
version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

[[classic_group]]
name = "house"
topic = "sensors/+"
session_topic = "sensors/session"
{options}
[classic_group.keys]
iv_key = {{ text = "test-only-iv-key" }}
data_key = {{ text = "test-only-data-k" }}
static_iv = {{ text = "test-only-static" }}
passphrase = {{ text = "test only passphrase" }}

[[device]]
name = "kitchen"
classic = {{ group = "house", node_id = "11242238" }}

[[device]]
name = "cellar"
classic = {{ group = "house", node_id = "1234567" }}
"""


def keyring(options: str = "") -> espseal.Keyring:
    """A keyring of two devices; ``options`` are more fields of their group."""
    return espseal.Keyring.parse(TEXT.format(options=options))


def receiver(keyring: espseal.Keyring) -> espseal.Receiver:
    """An authority on a memory store."""
    return espseal.Receiver(keyring, espseal.Store.memory())


def device(receiver: espseal.Receiver, name: str = "kitchen") -> espseal.Device:
    """A device that has heard the receiver's session ID."""
    device = espseal.Device.from_keyring(receiver.keyring, name)
    receiver.reconnected()
    for publication in receiver.publications():
        assert device.hear(publication.payload)
    return device
