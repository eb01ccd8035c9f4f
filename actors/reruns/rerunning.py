"""The same run again: its instrument found, its seed and execution kept, its result held against the record.

On an equal platform (kind of device, lanes, versions, loops) every number must be the same bit for bit. On another one
training is chaotic: validation AP may differ as it does between seeds, so that a rerun within `TOLERANCE` times the
recorded bootstrap noise is called close, and says no more than that.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from actors.benches.child import Child
from actors.errors import CampaignError
from actors.orders import Breakdown, Described, Epoch, Progress, Refused, Result, Run, Score, Train, Trained
from actors.reruns import rebuilding, repeating
from events import campaigns
from events.declarations import Act, Declaration
from events.envelope import Text
from events.facts import RunCompared, SeedsRepeated
from events.folder import Campaign as Folder
from events.knowing import Known
from replay.entries import Attempt, Outcome
from replay.folds import run as fold
from replay.instruments import DIGITS, Instrument, InstrumentsFold
from replay.ledger import Ledger, LedgerFold
from replay.repairs import Repairs, RepairsFold

TOLERANCE = 3.0
"""Bootstrap standard deviations of the recorded validation AP that a rerun on another platform may be away."""

PATIENCE = 4.0
"""Times the recorded time-out that a rerun is given: its machine may be slower."""

ALL_WEIGHTS, NO_WEIGHTS = 0.0, 2.0
"""Validation AP from which weights are kept: of every run, and of none."""

Verdict = Literal["equal", "close", "different"]
Under = Literal["recorded", "nearest", "current"]
Hear = Callable[[Epoch | Progress], None]


class Recorded(NamedTuple):
    """What a log says that a rerun needs."""

    folder: Folder
    ledger: Ledger
    repairs: Repairs
    instruments: dict[str, Instrument]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A rerun beside its record.

    Attributes:
        tolerance: AP; 0 where the instrument and the platform are the recorded ones.
        platform: of the rerun; `moved` names what of it is another than the recorded, in words.
        differing: parts of the instrument that are others than the recorded, in words.
        unequal: what is not the same, bit for bit, by name.
    """

    experiment: str
    attempt: int
    verdict: Verdict
    tolerance: float
    record: Outcome
    again: Score
    instrument: str
    platform: dict[str, str]
    moved: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()


class CannotRebuild(CampaignError):
    """The instrument of a run is not here.

    Attributes:
        differing: what is missing or different, one part each.
    """

    def __init__(self, experiment: str, differing: tuple[str, ...]) -> None:
        super().__init__(
            f"the instrument of {experiment} cannot be rebuilt here: {'; '.join(differing)}; "
            f"myriad rerun --anyway runs it under what is here, and compares the two"
        )
        self.differing = differing


def recorded(reference: str, home: Path) -> Recorded:
    """Return what the log of a campaign on this machine says.

    Raises:
        CampaignError: the campaign has no folder here, where clips and features lie.
    """
    folder = campaigns.find(reference, home).folder
    if folder is None:
        raise CampaignError(f"{reference} is no campaign's folder on this machine, and clips lie nowhere else")
    log = campaigns.open(folder.path)
    try:
        ledger, repairs, instruments = fold(log, LedgerFold(), RepairsFold(), InstrumentsFold())
    finally:
        log.close()
    return Recorded(folder, ledger, repairs, instruments.all)


def rerun(
    known: Recorded, name: str, hear: Hear, *, under: Under = "recorded", device: str | None = None
) -> Comparison:
    """Train a completed experiment again and compare.

    Args:
        under: the recorded instrument, which may be gone; what is installed where it is (nearest); or what everybody
            trains with now (current).
        device: to train on; None for the recorded kind.

    Raises:
        CannotRebuild: the recorded instrument is not here.
        CampaignError: there is no such result, or the rerun broke.
    """
    attempt, outcome = _result(known, name)
    with _bench(known, name, hear, under=under, device=device) as (child, described, differing):
        score = _trained(child, known, name, attempt.seed, keep=outcome.checkpoint is not None)
    return compared(name, attempt, outcome, again=score, described=described, differing=differing)


def repeat(known: Recorded, name: str, hear: Hear, *, many: int, device: str | None = None) -> SeedsRepeated | None:
    """Train a completed experiment under other seeds, until `many` are known; None where they are already.

    Raises:
        CannotRebuild: the recorded instrument is not here.
        CampaignError: there is no such result, or a run broke.
    """
    _result(known, name)
    seeds = repeating.seeds(known.ledger, name, many)
    if not seeds:
        return None
    with _bench(known, name, hear, under="recorded", device=device) as (child, described, _):
        scores = [_trained(child, known, name, seed, keep=False) for seed in seeds]
    return SeedsRepeated(
        experiment=name,
        seeds=tuple(seeds),
        validation=tuple(score.validation for score in scores),
        instrument=described.instrument,
        platform=described.platform,
        gpu_seconds=sum(score.gpu_seconds for score in scores),
    )


