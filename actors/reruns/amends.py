"""What defects touched, made again: the results that matter, best first, within the device time that is left."""

from __future__ import annotations

from typing import NamedTuple

from actors.errors import CampaignError
from actors.judgement.budgets import spent
from actors.reruns import rebuilding
from actors.reruns.rerunning import Recorded, recorded
from events import campaigns, subjects
from events.folder import Campaign as Folder
from replay.taint import Taint, Touched, taint, worth_rerunning
from replay.times import lasted

NAMED = 5
"""Results that an offer names; the others are counted."""


def worth(known: Recorded, *, gpu_hours: float | None = None, most: int | None = None) -> list[Touched]:
    """Return what is worth making again under what everybody trains with now, best first.

    Args:
        gpu_hours: device time for all of it; None for what the campaign's budget has left.

    Raises:
        CampaignError: a defect that touches them is not fixed there, so that a rerun would say nothing.
    """
    log = campaigns.open(known.folder.path)
    try:
        found = taint(log)
    finally:
        log.close()
    seconds = gpu_hours * 3600 if gpu_hours is not None else _left(known)
    results = worth_rerunning(found, gpu_seconds=seconds, most=most)
    if results:
        _check_fixed(known, found, results)
    return results


class Offer(NamedTuple):
    """What a person may want made again, in a sentence; `ready` says whether it can be now."""

    sentence: str
    ready: bool


def offer(folder: Folder) -> Offer | None:
    """Say which results that matter may be made again, best first, within what the budget has left.

    None where no defect touched what matters, or nothing is there.
    """
    if not folder.exists():
        return None
    log = campaigns.open(folder.path)
    try:
        # nearly every campaign has no defect, and need not be folded to say so
        found = taint(log) if any(log.read(0, subjects.all_of(folder.name, "defect"))) else None
    finally:
        log.close()
    matter = worth_rerunning(found) if found is not None else []
    if found is None or not matter:
        return None
    many = "1 result that would lead is" if len(matter) == 1 else f"{len(matter)} results that would lead are"
    told = f"{many} touched by a defect, {matter[0].experiment} the best"
    if open_ := _unfixed(found, matter):
        mend = f"mend it, then myriad declare {folder.name} fixed {open_[0]} --instrument DIGEST"
        return Offer(f"{told}; {', '.join(open_)} is not fixed: {mend}", ready=False)
    return _within(folder, found, told)


def _within(folder: Folder, found: Taint, told: str) -> Offer:
    """Offer what fits into the budget."""
    results = worth_rerunning(found, gpu_seconds=_left(recorded(str(folder.path), folder.path.parent)))
    command = f"myriad rerun {folder.name} --tainted"
    if not results:
        return Offer(f"{told}; the budget has no device time left for it: {command} --gpu-hours N", ready=False)
    names = ", ".join(result.experiment for result in results[:NAMED])
    more = f" and {len(results) - NAMED} more" if len(results) > NAMED else ""
    took = lasted(sum(result.gpu_seconds for result in results))
    return Offer(f"{told}: {command} makes {names}{more} again, best first, in {took} of device time", ready=True)


def _left(known: Recorded) -> float | None:
    hours = rebuilding.campaign_of(known.folder).budget.gpu_hours
    return max(0.0, hours * 3600 - spent(known.ledger)) if hours is not None else None


def _check_fixed(known: Recorded, found: Taint, results: list[Touched]) -> None:
    if open_ := _unfixed(found, results):
        raise CampaignError(
            f"{', '.join(open_)} is not fixed, and a rerun would be touched too: mend it, then myriad declare "
            f"{known.folder.name} fixed {open_[0]} --instrument DIGEST"
        )
    installed = rebuilding.installed(rebuilding.campaign_of(known.folder), known.folder).digest
    today = known.repairs.instrument or installed
    ran = {known.ledger.experiments[result.experiment].attempts[-1].instrument for result in results}
    if today in ran:
        raise CampaignError(
            f"instrument {today[:12]}, with which everybody trains now, is what the defect touched: install the fix"
        )


def _unfixed(found: Taint, results: list[Touched]) -> list[str]:
    names = {defect for result in results for defect in result.defects}
    return [defect.defect for defect in found.defects if defect.defect in names and defect.fixed is None]
