"""What every MQTT adapter needs and no MQTT library has.

Topic filters are MQTT 5.0, section 4.7.
"""

import logging
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from espseal import Message, Publication, Receiver, Sender, SessionError, Verdict

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

__all__ = [
    "AGAIN",
    "TICK",
    "Adapter",
    "Topics",
    "callback_filter",
    "fewest_filters",
    "may_pass",
    "no_session",
    "reading_filters",
    "topic_filters",
    "unacknowledged",
    "why_not",
]

# In seconds: the shortest wait for what is due, how long a session ID may take to come back
# from its topic, and the pause after the store failed to mint one.
TICK = 0.02
_ECHO = 20.0
_PAUSE = 10.0
# In seconds: the very same frame goes out again until its device acknowledges it, which acts on
# it once; a broker keeps nothing for a device that is away without a session of its own.
AGAIN = 3.0

_FILTER = re.compile(
    r"""
    ( \$share/[^/+#\0]+/ | (?!\$share(/|\Z)) )  # a shared subscription names its group
    (?!\Z)
    ( (\+|[^/+#\0]*) / )* ( \+ | \# | [^/+#\0]* )
    """,
    re.VERBOSE,
)

_WILD = re.compile("[+#]")


def topic_filters(topic: str | Iterable[str]) -> tuple[str, ...]:
    """Takes one topic filter or several, each once, in their order.

    Raises:
        TypeError: something that is neither ``str`` nor an iterable of ``str``.
        ValueError: none at all, or one that a broker would close the connection for.
    """
    filters = tuple(dict.fromkeys([topic] if isinstance(topic, str) else topic))
    if not filters:
        raise ValueError("no topic filter: give one, such as 'sensors/+'")
    for each in filters:
        if not isinstance(each, str):
            raise TypeError(f"a topic filter is a str, not {type(each).__name__}")
        if not _FILTER.fullmatch(each) or len(each.encode()) > 0xFFFF:
            raise ValueError(
                f"{each!r} is no topic filter: '+' stands for a whole level, "
                "'#' for the rest and only at the end, as in 'sensors/+/data' or 'sensors/#'"
            )
    return filters


def reading_filters(receiver: Receiver, topic: str | Iterable[str] | None) -> tuple[str, ...]:
    """The filters that a caller gave, and those without which sealed devices are not heard;
    without any, all of the keyring.

    Raises:
        TypeError, ValueError: as `topic_filters`; or the keyring has no devices to listen to.
    """
    if topic is None:
        if not receiver.reading_filters:
            raise ValueError(
                "the keyring has neither a fleet nor a group: add one (espseal fleet new home)"
            )
        return topic_filters(receiver.reading_filters)
    given = topic_filters(topic)
    covered = Topics(given)
    # A device answers on its `up` topic: a command would never be acknowledged without.
    missing = [each for each in receiver.keyring.up_filters if not covered.covers(each)]
    return topic_filters([*given, *missing])


def callback_filter(subscription: str) -> str:
    """The filter that the messages of a subscription match: ``a/#`` for ``$share/group/a/#``."""
    return subscription.split("/", 2)[2] if subscription.startswith("$share/") else subscription


class Topics:
    """The topics of all messages of some subscriptions: ``topic in Topics(filters)``."""

    def __init__(self, filters: Iterable[str]) -> None:
        self._filters = frozenset(map(callback_filter, filters))
        # Thousands of devices may have a topic of their own each: those are looked up.
        wild = sorted(each for each in self._filters if _WILD.search(each))
        self._wild = re.compile("|".join(map(_pattern, wild)), re.DOTALL) if wild else None

    def __contains__(self, topic: str) -> bool:
        return topic in self._filters or (
            self._wild is not None and self._wild.fullmatch(topic) is not None
        )

    def covers(self, topic_filter: str) -> bool:
        """Whether the very same filter, or this one topic, is among them."""
        return topic_filter in self._filters or (
            not _WILD.search(topic_filter) and topic_filter in self
        )


