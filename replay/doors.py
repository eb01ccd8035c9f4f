"""The doors of the room, `myriad replay CAMPAIGN ...`: the table `DOORS`; each prints text or, asked, JSON.

Exit codes: 0 done (or held), 1 failed (or broken), 2 unknown or misuse. The JSON of a door is the encoded struct that
its module documents: `Report`, `Metric`, `Moment`, `Record`, `Audit`, `Lineage`, `Trajectory`, `Queueing`,
`Comparison`, `Inquiry`; floats with all digits, times in microseconds since 1970 UTC, null where observations are few.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from events.log import LogReader

Campaign = Annotated[str, Parameter(help="Name, archive path or nats URL.")]
Home = Annotated[
    Path | None, Parameter(help="The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.")
]
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


def report(campaign: Campaign, /, *, json: bool = False, top: int = 10, test: bool = False, home: Home = None) -> int:
    """Report on the whole campaign: leaders, agents, search, failures, queue, digest.

    Parameters
    ----------
    json: bool
        Print the report as JSON.
    top: int
        How many leaders to show.
    test: bool
        Show test AP beside validation; nothing is ever selected on it.
    """
    from replay.pages import report_page  # noqa: PLC0415 # help must not wait for what only a report needs
    from replay.report import report as make  # noqa: PLC0415 # likewise

    return _answer(
        campaign, lambda log: (made := make(log, top=top, with_test=test), report_page(made), 0), json=json, home=home
    )


def metric(campaign: Campaign, name: str, /, *, json: bool = False, home: Home = None) -> int:
    """Measure one thing: leaderboard, running_best, innovation, entropy, entropy_proposed, divergence, agents, a value.

    Parameters
    ----------
    name: str
        Of the metric; an unknown one lists them all.
    json: bool
        Print the metric as JSON, its whole series included.
    """
    from replay.measures import Measurement  # noqa: PLC0415 # help must not wait for it
    from replay.metrics import metric as make  # noqa: PLC0415 # likewise
    from replay.pages import metric_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        measurement = Measurement()
        measurement.advance(log.read())
        made = make(measurement, name)
        return made, metric_page(made), 0

    return _answer(campaign, ask, json=json, home=home)


def at(campaign: Campaign, moment: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show the whole state at a past moment.

    Parameters
    ----------
    moment: str
        A position such as 120, or a time such as 2026-05-01T12:00:00Z (UTC where it names no zone).
    json: bool
        Print the state as JSON.
    """
    from replay.moment import moment as make  # noqa: PLC0415 # help must not wait for it
    from replay.pages import moment_page  # noqa: PLC0415 # likewise

    return _answer(campaign, lambda log: (made := make(log, moment), moment_page(made), 0), json=json, home=home)


