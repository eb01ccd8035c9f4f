"""The views by name, in the order of their keys; those behind them are opened from one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from events.campaigns import whole
from events.log import LogReader
from tui.agents import Agents, Cycles
from tui.dossier import Dossiers
from tui.dynamics import Dynamics
from tui.eras import Eras
from tui.experiments import Experiments
from tui.front import Front
from tui.model import Model
from tui.stream import Facts
from tui.view import View


def views(model: Model, log: LogReader, ask: Callable[[Callable[[Model], None]], None]) -> dict[str, View]:
    """Return a view of each kind of one model; `log` is where long texts lie, `ask` the thread that folds."""
    return {
        "overview": Front(model, id="overview"),
        "experiments": Experiments(model, id="experiments"),
        "agents": Agents(model, id="agents"),
        "dynamics": Dynamics(model, ask, id="dynamics"),
        "facts": Facts(model, id="facts"),
        "eras": Eras(model, ask, id="eras"),
        "cycle": Cycles(model, partial(whole, log), id="cycle"),
        "dossier": Dossiers(model, id="dossier"),
    }
