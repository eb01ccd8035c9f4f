"""The runner: carries one campaign from its file to its end, or to the point where a person stopped it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Literal, NamedTuple, Protocol

import msgspec

from actors import tasks
from actors.analyst import Measured
from actors.benches.child import Child
from actors.campaign import Campaign
from actors.errors import BenchBroken, CampaignError
from actors.feed import Feed
from actors.hosts.sharing import Sharing
from actors.orders import Epoch, Prepared, Progress, Refused
from actors.pen import wall_clock
from actors.running import benches, opening
from actors.running.crew import Crew, measures_controls
from actors.running.hosting import HERE, Hosting
from actors.running.voices import Choir
from actors.shell import Reference, tell
from actors.supervisor import Make, Supervisor, stop_everybody
from actors.vitals import Ear, Heart
from events import folder as folders
from events.archives import settling
from events.archives.archivist import Archivist
from events.blobs import Blobs
from events.errors import LogError
from events.facts import FeaturesExtracted
from events.wire import holding, jetstream
from events.wire.jetstream import JetStreamLog

GRACE = 10.0
"""Seconds that running packs are given after a person asked to stop; a second request leaves them at once."""

PREPARATION = 86_400.0
"""Seconds that clips and features may take."""

LOOK = 0.2
"""Seconds between two looks at the state of things."""

OFFICES = ("supervisor", "scheduler", "fixer", "analyst")
"""Authors of which a campaign has one."""

Ending = Literal["closed", "stopped"]
Request = Literal["stopping", "leaving"]


class View(NamedTuple):
    """What a display may show of a running campaign."""

    campaign: Campaign
    known: Measured
    epochs: dict[str, Epoch]
    request: Request | None


class Display(Protocol):
    """Shows a person what is happening."""

    def progress(self, progress: Progress) -> None:
        """Show how far a preparation is."""

    def say(self, sentence: str) -> None:
        """Show a sentence that stays."""

    def show(self, view: View) -> None:
        """Show the campaign as it stands; called several times a second."""


class Runner:
    """Runs one campaign in this process.

    Args:
        hosting: where its log is held, and for whom.
    """

    def __init__(
        self,
        campaign: Campaign,
        text: str,
        folder: folders.Campaign,
        display: Display,
        *,
        hosting: Hosting = HERE,
    ) -> None:
        self._campaign = campaign
        self._text = text
        self._folder = folder
        self._display = display
        self._hosting = hosting
        self._workers = _worker_names(campaign)
        self._requests = 0
        self._called: Request | None = None
        self._archived = False
        self._begun = 0
        self._rebudgeted: str | None = None
        self._lost: Exception | None = None

    def run(self) -> Ending:
        """Run to the end and return which it was.

        Raises:
            CampaignError, LogError: what ended it early; everything acknowledged is on the log.
        """
        self._rebudgeted = opening.claim(self._folder, self._campaign, self._text)
        with self._heeding_signals():
            try:
                with (
                    self._hosting.served(self._folder, self._authors, self._display.say) as users,
                    jetstream.connect(users["person"], self._campaign.name) as log,
                    self._alone(log),
                    self._followed(log) as feed,
                    Choir(log, users) as voices,
                ):
                    return self._carry(log, feed, voices)
            finally:
                if self._archived and self._hosting.connect is None:
                    settling.remember(self._folder)

    def stop(self) -> None:
        """Ask for a clean end, from any thread or signal; asked twice, running packs are left at once."""
        self._requests += 1

    @property
    def _authors(self) -> tuple[str, ...]:
        """Everybody who speaks in this run but the person."""
        return (*(f"agent-{plan.name}" for plan in self._campaign.agent), *OFFICES, *self._workers)

    def _alone(self, log: JetStreamLog) -> contextlib.AbstractContextManager[None]:
        """Keep every other run of the campaign away; on a server of our own its locked store does."""
        if self._hosting.connect is None:
            return contextlib.nullcontext()
        return holding.held(log.connection, self._campaign.name)

    @contextlib.contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, lambda *_: self.stop()) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    @contextlib.contextmanager
    def _followed(self, log: JetStreamLog) -> Iterator[Feed]:
        feed, archivist = Feed(log), Archivist(log, self._folder, failed=self._give_up)
        feed.start()
        archivist.start()
        try:
            yield feed
        except BaseException:
            # What went wrong is told; that the archive lags behind is mended by whoever opens it next.
            with contextlib.suppress(LogError, OSError):
                archivist.stop()
                self._archived = True
            raise
        else:
            archivist.stop()
            self._archived = True
        finally:
            feed.stop()

    def _carry(self, log: JetStreamLog, feed: Feed, voices: Choir) -> Ending:
        known = Measured()
        feed.wait_for(log.last())
        known.advance(feed.since(0))
        if self._rebudgeted is not None and known.measurement.ledger.reopening is None:
            raise CampaignError(self._rebudgeted)
        if known.measurement.ledger.closed is not None and known.sealed and not self._lacks(known):
            return "closed"
        self._begun = log.last()
        blobs = Blobs(self._folder.blobs)
        crew = Crew(self._campaign, self._folder, voices, feed, pulse=lambda pulse: self._hear(voices, pulse))
        person = opening.Person(log, feed, blobs)
        if not known.measurement.ledger.campaign:
            person.opens(self._campaign, self._text)
        if self._rebudgeted is not None:
            person.goes_on(self._campaign, self._text, known.measurement.ledger.reopening)
            opening.keep(self._folder, self._text)
        try:
            name, device = next(iter(self._workers.items()), ("description", "cpu"))
            first = crew.child(name, device)
            if (prepared := self._prepare(first)) is None:
                return "stopped"
            known.advance(feed.since(known.measurement.through))
            person.extracted(prepared.features, _extracted(feed), known.measurement.ledger.opening)
            if not (_found(prepared) and first.alive):
                first.close()
                first = crew.child(name, device)  # who made clips and features holds memory for them
            workers, ready = benches.workers(self._workers, first, crew)
            sharing = Sharing(self._campaign, self._folder, log, feed, blobs, open_=self._hosting.shares)
            if (shared := sharing.share(ready.instrument, self._display.progress)) is not None:
                person.shares(shared, known.measurement.ledger.opening)
            with sharing:
                return self._work(voices, feed, crew, known, workers=workers, sharing=sharing)
        finally:
            crew.close()

    def _prepare(self, child: Child) -> Prepared | None:
        order = tasks.prepare(self._campaign.task, processes=os.cpu_count() or 1)
        with ThreadPoolExecutor(1, thread_name_prefix="preparation") as pool:
            asked = pool.submit(child.ask, order, PREPARATION)
            while not wait((asked,), timeout=LOOK).done:
                if self._requests or self._lost is not None:
                    child.close()
        self._raise_lost()
        answer = asked.result() if asked.exception() is None else asked.exception()
        if self._requests and isinstance(answer, BenchBroken):
            return None
        if not isinstance(answer, Prepared):
            raise CampaignError(f"clips and features could not be made: {_reason(answer)}; run it again to resume")
        for sentence in tasks.prepared(self._campaign.task, answer, opening.task_folder(self._folder)):
            self._display.say(sentence)
        for made in answer.features:
            how = "reused" if made.reused else f"extracted in {made.seconds:.1f} s"
            self._display.say(f"features: {made.backbone}, {made.clips} clips, {made.width} wide, {how}")
        return answer

    def _work(
        self, voices: Choir, feed: Feed, crew: Crew, known: Measured, *, workers: dict[str, Make], sharing: Sharing
    ) -> Ending:
        blobs = Blobs(self._folder.blobs)
        ear = Ear(voices, feed.tick)
        roster: dict[str, Reference] = {}
        makes = crew.speakers(ear.hear) | workers
        log = voices.of("supervisor")
        Supervisor.start(makes, roster, log, feed, clock=wall_clock, blobs=blobs, give_up=self._give_up)

        def tick() -> None:
            feed.tick()
            sharing.call(self._called or "here")

        heart = Heart(voices, lambda: [n for n in workers if n in roster and roster[n].is_alive()], tick)
        heart.start()
        try:
            return self._watch(feed, ear, roster, known)
        finally:
            heart.stop()
            stop_everybody(20.0)
            with contextlib.suppress(LogError):
                ear.close()

    def _watch(self, feed: Feed, ear: Ear, roster: dict[str, Reference], known: Measured) -> Ending:
        told: dict[str, Request] = {}
        deadline = float("inf")
        while True:
            self._raise_lost()
            known.advance(feed.since(known.measurement.through))
            if (ending := self._ending(known)) is not None:
                return ending
            if self._requests == 1:
                deadline = min(deadline, time.monotonic() + GRACE)
            wanted = self._wanted(deadline)
            if wanted is not None:
                self._called = wanted
                _tell(roster, wanted, told)
            self._display.show(View(self._campaign, known, dict(ear.epochs), wanted))
            time.sleep(LOOK)

    def _wanted(self, deadline: float) -> Request | None:
        if self._requests > 1 or time.monotonic() > deadline:
            return "leaving"
        return "stopping" if self._requests else None

    def _ending(self, known: Measured) -> Ending | None:
        if not (known.quiet and known.sealed):
            return None
        if known.measurement.ledger.closed is None or (self._requests and self._lacks(known)):
            return "stopped" if self._requests else None
        # sealed in this run without controls: they could not be had
        return None if self._lacks(known) and known.worded <= self._begun else "closed"

    def _lacks(self, known: Measured) -> bool:
        """Say whether a closed campaign's leader is still to be repeated, or its champion held against controls."""
        controls = measures_controls(self._campaign) and known.uncontrolled is not None
        return controls or known.unrepeated is not None

    def _hear(self, voices: Choir, pulse: Epoch | Progress) -> None:
        if isinstance(pulse, Progress):
            self._display.progress(pulse)
        else:
            voices.publish_pulse(pulse.worker, msgspec.json.encode(pulse))

    def _give_up(self, reason: Exception) -> None:
        self._lost = self._lost or reason

    def _raise_lost(self) -> None:
        if isinstance(self._lost, LogError | CampaignError):
            raise self._lost
        if self._lost is not None:
            raise CampaignError(f"the campaign cannot go on: {self._lost!r}; run it again to resume") from self._lost


