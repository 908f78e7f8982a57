"""The answers that the design of the classic frame states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .model import Case, Keys

ARTICLE_KEYS: Final = Keys(
    iv_key=b"2345678901abcdef",
    data_key=b"0123456789abcdef",
    static_iv=b"abcdef2345678901",
    passphrase=b"mypassphrase",
)


def known_answers() -> Iterator[tuple[Case, bytes]]:
    """Yield the three answers that classic-frame.md states, with their frames."""
    yield (
        Case(
            name="article-sample",
            about="The sample output printed in the article, under the empty session.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"",
            node_id=b"11242238",
            iv=b" f9dc2766548509e",
            data=b"5",
            danger_accept_replays=True,
        ),
        b"1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,"
        b"564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289",
    )
    yield (
        Case(
            name="known-exact-multiple",
            about="Data of one whole block gets no block of padding.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"5f1d7a84c2b3e690",
            node_id=b"1234567",
            iv=b"7fffffff       1",
            data=b"0123456789abcdef",
        ),
        b"c4a1a844c5b9d1da8fa77467d7b9d633,0899c5390f016323b08eb7324bc6f6d5,"
        b"dbcca9b66e10cb47985ac7bc51d0dd7d,a88d598e9e70218dd1458b73cb78a40af6edeba1",
    )
    yield (
        Case(
            name="known-empty-data",
            about="Empty data is an empty third field.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"5f1d7a84c2b3e690",
            node_id=b"1234567",
            iv=b"12345678 abcdef1",
            data=b"",
        ),
        b"21c6e589c0b7a5a9d7e531879e485eb1,d88152ae04c3335f60b2d0b8d6858667,"
        b",a6969beb018e6bbf620ef2c578424e11e6ce06a2",
    )
