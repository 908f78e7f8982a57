"""A reader that `test_sealed` has die: python at_least_once.py HOST PORT KEYRING STORE FILE DIES.

It appends each reading to the file, a line each, and says only then that it is done. Amid the
reading of the number DIES, counted from 1, it ends without that; 0 is never. It unsays nothing
else: what the broker was not told, it delivers to the next process.
"""

import os
import sys
from pathlib import Path

import espseal
import espseal.paho
from support import new_client


def main(host: str, port: str, keyring: str, store: str, file: str, dies: str) -> None:
    """Reads until it dies or is killed."""
    readings = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    left = int(dies)

    def note(message: espseal.Message) -> None:
        nonlocal left
        os.write(readings, f"{message.text}\n".encode())
        left -= 1
        if left == 0:
            os._exit(9)
        message.done()

    receiver = espseal.Receiver(
        espseal.Keyring.load(keyring), espseal.Store.sqlite(Path(store)), delivery="at_least_once"
    )
    client = new_client(client_id="at-least-once", persistent=True, manual_ack=True)
    espseal.paho.attach(client, receiver, on_message=note)
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
