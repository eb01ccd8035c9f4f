"""The policies by the name that a campaign file uses; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from actors.orders import History, Suggestion

POLICIES = {"tpe": "actors.policies.tpe:Tpe", "uniform": "actors.policies.uniform:Uniform"}


class Policy(Protocol):
    """Turns a history into ideas; the same history and key give the same ideas."""

    @property
    def name(self) -> str:
        """The policy's name, as the answer records it."""

    def propose(self, history: History, key: int, count: int) -> tuple[Suggestion, ...]:
        """Return up to `count` suggestions inside the history's space."""


def load(name: str) -> Policy:
    """Return a policy by its name in `POLICIES`."""
    module, _, attribute = POLICIES[name].partition(":")
    policy: Policy = getattr(import_module(module), attribute)()
    return policy
