"""How fast a classic frame is opened, as ratios of one run (an absolute time here is noise).

The same frames, each of them new, go through three receivers, in turns, and the best round of
each counts:

- ``receiver.open`` of espseal, memory store, with everything that a receiver does;
- the article's Python receiver on pycryptodome, repaired: it strips the padding, compares the MAC
  in constant time, and remembers nothing;
- the same on pyca/cryptography.
"""

import argparse
import hmac
import sys
from collections.abc import Callable
from time import perf_counter

from Crypto.Cipher import AES as PycryptodomeAES
from Crypto.Hash import HMAC as PycryptodomeHMAC
from Crypto.Hash import SHA1 as PycryptodomeSHA1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC

import espseal

IV_KEY, DATA_KEY, STATIC_IV = b"bench only iv ke", b"bench only datak", b"bench only stati"
PASSPHRASE = b"bench only passphrase"
KEYRING = f"""
version = 1
session_key = "{bytes(range(32)).hex()}"
[[classic_group]]
name = "bench"
topic = "sensors/+"
session_topic = "sensors/session"
[classic_group.keys]
iv_key = {{ text = "{IV_KEY.decode()}" }}
data_key = {{ text = "{DATA_KEY.decode()}" }}
static_iv = {{ text = "{STATIC_IV.decode()}" }}
passphrase = {{ text = "{PASSPHRASE.decode()}" }}
"""
DEVICE = '[[device]]\nname = "d{0}"\nclassic = {{ group = "bench", node_id = "{0}" }}\n'
DATA = b"twenty bytes of data"
# The ratios that this project promises, by the receiver compared with.
PROMISED = {"pycryptodome": 80, "pyca/cryptography": 20}


def article_pycryptodome(payload: str, session: bytes) -> bytes | None:
    """The article's receiver, repaired, on the library that it uses."""
    fields = [bytes.fromhex(field) for field in payload.split(",")]
    enc_iv, enc_node, enc_data, received = fields
    iv = PycryptodomeAES.new(IV_KEY, PycryptodomeAES.MODE_CBC, STATIC_IV).decrypt(enc_iv)
    node = PycryptodomeAES.new(DATA_KEY, PycryptodomeAES.MODE_CBC, iv).decrypt(enc_node)
    data = PycryptodomeAES.new(DATA_KEY, PycryptodomeAES.MODE_CBC, iv).decrypt(enc_data)
    node, data = node.rstrip(b"\0"), data.rstrip(b"\0")
    mac = PycryptodomeHMAC.new(PASSPHRASE, node + iv + data + session, PycryptodomeSHA1)
    return data if hmac.compare_digest(mac.digest(), received) else None


def article_pyca(payload: str, session: bytes) -> bytes | None:
    """The same on pyca/cryptography."""

    def decrypt(key: bytes, iv: bytes, text: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return decryptor.update(text) + decryptor.finalize()

    enc_iv, enc_node, enc_data, received = (bytes.fromhex(part) for part in payload.split(","))
    iv = decrypt(IV_KEY, STATIC_IV, enc_iv)
    node = decrypt(DATA_KEY, iv, enc_node).rstrip(b"\0")
    data = decrypt(DATA_KEY, iv, enc_data).rstrip(b"\0")
    mac = HMAC(PASSPHRASE, hashes.SHA1())
    mac.update(node + iv + data + session)
    return data if hmac.compare_digest(mac.finalize(), received) else None


def timed_espseal(receiver: espseal.Receiver, frames: list[str]) -> float:
    """Seconds for each frame."""
    open_frame, topic = receiver.open, "sensors/kitchen"
    fresh = receiver.counts[espseal.Verdict.FRESH]
    start = perf_counter()
    for frame in frames:
        open_frame(frame, topic=topic)
    end = perf_counter()
    assert receiver.counts[espseal.Verdict.FRESH] == fresh + len(frames)
    return (end - start) / len(frames)


def timed_article(
    work: Callable[[str, bytes], bytes | None], frames: list[str], session: bytes
) -> float:
    """Seconds for each frame."""
    start = perf_counter()
    for frame in frames:
        work(frame, session)
    end = perf_counter()
    assert all(work(frame, session) == DATA for frame in frames)
    return (end - start) / len(frames)


def main() -> int:
    """Prints the ratios; 1 if one is below what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=500, help="in each round (default 500)")
    parser.add_argument("--rounds", type=int, default=60, help="default 60")
    options = parser.parse_args()

    devices = 100
    keyring = espseal.Keyring.parse(KEYRING + "".join(map(DEVICE.format, range(devices))))
    senders = [espseal.Device.from_keyring(keyring, f"d{number}") for number in range(devices)]

    best = {"espseal": 1.0, **dict.fromkeys(PROMISED, 1.0)}
    for _ in range(options.rounds):
        # A receiver that has heard of all its devices, and whose memory grows no more.
        receiver = espseal.Receiver(keyring, espseal.Store.memory())
        (publication,) = receiver.publications()
        session = publication.payload
        for sender in senders:
            sender.hear(session)
        frames = [senders[at % devices].seal(DATA).decode() for at in range(2 * options.frames)]
        timed_espseal(receiver, frames[options.frames :])
        del frames[options.frames :]
        for name, seconds in (
            ("espseal", timed_espseal(receiver, frames)),
            # Fewer: a long round is never left alone by what else runs on the machine.
            ("pycryptodome", timed_article(article_pycryptodome, frames[::20], session)),
            ("pyca/cryptography", timed_article(article_pyca, frames[::20], session)),
        ):
            best[name] = min(best[name], seconds)

    print("Opening a classic hex frame of 20 bytes of data, from Python; 100 devices:")
    fell_short = False
    for name, promised in PROMISED.items():
        ratio = best[name] / best["espseal"]
        print(
            f"  {ratio:6.1f} times as fast as the article's receiver on {name}"
            f" (at least {promised})"
        )
        fell_short |= ratio < promised
    return int(fell_short)


if __name__ == "__main__":
    sys.exit(main())
