"""Campaigns whose instrument changes, told verb by verb: eras, defects and what was made again."""

from __future__ import annotations

import msgspec

from events import facts, subjects
from events.envelope import Fact
from replay.folds import run
from replay.ledger import Ledger, LedgerFold
from tests.chronicle import Chronicle

PARTS = {"source/pooling.py": "aaaa", "split": "bbbb"}


class Shifting(Chronicle):
    """A chronicle in which runs start under `instrument`, which a test changes."""

    def __init__(self, instrument: str = "first", *, repeats: int | None = None) -> None:
        super().__init__()
        self.instrument = instrument
        self.opened(repeats=repeats)

    def says(self, author: str, aggregate: subjects.Aggregate, identity: str, *said: Fact, cause: str = "") -> int:
        named = (
            msgspec.structs.replace(fact, instrument=self.instrument)
            if isinstance(fact, facts.Started | facts.WorkerJoined)
            else fact
            for fact in said
        )
        return super().says(author, aggregate, identity, *named, cause=cause)

    def done(self, validation: float, *, agent: str = "tpe", parent: str = "", origin: str = "agent", **changes) -> str:
        """Propose, queue and run; returns the experiment. `parent` is an idea."""
        (idea,) = self.cycle(agent, changes, parents=(parent,) if parent else (), origin=origin)
        experiment = self.queues(idea)
        self.runs(experiment, validation=validation)
        return experiment

    def era(self, number: int, reason: str = "a fix") -> int:
        """The scheduler opens an era for the instrument."""
        opened = facts.EraOpened(era=number, instrument=self.instrument, reason=reason)
        return self.says("scheduler", "campaign", "era", opened)

    def verified(self, **parts: str) -> int:
        """A worker says that every canary held for the instrument."""
        canary = facts.Canary(name="dimension", subject="pooling", seen=0.3, allowed=0.0)
        verdict = facts.InstrumentVerified(
            instrument=self.instrument, parts=PARTS | parts, canaries=(canary,), seconds=2.0
        )
        return self.says("worker-cpu0-a", "worker", "worker-cpu0-a", verdict)

    def defect(self, where: str, *, since: int | None = None, name: str = "d-1") -> int:
        """A person finds a defect of pooling."""
        found = facts.DefectFound(defect=name, component="pooling", where=where, reason="it reads padding", since=since)
        return self.says("person-test", "defect", name, found)

    def fix(self, name: str = "d-1") -> int:
        """A person says that the instrument is without it."""
        return self.says("person-test", "defect", name, facts.DefectFixed(defect=name, instrument=self.instrument))

    def again(self, experiment: str, validation: float) -> int:
        """A person made a run again, under the instrument."""
        compared = facts.RunCompared(
            experiment=experiment,
            attempt=1,
            verdict="different",
            recorded=0.5,
            validation=validation,
            tolerance=0.0,
            instrument=self.instrument,
            platform={},
        )
        return self.says("person-test", "analysis", "rerun", compared)

    @property
    def ledger(self) -> Ledger:
        """The whole log, folded."""
        return run(self.log, LedgerFold())[0]
