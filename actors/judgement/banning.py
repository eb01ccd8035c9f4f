"""The scheduler's own bans: a shape whose experiments were given up again and again is left alone for a while."""

from __future__ import annotations

import math

import msgspec

from actors.role import Decision, Known
from events.facts import Banned
from events.space import Choice
from replay.entries import SHAPE
from replay.ledger import Ledger


class Banning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The [bans] table of a campaign file; see `replay.dead_ends` for what counts.

    Attributes:
        after: experiments of one shape given up, while none of it completed, after which it is banned; 0 for never.
        cycles: of the campaign for which the ban stands; a completion of the shape ends it before.
    """

    after: int = 3
    cycles: int = 50


def dead_end(known: Known, rule: Banning) -> Decision | None:
    """Ban the shape that was longest a dead end, or None; at most half of all shapes are banned by rule at a time.

    What breaks everywhere is no matter of shapes: the other half lets the search find that out.
    """
    ledger = known.ledger
    if rule.after == 0 or ledger.closed is not None:
        return None
    ruled = sum(ban.ruled for ban in ledger.bans.values())
    for where, given in ledger.dead_ends.items():
        if len(given) >= rule.after and 2 * (ruled + 1) <= _shapes(ledger):
            last = ledger.experiments[given[-1]]
            reason = f"{', '.join(given)} were given up there, and none completed"
            name = f"b-{last.experiment}-{len(last.attempts)}"
            fact = Banned(cause=last.moved, ban=name, where=where, reason=reason, cycles=rule.cycles)
            return Decision("campaign", "bans", (fact,), under="campaign")
    return None


def _shapes(ledger: Ledger) -> int:
    dimensions = ledger.space.dimensions if ledger.space is not None else ()
    choices = [dimension for dimension in dimensions if isinstance(dimension, Choice)]
    return math.prod(len(c.values) for c in [c for c in choices if c.name in SHAPE] or choices)
