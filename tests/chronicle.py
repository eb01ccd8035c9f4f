"""Writes a log in words, for tests: each verb appends what the real roles would, stamped, caused and authored alike.

    c = Chronicle()                                   # a campaign over two backbones and the paper's other dimensions
    c.opened()
    idea = c.proposes("tpe", backbone="motion")       # a cycle of one idea; c.cycle("tpe", {...}, {...}) for several
    experiment = c.queues(idea)                       # or c.declines(idea, "twin", twin="i-1")
    c.runs(experiment, on="worker-cpu0-a", validation=0.8)     # assigns, starts, completes

    c.assigns(experiment); c.starts(experiment); c.fails(experiment, "diverged"); c.requeues(experiment)
    c.says("scheduler", "campaign", "c", SomeFact(...))        # any other frame

`c.log` is the MemoryLog; `c.instrument` measures the next runs. Ids count up by kind (i-1, e-1, p-1, c-1, r-1);
authors are `agent-NAME`, `scheduler`, the worker's own name, `fixer`, `analyst`, `supervisor`, `person-test`. Time is
virtual: a second a frame; `c.waits(60)`.
Every frame has folded all before it (`through`), and its facts name the fact that they answer (`cause`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

from events import facts, subjects
from events.envelope import Fact, Position, Text
from events.log import Frame
from events.memory import MemoryLog
from events.space import Choice, Configuration, Interval, Space, Value, is_active
from events.spaces import PAPER, over

SPACE = over(("appearance", "motion"), tuple(str(value) for value in PAPER.choices[1].values))
PLATFORM = {"device": "cpu", "lanes": "1", "torch": "2.11.0"}
INSTRUMENT = "instrument-1"
START = 1_750_000_000_000_000


class Chronicle:
    """A campaign told verb by verb; verbs return the id of what they made."""

    def __init__(self, campaign: str = "tale", *, space: Space = SPACE) -> None:
        self.log = MemoryLog(campaign)
        self.space = space
        self.instrument = INSTRUMENT
        self.at = START
        self._counters: Counter[str] = Counter()
        self._causes: dict[str, Position] = {}
        self._leases: dict[str, facts.Assigned] = {}
        self._attempts: Counter[str] = Counter()
        self._sources: dict[str, tuple[subjects.Aggregate, str]] = {}
        self._present: set[str] = set()

    def says(self, author: str, aggregate: subjects.Aggregate, identity: str, *said: Fact, cause: str = "") -> int:
        """Append any frame; `cause` names an idea, experiment or cycle. Returns the sequence."""
        self.at += 1_000_000
        because = self._causes.get(cause)
        through = self.log.last()
        stamped = tuple(
            msgspec.structs.replace(fact, at=self.at, cause=fact.cause or because, through=fact.through or through)
            for fact in said
        )
        subject = subjects.subject(self.log.campaign, aggregate, identity, author)
        return self.log.append(Frame(subject, f"{author}:{self._next(author)}", stamped)).sequence

    def waits(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.at += int(seconds * 1e6)

    def opened(self, *, seed: int = 0, repeats: int | None = None) -> None:
        """A person opens the campaign, which repeats its leaders under so many other seeds."""
        file = Text(head="name = 'tale'", length=13)
        opened = facts.CampaignOpened(
            campaign=self.log.campaign, file=file, space=self.space, seed=seed, repeats=repeats
        )
        self.says("person-test", "campaign", "opening", opened)

    def closes(self, reason: str = "the budget is spent") -> None:
        """The scheduler ends the search."""
        self.says("scheduler", "campaign", "closing", facts.CampaignClosed(reason=reason))

    def joins(self, agent: str, policy: str = "uniform") -> None:
        """An agent takes part; one that starts a cycle without a word joins by itself."""
        self._present.add(agent)
        self.says(f"agent-{agent}", "campaign", agent, facts.AgentJoined(agent=agent, policy=policy))

    def worker_joins(self, worker: str = "worker-cpu0-a") -> None:
        """A device takes work; one that is given work without a word joins by itself."""
        self._present.add(worker)
        joined = facts.WorkerJoined(worker=worker, device="cpu", lanes=1, platform=PLATFORM, instrument=INSTRUMENT)
        self.says(worker, "worker", worker, joined)

    def configuration(self, **changes: Value) -> Configuration:
        """A point of the space: first values and middles, with changes; what the changes make inactive goes."""
        point: Configuration = {d.name: d.values[0] for d in self.space.dimensions if isinstance(d, Choice)}
        point |= changes
        for dimension in self.space.dimensions:
            if isinstance(dimension, Interval) and is_active(dimension, point):
                point.setdefault(dimension.name, dimension.at(0.5))
        return self.space.normal(point)

    def proposes(self, agent: str, **changes: Value) -> str:
        """An agent's cycle of one idea."""
        return self.cycle(agent, changes)[0]

    def cycle(
        self,
        agent: str,
        *ideas: dict[str, Value],
        origin: Literal["agent", "sweep"] = "agent",
        parents: tuple[str, ...] = (),
        usd: float = 0.0,
        sections: tuple[str, ...] | None = None,
    ) -> list[str]:
        """An agent starts a cycle, is answered, and proposes one idea for each mapping of changes.

        With `sections` it was sent a briefing of these.
        """
        if agent not in self._present:
            self.joins(agent)
        cycle, author = self._name("c"), f"agent-{agent}"
        started = facts.CycleStarted(cycle=cycle, agent=agent, key=1)
        if sections is not None:
            started = msgspec.structs.replace(started, prompt=Text(head="a briefing"), sections=sections)
        intent = self.says(author, "cycle", cycle, started)
        self._causes[cycle] = Position(intent)
        model = agent if sections is None else "a model"
        answer = facts.AnswerReceived(cycle=cycle, text=Text(head="ideas: ..."), model=model, usd=usd)
        names = [self._name("i") for _ in ideas]
        proposed = tuple(
            self._idea(name, agent, self.configuration(**changes), origin, parents)
            for name, changes in zip(names, ideas, strict=True)
        )
        sequence = self.says(author, "cycle", cycle, answer, *proposed, cause=cycle)
        for index, name in enumerate(names, start=1):
            self._causes[name], self._sources[name] = Position(sequence, index), ("cycle", cycle)
        return names

    def mends(self, experiment: str, *, parent: str, **changes: Value) -> str:
        """The fixer proposes a child of a failed run's idea."""
        repair, name = self._name("r"), self._name("i")
        idea = self._idea(name, "fixer", self.configuration(**changes), "fixer", (parent,))
        sequence = self.says("fixer", "repair", repair, idea, cause=experiment)
        self._causes[name], self._sources[name] = Position(sequence), ("repair", repair)
        return name

    def declines(
        self,
        idea: str,
        reason: Literal["twin", "invalid", "banned", "budget"] = "twin",
        *,
        twin: str | None = None,
    ) -> None:
        """The scheduler will not run an idea."""
        declined = facts.IdeaDeclined(idea=idea, reason=reason, rule=f"{reason}: a rule", twin=twin)
        self._judges(idea, declined)

    def queues(self, idea: str, *, priority: float = 0.5) -> str:
        """The scheduler accepts an idea; returns the experiment."""
        experiment = self._name("e")
        queued = facts.Queued(experiment=experiment, idea=idea, priority=priority, terms={"wish": 0.5})
        self._causes[experiment] = Position(self._judges(idea, queued))
        return experiment

    def assigns(
        self,
        experiment: str,
        *,
        on: str = "worker-cpu0-a",
        attempt: int | None = None,
        execution: facts.Execution | None = None,
    ) -> str:
        """The scheduler leases an experiment to a worker; returns the pack."""
        if on not in self._present:
            self.worker_joins(on)
        pack = self._name("p")
        self._attempts[experiment] = attempt or self._attempts[experiment] + 1
        lease = facts.Assigned(
            experiment=experiment,
            attempt=self._attempts[experiment],
            pack=pack,
            lane=0,
            worker=on,
            seed=7,
            execution=execution or facts.Execution(),
        )
        self._leases[experiment] = lease
        sequence = self.says("scheduler", "pack", pack, lease, cause=experiment)
        self._causes[experiment] = Position(sequence)
        return pack

    def lease(self, experiment: str) -> facts.Assigned:
        """Return the latest lease of an experiment."""
        return self._leases[experiment]

    def starts(self, experiment: str, *, by: str | None = None) -> None:
        """The worker begins; `by` lets another worker say so."""
        lease = self._leases[experiment]
        started = facts.Started(
            experiment=experiment,
            attempt=lease.attempt,
            pack=lease.pack,
            lane=lease.lane,
            worker=lease.worker,
            seed=lease.seed,
            instrument=self.instrument,
            platform=PLATFORM,
        )
        self.says(by or lease.worker, "pack", lease.pack, started, cause=experiment)

    def completes(self, experiment: str, *, by: str | None = None, **fields: Any) -> None:
        """The worker has a result; fields as in Completed, the test value a little below validation's."""
        lease = self._leases[experiment]
        validation = fields.pop("validation", 0.5)
        known: dict[str, Any] = {
            "test": validation * 0.95,
            "noise": 0.03,
            "epoch": 2,
            "curves": facts.Curves(loss=(0.7, 0.5), validation=(validation * 0.9, validation)),
            "gpu_seconds": 10.0,
            "peak_memory": 2**20,
        }
        completed = facts.Completed(
            experiment=experiment, attempt=lease.attempt, validation=validation, **(known | fields)
        )
        self.says(by or lease.worker, "pack", lease.pack, completed, cause=experiment)

    def runs(self, experiment: str, *, on: str = "worker-cpu0-a", **fields: Any) -> None:
        """Lease, start and completion; fields as in `completes`."""
        self.assigns(experiment, on=on)
        self.starts(experiment)
        self.completes(experiment, **fields)

    def fails(self, experiment: str, kind: facts.FailureKind = "diverged", *, gpu_seconds: float = 3.0) -> None:
        """The worker's run ends without a result."""
        lease = self._leases[experiment]
        failed = facts.Failed(
            experiment=experiment,
            attempt=lease.attempt,
            kind=kind,
            step=141,
            trace=Text(head="a trace"),
            gpu_seconds=gpu_seconds,
        )
        self.says(lease.worker, "pack", lease.pack, failed, cause=experiment)

    def loses(self, worker: str, *, silence: float = 30.0) -> None:
        """The scheduler heard nothing of a worker, and says so."""
        self.says("scheduler", "worker", worker, facts.WorkerLost(worker=worker, silence=silence))

    def revokes(self, experiment: str, reason: Literal["lost", "retired"] = "lost") -> None:
        """The scheduler ends an experiment's lease."""
        lease = self._leases[experiment]
        revoked = facts.LeaseRevoked(pack=lease.pack, worker=lease.worker, reason=reason)
        self.says("scheduler", "pack", lease.pack, revoked, cause=experiment)

    def requeues(self, experiment: str, *, reason: str = "again", **execution: Any) -> None:
        """The scheduler will run it again, perhaps in another execution."""
        again = facts.Requeued(
            experiment=experiment,
            attempt=self._attempts[experiment] + 1,
            reason=reason,
            execution=facts.Execution(**execution),
        )
        self.says("scheduler", "pack", self._leases[experiment].pack, again, cause=experiment)

    def abandons(self, experiment: str, reason: str = "tried enough") -> None:
        """The scheduler gives an experiment up."""
        abandoned = facts.Abandoned(experiment=experiment, reason=reason)
        self.says("scheduler", "campaign", experiment, abandoned, cause=experiment)

    def repairs(self, experiment: str, remedy: Literal["micro_batches", "patience", "retry", "none"] = "retry") -> str:
        """The fixer diagnoses a failed run, proposes a remedy and has it in place; returns the repair."""
        repair = self._name("r")
        diagnosis = facts.DiagnosisMade(
            repair=repair,
            experiment=experiment,
            attempt=self._attempts[experiment],
            kind="diverged",
            diagnosis="it diverged",
        )
        proposed = facts.RemedyProposed(repair=repair, experiment=experiment, remedy=remedy)
        self.says("fixer", "repair", repair, diagnosis, proposed, cause=experiment)
        self.says("fixer", "repair", repair, facts.RemedyApplied(repair=repair, experiment=experiment))
        return repair

    def measures(self, digest: str, *, through: int | None = None, **values: float | int | str | None) -> None:
        """The analyst measured the search, by default through the last frame."""
        fact = facts.MetricsMeasured(values=values, digest=digest, through=through or self.log.last())
        self.says("analyst", "analysis", "metrics", fact)

    def seals(self, digest: str, *, through: int | None = None) -> None:
        """The analyst seals the log, by default through the last frame."""
        self.says("analyst", "analysis", "seal", facts.LogSealed(digest=digest, through=through or self.log.last()))

    def _judges(self, idea: str, verdict: Fact) -> int:
        aggregate, identity = self._sources[idea]
        return self.says("scheduler", aggregate, identity, verdict, cause=idea)

    def _idea(
        self,
        name: str,
        agent: str,
        configuration: Configuration,
        origin: Literal["agent", "sweep", "fixer"],
        parents: tuple[str, ...],
    ) -> facts.IdeaProposed:
        return facts.IdeaProposed(
            idea=name,
            agent=agent,
            configuration=configuration,
            rationale="worth a try",
            origin=origin,
            parents=parents,
        )

    def _name(self, kind: str) -> str:
        return f"{kind}-{self._next(kind)}"

    def _next(self, kind: str) -> int:
        self._counters[kind] += 1
        return self._counters[kind]
