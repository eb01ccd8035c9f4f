"""The vocabulary: every kind of fact that a campaign's log may hold, past tense and immutable.

A type's tag is a word that we chose, never an import path. A new field has a default; a changed meaning is a new tag
and an entry in `events.upcasters`.
"""

from events.envelope import Fact, Position, Text
from events.facts.analysis import ControlMeasured, LogSealed, MetricsMeasured
from events.facts.campaign import CampaignClosed, CampaignOpened, FeaturesExtracted, RoleFailed, RoleRestarted
from events.facts.experiments import (
    Abandoned,
    Assigned,
    Completed,
    Curves,
    Execution,
    Failed,
    FailureKind,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.facts.ideas import (
    AgentJoined,
    AnswerReceived,
    AnswerRefused,
    CycleStarted,
    IdeaDeclined,
    IdeaProposed,
    RefusalKind,
)
from events.facts.repairs import DiagnosisMade, RemedyApplied, RemedyProposed, RemedyRefused
from events.facts.workers import WorkerJoined, WorkerLost, WorkerRetired

__all__ = [
    "Abandoned",
    "AgentJoined",
    "AnswerReceived",
    "AnswerRefused",
    "Assigned",
    "CampaignClosed",
    "CampaignOpened",
    "Completed",
    "ControlMeasured",
    "Curves",
    "CycleStarted",
    "DiagnosisMade",
    "Execution",
    "Fact",
    "Failed",
    "FailureKind",
    "FeaturesExtracted",
    "IdeaDeclined",
    "IdeaProposed",
    "LeaseRevoked",
    "LogSealed",
    "MetricsMeasured",
    "Position",
    "Queued",
    "RefusalKind",
    "RemedyApplied",
    "RemedyProposed",
    "RemedyRefused",
    "Requeued",
    "RoleFailed",
    "RoleRestarted",
    "Started",
    "Text",
    "WorkerJoined",
    "WorkerLost",
    "WorkerRetired",
]
