"""What a campaign may spend in US dollars, as its file on the log says: in all, and by agent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact, Text
from events.facts import CampaignOpened
from events.log import Recorded
from replay.folds import Handler
from replay.settings import Reading, at_hand, settings


class Opening(msgspec.Struct):
    """The campaign file as it was read, None before the opening."""

    file: Text | None = None


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars: of the whole campaign, and by agent; None, and no entry, where nothing is said."""

    usd: float | None
    agents: dict[str, float]


def _opened(state: Opening, fact: CampaignOpened, recorded: Recorded, index: int) -> None:
    state.file = fact.file


class OpeningFold:
    """Folds a log into its campaign file."""

    handlers: Mapping[type[Fact], Handler] = {CampaignOpened: _opened}

    def initial(self) -> Opening:
        """Return that nothing is open."""
        return Opening()

    def result(self, state: Opening) -> Opening:
        """Return the file."""
        return state


def caps(opening: Opening, reading: Reading = at_hand) -> Caps:
    """Return what the file allows; nothing where it cannot be read, or says nothing."""
    found = settings(opening.file, reading) if opening.file is not None else {}
    if isinstance(found, str):
        return Caps(usd=None, agents={})
    budget, agents = found.get("budget"), found.get("agent")
    whole = budget.get("usd") if isinstance(budget, dict) else None
    own = {str(agent.get("name")): agent.get("usd") for agent in agents or () if isinstance(agent, dict)}
    numbers = {name: float(usd) for name, usd in own.items() if isinstance(usd, int | float)}
    return Caps(usd=float(whole) if isinstance(whole, int | float) else None, agents=numbers)
