"""How fast a sealed frame is opened, as ratios of one run (an absolute time here is noise).

The same frames of 20 bytes of data go through two openers, in turns, and the best round of each
counts:

- ``receiver.open`` of espseal, memory store, with everything that a receiver does: the key looked
  up, the window judged and moved, the message made;
- ``AESSIV.decrypt`` of pyca/cryptography, bare: one key, made before, and nothing remembered.

Then frames of the same ten devices go through a receiver with a keyring of ten devices and one
with 100 000: the others must cost nothing.
"""

import argparse
import sys
from time import perf_counter

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

import espseal
from espseal.sealed import DeviceKey, seal

FLEET_KEY = bytes(range(32))
KEYRING = f"""
version = 1
session_key = "{bytes(range(32, 64)).hex()}"
[[fleet]]
name = "bench"
key = {{ hex = "{FLEET_KEY.hex()}" }}
"""
DEVICE = '[[device]]\nname = "d{0}"\nsealed = {{ fleet = "bench", address = "{0:016x}" }}\n'
DATA = b"twenty bytes of data"
MANY = 100_000
# How many devices send, spread over the keyring.
SENDING = 10

# What this project promises.
FASTER = 5.0
NO_COST = 1.2
LOADS_IN = 2.0


class Fleet:
    """A keyring of so many devices, of which a few send."""

    def __init__(self, devices: int) -> None:
        text = KEYRING + "".join(map(DEVICE.format, range(devices)))
        start = perf_counter()
        self.keyring = espseal.Keyring.parse(text)
        self.loaded = perf_counter() - start
        self.receiver = espseal.Receiver(self.keyring, espseal.Store.memory())
        (beacon,) = self.receiver.publications()
        session = bytes.fromhex(beacon.payload.decode())
        step = devices // SENDING
        self.addresses = [f"{sender * step:016x}" for sender in range(SENDING)]
        self.keys = [DeviceKey.of_fleet(FLEET_KEY, address) for address in self.addresses]
        self.counter = int.from_bytes(session[:4], "big") << 24
        for key, address in zip(self.keys, self.addresses, strict=True):
            frame = seal(key, DATA, address=address, counter=1, session=session)
            assert self.receiver.open(frame).verdict is espseal.Verdict.FRESH

    def frames(self, count: int) -> list[bytes]:
        """Frames that were never opened, of one device after the other."""
        frames = []
        for at in range(count):
            if at % SENDING == 0:
                self.counter += 1
            frames.append(
                seal(
                    self.keys[at % SENDING],
                    DATA,
                    address=self.addresses[at % SENDING],
                    counter=self.counter,
                )
            )
        return frames


def opened(receiver: espseal.Receiver, frames: list[bytes]) -> float:
    """Seconds for each frame; the loop does nothing else."""
    open_frame = receiver.open
    start = perf_counter()
    for frame in frames:
        open_frame(frame)
    return (perf_counter() - start) / len(frames)


def decrypted(siv: AESSIV, frames: list[bytes]) -> float:
    """The same of pyca, whose arguments are made before."""
    decrypt = siv.decrypt
    arguments = [(frame[20:], [frame[:20], b"", b""]) for frame in frames]
    start = perf_counter()
    for sealed, components in arguments:
        decrypt(sealed, components)
    return (perf_counter() - start) / len(frames)


def main() -> int:
    """Prints the ratios; 1 if one is not what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    # Short rounds: on a machine that does other things, too, some are not interrupted.
    parser.add_argument("--frames", type=int, default=500, help="in each round (default 500)")
    parser.add_argument("--rounds", type=int, default=200, help="default 200")
    options = parser.parse_args()

    few, many = Fleet(SENDING), Fleet(MANY)
    # pyca gets the frames of the first device alone: one key, made once.
    siv = AESSIV(HKDFExpand(SHA256(), 32, b"uplink").derive(few.keys[0].expose()))
    frame = few.frames(1)[0]
    assert siv.decrypt(frame[20:], [frame[:20], b"", b""]) == DATA
    assert few.receiver.open(frame).data == DATA

    best = dict.fromkeys(("few", "many", "pyca"), 1.0)
    for _ in range(options.rounds):
        frames = few.frames(options.frames)
        best["pyca"] = min(best["pyca"], decrypted(siv, frames[::SENDING]))
        best["few"] = min(best["few"], opened(few.receiver, frames))
        best["many"] = min(best["many"], opened(many.receiver, many.frames(options.frames)))
    counts = few.receiver.counts, many.receiver.counts
    sent = options.rounds * options.frames
    assert all(count[espseal.Verdict.FRESH] >= sent for count in counts), counts

    faster = best["pyca"] / best["few"]
    cost = best["many"] / best["few"]
    print("Opening a sealed frame of 20 bytes of data, from Python, memory store:")
    print(f"  {faster:6.1f} times as fast as pyca's bare AESSIV.decrypt (at least {FASTER})")
    print(f"  {cost:6.2f} times as long with {MANY} devices as with {SENDING} (at most {NO_COST})")
    print(f"  {many.loaded:6.2f} s to load a keyring of {MANY} devices (at most {LOADS_IN} s)")
    return int(faster < FASTER or cost > NO_COST or many.loaded > LOADS_IN)


if __name__ == "__main__":
    sys.exit(main())
