"""Facts in a line of words, for the stream of the latest; what a type has to say first comes first."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Any, TypeVar

import msgspec

from events import facts
from events.envelope import Fact, Position
from replay.pages.tables import measured

F = TypeVar("F", bound=Fact)

WORDS: dict[type[Fact], Callable[[Any], str]] = {}
"""What each type says; one that is not here is told by its fields."""


def _says(kind: type[F], words: Callable[[F], str]) -> None:
    WORDS[kind] = words


_says(facts.CampaignOpened, lambda f: f"{f.campaign}, space {f.space.name}, seed {f.seed}")
_says(facts.CampaignClosed, lambda f: f.reason)
_says(facts.FeaturesExtracted, lambda f: f"{f.backbone}: {f.clips} clips x {f.width} in {f.seconds:.1f} s")
_says(facts.RoleFailed, lambda f: f"{f.role}: {f.error}")
_says(facts.RoleRestarted, lambda f: f"{f.role}, restart {f.restart}")
_says(facts.AgentJoined, lambda f: f"{f.agent}, policy {f.policy}")
_says(facts.CycleStarted, lambda f: f"{f.cycle} of {f.agent}, reserves {f.reserve_usd:.2f} USD")
_says(facts.AnswerReceived, lambda f: f"{f.cycle} from {f.model}: {f.usd:.2f} USD, {f.seconds:.1f} s")
_says(facts.AnswerRefused, lambda f: f"{f.cycle}: {f.reason}")
_says(facts.IdeaProposed, lambda f: f"{f.idea} by {f.agent} ({f.origin}): {f.rationale}")
_says(facts.IdeaDeclined, lambda f: f"{f.idea} {f.reason}: {f.rule}")
_says(facts.Queued, lambda f: f"{f.experiment} priority {f.priority:.3f}")
_says(facts.Assigned, lambda f: f"{f.experiment} to {f.worker}, {f.pack} lane {f.lane}, attempt {f.attempt}")
_says(facts.LeaseRevoked, lambda f: f"{f.pack} of {f.worker}: {f.reason}")
_says(facts.Started, lambda f: f"{f.experiment} on {f.worker}, seed {f.seed}")
_says(
    facts.Completed, lambda f: f"{f.experiment} AP {f.validation:.4f} +- {measured(f.noise)} in {f.gpu_seconds:.1f} s"
)
_says(facts.Failed, lambda f: f"{f.experiment} {f.kind} at step {f.step}, attempt {f.attempt}")
_says(facts.Requeued, lambda f: f"{f.experiment} attempt {f.attempt}: {f.reason}")
_says(facts.Abandoned, lambda f: f"{f.experiment}: {f.reason}")
_says(facts.WorkerJoined, lambda f: f"{f.worker}, {f.device}, {f.lanes} lane{'s' * (f.lanes != 1)}")
_says(facts.WorkerLost, lambda f: f"{f.worker}, silent for {f.silence:.0f} s")
_says(facts.WorkerRetired, lambda f: f"{f.worker}: {f.reason}")
_says(facts.DiagnosisMade, lambda f: f"{f.experiment}: {f.diagnosis}")
_says(facts.RemedyProposed, lambda f: f"{f.experiment}: {f.remedy}")
_says(facts.RemedyApplied, lambda f: f.experiment)
_says(facts.RemedyRefused, lambda f: f"{f.experiment}: {f.reason}")
_says(facts.MetricsMeasured, lambda f: f"through {f.through}, digest {f.digest[:12]}")
_says(facts.ControlMeasured, lambda f: f"{f.control} AP {f.validation:.4f} +- {f.noise:.4f} beside {f.experiment}")
_says(facts.LogSealed, lambda f: f"through {f.through}, digest {f.digest[:12]}")
_says(facts.CampaignPaused, lambda f: f.reason)
_says(facts.CampaignResumed, lambda f: f.reason)
_says(facts.CampaignReopened, lambda f: f.reason)
_says(facts.SpaceWidened, lambda f: f"{f.dimension} may be {f.value}, by {f.proposer}: {f.reason}")
_says(facts.Boosted, lambda f: f"{f.experiment} by {f.by:+g}: {f.reason}")
_says(facts.Cancelled, lambda f: f"{f.experiment}: {f.reason}")
_says(facts.Banned, lambda f: f"{f.ban} {f.where}: {f.reason}")
_says(facts.BanLifted, lambda f: f"{f.ban}: {f.reason}")
_says(facts.InstrumentVerified, lambda f: f"{f.instrument[:12]}, {len(f.canaries)} canaries in {f.seconds:.1f} s")
_says(facts.InstrumentRefused, lambda f: f"{f.instrument[:12]}: {f.reason}")
_says(facts.EraOpened, lambda f: f"era {f.era}, {f.instrument[:12]}: {f.reason}")
_says(facts.DefectFound, lambda f: f"{f.defect} {f.component}, {f.where}: {f.reason}")
_says(facts.DefectFixed, lambda f: f"{f.defect} by {f.instrument[:12]}: {f.reason}")
_says(facts.RunCompared, lambda f: f"{f.experiment} {f.verdict}: recorded {f.recorded:.4f}, again {f.validation:.4f}")
_says(facts.RepeatsBegun, lambda f: f"{f.experiment} under {len(f.seeds)} other seeds, {f.timeout:.0f} s each at most")
_says(facts.SeedsRepeated, lambda f: f"{f.experiment} again: AP {', '.join(f'{ap:.4f}' for ap in f.validation)}")
_says(facts.RepeatsForgone, lambda f: f"{f.experiment} stays a candidate: {f.reason}")
_says(facts.PatchAdopted, lambda f: f"{f.patch} makes {f.instrument[:12]}: {f.reason}")


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
    """Say a fact in a line; one that has no words of its own here is told by its fields."""
    words = plain(WORDS.get(type(fact), _fields)(fact))
    return Line(position=str(position), at=fact.at, author=author, type=type(fact).__name__, words=words)


def _fields(fact: Fact) -> str:
    own = (name for name in fact.__struct_fields__ if name not in Fact.__struct_fields__)
    told = {name: getattr(fact, name) for name in own}
    return ", ".join(f"{name} {value}" for name, value in told.items() if isinstance(value, str | int | float))


def plain(text: str) -> str:
    """Return a text on one line and without control characters: facts may quote models, and models may say anything."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def laid(text: str, width: int) -> list[str]:
    """Return a text of several lines, each wrapped to a width, with the spaces that it is laid out with.

    A blank at the front keeps a line that begins with a hash from being taken for a heading of ours.
    """
    return [f" {line}" for raw in text.splitlines() for line in wrap(_printable(raw), max(1, width - 1)) or [""]]


def _printable(line: str) -> str:
    """Keep spaces, and nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in line.expandtabs(4))