def _worker_names(campaign: Campaign) -> dict[str, str]:
    """Return a name for each worker of this run, with its device; no two runs have the same."""
    if not campaign.workers.local:
        return {}
    devices = campaign.workers.devices or ("cpu",) * (os.cpu_count() or 1)
    return {f"worker-{device.replace(':', '')}-{secrets.token_hex(3)}": device for device in devices}


def _found(prepared: Prepared) -> bool:
    """Say whether all clips and features were there before."""
    return prepared.reused == prepared.clips and all(made.reused for made in prepared.features)


def _extracted(feed: Feed) -> set[str]:
    facts = (fact for recorded in feed.since(0) for fact in recorded.facts)
    return {fact.digest for fact in facts if isinstance(fact, FeaturesExtracted)}


def _tell(roster: dict[str, Reference], request: Request, told: dict[str, Request]) -> None:
    """Tell every shell that was not told yet; one that was restarted since is another."""
    for shell in tuple(roster.values()):
        if told.get(shell.actor_urn) != request:
            told[shell.actor_urn] = request
            tell(shell, request)


def _reason(answer: object) -> str:
    """Return why there is no answer, in one line: of a trace the last one, which is the error itself."""
    return answer.reason.strip().splitlines()[-1] if isinstance(answer, Refused) else str(answer).splitlines()[0]
