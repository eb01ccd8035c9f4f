"""The worker: one device; starts the packs that it is given and says how their runs ended."""

from __future__ import annotations

from actors.orders import Breakdown, Run, Score, Train, Trained
from actors.role import Decision, Known, News
from events.blobs import Blobs
from events.envelope import Fact
from events.facts import Completed, Curves, Failed, Started, WorkerJoined, WorkerRetired
from replay.fleet import Pack
from replay.fleet import Worker as Device
from replay.ledger import Ledger

CHAMPIONS = 10
"""Weights are kept of a run that would be among so many best by validation."""


class Worker:
    """See the module.

    Args:
        author: its name on the log, fresh for each process, such as `worker-cpu0-7f3a`.
        platform: what may move a result's last bits.
        instrument: digest of all that gives a number its meaning, as the bench reports it.
        blobs: where long traces lie.
    """

    def __init__(
        self, author: str, *, device: str, lanes: int, platform: dict[str, str], instrument: str, blobs: Blobs
    ) -> None:
        self.author = author
        self._device = device
        self._lanes = lanes
        self._platform = platform
        self._instrument = instrument
        self._blobs = blobs

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Join; start the pack that it holds; record its end; or leave when there will be no more."""
        if not known.ledger.campaign:
            return None
        me = known.fleet.workers.get(self.author)
        if me is None:
            return self._join()
        if me.status != "joined":
            return self._return(known, me, news)
        pack = known.fleet.packs[me.pack] if me.pack is not None else None
        if pack is not None and pack.started and not news.leaving:
            return self._end(pack, news)
        if news.stopping or (known.ledger.closed is not None and pack is None):
            reason = "asked to stop" if news.stopping else "the campaign is closed"
            return Decision("worker", self.author, (WorkerRetired(worker=self.author, reason=reason),))
        return self._start(known, pack) if pack is not None else None

    def _return(self, known: Known, me: Device, news: News) -> Decision | None:
        """Join again when it was thought lost, once its lease is taken back: the work may be somebody else's by now."""
        welcome = not news.stopping and known.ledger.closed is None
        return self._join() if me.status == "lost" and me.pack is None and welcome else None

    def _join(self) -> Decision:
        joined = WorkerJoined(
            worker=self.author,
            device=self._device,
            lanes=self._lanes,
            platform=self._platform,
            instrument=self._instrument,
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
        return Decision("pack", pack.pack, tuple(self._started(run, pack) for run in runs), (order,), lease=pack.pack)

    def _started(self, run: Run, pack: Pack) -> Started:
        return Started(
            experiment=run.experiment,
            attempt=run.attempt,
            pack=pack.pack,
            lane=run.lane,
            worker=self.author,
            seed=run.seed,
            instrument=self._instrument,
            platform=self._platform,
        )

    def _end(self, pack: Pack, news: News) -> Decision | None:
        result = news.results.get(pack.pack)
        if isinstance(result, Trained):
            ends = {end.experiment: end for end in result.ends}
        elif pack.pack in news.underway:
            return None
        else:
            ends = {}
        why = getattr(result, "reason", "its bench left no word")
        facts = tuple(self._ended(pack, name, ends.get(name), why) for name in pack.waiting)
        return Decision("pack", pack.pack, facts, settles=(pack.pack,), lease=pack.pack)

    def _ended(self, pack: Pack, name: str, end: Score | Breakdown | None, why: str) -> Fact:
        attempt = pack.waiting[name]
        if isinstance(end, Score):
            return Completed(
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
            )
        broken = end or Breakdown(experiment=name, kind="crashed", step=0, trace=why, gpu_seconds=0.0)
        return Failed(
            experiment=name,
            attempt=attempt,
            kind=broken.kind,
            step=broken.step,
            trace=self._blobs.keep(broken.trace),
            gpu_seconds=broken.gpu_seconds,
        )


def _champions(ledger: Ledger) -> float:
    return ledger.ranked[-CHAMPIONS] if len(ledger.ranked) >= CHAMPIONS else 0.0
