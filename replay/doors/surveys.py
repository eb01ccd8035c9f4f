"""The doors that measure a whole campaign: report, metric, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer

if TYPE_CHECKING:
    from events.log import LogReader


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

    return answer(
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

    return answer(campaign, ask, json=json, home=home)


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

    return answer(campaign, ask, json=json, home=home)
