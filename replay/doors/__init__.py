"""The doors of the room, `myriad replay CAMPAIGN ...`: the table `DOORS`; each prints text or, asked, JSON.

Exit codes: 0 done (or held), 1 failed (or broken), 2 unknown or misuse. The JSON of a door is the encoded struct that
its module documents: `Report`, `Metric`, `Moment`, `Record`, `Audit`, `Lineage`, `Trajectory`, `Queueing`,
`Comparison`, `Inquiry`; floats with all digits, times in microseconds since 1970 UTC, null where observations are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import App, Parameter

from replay.doors.listing import list_
from replay.doors.moments import at, diff, queue
from replay.doors.records import audit, digest
from replay.doors.surveys import figures, metric, report
from replay.doors.traces import cycle, lineage, trajectory
from replay.doors.trust import champion, eras, instruments, taint

__all__ = ["DOORS", "list_", "replay"]

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]


def replay(*words: Words) -> int:
    """Question a campaign's log: a report, one metric, a past moment, or whether the record holds."""
    app = App(
        name="replay",
        help="Question a campaign's log. CAMPAIGN is a name, the path of an archive, or a nats URL.",
        usage="Usage: myriad replay CAMPAIGN [COMMAND] [ARGS]; without a command, report.",
        version_flags=(),
        result_action="return_value",
    )
    for name, door in DOORS.items():
        app.command(door, name=name, usage=f"Usage: myriad replay CAMPAIGN {name} [ARGS]")
    return app(_in_order(words)) or 0


DOORS: dict[str, Callable[..., int]] = {
    "report": report,
    "metric": metric,
    "at": at,
    "digest": digest,
    "audit": audit,
    "lineage": lineage,
    "trajectory": trajectory,
    "queue": queue,
    "diff": diff,
    "figures": figures,
    "cycle": cycle,
    "eras": eras,
    "instruments": instruments,
    "taint": taint,
    "champion": champion,
}


def _in_order(words: tuple[str, ...]) -> list[str]:
    """Put the command before the campaign; a campaign alone is asked for its report."""
    if not words or words[0].startswith("-") or words[0] in DOORS:
        return list(words)
    campaign, *rest = words
    if not rest or (rest[0].startswith("-") and rest[0] not in ("--help", "-h")):
        return ["report", campaign, *rest]
    return [rest[0], campaign, *rest[1:]]
