"""Playing the steps of a scenario on the models, as a runner plays them on a host."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..classic.cases import separated
from ..classic.model import Case as ClassicCase
from ..classic.model import Keys
from ..outcomes import Refused
from ..sealed.frame import seal
from ..sealed.model import Case
from .host import Host, Listed, Outcome, Publication, Store

Record = dict[str, str]


@dataclass
class HostPlayer:
    """The hosts of one scenario."""

    name: str = ""
    session_key: bytes = b""
    fleet_key: bytes = b""
    now: int = 0
    classic: ClassicCase | None = None
    danger_first_contact: bool = False
    keyring: dict[bytes, Listed] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    saved: dict[str, Store] = field(default_factory=dict)

    def __call__(self, record: Record) -> None:
        """Play one step, and check what is expected of it."""
        if record["step"] != "published":
            left = [host.published for host in self.hosts.values() if host.published]
            assert not left, f"published and not claimed: {left}"
        if record["step"] != "scenario":
            assert record["name"].startswith(f"{self.name}-"), "a step of another scenario"
        getattr(self, f"step_{record['step']}")(record)

    def host(self, record: Record) -> Host:
        return self.hosts[record.get("host", "a")]

    def step_scenario(self, record: Record) -> None:
        self.name = record["name"]
        self.session_key = bytes.fromhex(record["session_key"])
        self.fleet_key = bytes.fromhex(record["fleet_key"])
        self.now = int(record["now"])
        self.classic = classic_group(record) if "iv_key" in record else None
        assert record.get("danger_first_contact", "true") == "true"
        self.danger_first_contact = "danger_first_contact" in record
        self.keyring, self.hosts, self.saved = {}, {}, {}

    def step_device(self, record: Record) -> None:
        assert record.get("revoked", "true") == "true"
        address = bytes.fromhex(record["address"])
        self.keyring[address] = Listed(
            name=record["device"],
            address=address,
            key=bytes.fromhex(record["device_key"]) if "device_key" in record else None,
            minimum_epoch=int(record.get("minimum_epoch", "0")),
            revoked="revoked" in record,
            node_id=bytes.fromhex(record["node_id"]) if "node_id" in record else None,
        )

    def step_remove(self, record: Record) -> None:
        address = next(a for a, d in self.keyring.items() if d.name == record["device"])
        del self.keyring[address]

    def step_start(self, record: Record) -> None:
        assert record.get("role", "authority") in {"authority", "follower"}
        self.hosts[record.get("host", "a")] = Host(
            session_key=self.session_key,
            fleet_key=self.fleet_key,
            classic=self.classic,
            keyring={},
            wall=self.now,
            store=Store(self.now),
            authority=record.get("role") != "follower",
            danger_first_contact=self.danger_first_contact,
        )
        self.run_again(record)

    def run_again(self, record: Record) -> None:
        host = self.host(record)
        host.random += bytes.fromhex(record.get("random", ""))
        host.start(self.keyring)
        assert not host.random, "random bytes are left"

    def step_clock(self, record: Record) -> None:
        self.now += int(record["advance"])
        random = bytes.fromhex(record.get("random", ""))
        for host in self.hosts.values():
            host.random = random if host.authority else b""
            host.clock(int(record["advance"]))
            assert not host.random, "random bytes are left"

    def step_restart(self, record: Record) -> None:
        self.host(record).wall += int(record.get("wall_jump", "0"))
        self.run_again(record)

    def step_save(self, record: Record) -> None:
        self.saved[record.get("host", "a")] = self.host(record).saved()

    def step_restore(self, record: Record) -> None:
        self.host(record).restore(self.saved[record.get("host", "a")])
        self.run_again(record)

    def step_empty(self, record: Record) -> None:
        host = self.host(record)
        host.store = Store(host.wall)
        self.run_again(record)

    def step_open(self, record: Record) -> None:
        assert record.get("retained", "true") == "true"
        payload = bytes.fromhex(record["frame"])
        outcome = self.host(record).open(payload, retained="retained" in record)
        compare(record, outcome)

    def step_stream(self, record: Record) -> None:
        for counter in range(int(record["first"], 16), int(record["last"], 16) + 1):
            frame = seal(stream_case(record, counter))
            outcome = self.host(record).open(frame, retained="retained" in record)
            assert outcome.verdict == record["expect"], f"{counter}: {outcome}"

    def step_send(self, record: Record) -> None:
        try:
            self.host(record).send(record["device"], bytes.fromhex(record["plaintext"]))
        except Refused as refused:
            assert record["expect"] == str(refused)
        else:
            assert record["expect"] == "sent"

    def step_rotate(self, record: Record) -> None:
        try:
            self.host(record).rotate(record["device"])
        except Refused as refused:
            assert record["expect"] == str(refused)
        else:
            assert record["expect"] == "sent"

    def step_hear(self, record: Record) -> None:
        host = self.host(record)
        session = bytes.fromhex(record["session"])
        good = host.store.beacons.hear(self.session_key, session, host.wall)
        assert record["expect"] == ("accepted" if good else "refused")

    def step_published(self, record: Record) -> None:
        published = self.host(record).published
        assert published, "nothing was published"
        field_name = "session" if record["topic"] == "beacon" else "payload"
        expected = Publication(
            record["topic"], record.get("device", ""), bytes.fromhex(record[field_name])
        )
        assert published.pop(0) == expected


def classic_group(record: Record) -> ClassicCase:
    keys = Keys(*(bytes.fromhex(record[key]) for key in Keys._fields))
    group = separated("group", "", "hex")
    return replace(group, keys=keys, session=b"", danger_accept_replays=True)


def stream_case(record: Record, counter: int) -> Case:
    return Case(
        name=record["name"],
        about="",
        device_key=bytes.fromhex(record["device_key"]),
        address=bytes.fromhex(record["address"]),
        epoch=int(record["epoch"]),
        direction="uplink",
        kind="data",
        session=bytes.fromhex(record["session"]),
        context=b"",
        counter=counter,
        plaintext=bytes.fromhex(record["plaintext"]),
    )


def compare(record: Record, outcome: Outcome) -> None:
    """Hold what a host said to what the step states."""
    offset = None if outcome.offset is None else str(outcome.offset)
    found = (outcome.verdict, outcome.reason, offset)
    stated = (record["expect"], record.get("reason"), record.get("offset"))
    assert found == stated, f"{found}, stated as {stated}"
    data = bytes.fromhex(record["plaintext"]) if "plaintext" in record else None
    assert (outcome.device, outcome.data) == (record.get("device"), data), f"not so: {outcome}"
    if "advanced" in record:
        assert record["advanced"] == ("true" if outcome.advanced else "false")
