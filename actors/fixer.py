"""The fixer: says what broke a run and puts a typed remedy in place; what follows is the scheduler's."""

from __future__ import annotations

from actors.orders import Extract, Extracted
from actors.remedies import Remedy, remedy
from actors.role import Decision, Known, News
from events.envelope import Fact
from events.facts import (
    DiagnosisMade,
    FeaturesExtracted,
    IdeaProposed,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
)
from replay.ledger import Experiment
from replay.repairs import Repair


class Fixer:
    """See the module.

    Args:
        timeout: seconds that the campaign allows an attempt at first.
    """

    author = "fixer"

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Finish the repair that is being put in place, or take up the oldest failure without one."""
        for repair in known.repairs.with_status("proposed"):
            if (decision := self._finish(repair, news)) is not None:
                return decision
        for experiment in known.ledger.standing("failed"):
            if known.repairs.of(experiment.experiment, _attempt(experiment)) is None:
                return self._repair(known, experiment)
        return None

    def _repair(self, known: Known, experiment: Experiment) -> Decision | None:
        failed, space = experiment.attempts[-1], known.ledger.space
        kind = failed.failure
        if space is None or kind is None or kind == "lost" or kind == "retired":  # noqa: PLR1714 # so the type narrows
            return None
        configuration = known.ledger.configuration(experiment.experiment)
        chosen = remedy(space, configuration, failed, timeout=self._timeout)
        name = f"r-{len(known.repairs.repairs) + 1}"
        child = f"i-{name}" if chosen.configuration is not None else None
        facts: list[Fact] = [
            DiagnosisMade(
                repair=name,
                experiment=experiment.experiment,
                attempt=failed.attempt,
                kind=kind,
                diagnosis=chosen.diagnosis,
            ),
            RemedyProposed(
                repair=name,
                experiment=experiment.experiment,
                remedy=chosen.kind,
                execution=chosen.execution,
                child=child,
            ),
        ]
        if chosen.kind == "extract":
            order = Extract(id=name, backbone=str(configuration["backbone"]))
            return Decision("repair", name, tuple(facts), orders=(order,))
        if child is not None:
            facts.append(_child(child, chosen, experiment))
        facts.append(RemedyApplied(repair=name, experiment=experiment.experiment))
        return Decision("repair", name, tuple(facts))

    def _finish(self, repair: Repair, news: News) -> Decision | None:
        result = news.results.get(repair.repair)
        if isinstance(result, Extracted):
            facts: tuple[Fact, ...] = (
                FeaturesExtracted(
                    cause=repair.spoken,
                    backbone=result.backbone,
                    digest=result.digest,
                    clips=result.clips,
                    width=result.width,
                    reused=result.reused,
                    seconds=result.seconds,
                ),
                RemedyApplied(cause=repair.spoken, repair=repair.repair, experiment=repair.experiment),
            )
        elif repair.repair in news.underway and not news.leaving:
            return None
        else:
            reason = getattr(result, "reason", "interrupted before it was in place")
            facts = (
                RemedyRefused(cause=repair.spoken, repair=repair.repair, experiment=repair.experiment, reason=reason),
            )
        return Decision("repair", repair.repair, facts, settles=(repair.repair,))


def _attempt(experiment: Experiment) -> int:
    return experiment.attempts[-1].attempt


def _child(name: str, chosen: Remedy, experiment: Experiment) -> IdeaProposed:
    return IdeaProposed(
        idea=name,
        agent="fixer",
        configuration=chosen.configuration or {},
        rationale=chosen.diagnosis,
        origin="fixer",
        parents=(experiment.idea,),
        priority=1.0,
    )
