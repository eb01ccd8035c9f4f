"""What the scheduler does about a person's words: cancelled experiments end, bans are lifted when their time is over.

A pause and a boost need no answer of their own: nothing is leased during the one, and the other stands in the order.
"""

from __future__ import annotations

from actors.role import Decision, Known
from events.envelope import Fact, Position
from events.facts import Abandoned, BanLifted, LeaseRevoked
from replay.ledger import Experiment


def cancelled(known: Known) -> Decision | None:
    """End the oldest cancelled experiment that can be ended now.

    One that waits is given up. One that is leased is, with its pack, once all that is still to come of that pack is
    cancelled: a lane cannot be stopped alone, so that beside others it goes on, what it brings counts, and it is not
    tried again. One that failed is given up where its repair ends.
    """
    for name, said in known.ledger.cancelled.items():
        experiment = known.ledger.experiments[name]
        if experiment.status == "queued":
            return Decision("campaign", name, (given_up(experiment, said),))
        if experiment.status in ("assigned", "running"):
            pack = known.fleet.packs[experiment.attempts[-1].pack]
            if pack.open and all(other in known.ledger.cancelled for other in pack.waiting):
                return _revoked(known, pack.pack, said)
    return None


def given_up(experiment: Experiment, said: Position | None) -> Abandoned:
    """Return the end of an experiment that a person cancelled."""
    why = f": {experiment.cancelled}" if experiment.cancelled else ""
    return Abandoned(cause=said, experiment=experiment.experiment, reason=f"cancelled by a person{why}")


def lifted(known: Known) -> Decision | None:
    """End a ban whose cycles are over and judged, or one of the scheduler's own that a completion speaks against.

    The frame must pass the fence of the campaign, as people's words do: somebody may lift the ban at this very moment.
    """
    if known.ledger.unjudged:
        return None
    for ban in known.ledger.bans.values():
        if ban.refuted is not None:
            cause, reason = known.ledger.experiments[ban.refuted].ended, f"{ban.refuted}, which it describes, completed"
        elif ban.until is not None and known.ledger.asked >= ban.until:
            cause, reason = ban.declared, "the cycles that it was declared for are over"
        else:
            continue
        return Decision("campaign", "bans", (BanLifted(cause=cause, ban=ban.ban, reason=reason),), under="campaign")
    return None


def _revoked(known: Known, name: str, said: Position) -> Decision:
    pack, experiments, ledger = known.fleet.packs[name], known.ledger.experiments, known.ledger
    ends: list[Fact] = [given_up(experiments[one], ledger.cancelled[one]) for one in pack.waiting]
    revoked = LeaseRevoked(cause=said, pack=name, worker=pack.worker, reason="cancelled")
    return Decision("pack", name, (revoked, *ends), lease=name)
