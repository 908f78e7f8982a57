"""A connection to a broker, and one sentence for all that can happen to it."""

import socket
import ssl
import sys
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, Literal, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from espseal.cli.broker.options import Broker
from espseal.cli.exits import CommandError

# In seconds: the pause between two attempts doubles from the first to the second.
_BACKOFF: Final = (1, 30)
_KEEPALIVE: Final = 30
_SESSION_KEPT: Final = 300

# The refusals that waiting may cure (MQTT 3.1.1, table 3.1; MQTT 5.0, section 3.2.2.2).
_PASSING: Final = ("Server unavailable", "Server busy", "Connection rate exceeded")
_WHO_ARE_YOU: Final = ("Not authorized", "Bad user name or password")


@dataclass(frozen=True)
class Up:
    """The broker has accepted the connection."""


@dataclass(frozen=True)
class Down:
    """There is no connection.

    Arguments:
        why: one sentence, without its full stop.
        lasting: whether another attempt cannot help.
    """

    why: str
    lasting: bool = False


class Connection:
    """Keeps a Paho client connected, in a thread of its own; a context manager.

    Arguments:
        broker: what to connect to.
        events: gets an `Up` or a `Down` for whatever becomes of an attempt or a connection.

    Raises:
        CommandError: a certificate or the password cannot be read.
    """

    def __init__(self, broker: Broker, events: "SimpleQueue[Any]") -> None:
        self._broker = broker
        self._events = events
        self._state: Literal["down", "asked", "up"] = "down"
        self.client = _new_client(broker)
        self.client.reconnect_delay_set(*_BACKOFF)
        self.client.on_pre_connect = self._on_pre_connect
        self.client.on_connect = self._on_connect
        self.client.on_connect_fail = self._on_connect_fail
        self.client.on_disconnect = self._on_disconnect

    def __enter__(self) -> Self:
        # Asynchronous: then every attempt, the first one too, is the thread's.
        self.client.connect_async(*self._broker.at, keepalive=_KEEPALIVE, **self._session())
        self.client.loop_start()
        return self

    def __exit__(self, *error: object) -> None:
        was_up = self._state == "up"
        self.client.disconnect()
        # Otherwise the thread may be waiting for an answer; it ends when that comes.
        if was_up:
            self.client.loop_stop()

    def _session(self) -> dict[str, Any]:
        """A short outage must lose nothing, a long absence only what was asked to be kept."""
        if self.client.protocol != MQTTProtocolVersion.MQTTv5:
            return {}
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        kept.SessionExpiryInterval = _SESSION_KEPT
        named = self._broker.client_id is not None
        clean = False if named else mqtt.MQTT_CLEAN_START_FIRST_ONLY
        return {"properties": kept, "clean_start": clean}

    def _on_pre_connect(self, _client: mqtt.Client, _data: object) -> None:
        self._state = "asked"

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _more: object
    ) -> None:
        if code.is_failure:
            self._state = "down"
            self._events.put(_refused(str(code), self._broker))
        else:
            self._state = "up"
            self._events.put(Up())

    def _on_connect_fail(self, _client: mqtt.Client, _data: object) -> None:
        self._state = "down"
        # Paho calls this while it handles the exception, which it does not hand over.
        self._events.put(_failed(sys.exception(), self._broker))

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _more: object
    ) -> None:
        state, self._state = self._state, "down"
        if state == "up" and code.is_failure:
            reason = "" if str(code) == "Unspecified error" else f" ({str(code).lower()})"
            self._events.put(
                Down(f"The connection to the broker at {self._broker} is lost{reason}")
            )
        elif state == "asked":
            hint = "a client certificate (--cert)" if self._broker.encrypted else "TLS (--tls)"
            why = f"The broker at {self._broker} hangs up without an answer; it may want {hint}"
            self._events.put(Down(why))


def _new_client(broker: Broker) -> mqtt.Client:
    modern = broker.mqtt_version == "5"
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        broker.client_id or "",
        clean_session=None if modern else broker.client_id is None,
        protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
        # What could not be stored is not acknowledged.
        manual_ack=True,
    )
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password())
    if broker.encrypted:
        client.tls_set_context(_tls_context(broker))
    return client


def _tls_context(broker: Broker) -> ssl.SSLContext:
    for file in (broker.ca, broker.cert, broker.key):
        if file is not None:
            # What OpenSSL says of a file does not name it.
            file.open().close()
    try:
        context = ssl.create_default_context(cafile=broker.ca)
    except ssl.SSLError:
        raise CommandError(f"{broker.ca}: this is no CA certificate in PEM form.") from None
    if broker.cert is not None:
        try:
            context.load_cert_chain(broker.cert, broker.key)
        except ssl.SSLError as error:
            where = broker.key or broker.cert
            what = "the key does not belong to the certificate"
            if error.reason != "KEY_VALUES_MISMATCH":
                what = "certificate and key must be in PEM form, in one file or with --key"
            raise CommandError(f"{where}: {what}.") from None
    return context


def _refused(reason: str, broker: Broker) -> Down:
    hint = ""
    if reason in _WHO_ARE_YOU:
        hint = (
            "; are user name and password right?"
            if broker.username is not None
            else "; it wants --username and --password-file"
        )
    elif reason == "Unsupported protocol version":
        hint = "; try another --mqtt-version"
    why = f"The broker at {broker} refuses the connection: {reason.lower()}{hint}"
    return Down(why, lasting=reason not in _PASSING)


def _failed(error: BaseException | None, broker: Broker) -> Down:
    match error:
        case socket.gaierror():
            lasting = error.errno == socket.EAI_NONAME
            return Down(f"The host name {broker.host} is not known; is --host right?", lasting)
        case ssl.SSLCertVerificationError():
            why = f"The certificate of the broker at {broker} is not trusted"
            what = error.verify_message.rstrip(".")
            return Down(f"{why}: {what}; --ca names the CA to trust", lasting=True)
        case ssl.SSLError():
            why = f"There is no TLS at {broker} ({error.reason or error}); is --port right?"
            return Down(why, lasting=True)
        case TimeoutError():
            return Down(f"The broker at {broker} does not answer; are --host and --port right?")
        case ConnectionRefusedError():
            return Down(f"No broker listens at {broker}; is it running, and --port right?")
        case ConnectionResetError() if broker.encrypted:
            return Down(f"The broker at {broker} hangs up; does it speak TLS on this port?")
        case OSError():
            return Down(f"The broker at {broker} cannot be reached: {error.strerror or error}")
    return Down(f"The broker at {broker} cannot be reached")
