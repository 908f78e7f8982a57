"""``mqtt``: NodeMCU's client, with its own queue and its own patience, on a real socket.

As in `app/modules/mqtt.c` of the releases 3.x:

- Packets wait in one queue; its head is sent, and sent again every second, with the same message
  ID and without DUP, until it is acknowledged. If it could not be sent for 5 s it is dropped, and
  nobody is told.
- The queue outlives a lost connection and goes on after the next one. ``close()`` empties it, and
  does not call ``offline``.
- There is one acknowledgement callback: the last one given is called for all.
- ``publish`` and ``subscribe`` raise "not connected" without a connection; ``connect`` raises
  "already connected" with one. ``publish`` returns false without an error if header, topic and
  payload exceed the buffer (1460 bytes, 1024 in builds "2.1").
- A refused or reset connection calls the failure callback; if it had come about, ``offline`` too.
- Messages of more than 1024 bytes go to ``overflow``, cut; an empty payload is no argument at all.
- QoS 2 messages are handed over when they arrive, so a repeated one twice.
- No TLS: ``secure`` raises "ssl not available", as in a build without it.
"""

import socket
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from espseal.simulator import packets
from espseal.simulator.loop import Timer
from espseal.simulator.lua import Arguments, LuaError, Value, is_function
from espseal.simulator.packets import Type
from espseal.simulator.tcp import Connection, Events

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

_CONNECT_TIMEOUT = 60
_SEND_TIMEOUT = 5
_TICK = 1.0
_MAX_MESSAGE = 1024
_FIXED_HEADER_MAX = 3

_SERVER_NOT_FOUND = -5
_NOT_A_CONNACK = -4
_DNS = -3
_TIMEOUT_RECEIVING = -2
_TIMEOUT_SENDING = -1

_CONSTANTS = {
    "CONN_FAIL_SERVER_NOT_FOUND": _SERVER_NOT_FOUND,
    "CONN_FAIL_NOT_A_CONNACK_MSG": _NOT_A_CONNACK,
    "CONN_FAIL_DNS": _DNS,
    "CONN_FAIL_TIMEOUT_RECEIVING": _TIMEOUT_RECEIVING,
    "CONN_FAIL_TIMEOUT_SENDING": _TIMEOUT_SENDING,
    "CONNACK_ACCEPTED": 0,
    "CONNACK_REFUSED_PROTOCOL_VER": 1,
    "CONNACK_REFUSED_ID_REJECTED": 2,
    "CONNACK_REFUSED_SERVER_UNAVAILABLE": 3,
    "CONNACK_REFUSED_BAD_USER_OR_PASS": 4,
    "CONNACK_REFUSED_NOT_AUTHORIZED": 5,
}
_EVENTS = (b"connect", b"offline", b"message", b"overflow", b"puback", b"suback", b"unsuback")
_DONE_WHEN_SENT = (Type.PUBACK, Type.PUBCOMP, Type.PINGREQ)


def define(machine: "Machine") -> None:
    """Defines ``mqtt``."""
    machine.lua.define(
        "mqtt", {"Client": lambda *values: _Client(machine, values).methods, **_CONSTANTS}
    )


@dataclass(frozen=True)
class _Queued:
    data: bytes
    kind: Type
    message_id: int = 0
    qos: int = 0


