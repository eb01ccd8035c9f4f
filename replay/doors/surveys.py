"""The doors that measure a whole campaign: report, metric, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer

if TYPE_CHECKING:
    from events.log import LogReader
    from replay.measures import Measurement
    from replay.report import Report


def report(
    campaign: Campaign,
    /,
    *,
    json: bool = False,
    top: int = 10,
    test: bool = False,
    era: str = "all",
    markdown: Path | None = None,
    html: Path | None = None,
    home: Home = None,
) -> int:
    """Report on the whole campaign or one era: leaders, agents, search, failures, queue, digest.

    Parameters
    ----------
    json: bool
        Print the report as JSON.
    top: int
        How many leaders to show.
    test: bool
        Show test AP beside validation; nothing is ever selected on it.
    era: str
        The number of an era, `current`, or `all`; scores of two eras do not compare.
    markdown: Path
        Write it with every measure and every table to this file, as Markdown.
    html: Path
        Likewise as one page of HTML, figures included, that needs nothing else.
    """
    from replay.era_view import ALL, of_era  # noqa: PLC0415 # help must not wait for what only a report needs
    from replay.pages.reports import report_page  # noqa: PLC0415 # likewise
    from replay.report import folded, reported  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        measurement, checks = folded(of_era(log, era)[0], whole=era == ALL)
        made = reported(measurement, checks, top=top, with_test=test)
        if markdown is None and html is None:
            return made, report_page(made), 0
        return made, _filed(made, measurement, markdown, html), 0

    return answer(campaign, ask, json=json, home=home)


def _filed(made: Report, measurement: Measurement, markdown: Path | None, html: Path | None) -> str:
    from replay.pages.document import document  # noqa: PLC0415 # it needs every measure of the room
    from replay.pages.hypertext import hypertext  # noqa: PLC0415 # likewise
    from replay.pages.markdown import markdown as as_markdown  # noqa: PLC0415 # likewise

    whole = document(made, measurement)
    if markdown is not None:
        _write(markdown, as_markdown(whole))
    if html is not None:
        from replay.pages.figures import drawings  # noqa: PLC0415 # only a page with figures needs matplotlib

        _write(html, hypertext(whole, drawings(measurement)))
    return "\n".join(str(path) for path in (markdown, html) if path is not None)


def _write(path: Path, text: str) -> None:
    from replay.errors import ReplayError  # noqa: PLC0415 # help must not wait for it

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReplayError(f"{path}: the report cannot be written there: {error.strerror}") from error


def metric(
    campaign: Campaign, name: str | None = None, /, *, era: str | None = None, json: bool = False, home: Home = None
) -> int:
    """Measure one thing, with its n, eras, scale, null and whole series; without a name, list what there is to measure.

    Parameters
    ----------
    name: str
        Of the metric; without one, all of them are listed with what each is held against.
    era: str
        The number of an era, `current`, or `all`; the current one when it is not given, all for what compares eras.
    json: bool
        Print the metric as JSON, its whole series included.
    """
    from replay.era_view import of_era, wanted  # noqa: PLC0415 # help must not wait for it
    from replay.measures import Measurement  # noqa: PLC0415 # likewise
    from replay.metrics import metric as make  # noqa: PLC0415 # likewise
    from replay.pages.reports import metric_page  # noqa: PLC0415 # likewise
    from replay.statistics.findings import BESIDE  # noqa: PLC0415 # likewise
    from replay.statistics.nulls import NULLS, nulls_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        if name is None:
            return NULLS, nulls_page(), 0
        view, told = of_era(log, wanted(name, era))
        measurement = Measurement(*BESIDE.get(name, ()))
        measurement.advance(view.read())
        made = make(measurement, name)
        return made, f"{metric_page(made)}\n  asked of {told}", 0

    return answer(campaign, ask, json=json, home=home)


def figures(
    campaign: Campaign,
    /,
    *,
    out: Path = Path("figures"),
    era: str = "all",
    json: bool = False,
    home: Home = None,
) -> int:
    """Draw the paper's figures 2 to 5 over this campaign, each as PNG and SVG.

    Parameters
    ----------
    out: Path
        The folder to write into; it is made if need be.
    era: str
        The number of an era, `current`, or `all`, as the paper's figures are.
    json: bool
        Print the written files as JSON.
    """
    from replay.era_view import of_era  # noqa: PLC0415 # help must not wait for it
    from replay.errors import ReplayError  # noqa: PLC0415 # likewise
    from replay.measures import Measurement  # noqa: PLC0415 # likewise
    from replay.pages.figures import write  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        measurement = Measurement()
        measurement.advance(of_era(log, era)[0].read())
        try:
            out.mkdir(parents=True, exist_ok=True)
            written = write(measurement, str(out))
        except OSError as error:
            raise ReplayError(
                f"{error.filename or out}: the figures cannot be written there: {error.strerror}"
            ) from error
        return written, "\n".join(written), 0

    return answer(campaign, ask, json=json, home=home)