@contextlib.contextmanager
def _bench(
    known: Recorded, name: str, hear: Hear, *, under: Under, device: str | None
) -> Iterator[tuple[Child, Described, tuple[str, ...]]]:
    """Yield a bench with the instrument of a run, what it says of itself, and how it differs from the recorded one."""
    attempt, _ = _result(known, name)
    campaign = rebuilding.campaign_of(known.folder)
    today = rebuilding.installed(campaign, known.folder)
    wanted = known.instruments.get(str(attempt.instrument)) or _unverified(attempt)
    if under == "current":
        found = rebuilding.current(known.folder, known.repairs, wanted.instrument, digest=today.digest)
    else:
        found = rebuilding.rebuilt(
            campaign, known.folder, wanted, known.repairs, today=today.parts, digest=today.digest
        )
    if found.differing and under == "recorded":
        raise CannotRebuild(name, found.differing)
    with tempfile.TemporaryDirectory(prefix="myriad-rerun-") as place:
        told = rebuilding.setup(campaign, known.folder, device=device or _device(attempt), checkpoints=Path(place))
        child = Child(told, Path(place) / "rerun.err", hear, place=lambda: (found.copy, found.limits))
        try:
            yield child, _described(child, found), found.differing
        finally:
            child.close()


def compared(
    name: str, attempt: Attempt, record: Outcome, *, again: Score, described: Described, differing: tuple[str, ...] = ()
) -> Comparison:
    """Hold a rerun against its record: bit for bit where nothing may differ, else within the tolerance."""
    names = sorted({*described.platform, *attempt.platform})
    moved = tuple(
        f"{key} was {attempt.platform.get(key, 'unknown')}, is {described.platform.get(key, 'unknown')}"
        for key in names
        if described.platform.get(key) != attempt.platform.get(key)
    )
    unequal = tuple(what for what, (was, now) in _numbers(record, again).items() if was != now)
    tolerance = TOLERANCE * (record.noise or 0.0) if moved or differing else 0.0
    close = bool(moved or differing) and abs(again.validation - record.validation) <= tolerance
    return Comparison(
        experiment=name,
        attempt=attempt.attempt,
        verdict="equal" if not unequal else "close" if close else "different",
        tolerance=tolerance,
        record=record,
        again=again,
        instrument=described.instrument,
        platform=described.platform,
        moved=moved,
        differing=differing,
        unequal=unequal,
    )


def told(fact: RunCompared | SeedsRepeated) -> Declaration:
    """Return what puts a rerun on the log, in a person's name."""

    def decide(known: Known) -> Act:
        return Act(aggregate="analysis", identity="rerun", fact=fact)

    return decide


def fact_of(comparison: Comparison, sentence: str) -> RunCompared:
    """Return a comparison as a fact, with a sentence about it."""
    return RunCompared(
        experiment=comparison.experiment,
        attempt=comparison.attempt,
        verdict=comparison.verdict,
        recorded=comparison.record.validation,
        validation=comparison.again.validation,
        tolerance=comparison.tolerance,
        instrument=comparison.instrument,
        platform=comparison.platform,
        curve=comparison.again.curve,
        note=Text(head=sentence, length=len(sentence)),
        gpu_seconds=comparison.again.gpu_seconds,
    )


def _result(known: Recorded, name: str) -> tuple[Attempt, Outcome]:
    experiment = known.ledger.experiments.get(name)
    if experiment is None or experiment.outcome is None:
        state = "is not on the log" if experiment is None else f"is {experiment.status}"
        raise CampaignError(f"{name} {state} of {known.folder.name}: only a completed experiment can be compared")
    return experiment.attempts[-1], experiment.outcome


def _unverified(attempt: Attempt) -> Instrument:
    from events.envelope import Position  # noqa: PLC0415 # only an instrument that the log never describes needs one

    return Instrument(instrument=str(attempt.instrument), told=Position(0), at=0)


def _device(attempt: Attempt) -> str:
    return "cpu" if attempt.platform.get("device", "cpu") == "cpu" else "cuda:0"


def _described(child: Child, found: rebuilding.Rebuilt) -> Described:
    described = child.describe()
    if not isinstance(described, Described):
        raise CampaignError(f"the instrument cannot be rebuilt: {described.reason}")
    if described.instrument != found.instrument:
        here, wanted = described.instrument[:DIGITS], found.instrument[:DIGITS]
        raise CampaignError(f"the bench trains with instrument {here}, not with {wanted}: kernels/ changed just now")
    return described


def _trained(child: Child, known: Recorded, name: str, seed: int, *, keep: bool) -> Score:
    attempt = known.ledger.experiments[name].attempts[-1]
    again = Run(name, attempt.attempt, attempt.lane, known.ledger.configuration(name), seed)
    execution = attempt.execution
    order = Train(id="rerun", runs=(again,), execution=execution, keep_from=ALL_WEIGHTS if keep else NO_WEIGHTS)
    answer: Result = child.ask(order, PATIENCE * execution.timeout)
    end = answer.ends[0] if isinstance(answer, Trained) else answer
    if not isinstance(end, Score):
        why = end.trace if isinstance(end, Breakdown) else end.reason if isinstance(end, Refused) else "no answer"
        raise CampaignError(f"the rerun of {name} broke, where the record has a result: {why.strip()[-500:]}")
    return end


def _numbers(record: Outcome, again: Score) -> dict[str, tuple[object, object]]:
    numbers: dict[str, tuple[object, object]] = {
        "validation": (record.validation, again.validation),
        "test": (record.test, again.test),
        "noise": (record.noise, again.noise),
        "epoch": (record.epoch, again.epoch),
        "validation curve": (record.curves.validation, again.curve),
        "loss curve": (record.curves.loss, again.loss),
        "learning rates": (record.curves.learning_rate, again.learning_rate),
    }
    if record.checkpoint is not None:
        numbers["weights"] = (record.checkpoint, again.checkpoint)
    return numbers
