"""Commands out of any thread, through the network loop of a `paho.mqtt.client.Client`."""

import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import monotonic
from typing import final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

import espseal
from espseal import Publication, SessionError
from espseal._adapter import AGAIN, Adapter, may_pass, no_session, unacknowledged, why_not
from espseal._paho_client import wake

__all__ = ["Sender"]

_logger = logging.getLogger("espseal.paho")
_CUT = "detached before the command was known to have arrived"


@dataclass(eq=False)
class _Command:
    device: str
    seal: Callable[[], Publication]
    deadline: float
    patience: float
    future: Future[None] = field(default_factory=Future)
    error: Exception | None = None
    waits_for: SessionError | None = None
    # Of one that its device acknowledges: until when, and when the frame goes out again.
    tag: str | None = None
    ends: float = inf
    again: float = inf


# Each command is sealed by whoever can: at once by the thread that sends it, so that it gets its
# error, or else by the network thread when the node shows a session. Only the network thread
# publishes: paho's own `publish` writes into the socket from the calling thread where
# `loop_forever` runs in another, which OpenSSL forbids. And it publishes at once or never:
# a command that was left lying over a lost connection is none that anyone still wants.
@final
class Sender:
    """Sends commands through the client of an attachment, from any thread.

    It knows the session that each node shows; `Attachment.sender` is one.
    """

    def __init__(self, client: mqtt.Client, sender: espseal.Sender) -> None:
        self._client = weakref.ref(client)
        self._sender = sender
        # Taken for the queues only: what a future calls may call `send`.
        self._lock = threading.Lock()
        self._closed = False
        self._waiting: list[_Command] = []
        self._sealed: list[tuple[_Command, Publication]] = []
        self._sent: dict[int, tuple[_Command, str]] = {}
        self._unacknowledged: dict[str, tuple[_Command, Publication]] = {}

    def send(
        self,
        device: str,
        data: bytes | str,
        *,
        timeout: float = 0.0,
        patience: float = 10.0,
    ) -> Future[None]:
        """Seals one command under the session that the device shows, and publishes it.

        Those to one device are sent in their order; a session of a classic node is good for one.
        Never blocks. The command reaches the network loop at once, or within a second if that
        is a loop of your own that calls ``loop_misc``.

        Arguments:
            device: its name in the keyring.
            data: the command, ``str`` as UTF-8.
            timeout: how long it may wait for a session (a node that sleeps shows one when it
                wakes up) and for the connection, in seconds. 0: they are there, or it fails.
            patience: how long a sealed device may take to acknowledge, in seconds. Until then
                the very same frame goes out again every few seconds.

        Returns:
            A future. It is done when a sealed device has acknowledged the command, or when the
            broker has one to a classic node; it fails with what is raised below if that shows
            later, or with `TimeoutError` if no acknowledgement came. Never wait for it in a
            callback of the client. ``cancel`` works until the command is sealed. If the
            connection is lost after that, paho sends it again at the next one, as it does all
            its messages; the device acts on it once.

        Raises:
            KeyringError: no such device (``unknown_name``), or its group has no command topics.
            SessionError: the device shows no session that was not used (``no_session``) or no
                receiver publishes its fleet's beacon (``not_authority``), and ``timeout`` is
                over; or what no waiting helps with, as ``revoked``.
            ConnectionError: the client is not connected, and ``timeout`` is over; or detached.
            DataError: the frame cannot carry this.
            StoreError: the session could not be noted as used; nothing was sent.
            PermissionError: MQTT 5 only: the broker does not let this client write the topic.
        """
        return self._send(device, partial(self._sender.seal, device, data), timeout, patience)

    def ratchet(self, device: str, *, timeout: float = 0.0, patience: float = 10.0) -> Future[None]:
        """Asks a sealed device for the next epoch of its key; as `send`, and raises the same.

        It is done when the device has acknowledged under its new key. Until then nothing has
        changed here, and what it sent under the old key is taken for another day.
        """
        return self._send(device, partial(self._sender.ratchet, device), timeout, patience)

    def _send(
        self, device: str, seal: Callable[[], Publication], timeout: float, patience: float
    ) -> Future[None]:
        command = _Command(device, seal, monotonic() + timeout, patience)
        client = self._client()
        with self._lock:
            if self._closed or client is None:
                raise ConnectionError("the attachment was detached, or its client is gone")
            # Raises what no waiting helps with.
            self._sender.is_ready(device)
            self._waiting.append(command)
            ended = self._seal() if client.is_connected() else []
            if timeout <= 0 and command in self._waiting:
                self._waiting.remove(command)
                command.error = _reason(command, client)
                ended.append(command)
        _finish([each for each in ended if each is not command])
        if command.error:
            raise command.error
        wake(client)
        return command.future

    def _due(self) -> float:
        with self._lock:
            if self._sealed:
                return 0.0
            sent = (command for command, _ in self._unacknowledged.values())
            dues = [*(min(each.again, each.ends) for each in sent)]
            return min([*(each.deadline for each in self._waiting), *dues, inf]) - monotonic()

    def _connected(self) -> None:
        with self._lock:
            lost, self._sealed = [command for command, _ in self._sealed], []
            for command, _ in self._unacknowledged.values():
                command.again = 0.0
        for each in lost:
            each.error = ConnectionError("the connection was lost before the command was sent")
        _finish(lost)

    def _serve(self, client: mqtt.Client) -> None:
        with self._lock:
            now = monotonic()
            late = [each for each in self._waiting if each.deadline <= now]
            self._waiting = [each for each in self._waiting if each.deadline > now]
            for each in late:
                each.error = _reason(each, client)
            ended = late + self._seal()
            sealed, self._sealed = self._sealed, []
            for each, new in sealed:
                if new.tag is not None:
                    each.tag, each.ends = new.tag, now + each.patience
                    self._unacknowledged[new.tag] = each, new
            for each, new in list(self._unacknowledged.values()):
                if each.ends <= now:
                    each.error = unacknowledged(each.device, each.patience)
                    ended.append(each)
                    self._forget(each)
                elif each.again <= now:
                    sealed.append((each, new))
        for each, new in sealed:
            sent = client.publish(new.topic, new.payload, new.qos, new.retain)
            with self._lock:
                if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
                    each.error = ConnectionError("paho's queue of outgoing messages is full")
                elif self._closed:
                    each.error = ConnectionError(_CUT)
                else:
                    self._sent[sent.mid] = each, new.topic
                    each.again = inf if each.tag is None else monotonic() + AGAIN
                    continue
                self._forget(each)
            ended.append(each)
        _finish(ended)

    def _answered(self, mid: int, codes: list[ReasonCode], adapter: Adapter) -> None:
        with self._lock:
            if mid not in self._sent:
                return
            command, topic = self._sent.pop(mid)
            refused = any(each.is_failure for each in codes)
            if command.tag is not None and not refused:
                return
            known = command.tag is None or command.tag in self._unacknowledged
            self._forget(command)
        adapter.answered("write", [topic], codes)
        if refused:
            command.error = PermissionError(f"the broker does not let this client write {topic}")
        if known:
            _finish([command])

    def _acknowledged(self, tag: str) -> None:
        with self._lock:
            command, _ = self._unacknowledged.pop(tag, (None, None))
        if command is not None:
            _finish([command])

    def _forget(self, command: _Command) -> None:
        if command.tag is not None:
            self._unacknowledged.pop(command.tag, None)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            unacknowledged = [each for each, _ in self._unacknowledged.values()]
            plain = [each for each, _ in self._sent.values() if each.tag is None]
            cut = [*(each for each, _ in self._sealed), *plain, *unacknowledged]
            self._sealed.clear()
            self._sent.clear()
            self._unacknowledged.clear()
        for each in waiting:
            each.future.cancel()
            each.future.set_running_or_notify_cancel()
        for each in cut:
            each.error = ConnectionError(_CUT)
        _finish(cut)

    def _seal(self) -> list[_Command]:
        """Seals what can be; returns those that failed or were cancelled."""
        silent, ended, waiting = set[str](), list[_Command](), list[_Command]()
        for each in self._waiting:
            if each.future.cancelled():
                each.future.set_running_or_notify_cancel()
                continue
            if each.device in silent:
                waiting.append(each)
                continue
            try:
                publication = each.seal()
            except SessionError as error:
                if may_pass(error):
                    each.waits_for = error
                    silent.add(each.device)
                    waiting.append(each)
                else:
                    each.error = error
                    ended.append(each)
            except Exception as error:  # noqa: BLE001 the future has it
                each.error = error
                ended.append(each)
            else:
                if each.future.set_running_or_notify_cancel():
                    self._sealed.append((each, publication))
        self._waiting = waiting
        return ended


def _reason(command: _Command, client: mqtt.Client) -> Exception:
    if client.is_connected():
        why = command.waits_for
        return why_not(why, command.device) if why else no_session(command.device)
    return ConnectionError("the client is not connected to the broker")


def _finish(commands: list[_Command]) -> None:
    """Without the lock: what a future calls is the user's."""
    for each in commands:
        if each.error is None:
            each.future.set_result(None)
        else:
            try:
                each.future.set_exception(each.error)
            except InvalidStateError:
                # Cancelled in the meantime; this tells those who wait for it.
                each.future.set_running_or_notify_cancel()
            else:
                _logger.warning("a command to %s was not sent: %s", each.device, each.error)
