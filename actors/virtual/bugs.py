"""The paper's four bugs: when each was found and mended, and which runs each of them touched.

Only the days were published (Appendix A): 25, 26, 27 and 27 February, in this order. The hours are ours, so that
whatever follows from the dates is a range: from every bug found as early on its day as can be to every one as late.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Bug = Literal["leak", "loss", "pooling", "padding"]
BUGS: tuple[Bug, ...] = ("leak", "loss", "pooling", "padding")
"""In the order in which they were found: evaluation read other splits than it should; the loss, then the pooling, of
the configuration had no effect; evaluation padded unlike training."""

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""Microseconds."""

Dates = dict[Bug, int]
"""When each bug was mended, microseconds from the start of the campaign (7 February, 00:00)."""

MENDED: Dates = {"leak": 18 * DAY, "loss": 19 * DAY, "pooling": 20 * DAY, "padding": 20 * DAY + DAY // 2}
"""The dates that a simulated campaign has unless told otherwise; chosen once (decision 23)."""

EARLIEST: Dates = {"leak": 18 * DAY, "loss": 19 * DAY, "pooling": 20 * DAY, "padding": 20 * DAY + HOUR}
LATEST: Dates = {"leak": 19 * DAY, "loss": 20 * DAY, "pooling": 21 * DAY - HOUR, "padding": 21 * DAY}
"""The ends of what was published; two fixes of one day lie an hour apart, so that runs are made between them."""


class Reach(NamedTuple):
    """What a bug touched: a component, the runs that a predicate describes, and what was wrong in words."""

    component: str
    where: str
    reason: str


REACH: dict[Bug, Reach] = {
    "leak": Reach("split", "everything", "evaluation read other splits than the campaign's"),
    "loss": Reach("loss", "loss != bce", "the configured loss was not wired: every run was trained on bce"),
    "pooling": Reach("pooling", "pooling != mean", "the configured pooling was not wired: every run took the mean"),
    "padding": Reach("evaluation", "everything", "evaluation padded clips unlike training"),
}
