"""What the panels show without a screen: one pass over the log as it stands, for scripts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from events import campaigns
from events.envelope import Position
from events.predicates import PredicateInvalid
from replay.conversations import conversation, cycles_that_hold, speakers
from replay.dossier import dossier
from replay.errors import QuestionUnknown
from replay.measures import Measurement
from replay.portrait import portrait
from replay.roster import columns, entry, order, predicate
from tui.errors import NARROWED, NothingToNarrow, WatchError
from tui.links import Link, is_live
from tui.model import Model
from tui.overview import Overview
from tui.tape import holding
from tui.travel import Travel


class PanelUnknown(QuestionUnknown):
    """There is no panel, experiment or cycle by that name."""


def read(campaign: str | Path, home: Path | None = None) -> Overview:
    """Return the overview of all that is on a campaign's log now; pulses are not on it, and not waited for.

    Raises:
        LogError: what opening or reading meets.
    """
    return _model(campaign, home).overview()


def twin(
    campaign: str | Path,
    home: Path | None = None,
    *,
    panel: str = "overview",
    where: str = "",
    sort: str = "number",
    at: str = "end",
    test: bool = False,
) -> Any:
    """Return what a panel would show, as data; arguments as `tui.doors.watch` describes them.

    Raises:
        LogError: what opening or reading meets.
        QuestionUnknown: there is no such panel or column, or `where` means nothing.
        WatchError: `at` means no moment.
    """
    _check(panel, where, sort)
    model = _model(campaign, home)
    model.with_test = test
    if at != "end":
        model.go(Travel(model).find(at))
    results = model.sight.results
    if panel in PANELS:
        return PANELS[panel](model, where, sort)
    if panel in model.sight.ledger.experiments:
        return dossier(results, panel, (model.tape.frame(n + 1) for n in range(model.sight.through)))
    if panel in results[1].cycles:
        return conversation(results, panel)
    raise PanelUnknown(f"there is no panel, experiment or cycle {panel!r}: the panels are {', '.join(PANELS)}")


def _check(panel: str, where: str, sort: str) -> None:
    """Refuse what a panel would pass over in silence."""
    if where and panel not in NARROWED:
        raise NothingToNarrow(panel)
    if sort != "number" and panel != "experiments":
        raise PanelUnknown(f"{panel} has no order to choose: experiments have")


def _model(campaign: str | Path, home: Path | None) -> Model:
    with closing(campaigns.open(campaign, home)) as log:
        model = Model(log.campaign)
        model.take(Link(state="live" if is_live(log) else "recorded", last=log.last()))
        for recorded in log.read():
            model.take(recorded)
    return model


def _experiments(model: Model, where: str, sort: str) -> Any:
    ledger, by = model.sight.ledger, sort.removeprefix("-")
    if by not in columns(ledger):
        raise PanelUnknown(f"there is no column {by!r}: there are {', '.join(columns(ledger))}")
    try:
        meant = predicate(ledger, where) if where else None
    except PredicateInvalid as error:
        raise PanelUnknown(str(error)) from error
    return [entry(ledger, name) for name in order(ledger, by=by, downward=sort.startswith("-"), where=meant)]


def _agents(model: Model, where: str, sort: str) -> Any:
    results = model.sight.results
    told_ = [conversation(results, name) for name in cycles_that_hold(results, where)]
    return {"agents": speakers(results), "caps": model.sight.caps, "cycles": told_}


def _facts(model: Model, where: str, sort: str) -> Any:
    found = []
    for recorded in model.tape.read():
        if recorded.sequence > model.sight.through:
            break
        for index, fact in holding(recorded, tuple(where.lower().split())):
            found.append({"position": Position(recorded.sequence, index), "subject": recorded.subject, "fact": fact})
    return found


def _eras(model: Model, where: str, sort: str) -> Any:
    report, instruments, taint = model.sight.trust()
    return {"eras": report, "instruments": instruments, "taint": taint}


def _dynamics(model: Model, where: str, sort: str) -> Any:
    if model.problem is not None:
        raise WatchError(model.problem)
    return portrait(Measurement(passing=model.sight.passing))


PANELS: dict[str, Callable[[Model, str, str], Any]] = {
    "overview": lambda model, *_: model.overview(),
    "experiments": _experiments,
    "agents": _agents,
    "dynamics": _dynamics,
    "facts": _facts,
    "eras": _eras,
}
