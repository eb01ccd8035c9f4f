"""Who may write what: an author's role is the first word of its name, and each role has its own types."""

from __future__ import annotations

from functools import lru_cache

from events import facts
from events.envelope import Fact
from events.errors import AuthorForbidden

WRITES: dict[str, tuple[type[Fact], ...]] = {
    "person": (
        facts.CampaignOpened,
        facts.FeaturesExtracted,
        facts.FilesShared,
        facts.CampaignPaused,
        facts.CampaignResumed,
        facts.CampaignReopened,
        facts.Boosted,
        facts.Cancelled,
        facts.Banned,
        facts.BanLifted,
        facts.DefectFound,
        facts.DefectFixed,
        facts.RunCompared,
        facts.SeedsRepeated,
        facts.PatchAdopted,
        facts.StudyImported,
        facts.TrialImported,
    ),
    "supervisor": (facts.RoleFailed, facts.RoleRestarted),
    "agent": (facts.AgentJoined, facts.CycleStarted, facts.AnswerReceived, facts.AnswerRefused, facts.IdeaProposed),
    "scheduler": (
        facts.IdeaDeclined,
        facts.Queued,
        facts.Assigned,
        facts.LeaseRevoked,
        facts.Requeued,
        facts.Abandoned,
        facts.WorkerLost,
        facts.CampaignClosed,
        facts.SpaceWidened,
        facts.Banned,
        facts.BanLifted,
        facts.EraOpened,
    ),
    "worker": (
        facts.WorkerJoined,
        facts.WorkerRetired,
        facts.Started,
        facts.Completed,
        facts.Failed,
        facts.InstrumentVerified,
        facts.InstrumentRefused,
        facts.DefectFound,
    ),
    "fixer": (
        facts.DiagnosisMade,
        facts.RemedyProposed,
        facts.RemedyApplied,
        facts.RemedyRefused,
        facts.IdeaProposed,
        facts.FeaturesExtracted,
        facts.AgentJoined,
        facts.CycleStarted,
        facts.AnswerReceived,
        facts.AnswerRefused,
        facts.PatchAdopted,
        facts.InstrumentVerified,
    ),
    "analyst": (
        facts.MetricsMeasured,
        facts.ControlMeasured,
        facts.LogSealed,
        facts.RepeatsBegun,
        facts.SeedsRepeated,
        facts.RepeatsForgone,
        facts.DefectFound,
    ),
}


def role_of(author: str) -> str:
    """Return an author's role: `agent-tpe` and `worker-cpu0-7f3a` are an agent and a worker."""
    return author.partition("-")[0]


def check(author: str, frame: tuple[Fact, ...], *, sequence: int = 0) -> None:
    """Let the author's own types pass.

    Raises:
        AuthorForbidden: it holds a type that is not the author's role's to write.
    """
    allowed = _allowed(author)
    if not allowed.issuperset(map(type, frame)):
        kind = next(type(fact) for fact in frame if type(fact) not in allowed)
        raise AuthorForbidden(author, kind.__name__, sequence=sequence)


@lru_cache(maxsize=4096)
def _allowed(author: str) -> frozenset[type[Fact]]:
    return frozenset(WRITES.get(role_of(author), ()))
