"""The crew: which shells a campaign needs, each with its role and its hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.asking import askers
from actors.benches.child import Child
from actors.benches.limits import Limits
from actors.campaign import Campaign
from actors.errors import CampaignError
from actors.feed import Feed
from actors.fixer import Fixer
from actors.hands import BenchHands, Hands, NoHands, PolicyHands
from actors.orders import Epoch, Progress
from actors.repair import menders
from actors.repair.workshop import Proving
from actors.running.benches import Benches
from actors.running.voices import Voices
from actors.scheduler import Scheduler
from actors.shell import Hear
from actors.supervisor import Make
from events import folder as folders
from events.blobs import Blobs

CONTROLS = 900.0
"""Seconds that the champion's controls may take."""


def measures_controls(campaign: Campaign) -> bool:
    """Say whether the champion is held against controls at the end: a script of the user's own has none."""
    return campaign.analysis.controls and campaign.task.kind != "command"


class Crew(Benches):
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
        super().__init__(campaign, folder, voices, feed, Blobs(folder.blobs), pulse=pulse)

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


def _unheard(pulse: Epoch | Progress) -> None:
    """Hear a pulse of a trial, which is nobody's progress."""
