"""The fixer of a campaign file: whether it asks a model, which one, for how much, and who decides what is used."""

from __future__ import annotations

from typing import Literal

import msgspec

from actors.agent import Plan

NAME = "fixer"
"""The fixer's name among those that ask models."""


class Fixing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [fixer].

    Attributes:
        policy: "none" leaves the fixer with its typed remedies.
        adopt: what becomes of a patch that held: everybody trains with it, or it waits for a person.
        attempts: questions about one repair, and about what breaks at one place.
        model, base_url, max_tokens, tries, timeout, temperature, usd: as of an agent.
    """

    policy: Literal["none", "claude", "gemini"] = "none"
    adopt: Literal["ask", "auto"] = "ask"
    attempts: int = 3
    model: str | None = None
    base_url: str | None = None
    max_tokens: int = 8192
    tries: int = 3
    timeout: float = 300.0
    temperature: float | None = None
    usd: float | None = None

    @property
    def asks(self) -> bool:
        """Whether a model is asked."""
        return self.policy != "none"

    @property
    def plan(self) -> Plan:
        """What it shares with an agent that asks a model."""
        names = {field.name for field in msgspec.structs.fields(Plan)} & {*self.__struct_fields__}
        return Plan(name=NAME, **{name: getattr(self, name) for name in names})
