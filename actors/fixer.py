"""The fixer: says what broke a run and puts a remedy in place, typed or a model's; what follows is the scheduler's."""

from __future__ import annotations

from actors.orders import Extract, Extracted
from actors.repair.attention import Attentive
from actors.repair.mechanic import Mechanic
from actors.repair.patches import ROOM
from actors.repair.remedies import Remedy, remedy
from actors.role import Decision, News
from events.envelope import Fact
from events.facts import (
    DiagnosisMade,
    FailureKind,
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
        mechanic: asks a model about crashes in what trains; None leaves them to chance, as all other crashes.
    """

    author = "fixer"

    def __init__(self, *, timeout: float, mechanic: Mechanic | None = None) -> None:
        self._timeout = timeout
        self._mechanic = mechanic

    def initial(self) -> Attentive:
        """Return what it knows before the first fact."""
        return Attentive()

    def decide(self, known: Attentive, now: int, news: News) -> Decision | None:
        """Finish the repair that is being put in place, go on with the mechanic's, or take up a failure without one."""
        for repair in known.repairs.with_status("proposed"):
            if repair.site is None and (decision := self._finish(repair, news)) is not None:
                return decision
        if (decision := self._mend(known, now, news)) is not None:
            return decision
        for experiment in known.ledger.standing("failed"):
            if known.repairs.of(experiment.experiment, _attempt(experiment)) is None:
                return self._repair(known, experiment)
        return None

    def _mend(self, known: Attentive, now: int, news: News) -> Decision | None:
        """Go on with the mechanic's oldest repair; those behind it may need no model of their own by then."""
        repairs = known.repairs.with_status("diagnosed", "proposed")
        mine = next((repair for repair in repairs if repair.site is not None), None)
        if mine is None or self._mechanic is None:
            return None
        if mine.status == "proposed":
            return self._mechanic.finishes(mine, news)
        return self._mechanic.goes_on(known, mine, now, news)

    def _repair(self, known: Attentive, experiment: Experiment) -> Decision | None:
        failed, space = experiment.attempts[-1], known.ledger.space
        kind = failed.failure
        if space is None or kind is None or kind == "lost" or kind == "retired" or kind == "cancelled":  # noqa: PLR1714 # so the type narrows
            return None
        name = f"r-{len(known.repairs.repairs) + 1}"
        if (site := self._site(known, experiment)) is not None:
            crashed = f"crashed in {ROOM}/{site}"
            return Decision("repair", name, (_diagnosis(name, experiment, kind, crashed, site=site),))
        configuration = known.ledger.configuration(experiment.experiment)
        chosen = remedy(space, configuration, failed, timeout=self._timeout)
        child = f"i-{name}" if chosen.configuration is not None else None
        facts: list[Fact] = [
            _diagnosis(name, experiment, kind, chosen.diagnosis),
            RemedyProposed(
                cause=experiment.moved,
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
        facts.append(RemedyApplied(cause=experiment.moved, repair=name, experiment=experiment.experiment))
        return Decision("repair", name, tuple(facts))

    def _site(self, known: Attentive, experiment: Experiment) -> str | None:
        if self._mechanic is None or experiment.attempts[-1].failure != "crashed":
            return None
        return self._mechanic.site(known, experiment.experiment)

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


def _diagnosis(
    name: str, experiment: Experiment, kind: FailureKind, words: str, *, site: str | None = None
) -> DiagnosisMade:
    return DiagnosisMade(
        cause=experiment.moved,
        repair=name,
        experiment=experiment.experiment,
        attempt=_attempt(experiment),
        kind=kind,
        diagnosis=words,
        site=site,
    )


def _child(name: str, chosen: Remedy, experiment: Experiment) -> IdeaProposed:
    return IdeaProposed(
        cause=experiment.moved,
        idea=name,
        agent="fixer",
        configuration=chosen.configuration or {},
        rationale=chosen.diagnosis,
        origin="fixer",
        parents=(experiment.idea,),
        priority=1.0,
    )
