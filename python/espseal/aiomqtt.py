"""Readings as an async iterator over an `aiomqtt.Client` (aiomqtt 2.5), and commands.

```python
while True:
    try:
        async with aiomqtt.Client("localhost") as client:
            async for message in espseal.aiomqtt.messages(client, receiver):
                print(message.device, message.text)
    except aiomqtt.MqttError:
        await asyncio.sleep(5)
```
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Self, final

try:
    import aiomqtt
except ImportError as error:
    raise ImportError("espseal.aiomqtt needs aiomqtt 2: pip install 'espseal[aiomqtt]'") from error

import espseal
from espseal import Message, Publication, Receiver
from espseal._adapter import Adapter, reading_filters
from espseal._aiomqtt_service import Service

__all__ = ["Messages", "Sender", "messages"]


def messages(
    client: aiomqtt.Client,
    receiver: Receiver,
    topic: str | Iterable[str] | None = None,
    *,
    on_rejected: Callable[[Message], object] | None = None,
    on_other: Callable[[aiomqtt.Message], object] | None = None,
    sender: espseal.Sender | None = None,
    qos: int = 1,
) -> "Messages":
    """Opens every frame that a client receives from the keyring's devices, and serves these.

    Iterate over it inside of ``async with client``: it yields the fresh messages. The first
    step subscribes, and from then on a task of its own opens what arrives and publishes and
    renews the receiver's session IDs and beacons, and welcomes sealed devices, however long the
    body of your loop takes.

    ``client.messages`` is one queue, and that task empties it: do not read it elsewhere, have
    one iterator a client, and take the messages of your own subscriptions in ``on_other``.

    Arguments:
        client: of aiomqtt 2.5, MQTT 3.1.1 or 5.
        receiver: opens the frames; give each client its own.
        topic: one topic filter or several, ``$share/group/filter`` too; None is all that the
            keyring names. Leave out the topics of commands: a command is no reading, and would
            come back as ``forged``.
        on_rejected: called with every `Message` that is not fresh; no coroutine function. An
            exception that it raises is logged and counted, and the iteration goes on.
        on_other: called with every message on other topics, likewise. Without it they are
            dropped.
        sender: seals what `Messages.sender` sends. The topics where its nodes show their
            sessions are subscribed too, those of a group with one wildcard.
        qos: of the subscriptions to ``topic``, 0 to 2.

    Raises:
        TypeError: ``client`` is no aiomqtt client, a topic filter no ``str``, or a callback a
            coroutine function.
        ValueError: no valid topic filter, no such ``qos``; or the receiver's ``at_least_once``:
            aiomqtt acknowledges each message before anyone has seen it.
    """
    if not isinstance(client, aiomqtt.Client):
        raise TypeError(f"client is a {type(client).__name__}: give an aiomqtt.Client")
    for name, callback in (("on_rejected", on_rejected), ("on_other", on_other)):
        if inspect.iscoroutinefunction(callback):
            raise TypeError(f"{name} is a coroutine function: give a plain one")
    if qos not in (0, 1, 2):
        raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
    if receiver.delivery == "at_least_once":
        raise ValueError(
            "aiomqtt acknowledges each message before anyone has seen it: use espseal.paho with "
            "manual_ack=True for at_least_once"
        )
    logger, filters = logging.getLogger(__name__), reading_filters(receiver, topic)
    arrived: asyncio.Queue[Message | None] = asyncio.Queue()
    adapter = Adapter(logger, receiver, sender, filters, arrived.put_nowait, on_rejected, qos)
    service = Service(client, adapter, on_other, arrived, logger)
    return Messages(service, sender)


@final
class Messages:
    """What `messages` returns: an async iterator, and an async context manager that closes it.

    It raises the exception that ended the connection, mostly `aiomqtt.MqttError`, once the
    readings that came before are yielded; then it may be iterated again in the next
    ``async with client``, or thrown away for a new one. ``break`` ends it too, where nothing
    else holds it; readings that have arrived and were not yielded are lost then.
    """

    def __init__(self, service: Service, sender: espseal.Sender | None) -> None:
        self._service = service
        self._sender = sender
        self._closed = False

    @property
    def sender(self) -> "Sender":
        """Sends commands. Raises `ValueError` if `messages` was given no sender."""
        if self._sender is None:
            raise ValueError("to send, call messages with sender=espseal.Sender(keyring, store)")
        # Not kept: a cycle would delay `__del__`, and with it the end that `break` makes.
        return Sender(self, self._sender)

    @property
    def callback_errors(self) -> int:
        """How many exceptions ``on_rejected`` and ``on_other`` raised.

        Each was logged with its traceback by the logger ``espseal.aiomqtt``.
        """
        return self._service.adapter.callback_errors

    @property
    def store_errors(self) -> int:
        """How often the store failed, and was logged; the frame concerned was not accepted."""
        return self._service.adapter.store_errors

    @property
    def refused(self) -> tuple[str, ...]:
        """The topics that the broker does not let this client read or write, if any."""
        return self._service.adapter.refused

    async def aclose(self) -> None:
        """Ends the iteration for good, and unsubscribes. May be repeated.

        Session IDs already published stay until they expire.
        """
        self._closed = True
        await self._service.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        service = self._service
        if not self._closed:
            service.start()
        elif service.arrived.empty():
            raise StopAsyncIteration
        message = await service.arrived.get()
        if message is not None:
            return message
        service.ended()
        if service.error is None:
            raise StopAsyncIteration
        raise service.error

    async def __aenter__(self) -> Self:
        self._service.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._service.abandon()


@final
class Sender:
    """Sends commands through the client; `Messages.sender` is one.

    It knows the session that each node shows.
    """

    def __init__(self, messages: Messages, sender: espseal.Sender) -> None:
        self._messages = messages
        self._sender = sender

    async def send(
        self,
        device: str,
        data: bytes | str,
        *,
        timeout: float = 0.0,
        patience: float = 10.0,
    ) -> None:
        """Seals one command under the session that the device shows, and publishes it.

        Returns when a sealed device has acknowledged it, or when the broker has one to a
        classic node, of which each session is good for one; those to one device are sent in
        their order. Before the first step of the iteration it does what
        that step does; a node's session is known a moment after.

        Arguments:
            device: its name in the keyring.
            data: the command, ``str`` as UTF-8.
            timeout: how long it may wait for a session (a node that sleeps shows one when it
                wakes up), in seconds. 0: there is one, or it fails.
            patience: how long a sealed device may take to acknowledge, in seconds. Until then
                the very same frame goes out again every few seconds.

        Raises:
            TimeoutError: no acknowledgement came; the device may have acted on it or not.
            KeyringError: no such device (``unknown_name``), or its group has no command topics.
            SessionError: the device shows no session that was not used (``no_session``) or no
                receiver publishes its fleet's beacon (``not_authority``), and ``timeout`` is
                over; or what no waiting helps with, as ``revoked``.
            aiomqtt.MqttError: there is no connection, or it was lost; if that was after the
                command was sealed, it may arrive all the same.
            DataError: the frame cannot carry this.
            StoreError: the session could not be noted as used; nothing was sent.
        """
        await self._send(device, partial(self._sender.seal, device, data), timeout, patience)

    async def ratchet(self, device: str, *, timeout: float = 0.0, patience: float = 10.0) -> None:
        """Asks a sealed device for the next epoch of its key; as `send`, and raises the same.

        Returns when the device has acknowledged under its new key. Until then nothing has
        changed here, and what it sent under the old key is taken for another day.
        """
        await self._send(device, partial(self._sender.ratchet, device), timeout, patience)

    async def _send(
        self, device: str, seal: Callable[[], Publication], timeout: float, patience: float
    ) -> None:
        if self._messages._closed:
            raise aiomqtt.MqttError("the iterator of espseal.aiomqtt.messages is closed")
        await self._messages._service.send(device, seal, timeout, patience)
