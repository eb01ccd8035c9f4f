"""The worker: one device; starts the packs that it is given and says how their runs ended."""

from __future__ import annotations

from actors.benches import verifying
from actors.judgement import adoption
from actors.orders import Breakdown, Run, Score, Train, Trained
from actors.role import Decision, Known, News
from events.blobs import Blobs
from events.envelope import Fact, Position
from events.facts import Completed, Curves, Failed, Started, WorkerJoined, WorkerRetired
from replay.fleet import Pack
from replay.fleet import Worker as Device
from replay.ledger import Experiment, Ledger

CHAMPIONS = 10
"""Weights are kept of a run that would be among so many best by validation."""


class Worker:
    """See the module.

    Args:
        author: its name on the log, fresh for each process, such as `worker-cpu0-7f3a`.
        platform: what may move a result's last bits.
        instrument: digest of all that gives a number its meaning, as the bench reports it.
        blobs: where long traces lie.
        vetted: whether it has the canaries of its instrument run when it joins.
        life: the log's last sequence when this process began, where others of the same name may have gone before it;
            0 for a name that is fresh.
    """

    def __init__(
        self,
        author: str,
        *,
        device: str,
        lanes: int,
        platform: dict[str, str],
        instrument: str,
        blobs: Blobs,
        vetted: bool = False,
        life: int = 0,
    ) -> None:
        self.author = author
        self._device = device
        self._lanes = lanes
        self._platform = platform
        self._instrument = instrument
        self._blobs = blobs
        self._vetted = vetted
        self._life = life

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Join; start the pack that it holds; record its end; or leave when there will be no more."""
        if not known.ledger.campaign:
            return None
        me = known.fleet.workers.get(self.author)
        if me is None:
            return self._looked_into(known, self._join(known.ledger.opening))
        if me.status != "joined" or self._precedes(me):
            return self._looked_into(known, self._comes_back(known, me, news))
        pack = known.fleet.packs[me.pack] if me.pack is not None else None
        if pack is not None and pack.started and not news.leaving:
            return self._end(known, pack, news)
        defect = verifying.discovered(known, me) if self._vetted and pack is None else None
        return defect or self._goes_on(known, me, pack, news)

    def _goes_on(self, known: Known, me: Device, pack: Pack | None, news: News) -> Decision | None:
        if news.stopping or (known.ledger.closed is not None and pack is None):
            return Decision("worker", self.author, (self._retired(known, news),))
        return self._start(known, pack) if pack is not None else self._idle(known, me, news)

    def _idle(self, known: Known, me: Device, news: News) -> Decision | None:
        """Move to what is adopted, or say what the canaries saw."""
        return adoption.moves(known, me, news) or (verifying.verdict(known, me, news) if self._vetted else None)

    def obsolete(self, known: Known, underway: frozenset[str]) -> frozenset[str]:
        """Return the packs that are being trained and were taken back: nobody waits for their ends."""
        packs = known.fleet.packs
        return frozenset(name for name in underway if name in packs and packs[name].revoked)

    def _looked_into(self, known: Known, decision: Decision | None) -> Decision | None:
        """Let the canaries follow a word that joins."""
        joined = decision.facts[0] if decision is not None else None
        if decision is None or not self._vetted or not isinstance(joined, WorkerJoined):
            return decision
        return decision._replace(orders=verifying.vetting(known, self.author, joined.instrument, joined.platform))

    def _comes_back(self, known: Known, me: Device, news: News) -> Decision | None:
        """Join once more, when what it held is taken back."""
        if me.status == "joined":
            return self._succeeded(me)
        return None if me.pack is not None else adoption.arrives(known, me, news) or self._return(known, me, news)

    def _return(self, known: Known, me: Device, news: News) -> Decision | None:
        """Join again when it was thought lost, or another process of its name went before it: the work may be somebody
        else's by now.
        """
        if news.stopping or known.ledger.closed is not None:
            return None
        if self._precedes(me):
            return self._join(me.changed)
        if me.status == "lost":
            return self._join(me.changed, me.instrument)
        return self._join(me.changed) if self._life and known.repairs.adopted is None else None

    def _precedes(self, me: Device) -> bool:
        """Say whether the log's last word of this worker is of a process that went before this one."""
        return me.changed is not None and me.changed.sequence <= self._life

    def _succeeded(self, me: Device) -> Decision:
        """Retire in the name of a process that left no word, so that what it held is taken back at once."""
        retired = WorkerRetired(cause=me.changed, worker=self.author, reason="another process of its name follows it")
        return Decision("worker", self.author, (retired,))

    def _retired(self, known: Known, news: News) -> WorkerRetired:
        """Say why it leaves; a person's stop is not on the log, so that its word then has no cause."""
        if news.stopping:
            return WorkerRetired(worker=self.author, reason="asked to stop")
        return WorkerRetired(cause=known.ledger.closing, worker=self.author, reason="the campaign is closed")

    def _join(self, cause: Position | None, instrument: str | None = None) -> Decision:
        joined = WorkerJoined(
            cause=cause,
            worker=self.author,
            device=self._device,
            lanes=self._lanes,
            platform=self._platform,
            instrument=instrument or self._instrument,
        )
        return Decision("worker", self.author, (joined,))

    def _start(self, known: Known, pack: Pack) -> Decision:
        runs = tuple(
            Run(
                experiment=name,
                attempt=attempt,
                lane=lane,
                configuration=known.ledger.configuration(name),
                seed=pack.seeds[name],
            )
            for lane, (name, attempt) in enumerate(pack.waiting.items())
        )
        order = Train(id=pack.pack, runs=runs, execution=pack.execution, keep_from=_champions(known.ledger))
        facts = tuple(self._started(known, run, pack) for run in runs)
        return Decision("pack", pack.pack, facts, (order,), lease=pack.pack)

    def _started(self, known: Known, run: Run, pack: Pack) -> Started:
        me = known.fleet.workers[self.author]
        return Started(
            cause=known.ledger.experiments[run.experiment].moved,
            experiment=run.experiment,
            attempt=run.attempt,
            pack=pack.pack,
            lane=run.lane,
            worker=self.author,
            seed=run.seed,
            instrument=me.instrument,
            platform=dict(me.platform),
        )

    def _end(self, known: Known, pack: Pack, news: News) -> Decision | None:
        result = news.results.get(pack.pack)
        if isinstance(result, Trained):
            ends = {end.experiment: end for end in result.ends}
        elif pack.pack in news.underway:
            return None
        else:
            ends = {}
        why = getattr(result, "reason", "its bench left no word")
        experiments = known.ledger.experiments
        facts = tuple(self._ended(experiments[name], pack, ends.get(name), why) for name in pack.waiting)
        return Decision("pack", pack.pack, facts, settles=(pack.pack,), lease=pack.pack)

    def _ended(self, experiment: Experiment, pack: Pack, end: Score | Breakdown | None, why: str) -> Fact:
        name, attempt = experiment.experiment, pack.waiting[experiment.experiment]
        if isinstance(end, Score):
            return Completed(
                cause=experiment.moved,
                experiment=name,
                attempt=attempt,
                validation=end.validation,
                test=end.test,
                noise=end.noise,
                epoch=end.epoch,
                curves=Curves(loss=end.loss, validation=end.curve, learning_rate=end.learning_rate),
                gpu_seconds=end.gpu_seconds,
                peak_memory=end.peak_memory,
                checkpoint=end.checkpoint,
                leads=end.leads,
            )
        broken = end or Breakdown(experiment=name, kind="crashed", step=0, trace=why, gpu_seconds=0.0)
        return Failed(
            cause=experiment.moved,
            experiment=name,
            attempt=attempt,
            kind=broken.kind,
            step=broken.step,
            trace=self._blobs.keep(broken.trace),
            gpu_seconds=broken.gpu_seconds,
        )


def _champions(ledger: Ledger) -> float:
    return ledger.foremost[-CHAMPIONS][0] if len(ledger.foremost) >= CHAMPIONS else 0.0