def fewest_filters(topics: Iterable[str]) -> frozenset[str]:
    """Few filters for many topics: ``a/+/b`` for those that differ in this one level.

    A group of thousands of devices has a topic for each, and brokers limit how many
    subscriptions a client has, or a packet.
    """
    filters, rest = set[str](), set(topics)
    while rest:
        covered = defaultdict[str, set[str]](set)
        for topic in sorted(rest):
            covered[topic].add(topic)
            levels = topic.split("/")
            # `+` in the first level does not match `$SYS` and the like.
            for at in range(topic.startswith("$"), len(levels)):
                covered["/".join([*levels[:at], "+", *levels[at + 1 :]])].add(topic)
        widest = max(covered, key=lambda each: len(covered[each]))
        if len(covered[widest]) == 1:
            filters |= rest
            break
        filters.add(widest)
        rest -= covered[widest]
    return frozenset(filters)


def _pattern(topic_filter: str) -> str:
    # A wildcard in the first level does not match `$SYS` and the like.
    start = r"(?!\$)" if topic_filter[0] in "+#" else ""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*").replace(r"\#", ".*")
    # `a/#` matches `a` too.
    return start + re.sub(r"/\.\*$", "(?:/.*)?", pattern)


class Adapter:
    """What an adapter does in whichever MQTT library: opens, hears, says what to publish.

    Nothing of it raises: what fails is logged and counted.

    Arguments:
        logger: of the adapter's module.
        receiver: opens the frames.
        sender: hears the sessions for commands, if there is one.
        filters: where the readings come from, as `topic_filters` returns them.
        on_message: called with each fresh message.
        on_rejected: called with every other.
        qos: of the subscriptions to ``filters``.
    """

    def __init__(
        self,
        logger: logging.Logger,
        receiver: Receiver,
        sender: Sender | None,
        filters: tuple[str, ...],
        on_message: Callable[[Message], object],
        on_rejected: Callable[[Message], object] | None,
        qos: int,
    ) -> None:
        self.callback_errors = 0
        self.store_errors = 0
        self._logger = logger
        self._receiver = receiver
        self._sender = sender
        self._on_message = on_message
        self._on_rejected = on_rejected
        # Session and beacon topics, and those of the hellos.
        self._served = Topics(receiver.subscriptions)
        self._command_topics = frozenset(sender.subscriptions if sender else ())
        self._read = Topics(filters)
        self.on_acknowledged: Callable[[str], object] = lambda _tag: None
        # Two subscriptions that overlap bring a message twice. (Of what matches a shared one,
        # others get their part.) QoS 0: a session ID that waited in a queue is worth nothing.
        own = Topics(each for each in filters if not each.startswith("$share/"))
        more = {*receiver.subscriptions, *fewest_filters(self._command_topics)}
        apart = sorted(each for each in more if each not in own)
        self.subscriptions = [*((each, qos) for each in filters), *((each, 0) for each in apart)]
        self._paused_until = 0.0
        self._unheard: dict[str, tuple[bytes, float]] = {}
        self._refused: dict[tuple[str, str], None] = {}
        self._undone: deque[tuple[Message, object]] = deque()

    @property
    def refused(self) -> tuple[str, ...]:
        """The topics that the broker does not let this client read or write, if any."""
        return tuple(dict.fromkeys(topic for _, topic in tuple(self._refused)))

    def owns(self, topic: str) -> bool:
        """Whether sessions are shown or asked for there: then it is ours, whoever reads it too."""
        return topic in self._command_topics or topic in self._served

    def reads(self, topic: str) -> bool:
        """Whether it matches a filter of the readings."""
        return topic in self._read

    def connected(self) -> None:
        """Call after each (re)connection, once it is subscribed."""
        self._unheard.clear()
        # The broker delivers again what was not acknowledged on the former connection.
        self._undone.clear()
        self._receiver.reconnected()
        if self._receiver.trouble:
            self._logger.warning("no session IDs are taken: %s", self._receiver.trouble)

    def due(self) -> float:
        """Seconds until `publications` has something."""
        due = self._receiver.next_due()
        return inf if due is None else max(due, self._paused_until - monotonic())

    def publications(self) -> list[Publication]:
        """What to publish now. Not while offline: it would be stale at the reconnection."""
        if self.due() > 0:
            return []
        try:
            publications = self._receiver.publications()
        except Exception:
            self._paused_until = monotonic() + _PAUSE
            self._logger.exception("no session IDs could be minted; next attempt in %g s", _PAUSE)
            self.store_errors += 1
            return []
        for each in publications:
            if each.retain:
                self._await_echo(each.topic, each.payload)
        return publications

    def done(self) -> list[object]:
        """The tokens of the messages that were handed over and have become done since."""
        tokens = [token for message, token in self._undone if message.is_done]
        self._undone = deque(each for each in self._undone if not each[0].is_done)
        return tokens

    def take(self, topic: str, payload: bytes, *, retained: bool, token: object = None) -> bool:
        """Handles a message that it `owns` or `reads`.

        False if it must not be acknowledged: the store failed, or, under ``at_least_once``, the
        application is not done with it; then `done` gives its ``token`` once it is.
        """
        try:
            if topic in self._served:
                if payload == self._unheard.get(topic, (None,))[0]:
                    del self._unheard[topic]
                    self._refused.pop(("read and write", topic), None)
                if self._receiver.hear(payload, topic=topic, retained=retained):
                    return True
            if self._sender is not None and self._sender.hear(payload, topic=topic):
                return True
            opened = self._receiver.open(payload, topic=topic, retained=retained)
        except Exception:
            self._logger.exception("a message on %s could not be judged", topic)
            self.store_errors += 1
            return False
        # A duplicate tells it as well: another receiver on this store may have been the first.
        if opened.acknowledged is not None:
            self.on_acknowledged(opened.acknowledged)
        if opened.verdict == Verdict.FRESH and opened.kind != "data":
            # Between the two ends: what is to be answered is due, and no reading.
            return True
        callback = self._on_message if opened.verdict == Verdict.FRESH else self._on_rejected
        try:
            if callback is not None:
                callback(opened)
        except Exception:
            what = f"{opened.verdict} message"
            self._logger.exception("the callback failed for a %s on %s", what, topic)
            self.callback_errors += 1
        if not opened.is_done:
            self._undone.append((opened, token))
            return False
        # Handled even if the callback failed: delivered again it would be a duplicate.
        return True

    def answered(self, verb: str, topics: Iterable[str], codes: "Iterable[ReasonCode]") -> None:
        """Takes the broker's answer to a subscription ("read") or a publication ("write")."""
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                self._refuse(verb, topic, str(code))
            else:
                self._refused.pop((verb, topic), None)

    def _await_echo(self, topic: str, payload: bytes) -> None:
        # A broker refuses a publication silently under MQTT 3.1.1, and Mosquitto's ACL file a
        # subscription under both versions: what tells is that our own IDs do not come back.
        now = monotonic()
        since = self._unheard.get(topic, (b"", now))[1]
        self._unheard[topic] = payload, since
        if now - since > _ECHO and topic not in self.refused:
            self._refuse("read and write", topic, f"nothing came back in {_ECHO:g} s")

    def _refuse(self, verb: str, topic: str, why: str) -> None:
        if (verb, topic) not in self._refused:
            self._refused[verb, topic] = None
            self._logger.error(
                "the broker does not let this client %s %s (%s): allow it in the broker's ACL",
                *(verb, topic, why),
            )


def unacknowledged(device: str, seconds: float) -> TimeoutError:
    """For a command that was sent and to which no answer came."""
    return TimeoutError(
        f"{device} has not acknowledged the command within {seconds:g} s; it may have acted on it "
        "or not: is it on, and do its acknowledgements reach this client?"
    )


def may_pass(error: SessionError) -> bool:
    """Whether what keeps a command from being sealed may be over in a moment."""
    return error.code in ("no_session", "not_authority")


def why_not(error: SessionError, device: str) -> SessionError:
    """For a command that waited in vain, or that nothing helps."""
    return no_session(device) if error.code == "no_session" else error


def no_session(device: str) -> SessionError:
    """For a command that cannot be sealed yet."""
    return SessionError(
        f"{device} shows no session that no command has used: is it on, and does it take "
        "commands? With a `timeout` the command waits until it shows one",
        "no_session",
    )
