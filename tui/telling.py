"""Facts in a line of words, for the stream of the latest; what a type has to say first comes first."""

from __future__ import annotations

import msgspec

from events import facts
from events.envelope import Fact, Position

WORDS: dict[type[Fact], str] = {
    facts.CampaignOpened: "{0.campaign}, space {0.space.name}, seed {0.seed}",
    facts.CampaignClosed: "{0.reason}",
    facts.FeaturesExtracted: "{0.backbone}: {0.clips} clips x {0.width} in {0.seconds:.1f} s",
    facts.RoleFailed: "{0.role}: {0.error}",
    facts.RoleRestarted: "{0.role}, restart {0.restart}",
    facts.AgentJoined: "{0.agent}, policy {0.policy}",
    facts.CycleStarted: "{0.cycle} of {0.agent}, reserves {0.reserve_usd:.2f} USD",
    facts.AnswerReceived: "{0.cycle} from {0.model}: {0.usd:.2f} USD, {0.seconds:.1f} s",
    facts.AnswerRefused: "{0.cycle}: {0.reason}",
    facts.IdeaProposed: "{0.idea} by {0.agent} ({0.origin}): {0.rationale}",
    facts.IdeaDeclined: "{0.idea} {0.reason}: {0.rule}",
    facts.Queued: "{0.experiment} priority {0.priority:.2f}: {0.why}",
    facts.Assigned: "{0.experiment} to {0.worker}, {0.pack} lane {0.lane}, attempt {0.attempt}",
    facts.LeaseRevoked: "{0.pack} of {0.worker}: {0.reason}",
    facts.Started: "{0.experiment} on {0.worker}, seed {0.seed}",
    facts.Completed: "{0.experiment} AP {0.validation:.4f} +- {0.noise:.3f}, epoch {0.epoch}, {0.gpu_seconds:.1f} s",
    facts.Failed: "{0.experiment} {0.kind} at step {0.step}, attempt {0.attempt}",
    facts.Requeued: "{0.experiment} attempt {0.attempt}: {0.reason}",
    facts.Abandoned: "{0.experiment}: {0.reason}",
    facts.WorkerJoined: "{0.worker}, {0.device}, {0.lanes} lanes",
    facts.WorkerLost: "{0.worker}, silent for {0.silence:.0f} s",
    facts.WorkerRetired: "{0.worker}: {0.reason}",
    facts.DiagnosisMade: "{0.experiment} {0.kind}: {0.diagnosis}",
    facts.RemedyProposed: "{0.experiment}: {0.remedy}",
    facts.RemedyApplied: "{0.experiment}",
    facts.RemedyRefused: "{0.experiment}: {0.reason}",
    facts.MetricsMeasured: "through {0.through}, digest {0.digest:.12}",
    facts.ControlMeasured: "{0.control} AP {0.validation:.4f} +- {0.noise:.3f} beside {0.experiment}",
    facts.LogSealed: "through {0.through}, digest {0.digest:.12}",
}

TROUBLE = (
    facts.Failed,
    facts.LeaseRevoked,
    facts.WorkerLost,
    facts.RoleFailed,
    facts.RoleRestarted,
    facts.AnswerRefused,
    facts.DiagnosisMade,
    facts.RemedyProposed,
    facts.RemedyApplied,
    facts.RemedyRefused,
    facts.Requeued,
    facts.Abandoned,
)
"""What is shown under failures and repairs, besides passing through the stream."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One fact as the stream shows it.

    Attributes:
        at: the author's clock, microseconds since 1970 UTC.
    """

    position: str
    at: int
    author: str
    type: str
    words: str


def line(position: Position, author: str, fact: Fact) -> Line:
    """Say a fact in a line; one without words of its own says its type alone."""
    words = WORDS.get(type(fact), "").format(fact)
    return Line(position=str(position), at=fact.at, author=author, type=type(fact).__name__, words=plain(words))


def plain(text: str) -> str:
    """Return a text on one line and without control characters: facts may quote models, and models may say anything."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
