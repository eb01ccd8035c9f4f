"""What defects touched, made again: the results that matter, best first, within the device time that is left."""

from __future__ import annotations

from actors.errors import CampaignError
from actors.judgement.budgets import spent
from actors.reruns import rebuilding
from actors.reruns.rerunning import Recorded
from events import campaigns, subjects
from events.folder import Campaign as Folder
from replay.taint import Taint, Touched, taint, worth_rerunning
from replay.times import lasted


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


def offer(folder: Folder) -> str | None:
    """Say what a person may want made again; None where no defect touched what matters, or nothing is there."""
    if not folder.exists():
        return None
    log = campaigns.open(folder.path)
    try:
        # nearly every campaign has no defect, and need not be folded to say so
        found = taint(log) if any(log.read(0, subjects.all_of(folder.name, "defect"))) else None
    finally:
        log.close()
    results = worth_rerunning(found) if found is not None else []
    if not results:
        return None
    took = lasted(sum(result.gpu_seconds for result in results))
    many = "1 result that would lead is" if len(results) == 1 else f"{len(results)} results that would lead are"
    return (
        f"{many} touched by a defect, {results[0].experiment} the best: myriad rerun {folder.name} --tainted makes "
        f"such results again, best first, in {took} of device time"
    )


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
    installed = rebuilding.installed(rebuilding.campaign_of(known.folder), known.folder).digest
    today = known.repairs.instrument or installed
    ran = {known.ledger.experiments[result.experiment].attempts[-1].instrument for result in results}
    if today in ran:
        raise CampaignError(
            f"instrument {today[:12]}, with which everybody trains now, is what the defect touched: install the fix"
        )
