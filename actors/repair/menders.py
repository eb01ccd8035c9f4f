"""The fixer of a campaign that asks a model: what its file must say of it, how it is made, and with which hands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from actors.asking import askers
from actors.hands import Hands
from actors.judgement.adoption import SHORT
from actors.orders import Mend, Order, Refused, Result, Try
from actors.policies.mending import MendHands
from actors.repair.fixing import NAME, Fixing
from actors.repair.mechanic import Mechanic
from actors.repair.workshop import COPIES, DIFF, Proving, Workshop
from events import campaigns
from events.blobs import Blobs
from events.folder import Campaign as Folder
from replay.folds import run
from replay.repairs import Repairs, RepairsFold

if TYPE_CHECKING:
    from actors.campaign import Campaign

ALWAYS = ("policy", "adopt", "attempts")
"""Keys of [fixer] that are no affair of the model."""


def problems(campaign: Campaign) -> list[str]:
    """Return what is wrong with [fixer], a sentence each."""
    fixing = campaign.fixer
    if not fixing.asks:
        plain = Fixing()
        known = [name for name in Fixing.__struct_fields__ if name not in ALWAYS]
        set_ = [name for name in known if getattr(fixing, name) != getattr(plain, name)]
        return [f"fixer.{name} means nothing: fixer.policy is none, so that no model is asked" for name in set_]
    found = askers.asker_problems(campaign, fixing.plan, "the fixer", lambda key: f"fixer.{key}")
    if not 1 <= fixing.attempts <= 10:
        found.append("fixer.attempts must be in [1, 10]")
    if campaign.task.kind == "command":
        found.append("fixer.policy must be none where task.kind is command: a script of your own is yours to mend")
    if any(plan.name == NAME for plan in campaign.agent):
        found.append(f"an agent is named {NAME}, as the one that repairs")
    return found


def told(campaign: Campaign) -> Iterator[str]:
    """Yield what `myriad check` says of a fixer that asks a model."""
    fixing = campaign.fixer
    if fixing.asks:
        whose = "everybody trains with a patch that held" if fixing.adopt == "auto" else "a patch that held waits"
        limit = f"at most {fixing.usd:g} USD" if fixing.usd is not None else "no limit of its own"
        yield f"fixer    asks {fixing.model} of {fixing.base_url or 'its provider'} about crashes; {whose}; {limit}"


def made(campaign: Campaign, blobs: Blobs, workshop: Workshop) -> Mechanic | None:
    """Return the mechanic of a campaign whose fixer asks a model."""
    fixing = campaign.fixer
    if not fixing.asks:
        return None
    price = campaign.prices[str(fixing.model)]
    return Mechanic(fixing, price, usd=campaign.budget.usd, blobs=blobs, workshop=workshop, budget=campaign.budget)


class FixerHands:
    """Carries out what the fixer orders: features by a bench, questions by a model, trials in processes of their own.

    Args:
        mender: asks the model, and
        proving: tries its patches; both None where no model is asked.
    """

    def __init__(self, bench: Hands, mender: MendHands | None, proving: Proving | None) -> None:
        self._bench = bench
        self._mender = mender
        self._proving = proving

    def perform(self, order: Order) -> Result:
        """Carry out an order and return what came of it."""
        if isinstance(order, Mend) and self._mender is not None:
            return self._mender.perform(order)
        if isinstance(order, Try) and self._proving is not None:
            return self._proving.perform(order)
        if isinstance(order, Mend | Try):
            return Refused(id=order.id, reason="this fixer asks no model")
        return self._bench.perform(order)

    def close(self) -> None:
        """Stop whatever is under way; called from another thread."""
        for hands in (self._bench, self._mender, self._proving):
            if hands is not None:
                hands.close()


def mender(campaign: Campaign) -> MendHands | None:
    """Return what asks the model of a campaign's fixer, None where it asks none.

    Raises:
        CampaignError: its key is missing.
    """
    if not campaign.fixer.asks:
        return None
    waiting, key = askers.patience(campaign, campaign.fixer.plan)
    return MendHands(waiting, key)


def offers(folder: Folder) -> list[str]:
    """Return what a person is told of patches that held in a campaign and wait, a line each."""
    log = campaigns.open(folder.path)
    try:
        (repairs,) = run(log, RepairsFold())
    finally:
        log.close()
    return [*waiting(repairs, folder)]


def waiting(repairs: Repairs, folder: Folder) -> Iterator[str]:
    """Yield a line for each patch that held and waits for a person: what to read, and what to say."""
    for patch in repairs.patches.values():
        if patch.instrument is not None and patch.adopted is None and patch.base == repairs.adopted:
            name = patch.patch[:SHORT]
            yield (
                f"patch {name} for what broke in {patch.site} held in its trial: read "
                f"{folder.path / COPIES / patch.patch / DIFF}; once the campaign is open, "
                f"myriad declare {folder.name} adopt {name} lets everybody train with it"
            )
