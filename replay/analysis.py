"""What the analyst sealed: until where, under which digest; never part of a digest itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.authors import role_of
from events.envelope import Fact
from events.facts import LogSealed
from events.log import Recorded
from replay.folds import Handler


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The log through `through` folds to `digest`; written at `sequence`."""

    sequence: int
    through: int
    digest: str


def _sealed(seals: list[Seal], fact: LogSealed, recorded: Recorded, index: int) -> None:
    seals.append(Seal(sequence=recorded.sequence, through=fact.through, digest=fact.digest))


def is_analysis(recorded: Recorded) -> bool:
    """Say whether a frame is the analyst's own."""
    return role_of(recorded.author) == "analyst"


class SealsFold:
    """Folds a log into its seals, in order."""

    handlers: Mapping[type[Fact], Handler] = {LogSealed: _sealed}

    def initial(self) -> list[Seal]:
        """Return no seals."""
        return []

    def result(self, state: list[Seal]) -> list[Seal]:
        """Return the seals themselves."""
        return state
