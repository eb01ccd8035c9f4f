"""What every fact carries: when, why, and how much its author knew; and the two small types that facts share."""

from __future__ import annotations

import msgspec


class Position(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Where a fact stands: the sequence of its frame on the log (from 1), and its index in the frame (from 0)."""

    sequence: int
    index: int = 0

    def __str__(self) -> str:
        return f"{self.sequence}.{self.index}"


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text on the log: short ones whole in `head`, longer ones by both ends, with the whole in the campaign's blobs.

    Attributes:
        length: of the whole text, in characters.
        digest: sha256 of the whole text's UTF-8 bytes, None when `head` is the whole.
    """

    head: str
    tail: str = ""
    length: int = 0
    digest: str | None = None


# nobody can make a cycle of facts: the collector need not walk them (gc=False)
class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """The envelope of every fact.

    Attributes:
        at: the author's clock, microseconds since 1970 UTC; order is the sequence, never this.
        cause: the fact that made the author speak, None for a first word.
        through: the last sequence that the author had folded when it decided.
    """

    at: int = 0
    cause: Position | None = None
    through: int = 0
