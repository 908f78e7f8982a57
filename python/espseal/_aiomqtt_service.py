"""The task that serves one `aiomqtt.Client`: it empties the client's queue and publishes."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import cast
from weakref import WeakValueDictionary

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from espseal import Message, Publication, SessionError
from espseal._adapter import AGAIN, TICK, Adapter, may_pass, no_session, unacknowledged, why_not

__all__ = ["Service"]


class Service:
    """Hears, opens and publishes in a task of its own, from `start` on.

    Not in the consumer's steps: a body that takes minutes would leave the devices without
    session IDs, and to wait for a message with a time limit loses one now and then, since
    aiomqtt drops what it took out of its queue when it is cancelled.

    Arguments:
        client: while it is connected.
        adapter: opens; its ``on_message`` puts into ``arrived``.
        on_other: called with the messages on topics that are not the adapter's.
        arrived: what the consumer takes; None at the end.
        logger: of the adapter's module.
    """

    def __init__(
        self,
        client: aiomqtt.Client,
        adapter: Adapter,
        on_other: Callable[[aiomqtt.Message], object] | None,
        arrived: asyncio.Queue[Message | None],
        logger: logging.Logger,
    ) -> None:
        self.adapter = adapter
        self.arrived = arrived
        self.error: Exception | None = None
        self._client = client
        self._on_other = on_other
        self._logger = logger
        self._task: asyncio.Task[None] | None = None
        self._running = False
        self._changed = asyncio.Event()
        self._shown = asyncio.Event()
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._unacknowledged: dict[str, asyncio.Event] = {}
        adapter.on_acknowledged = self._acknowledged

    def start(self) -> None:
        """Starts unless it runs, or its end was not yet taken out of ``arrived``."""
        if self._task is not None:
            return
        if _services.setdefault(id(self._client), self) is not self:
            raise RuntimeError(
                "another espseal.aiomqtt.messages() reads this client already: "
                "give it all topic filters, or a client of its own"
            )
        self._running, self.error = True, None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def ended(self) -> None:
        """Call when None has arrived; then it may start again."""
        self._task = None

    def abandon(self) -> None:
        """Ends it soon, from any thread; its client is free at once."""
        self._release()
        if self._task is not None and not self._task.done():
            with suppress(RuntimeError):  # the event loop is closed, and all of it over
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def close(self) -> None:
        """Ends it, and unsubscribes if the connection still stands."""
        task = self._task
        if task is None or not self._running:
            return
        task.cancel()
        await asyncio.wait([task])
        with suppress(aiomqtt.MqttError):
            await self._client.unsubscribe([each for each, _ in self.adapter.subscriptions])

    async def send(
        self, device: str, seal: Callable[[], Publication], timeout: float, patience: float
    ) -> None:
        """Seals a command as soon as it can be, publishes it, and awaits its acknowledgement."""
        self.start()
        waits_for = no_session(device)

        def seal_or_say() -> Publication:
            nonlocal waits_for
            try:
                return seal()
            except SessionError as error:
                waits_for = why_not(error, device)
                raise

        try:
            async with asyncio.timeout(None if timeout == inf else timeout):
                publication = await self._seal(device, seal_or_say)
        except TimeoutError:
            raise waits_for from None
        if publication.tag is None:
            await self._publish(publication)
            return
        arrived = self._unacknowledged[publication.tag] = asyncio.Event()
        try:
            async with asyncio.timeout(None if patience == inf else patience):
                while not arrived.is_set():
                    await self._publish(publication)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(AGAIN):
                            await arrived.wait()
        except TimeoutError:
            raise unacknowledged(device, patience) from None
        finally:
            del self._unacknowledged[publication.tag]

    def _acknowledged(self, tag: str) -> None:
        # A welcome's, too: then there is a session.
        self._show()
        if tag in self._unacknowledged:
            self._unacknowledged[tag].set()

    async def _seal(self, device: str, seal: Callable[[], Publication]) -> Publication:
        # Those to one device go in their order: each session is good for one.
        async with self._turns[device]:
            while True:
                if not self._running:
                    raise self.error or aiomqtt.MqttError("Disconnected")
                try:
                    return seal()
                except SessionError as error:
                    if not may_pass(error):
                        raise
                    await self._shown.wait()

    async def _run(self) -> None:
        try:
            topics = [each for each, _ in self.adapter.subscriptions]
            codes = await self._client.subscribe(list(self.adapter.subscriptions))
            _end_if_cancelled()
            self.adapter.answered("read", topics, cast("list[ReasonCode]", codes))
            self.adapter.connected()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear())
                tasks.create_task(self._renew())
        except* Exception as errors:  # noqa: BLE001 the consumer gets it
            self.error = errors.exceptions[0]
        finally:
            self._running = False
            self._release()
            self.arrived.put_nowait(None)
            self._show()

    async def _hear(self) -> None:
        async for message in self._client.messages:
            topic = message.topic.value
            if self.adapter.owns(topic) or self.adapter.reads(topic):
                self.adapter.take(topic, bytes(message.payload), retained=message.retain)
            elif self._on_other is not None:
                try:
                    self._on_other(message)
                except Exception:
                    self._logger.exception("on_other failed for a message on %s", topic)
                    self.adapter.callback_errors += 1
            if self.adapter.owns(topic):
                self._show()
            # Either may bring forward what `_renew` waits for.
            if self.adapter.owns(topic) or self.adapter.due() <= 0:
                self._changed.set()

    async def _renew(self) -> None:
        while True:
            self._changed.clear()
            for each in self.adapter.publications():
                await self._publish(each)
                _end_if_cancelled()
            due = self.adapter.due()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due == inf else max(due, TICK)):
                    await self._changed.wait()

    async def _publish(self, new: Publication) -> None:
        await self._client.publish(new.topic, new.payload, new.qos, new.retain)

    def _show(self) -> None:
        shown, self._shown = self._shown, asyncio.Event()
        shown.set()

    def _release(self) -> None:
        if _services.get(id(self._client)) is self:
            del _services[id(self._client)]


def _end_if_cancelled() -> None:
    # Before Python 3.12 `asyncio.wait_for`, and with it aiomqtt, forgets a cancellation that
    # comes together with the broker's answer.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


# By the identity of the client, which a service keeps alive.
_services: WeakValueDictionary[int, Service] = WeakValueDictionary()
