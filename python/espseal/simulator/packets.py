"""MQTT 3.1.1 packets, as far as NodeMCU makes and reads them (OASIS MQTT 3.1.1, section 3).

No library here: NodeMCU's own message IDs, its retransmissions without the DUP flag and its queue
that outlives a connection are what is simulated, and a client library has its own.
"""

from dataclasses import dataclass
from enum import IntEnum


class Type(IntEnum):
    """The packet types."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


def string(text: bytes) -> bytes:
    """A string with its length in front."""
    return len(text).to_bytes(2, "big") + text


def packet(kind: Type, body: bytes = b"", flags: int = 0) -> bytes:
    """A packet with its fixed header."""
    header = bytearray([kind << 4 | flags])
    length = len(body)
    while True:
        length, digit = length // 128, length % 128
        header.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(header) + body


@dataclass(frozen=True)
class Will:
    """What the broker says when the client is gone."""

    topic: bytes
    message: bytes
    qos: int
    retain: bool


def connect(
    client_id: bytes,
    keepalive: int,
    username: bytes,
    password: bytes,
    clean: bool,
    will: Will | None,
) -> bytes:
    """CONNECT. An empty user name or password is left out, as NodeMCU does."""
    flags = 0x02 if clean else 0
    payload = string(client_id)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += string(will.topic) + string(will.message)
    if username:
        flags |= 0x80
        payload += string(username)
    if password:
        flags |= 0x40
        payload += string(password)
    head = string(b"MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big")
    return packet(Type.CONNECT, head + payload)


def publish(topic: bytes, payload: bytes, qos: int, retain: bool, message_id: int) -> bytes:
    """PUBLISH, never with the DUP flag."""
    body = string(topic) + (message_id.to_bytes(2, "big") if qos else b"") + payload
    return packet(Type.PUBLISH, body, qos << 1 | int(retain))


def acknowledge(kind: Type, message_id: int) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    return packet(kind, message_id.to_bytes(2, "big"), 2 if kind is Type.PUBREL else 0)


def subscribe(topics: list[tuple[bytes, int]], message_id: int) -> bytes:
    """SUBSCRIBE to topics, each with its QoS."""
    body = b"".join(string(topic) + bytes([qos]) for topic, qos in topics)
    return packet(Type.SUBSCRIBE, message_id.to_bytes(2, "big") + body, 2)


def unsubscribe(topics: list[bytes], message_id: int) -> bytes:
    """UNSUBSCRIBE from topics."""
    body = b"".join(map(string, topics))
    return packet(Type.UNSUBSCRIBE, message_id.to_bytes(2, "big") + body, 2)


@dataclass(frozen=True)
class Head:
    """The fixed header of a packet that arrives: its bytes, and those of the whole packet."""

    kind: int
    flags: int
    start: int
    total: int

    @property
    def qos(self) -> int:
        """Of a PUBLISH."""
        return self.flags >> 1 & 3


def head(data: bytes) -> Head | None:
    """Reads a fixed header; None if more bytes are needed. Raises `ValueError`: no MQTT."""
    length = 0
    for i in range(1, min(len(data), 5)):
        length += (data[i] & 0x7F) << 7 * (i - 1)
        if not data[i] & 0x80:
            return Head(data[0] >> 4, data[0] & 15, i + 1, i + 1 + length)
    if len(data) >= 5:
        raise ValueError("no MQTT packet")
    return None


@dataclass(frozen=True)
class Publish:
    """A PUBLISH that arrives; ``payload`` is as much of it as there is."""

    topic: bytes
    payload: bytes
    qos: int
    message_id: int


def read_publish(data: bytes, head: Head) -> Publish | None:
    """Reads a PUBLISH; None if the topic or the message ID is not there yet."""
    topic_at = head.start + 2
    end = topic_at + int.from_bytes(data[head.start : topic_at], "big")
    payload_at = end + (2 if head.qos else 0)
    if len(data) < max(topic_at, payload_at):
        return None
    message_id = int.from_bytes(data[end:payload_at], "big")
    return Publish(data[topic_at:end], data[payload_at : head.total], head.qos, message_id)


def message_id(data: bytes, head: Head) -> int:
    """The message ID of any acknowledgement."""
    return int.from_bytes(data[head.start : head.start + 2], "big")
