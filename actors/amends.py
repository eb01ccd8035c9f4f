"""What defects touched, made again: the results that matter, best first, within the device time that is left."""

from __future__ import annotations

from actors import rebuilding
from actors.budgets import spent
from actors.errors import CampaignError
from actors.rerunning import Recorded
from events import campaigns
from replay.taint import Taint, Touched, taint, worth_rerunning


def worth(known: Recorded, *, gpu_hours: float | None = None, most: int | None = None) -> list[Touched]:
    """Return what is worth making again under what is installed now, best first.

    Args:
        gpu_hours: device time for all of it; None for what the campaign's budget has left.

    Raises:
        CampaignError: a defect that touches them is not fixed in what is installed, so that a rerun would say nothing.
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


def _left(known: Recorded) -> float | None:
    hours = rebuilding.campaign_of(known.folder).budget.gpu_hours
    return max(0.0, hours * 3600 - spent(known.ledger)) if hours is not None else None


def _check_fixed(known: Recorded, found: Taint, results: list[Touched]) -> None:
    names = {defect for result in results for defect in result.defects}
    open_ = [defect.defect for defect in found.defects if defect.defect in names and defect.fixed is None]
    if open_:
        raise CampaignError(
            f"{', '.join(open_)} is not fixed, and a rerun would be touched too: mend it, then myriad declare "
            f"{known.folder.name} fixed {open_[0]} --instrument DIGEST"
        )
    today = rebuilding.installed(rebuilding.campaign_of(known.folder), known.folder).digest
    ran = {known.ledger.experiments[result.experiment].attempts[-1].instrument for result in results}
    if today in ran:
        raise CampaignError(
            f"what is installed is the instrument {today[:12]} that the defect touched: install the fix"
        )
