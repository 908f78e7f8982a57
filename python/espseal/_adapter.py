"""What every MQTT adapter needs and no MQTT library has: topic filters (MQTT 5.0, section 4.7)."""

import re
from collections.abc import Iterable

__all__ = ["callback_filter", "topic_filters", "topic_pattern"]

_FILTER = re.compile(
    r"""
    ( \$share/[^/+#\0]+/ | (?!\$share(/|\Z)) )  # a shared subscription names its group
    (?!\Z)
    ( (\+|[^/+#\0]*) / )* ( \+ | \# | [^/+#\0]* )
    """,
    re.VERBOSE,
)


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


def callback_filter(subscription: str) -> str:
    """The filter that the messages of a subscription match: ``a/#`` for ``$share/group/a/#``."""
    return subscription.split("/", 2)[2] if subscription.startswith("$share/") else subscription


def topic_pattern(filters: Iterable[str]) -> re.Pattern[str]:
    """What the topics of all messages of these subscriptions match in full."""
    return re.compile("|".join(map(_pattern, map(callback_filter, filters))), re.DOTALL)


def _pattern(topic_filter: str) -> str:
    # A wildcard in the first level does not match `$SYS` and the like.
    start = r"(?!\$)" if topic_filter[0] in "+#" else ""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*").replace(r"\#", ".*")
    # `a/#` matches `a` too.
    return start + re.sub(r"/\.\*$", "(?:/.*)?", pattern)
