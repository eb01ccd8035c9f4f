"""The mechanic: what the fixer does about a crash in what trains: a model's patch, tried before anybody uses it.

All that is decided here follows from the log, and from the sources that are installed.
"""

from __future__ import annotations

from actors.judgement import budgets
from actors.judgement.budgets import Budget
from actors.orders import Run, Tried, Try
from actors.policies.mending import Mended
from actors.policies.prices import Price
from actors.repair import patches
from actors.repair.attention import Attentive
from actors.repair.consulting import Consultant
from actors.repair.fixing import Fixing
from actors.repair.patches import PatchRefused
from actors.repair.workshop import Workshop
from actors.role import Decision, News
from events.blobs import Blobs
from events.envelope import Fact
from events.facts import InstrumentVerified, PatchAdopted, RemedyApplied, RemedyProposed, RemedyRefused
from replay.cycles import Cycle
from replay.repairs import Patch, Repair

INTERRUPTED = "interrupted before its trial ended"
"""Why a trial has no verdict: the process ended, or a person would not wait."""

TRIALS = 3
"""Trials of one patch that may be interrupted before it is taken for the reason."""


class Mechanic:
    """See the module.

    Args:
        price: of the model that is asked.
        usd: US dollars that the whole campaign may spend, None for no limit of its own.
        blobs: where traces, prompts, answers and diffs lie, whole.
        workshop: whose copies patches are made upon.
        budget: of the campaign, whose device time a trial takes.
    """

    def __init__(
        self,
        fixing: Fixing,
        price: Price,
        *,
        usd: float | None,
        blobs: Blobs,
        workshop: Workshop,
        budget: Budget | None = None,
    ) -> None:
        self._consultant = Consultant(fixing, price, usd=usd, blobs=blobs, workshop=workshop)
        self._budget = budget or Budget()
        self._adopts = fixing.adopt == "auto"
        self._blobs = blobs

    def site(self, known: Attentive, experiment: str) -> str | None:
        """Return where in what trains an experiment's last attempt crashed, None where it did so elsewhere."""
        return self._consultant.site(known, experiment)

    def goes_on(self, known: Attentive, repair: Repair, now: int, news: News) -> Decision | None:
        """Take the next step of a repair that is diagnosed, or None while there is something to wait for."""
        if (cycle := self._consultant.open(known, repair)) is not None:
            return self._listens(known, repair, cycle, now, news)
        if news.stopping or _is_mended(known, repair):
            return self._again(repair)
        if (short := self._short(known, now)) is not None:
            return Decision("repair", repair.repair, (_refused(repair, short),))
        if (patch := _at_hand(known, repair)) is not None:
            return self._tries(known, repair, patch)
        if (why := self._consultant.declines(known, repair)) is not None:
            return Decision("repair", repair.repair, (_refused(repair, why),))
        return self._consultant.asks(known, repair, now)

    def finishes(self, repair: Repair, news: News) -> Decision | None:
        """Record what came of a patch's trial, or None while it goes on."""
        result = news.results.get(repair.repair)
        if result is None and repair.repair in news.underway and not news.leaving:
            return None
        if isinstance(result, Tried) and result.problem is None:
            facts = self._held(repair, result)
        elif isinstance(result, Tried):
            facts = (_refused(repair, str(result.problem), again=True, seconds=result.seconds),)
        else:
            facts = (_refused(repair, getattr(result, "reason", INTERRUPTED), again=True),)
        return Decision("repair", repair.repair, facts, settles=(repair.repair,))

    def _held(self, repair: Repair, result: Tried) -> tuple[Fact, ...]:
        applied = RemedyApplied(
            cause=repair.spoken,
            repair=repair.repair,
            experiment=repair.experiment,
            instrument=result.instrument,
            canaries=len(result.verified.canaries) if result.verified is not None else 0,
            validation=result.validation,
            seconds=result.seconds,
        )
        if not self._adopts or repair.patch is None or result.instrument is None:
            return (applied,)
        reason = f"it held in its trial for {repair.repair}, and fixer.adopt is auto"
        adopted = PatchAdopted(cause=repair.spoken, patch=repair.patch, instrument=result.instrument, reason=reason)
        return (applied, adopted, *_verified(repair, result))

    def _short(self, known: Attentive, now: int) -> str | None:
        """Say that no trial has room in the device time, or None.

        The scheduler may be leasing packs at this moment, of which nobody here can know: one to each idle worker, and
        one to a worker that just became idle. They have room beside a trial.
        """
        budget = self._budget
        if budgets.left(budget, known.ledger, now) < budgets.trial(budget):
            return f"budget.hours = {budget.hours:g} has no room for the trial of a patch"
        present = known.fleet.present()
        packs = min(len(present), 1 + sum(worker.pack is None for worker in present))
        lanes = packs * max((worker.lanes for worker in present), default=1)
        needed = budgets.trial(budget) + lanes * budgets.PATIENCE * budget.timeout
        used = budgets.used(budget, known.ledger, known.repairs) + budgets.kept_back(budget, known.ledger)
        if budget.gpu_hours is not None and used + needed > budget.gpu_hours * 3600:
            return f"budget.gpu_hours = {budget.gpu_hours:g} has no room for the trial of a patch"
        return None

    def _listens(self, known: Attentive, repair: Repair, cycle: Cycle, now: int, news: News) -> Decision | None:
        if (heard := self._consultant.heard(cycle, news)) is None:
            return None
        settles = (cycle.cycle,)
        if heard.mended is None:
            return Decision("repair", repair.repair, (heard.fact,), settles=settles)
        if (short := self._short(known, now)) is not None:
            return Decision("repair", repair.repair, (heard.fact, _refused(repair, short)), settles=settles)
        patch = self._read(known, repair, heard.mended)
        if isinstance(patch, str):
            useless = (heard.fact, _refused(repair, patch, again=True))
            return Decision("repair", repair.repair, useless, settles=settles)
        order = _trial(known, repair, patch, str(heard.mended.diff))
        facts = (heard.fact, _proposed(repair, patch))
        return Decision("repair", repair.repair, facts, orders=(order,), settles=settles)

    def _read(self, known: Attentive, repair: Repair, mended: Mended) -> Patch | str:
        """Return the patch that an answer holds, or why it holds none that can be tried."""
        if mended.diff is None:
            return str(mended.problem)
        base = known.repairs.adopted
        name = patches.digest(mended.diff, base)
        if (known_as := known.repairs.patches.get(name)) is not None and known_as.reasons:
            return f"this very diff was refused before: {known_as.reasons[-1]}"
        try:
            changes = patches.parse(mended.diff)
        except PatchRefused as error:
            return str(error)
        return Patch(
            patch=name,
            repair=repair.repair,
            site=repair.site,
            base=base,
            diff=self._blobs.keep(mended.diff),
            files=tuple(change.path for change in changes),
            explanation=self._blobs.keep(mended.explanation),
        )

    def _tries(self, known: Attentive, repair: Repair, patch: Patch) -> Decision:
        order = _trial(known, repair, patch, self._blobs.whole(patch.diff))
        return Decision("repair", repair.repair, (_proposed(repair, patch),), orders=(order,))

    def _again(self, repair: Repair) -> Decision:
        """Let the scheduler run it again as it is: on an adopted copy, or after a stop, when it comes back here."""
        proposed = RemedyProposed(
            cause=repair.spoken, repair=repair.repair, experiment=repair.experiment, remedy="retry"
        )
        applied = RemedyApplied(cause=repair.spoken, repair=repair.repair, experiment=repair.experiment)
        return Decision("repair", repair.repair, (proposed, applied))


