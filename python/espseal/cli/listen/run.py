"""Listens until it is to end."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from types import FrameType
from typing import Any, Final

from espseal import Keyring, Store, Verdict
from espseal.cli import console, questions
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience, denied
from espseal.cli.exits import BrokerError, TimeUpError
from espseal.cli.listen.advice import Advisor
from espseal.cli.listen.discover import Discovery
from espseal.cli.listen.gaps import Gaps
from espseal.cli.listen.listener import AdapterLog, Failure, Listener, Notice
from espseal.cli.listen.live import Live
from espseal.cli.listen.readings import Readings
from espseal.cli.listen.received import Received
from espseal.cli.listen.show import Lines, Records
from espseal.cli.listen.tally import Tally, counted

# In seconds: how often the screen is drawn, and what is waited for besides events looked at.
_TICK: Final = 0.2


class TerminatedError(BaseException):
    """SIGTERM."""


def listen(
    broker: Broker,
    keyring: Keyring,
    store: Store,
    filters: Sequence[str],
    *,
    follow: bool,
    discover: bool,
    sqlite: Path | None,
    as_json: bool,
    count: int | None,
    timeout: float | None,
) -> None:
    """Shows and stores readings until Ctrl-C, SIGTERM, ``count`` or ``timeout``.

    Raises:
        CommandError: it could not go on, or ended before ``count``.
        KeyboardInterrupt: Ctrl-C.
        TerminatedError: SIGTERM.
    """
    events: SimpleQueue[Any] = SimpleQueue()
    gaps = Gaps()
    tally = Tally(gaps.missing)
    endless = count is None and timeout is None
    patience = Patience(endless=endless)
    deadline = None if timeout is None else monotonic() + timeout
    asks = discover and not as_json and questions.interactive()
    discovery = Discovery(keyring, store, interactive=asks) if discover else None
    advisor = Advisor(follow=follow)
    with ExitStack() as stack:
        stack.enter_context(_terminable())
        readings = None if sqlite is None else stack.enter_context(Readings(sqlite))
        connection = Connection(broker, events)
        listener = Listener(
            connection.client,
            keyring,
            store,
            filters,
            authority=not follow,
            keep=None if readings is None else readings.keep,
            count=count,
            gaps=gaps,
            events=events,
        )
        where = f"Listening on {', '.join(listener.filters)} at {broker}"
        show = _show(tally, where, as_json, discover=discover)
        stack.push(partial(_summarise, tally))
        stack.callback(show.close)
        stack.enter_context(AdapterLog(events))
        stack.enter_context(connection)
        stack.callback(listener.close)
        while count is None or tally.fresh < count:
            wait = _TICK if deadline is None else min(_TICK, deadline - monotonic())
            if wait <= 0:
                break
            try:
                event = events.get(timeout=wait)
            except Empty:
                event = None
            denies = listener.refused or (listener.silent if not tally.verdicts else ())
            if denies and not endless:
                raise denied(f"use {', '.join(denies)}")
            for sentence in advisor.on(event, listener.silent):
                show.notice(sentence)
            if isinstance(event, Received):
                tally.add(event)
                show.received(event)
                unknown = event.message.verdict == Verdict.UNKNOWN_DEVICE
                if discovery is not None and unknown and discovery.is_new(event):
                    with show.paused():
                        changed = discovery.offer(event)
                    if changed is not None:
                        tally.strangers.pop(event.sender, None)
                        listener.renew(changed)
            elif isinstance(event, Up | Down):
                news = patience.judge(event)
                if news is not None:
                    show.notice(news)
            elif isinstance(event, Notice) and event.topic not in advisor.told:
                show.notice(event.text)
            elif isinstance(event, Failure):
                raise event.error
            if events.empty():
                show.refresh()
        else:
            return
    if not patience.connected:
        raise BrokerError(patience.trouble or f"The broker at {broker} did not answer in time.")
    if count is not None:
        raise TimeUpError(
            f"Only {counted(tally.fresh, 'reading')} of {count} came within {timeout:g} seconds."
        )


def _show(tally: Tally, where: str, as_json: bool, *, discover: bool) -> Records:
    out = console.out()
    if as_json:
        return Records()
    if out.is_terminal and not out.is_dumb_terminal:
        return Live(out, tally, where, discover=discover)
    console.note(f"{where}.")
    return Lines()


def _summarise(tally: Tally, kind: type[BaseException] | None, *_: object) -> None:
    # Where nothing came because something is wrong, the error says it all.
    if tally.verdicts or kind is None or not issubclass(kind, Exception):
        console.note(tally.summary())


@contextmanager
def _terminable() -> Iterator[None]:
    """Raises `TerminatedError` for SIGTERM, so that all is left in order."""

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
