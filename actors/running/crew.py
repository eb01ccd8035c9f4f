"""The crew: which shells a campaign needs, each with its role and its hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from actors import tasks
from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.asking import askers
from actors.benches.child import Child, Place
from actors.benches.limits import Limits
from actors.benches.setups import Setup
from actors.campaign import Campaign
from actors.errors import CampaignError
from actors.feed import Feed
from actors.fixer import Fixer
from actors.hands import BenchHands, Hands, NoHands, PolicyHands
from actors.orders import Described, Epoch, Progress
from actors.pen import wall_clock
from actors.repair import menders
from actors.repair.copies import Copies
from actors.repair.workshop import COPIES, Proving, Workshop
from actors.role import Role
from actors.running.opening import task_folder
from actors.running.voices import Voices
from actors.scheduler import Scheduler
from actors.shell import Died, Hear, Reference, Shell, hears_nothing
from actors.supervisor import Make
from actors.worker import Worker
from events import folder as folders
from events.blobs import Blobs

CONTROLS = 900.0
"""Seconds that the champion's controls may take."""


def measures_controls(campaign: Campaign) -> bool:
    """Say whether the champion is held against controls at the end: a script of the user's own has none."""
    return campaign.analysis.controls and campaign.task.kind != "command"


class Crew:
    """Builds the shells of one campaign.

    Args:
        pulse: takes every epoch that a bench reports.

    Raises:
        CampaignError: an agent's key is missing.
    """

    def __init__(
        self,
        campaign: Campaign,
        folder: folders.Campaign,
        voices: Voices,
        feed: Feed,
        *,
        pulse: Callable[[Epoch | Progress], None],
    ) -> None:
        if missing := askers.missing_keys(campaign):
            raise CampaignError(f"{'; '.join(missing)}: set it and run again")
        self._campaign = campaign
        self._folder = folder
        self._voices = voices
        self._feed = feed
        self._pulse = pulse
        self._blobs = Blobs(folder.blobs)
        self._children: list[Child] = []
        self._workshop = Workshop(folder.path / COPIES)
        self._copies = Copies(self._workshop, self._blobs, feed)

    def setup(self, name: str, device: str) -> Setup:
        """Return what a bench of this campaign is told."""
        memory = self._campaign.workers.memory
        return Setup(
            worker=name,
            device=device,
            task=str(task_folder(self._folder)),
            cache=str(self._folder.features),
            checkpoints=str(self._folder.checkpoints),
            backbones=self._campaign.backbones,
            memory=memory * 2**20 if memory is not None else None,
            **msgspec.structs.asdict(self._campaign.network),
            **tasks.told(self._campaign.task),
        )

    def child(self, name: str, device: str) -> Child:
        """Return a bench that is not started yet; it trains with what is adopted by now until it is moved.

        Raises:
            CampaignError: the adopted copy is gone and cannot be made.
        """
        now = self._copies.current()
        return self._bench(name, device, lambda: now)

    def _bench(self, name: str, device: str, place: Place) -> Child:
        child = Child(self.setup(name, device), self.logs / f"{name}.err", self._pulse, place=place)
        self._children.append(child)
        return child

    def close(self) -> None:
        """End every bench that was made here."""
        for child in self._children:
            child.close()

    @property
    def logs(self) -> Path:
        """The folder of operational logs."""
        return self._folder.path / "logs"

    def speakers(self, hear: Hear) -> dict[str, Make]:
        """Return how to start the shells of the agents, the scheduler, the fixer and the analyst, by author."""
        campaign, budget = self._campaign, self._campaign.budget
        controls = measures_controls(campaign)
        makes = {f"agent-{plan.name}": self._agent(plan) for plan in campaign.agent}
        makes["scheduler"] = self._make(
            lambda: Scheduler(
                budget,
                agents=len(campaign.agent),
                silence=campaign.workers.silence,
                vetted=True,
                widen=campaign.widen,
                bans=campaign.bans,
            ),
            NoHands,
            hear=hear,
        )
        mechanic = menders.made(campaign, self._blobs, self._workshop)
        makes["fixer"] = self._make(lambda: Fixer(timeout=budget.timeout, mechanic=mechanic), self._fixer_hands)
        makes["analyst"] = self._make(
            lambda: Analyst(every=campaign.analysis.every, controls=controls, timeout=CONTROLS, budget=budget),
            # it repeats leaders, whose interval is worth more on the kind of device that made them
            self._spare("analyst", next(iter(campaign.workers.devices), "cpu")),
        )
        return makes

    def worker(self, author: str, device: str, child: Child, ready: Described) -> Make:
        """Return how to start the shell of a worker whose bench has described itself."""
        role = Worker(
            author,
            device=device,
            lanes=ready.lanes,
            platform=ready.platform,
            instrument=ready.instrument,
            blobs=self._blobs,
            vetted=True,
        )
        waiting = [child]

        def hands() -> Hands:
            return BenchHands(waiting.pop() if waiting else self.child(author, device), copies=self._copies.of)

        return self._make(lambda: role, hands)

    def _spare(self, name: str, device: str = "cpu") -> Callable[[], Hands]:
        # Seldom asked, and nothing is recorded as its own: each of its processes trains with what is adopted by then.
        return lambda: BenchHands(self._bench(name, device, self._copies.current))

    def _fixer_hands(self) -> Hands:
        memory = self._campaign.workers.memory
        proving = Proving(self._workshop, self._trial, memory=memory * 2**20 if memory is not None else None)
        return menders.FixerHands(self._spare("fixer")(), menders.mender(self._campaign), proving)

    def _trial(self, copy: Path, limits: Limits, device: str) -> Child:
        """Return a bench for a patch's trial: nobody hears it, and its weights are not the campaign's."""
        setup = msgspec.structs.replace(self.setup("trial", device), checkpoints=str(copy / "checkpoints"))
        child = Child(setup, self.logs / "trial.err", _unheard, place=lambda: (copy, limits))
        self._children.append(child)
        return child

    def _agent(self, plan: Plan) -> Make:
        if askers.asks(plan):
            campaign, blobs = self._campaign, self._blobs
            return self._make(lambda: askers.made(campaign, plan, blobs), lambda: askers.hands(campaign, plan))
        return self._make(
            lambda: Agent(plan, blobs=self._blobs, budget=self._campaign.budget),
            lambda: PolicyHands(plan.policy, ideas=plan.ideas, sweep=plan.sweep),
        )

    def _make(self, role: Callable[[], Role], hands: Callable[[], Hands], hear: Hear = hears_nothing) -> Make:
        def start(died: Callable[[Died], None]) -> Reference:
            speaker = role()
            log = self._voices.of(speaker.author)
            return Shell.start(speaker, hands(), log, self._feed, wall_clock, hear=hear, died=died)

        return start


def _unheard(pulse: Epoch | Progress) -> None:
    """Hear a pulse of a trial, which is nobody's progress."""