class _Client:
    def __init__(self, machine: "Machine", values: tuple[Value, ...]) -> None:
        # The C skips an argument of the wrong type, so nil as user name leaves both out.
        rest = deque(values)
        given = [rest.popleft() if rest and isinstance(rest[0], bytes) else None]
        given += [_take(rest, int), _take(rest, bytes), _take(rest, bytes)]
        given += [_take(rest, int), _take(rest, int)]
        client_id, keepalive, username, password, clean, limit = given
        self._machine = machine
        self._client_id = client_id or f"NodeMCU_{machine.board.chip_id:x}".encode()
        self._keepalive = int(keepalive or 60)
        self._username, self._password = username or b"", password or b""
        self._clean = clean is None or clean != 0
        self._max_message = limit or _MAX_MESSAGE
        self._will: packets.Will | None = None
        self._callbacks: dict[bytes, Value] = {}
        self._queue: deque[_Queued] = deque()
        self._last_id = 0
        self._tcp: Connection | None = None
        # ``connected`` is TCP's state, ``state`` MQTT's.
        self._connected = False
        self._state = "init"
        self._timeout = 0
        self._idle = 0
        self._pinged = False
        self._received = b""
        self._skip = 0
        self._ticker: Timer | None = None
        self.methods = machine.lua.object(
            {
                "connect": self._connect,
                "close": self._close,
                "on": self._on,
                "lwt": self._lwt,
                "publish": self._publish,
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
            }
        )
        machine.at_off(self._abandon)
        machine.on_stall.append(self._stall)

    # What the script calls.

    def _connect(self, *values: Value) -> None:
        if self._connected:
            raise LuaError("already connected")
        rest = deque(values)
        host = _take(rest, bytes) or b"127.0.0.1"
        port = _take(rest, int)
        if rest and (_take(rest, bool) or _take(rest, int)):
            raise LuaError("ssl not available")
        for event in (b"connect", b"connect_fail"):
            callback = rest.popleft() if rest else None
            if is_function(callback):
                self._callbacks[event] = callback
        self._abandon()
        address = self._resolve(host)
        if address is None:
            self._machine.soon(lambda: self._dns_failed())
            return
        self._state, self._timeout = "init", _CONNECT_TIMEOUT
        self._received, self._skip = b"", 0
        self._tcp = self._open((address, 1883 if port is None else port))
        self._ticker = self._machine.later(_TICK, self._tick)

    def _close(self, *_: Value) -> bool:
        closed = False
        if self._connected and self._tcp is not None:
            closed = self._tcp.send(packets.packet(Type.DISCONNECT))
            self._tcp.disconnect()
        self._connected = False
        self._queue.clear()
        return closed

    def _on(self, *values: Value) -> None:
        arguments = Arguments("on", values)
        event = arguments.string(1)
        callback = arguments.function(2)
        if event not in _EVENTS:
            raise LuaError("method not supported")
        self._callbacks[event] = callback

    def _lwt(self, *values: Value) -> None:
        arguments = Arguments("lwt", values)
        self._will = packets.Will(
            arguments.string(1),
            arguments.string(2),
            arguments.integer(3, 0),
            arguments.integer(4, 0) != 0,
        )

    def _publish(self, *values: Value) -> bool:
        self._check_connected()
        arguments = Arguments("publish", values)
        topic, payload = arguments.string(1), arguments.string(2)
        qos, retain = arguments.integer(3), arguments.integer(4)
        message_id = self._next_id() if qos else 0
        if is_function(arguments.value(5)):
            self._callbacks[b"puback"] = arguments.value(5)
        length = _FIXED_HEADER_MAX + 2 + len(topic) + (2 if qos else 0) + len(payload)
        fits = topic != b"" and length <= self._machine.board.publish_limit
        if fits:
            data = packets.publish(topic, payload, qos, bool(retain), message_id)
            self._queue.append(_Queued(data, Type.PUBLISH, message_id, qos))
        return self._send_if_possible() and fits

    def _subscribe(self, *values: Value) -> bool:
        self._check_connected()
        arguments = Arguments("subscribe", values)
        if isinstance(arguments.value(1), bytes):
            topics, after = [(arguments.string(1), arguments.integer(2))], 3
        else:
            topics, after = list(arguments.value(1).items()), 2
        if is_function(arguments.value(after)):
            self._callbacks[b"suback"] = arguments.value(after)
        message_id = self._next_id()
        data = packets.subscribe(topics, message_id)
        self._queue.append(_Queued(data, Type.SUBSCRIBE, message_id))
        return self._send_if_possible()

    def _unsubscribe(self, *values: Value) -> bool:
        self._check_connected()
        arguments = Arguments("unsubscribe", values)
        one = isinstance(arguments.value(1), bytes)
        topics = [arguments.string(1)] if one else list(arguments.value(1).keys())
        if is_function(arguments.value(2)):
            self._callbacks[b"unsuback"] = arguments.value(2)
        message_id = self._next_id()
        data = packets.unsubscribe(topics, message_id)
        self._queue.append(_Queued(data, Type.UNSUBSCRIBE, message_id))
        return self._send_if_possible()

    # The connection.

    def _resolve(self, host: bytes) -> str | None:
        try:
            found = socket.getaddrinfo(
                host.decode("latin-1"), None, socket.AF_INET, socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            return None
        return str(found[0][4][0])

    def _dns_failed(self) -> None:
        self._call(b"connect_fail", _DNS)
        self._on_disconnected()

    def _open(self, address: tuple[str, int]) -> Connection:
        # An event of a connection that was given up since must not touch the next one.
        def current(event: "Value") -> "Value":
            def call(*arguments: "Value") -> None:
                if self._tcp is connection and self._machine.end is None:
                    event(*arguments)

            return call

        connection = Connection(
            self._machine.loop,
            address,
            Events(
                connected=current(self._on_connected),
                received=current(self._on_received),
                sent=current(self._on_sent),
                disconnected=current(self._on_disconnected),
                failed=current(self._on_failed),
            ),
        )
        return connection

    def _on_connected(self) -> None:
        self._connected = True
        self._send(
            packets.connect(
                self._client_id,
                self._keepalive,
                self._username,
                self._password,
                self._clean,
                self._will,
            )
        )
        self._timeout, self._idle = _SEND_TIMEOUT, 0
        self._state = "connect sending"

    def _on_disconnected(self) -> None:
        self._stop_ticking()
        was_connected, self._connected = self._connected, False
        self._received, self._skip = b"", 0
        if was_connected:
            self._call(b"offline")

    def _on_failed(self) -> None:
        self._stop_ticking()
        self._timeout = 0
        self._call(b"connect_fail", _SERVER_NOT_FOUND)
        self._on_disconnected()

    def _on_sent(self) -> None:
        if not self._connected:
            return
        self._timeout, self._idle = 0, 0
        if self._state == "connect sending":
            self._state, self._timeout = "connect sent", _SEND_TIMEOUT
            return
        head = self._queue[0] if self._queue else None
        if head is None:
            return
        if head.kind is Type.PUBLISH and head.qos == 0:
            self._queue.popleft()
            self._call(b"puback")
        elif head.kind in _DONE_WHEN_SENT:
            self._queue.popleft()
        else:
            return
        self._send_if_possible()

    def _on_received(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._received += data[skipped:]
        connection = self._tcp
        while self._tcp is connection and self._machine.end is None:
            try:
                head = packets.head(self._received)
            except ValueError:
                self._refuse_connection(_NOT_A_CONNACK)
                return
            if head is None or not self._take_packet(head):
                break
        if self._tcp is connection:
            self._send_if_possible()

    def _take_packet(self, head: packets.Head) -> bool:
        """Handles the packet at the front; False if more bytes are needed first."""
        complete = len(self._received) >= head.total
        too_long = head.kind == Type.PUBLISH and head.total > self._max_message
        message = packets.read_publish(self._received, head) if too_long or complete else None
        if too_long and message is not None:
            self._skip = max(0, head.total - len(self._received))
        elif not complete:
            return False
        data, self._received = self._received[: head.total], self._received[head.total :]
        if self._state in ("connect sending", "connect sent"):
            self._on_connack(data, head)
        elif head.kind == Type.PUBLISH and message is not None:
            self._on_message(message, b"overflow" if too_long else b"message")
        elif head.kind == Type.PINGRESP:
            self._pinged = False
        else:
            self._on_acknowledgement(head.kind, packets.message_id(data, head))
        return True

    def _on_connack(self, data: bytes, head: packets.Head) -> None:
        self._timeout = 0
        code = data[head.start + 1] if head.total >= head.start + 2 else 0
        if head.kind != Type.CONNACK:
            self._refuse_connection(_NOT_A_CONNACK)
        elif code:
            self._refuse_connection(code)
        else:
            self._state, self._pinged = "data", False
            self._call(b"connect")

    def _refuse_connection(self, reason: int) -> None:
        self._state = "init"
        if self._tcp is not None:
            self._tcp.disconnect()
        self._call(b"connect_fail", reason)

    def _on_message(self, message: packets.Publish, event: bytes) -> None:
        if message.qos:
            kind = Type.PUBACK if message.qos == 1 else Type.PUBREC
            data = packets.acknowledge(kind, message.message_id)
            self._queue.append(_Queued(data, kind, message.message_id))
        payload = (message.payload,) if message.payload else ()
        self._call(event, message.topic, *payload)

    def _on_acknowledgement(self, kind: int, message_id: int) -> None:
        # Only what the head of the queue waits for counts.
        head = self._queue[0] if self._queue else None
        if head is None or head.message_id != message_id:
            return
        match (head.kind, kind):
            case (Type.SUBSCRIBE, Type.SUBACK):
                self._done(b"suback")
            case (Type.UNSUBSCRIBE, Type.UNSUBACK):
                self._done(b"unsuback")
            case (Type.PUBLISH, Type.PUBACK) | (Type.PUBREL, Type.PUBCOMP):
                self._done(b"puback")
            case (Type.PUBLISH, Type.PUBREC):
                self._replace(Type.PUBREL, message_id)
            case (Type.PUBREC, Type.PUBREL):
                self._replace(Type.PUBCOMP, message_id)

    def _done(self, event: bytes) -> None:
        self._queue.popleft()
        self._call(event)

    def _replace(self, kind: Type, message_id: int) -> None:
        self._queue.popleft()
        self._queue.append(_Queued(packets.acknowledge(kind, message_id), kind, message_id))

    # Time.

    def _tick(self) -> None:
        if not self._connected and self._state != "init":
            return
        self._ticker = self._machine.later(_TICK, self._tick)
        if self._timeout:
            self._timeout -= 1
            if self._timeout:
                return
            if self._state == "data" and self._queue:
                self._queue.popleft()  # and nobody is told
        if self._state == "data":
            self._tick_online()
        else:
            self._stop_ticking()
            reasons = {"connect sending": _TIMEOUT_SENDING, "connect sent": _TIMEOUT_RECEIVING}
            self._refuse_connection(reasons.get(self._state, _SERVER_NOT_FOUND))

    def _tick_online(self) -> None:
        if self._queue:
            self._send_if_possible()
            return
        self._idle += 1
        if self._idle <= self._keepalive:
            return
        if self._pinged:
            if self._tcp is not None:
                self._tcp.abandon()
            self._on_failed()
            return
        self._pinged, self._idle = True, 0
        self._queue.append(_Queued(packets.packet(Type.PINGREQ), Type.PINGREQ))
        self._send_if_possible()

    def _stop_ticking(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    # Helpers.

    def _send_if_possible(self) -> bool:
        if self._timeout or not self._queue:
            return True
        self._timeout, self._idle = _SEND_TIMEOUT, 0
        return self._send(self._queue[0].data)

    def _send(self, data: bytes) -> bool:
        return self._tcp is not None and self._tcp.send(data)

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFF + 1
        return self._last_id

    def _check_connected(self) -> None:
        if not self._connected:
            raise LuaError("not connected")

    def _call(self, event: bytes, *arguments: Value) -> None:
        self._machine.call(self._callbacks.get(event), self.methods, *arguments)

    def _abandon(self) -> None:
        self._stop_ticking()
        if self._tcp is not None:
            self._tcp.abandon()
            self._tcp = None

    def _stall(self) -> None:
        if self._tcp is not None:
            self._tcp.stall()


def _take(rest: "deque[Value]", kind: type) -> Value:
    """The next argument if it has the type, else None, and it stays for the next parameter."""
    if rest and isinstance(rest[0], kind) and (kind is bool or not isinstance(rest[0], bool)):
        return rest.popleft()
    return None
