"""An authority that `test_kill` kills: python kill_authority.py HOST PORT KEYRING STORE RECORDS.

This process imports everything and forks the authority, which is quicker than a new Python for
each. On standard input it takes lines, and answers each with one: `start` forks the next
authority ("started"), `kill` kills it (its exit code).

The authority writes a record for each frame it judged, as soon as its callback has it. A killed
process loses no write that returned, and since no record crosses a page, leaves none in part.
"""

import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple, Self

import espseal
import espseal.paho
from support import new_client

__all__ = ["Record"]

_SIZE = 64


class Record(NamedTuple):
    """What the authority of one life said of one frame; device and data only if it is fresh."""

    life: int
    verdict: str
    device: str
    data: str

    def to_bytes(self) -> bytes:
        """One line of a fixed size, a divisor of that of a page."""
        line = f"{self.life} {self.verdict} {self.device} {self.data}"
        assert len(line) < _SIZE, line
        return line.ljust(_SIZE - 1).encode() + b"\n"

    @classmethod
    def read_all(cls, file: Path, skip: int) -> list[Self]:
        """All records so far but the first ones."""
        with file.open("rb") as opened:
            opened.seek(skip * _SIZE)
            data = opened.read()
        assert len(data) % _SIZE == 0, "a record in part"
        records = []
        for line in data.decode().splitlines():
            life, verdict, device, reading = (*line.split(), "", "")[:4]
            records.append(cls(int(life), verdict, device, reading))
        return records


def _live(life: int, host: str, port: int, keyring: Path, store: Path, records: Path) -> None:
    file = os.open(records, os.O_WRONLY | os.O_APPEND)

    def record(message: espseal.Message) -> None:
        fresh = message.verdict == espseal.Verdict.FRESH
        device, data = (message.device or "", message.text or "") if fresh else ("", "")
        os.write(file, Record(life, message.verdict.value, device, data).to_bytes())

    receiver = espseal.Receiver(espseal.Keyring.load(keyring), espseal.Store.sqlite(store))
    client = new_client(client_id="authority", persistent=True)
    espseal.paho.attach(client, receiver, "sensors/+", on_message=record, on_rejected=record)
    client.connect(host, port)
    client.loop_forever()


def _main() -> None:
    host, port, keyring, store, records = sys.argv[1:]
    life, child = 0, 0
    for command in sys.stdin:
        if command == "start\n":
            # No thread and no database yet: neither would survive a fork.
            child = os.fork()
            if not child:
                _live(life, host, int(port), Path(keyring), Path(store), Path(records))
                return
            life += 1
            print("started", flush=True)
        else:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            child = 0
            print(os.waitstatus_to_exitcode(status), flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    _main()