def _verified(repair: Repair, result: Tried) -> tuple[Fact, ...]:
    """Return what the canaries saw, of an instrument that will train from here on: nobody needs to run them again."""
    seen = result.verified
    if seen is None:
        return ()
    names = ("instrument", "parts", "canaries", "seconds", "platform")
    return (InstrumentVerified(cause=repair.spoken, **{name: getattr(seen, name) for name in names}),)


def _is_mended(known: Attentive, repair: Repair) -> bool:
    """Say whether the attempt ran under another instrument than that of an adopted patch for what broke it."""
    adopted = known.repairs.adopted
    if adopted is None or known.repairs.patches[adopted].site != repair.site:
        return False
    return known.ledger.experiments[repair.experiment].attempts[-1].instrument != known.repairs.instrument


def _at_hand(known: Attentive, repair: Repair) -> Patch | None:
    """Return a patch for the site that held for another run, or whose trial had no verdict."""
    for patch in reversed(known.repairs.tried(repair.site or "")):
        unjudged = all(reason == INTERRUPTED for reason in patch.reasons) and len(patch.reasons) < TRIALS
        held = patch.instrument is not None and (repair.patch != patch.patch or repair.reason == INTERRUPTED)
        if patch.base == known.repairs.adopted and (held or (unjudged and patch.instrument is None)):
            return patch
    return None


def _refused(repair: Repair, reason: str, *, again: bool = False, seconds: float = 0.0) -> RemedyRefused:
    return RemedyRefused(
        cause=repair.spoken,
        repair=repair.repair,
        experiment=repair.experiment,
        reason=reason,
        again=again,
        seconds=seconds,
    )


def _proposed(repair: Repair, patch: Patch) -> RemedyProposed:
    return RemedyProposed(
        cause=repair.spoken,
        repair=repair.repair,
        experiment=repair.experiment,
        remedy="patch",
        patch=patch.patch,
        base=patch.base,
        diff=patch.diff,
        files=patch.files,
        explanation=patch.explanation,
    )


def _trial(known: Attentive, repair: Repair, patch: Patch, diff: str) -> Try:
    attempt = known.ledger.experiments[repair.experiment].attempts[-1]
    configuration = known.ledger.configuration(repair.experiment)
    return Try(
        id=repair.repair,
        patch=patch.patch,
        base=patch.base,
        diff=diff,
        run=Run(repair.experiment, attempt.attempt, 0, configuration, attempt.seed),
        execution=attempt.execution,
        device=known.fleet.workers[attempt.worker].device,
        checked=patch.instrument is not None,
    )