def digest(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Recompute the digest and hold it against every one that the analyst recorded: exit 0 held, 1 broken, 2 unknown.

    Parameters
    ----------
    json: bool
        Print the digest and every check as JSON.
    """
    from replay.pages import record_lines  # noqa: PLC0415 # help must not wait for it
    from replay.report import record  # noqa: PLC0415 # likewise
    from replay.seals import EXIT, verified  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = record(*verified(log))
        return made, "\n".join(record_lines(made)), EXIT[made.verdict]

    return _answer(campaign, ask, json=json, home=home)


def audit(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Put every law of the house to the test on the log: exit 0 held, 1 broken, 2 unknown.

    Parameters
    ----------
    json: bool
        Print every ruling as JSON: how often each law was put to the test, and what broke it where.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.audit import audit as make  # noqa: PLC0415 # likewise
    from replay.audit import audit_page  # noqa: PLC0415 # likewise
    from replay.seals import EXIT  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(log, lambda text: whole(log, text))
        return made, audit_page(made), EXIT[made.verdict]

    return _answer(campaign, ask, json=json, home=home)


def lineage(campaign: Campaign, experiment: str, /, *, json: bool = False, home: Home = None) -> int:
    """Tell where an experiment came from, what came of it, and what each step changed and gained.

    Parameters
    ----------
    experiment: str
        An experiment such as e-12, or an idea.
    json: bool
        Print the lineage as JSON.
    """
    from replay.lineage import lineage as make  # noqa: PLC0415 # help must not wait for it
    from replay.lineage_page import lineage_page  # noqa: PLC0415 # likewise

    return _answer(campaign, lambda log: (made := make(log, experiment), lineage_page(made), 0), json=json, home=home)


def trajectory(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Tell each value of each dimension: who brought it in and why, its share, its best; then the campaign's turns.

    Parameters
    ----------
    json: bool
        Print the trajectory as JSON, every reading of every share included.
    """
    from replay.trajectory import trajectory as make  # noqa: PLC0415 # help must not wait for it
    from replay.trajectory_page import trajectory_page  # noqa: PLC0415 # likewise

    return _answer(campaign, lambda log: (made := make(log), trajectory_page(made), 0), json=json, home=home)


def queue(campaign: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show what waits, in order and why, and what was declined because of what.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL; NAME@POSITION for the queue as it stood there.
    json: bool
        Print the queue as JSON.
    """
    from replay.queueing import queueing, queueing_page  # noqa: PLC0415 # help must not wait for it

    name, until = _at_position(campaign)
    return _answer(name, lambda log: (made := queueing(log, until), queueing_page(made), 0), json=json, home=home)


def diff(campaign: str, other: str, /, *, json: bool = False, home: Home = None) -> int:
    """Hold two campaigns, or two moments of one, side by side.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL; NAME@POSITION reads no further than that.
    other: str
        Likewise.
    json: bool
        Print the comparison as JSON.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.difference import Stretch, compare  # noqa: PLC0415 # likewise
    from replay.difference_page import difference_page  # noqa: PLC0415 # likewise

    def stretch(reference: str, log: LogReader) -> Stretch:
        until = _at_position(reference)[1]
        return Stretch(reference=reference, log=log, until=until, reading=lambda text: whole(log, text))

    def ask(log: LogReader) -> tuple[Any, str, int]:
        with _opened(_at_position(other)[0], home) as second:
            made = compare(stretch(campaign, log), stretch(other, second))
        return made, difference_page(made), 0

    return _answer(_at_position(campaign)[0], ask, json=json, home=home)


def figures(campaign: Campaign, /, *, out: Path = Path("figures"), json: bool = False, home: Home = None) -> int:
    """Draw the paper's figures 2 to 5 over this campaign, each as PNG and SVG.

    Parameters
    ----------
    out: Path
        The folder to write into; it is made if need be.
    json: bool
        Print the written files as JSON.
    """
    from replay.errors import ReplayError  # noqa: PLC0415 # help must not wait for it
    from replay.figures import write  # noqa: PLC0415 # likewise
    from replay.measures import Measurement  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        measurement = Measurement()
        measurement.advance(log.read())
        try:
            out.mkdir(parents=True, exist_ok=True)
            written = write(measurement, str(out))
        except OSError as error:
            raise ReplayError(
                f"{error.filename or out}: the figures cannot be written there: {error.strerror}"
            ) from error
        return written, "\n".join(written), 0

    return _answer(campaign, ask, json=json, home=home)


def cycle(campaign: Campaign, name: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show one cycle as it was: the prompt, the raw answer, the ideas in it, their verdicts, and what it cost.

    Parameters
    ----------
    name: str
        Of the cycle, such as c-claude-3.
    json: bool
        Print the cycle as JSON.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.inquiry import inquiry as make  # noqa: PLC0415 # likewise
    from replay.inquiry import inquiry_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(log, name, lambda text: whole(log, text))
        return made, inquiry_page(made), 0

    return _answer(campaign, ask, json=json, home=home)


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
}


def _in_order(words: tuple[str, ...]) -> list[str]:
    """Put the command before the campaign; a campaign alone is asked for its report."""
    if not words or words[0].startswith("-") or words[0] in DOORS:
        return list(words)
    campaign, *rest = words
    if not rest or (rest[0].startswith("-") and rest[0] not in ("--help", "-h")):
        return ["report", campaign, *rest]
    return [rest[0], campaign, *rest[1:]]


def _at_position(reference: str) -> tuple[str, int | None]:
    """Return NAME@POSITION as its two parts; what stands before a server's address is no name."""
    found = re.fullmatch(r"(?!\w+://[^/]*$)(.+)@(\d+)", reference)
    return (found[1], int(found[2])) if found is not None else (reference, None)


def _answer(campaign: str, ask: Callable[[LogReader], tuple[Any, str, int]], *, json: bool, home: Path | None) -> int:
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from events.errors import CampaignUnknown, LogError  # noqa: PLC0415 # likewise
    from replay.errors import QuestionUnknown, ReplayError  # noqa: PLC0415 # likewise

    try:
        with _opened(campaign, home) as log:
            made, page, code = ask(log)
    except (LogError, ReplayError) as error:
        sys.stderr.write(f"myriad: {error}\n")
        return 2 if isinstance(error, QuestionUnknown | CampaignUnknown) else 1
    sys.stdout.write(f"{msgspec.json.encode(made, order='deterministic').decode() if json else page}\n")
    return code


def _opened(campaign: str, home: Path | None) -> AbstractContextManager[LogReader]:
    from events.campaigns import open as resolve  # noqa: PLC0415 # it brings the server's client along

    return closing(resolve(campaign, home))


def list_(*, home: Home = None, json: bool = False) -> None:
    """Print the campaigns under the home: state, best, spend, frames, size, time of the last fact.

    Parameters
    ----------
    json: bool
        One JSON object a line.
    """
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from events import campaigns  # noqa: PLC0415 # likewise
    from replay.standing import page, standing  # noqa: PLC0415 # likewise

    found = [standing(place) for place in campaigns.listing(home)]
    if json:
        lines = [msgspec.json.encode(one).decode() for one in found]
    else:
        lines = [page(found)] if found else [f"no campaign in {campaigns.home_of(home)}"]
    sys.stdout.writelines(f"{line}\n" for line in lines)
