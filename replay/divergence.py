"""How differently the agents search: Jensen-Shannon divergence of their cells in bits (paper, Definition 3)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from events.space import Cell
from replay.counts import PAPER, Window


def divergence(counts: Sequence[Mapping[Cell, int]]) -> float | None:
    """Return JSD(p_1 .. p_k) = mean over i of KL(p_i || m), m the mean of the p_i, in bits.

    It lies in [0, log2 k]: [0, 1] for two agents, where it is Definition 3. Each agent weighs the same, however much it
    ran. None, not 0, while fewer than two agents are known or one of them is silent: an empty sequence has no
    distribution.
    """
    totals = [sum(agent.values()) for agent in counts]
    if len(counts) < 2 or not all(totals):
        return None
    many, terms = len(counts), []
    for cell in {cell: None for agent in counts for cell in agent}:
        shares = [agent.get(cell, 0) / total for agent, total in zip(counts, totals, strict=True)]
        mean = math.fsum(shares) / many
        terms += [share / many * math.log2(share / mean) for share in shares if share]
    return min(math.log2(many), max(0.0, math.fsum(terms)))


class Divergence(msgspec.Struct):
    """The tape of completions: whose each one was, and its cell; and how often each agent was in each cell.

    Attributes:
        ever: by agent, since the start; an agent that joined and is silent has no cells.
    """

    window: Window = PAPER
    tape: list[tuple[str, Cell]] = []
    ever: dict[str, dict[Cell, int]] = {}

    def join(self, agent: str) -> None:
        """Let an agent take part; it is silent until its first completion."""
        self.ever.setdefault(agent, {})

    def add(self, agent: str, cell: Cell) -> None:
        """Let the next completion in."""
        self.tape.append((agent, cell))
        counts = self.ever.setdefault(agent, {})
        counts[cell] = counts.get(cell, 0) + 1

    def lately(self) -> dict[str, dict[Cell, int]]:
        """Return the counts among the last `window.length(n)` completions of all agents, by agent."""
        counts: dict[str, dict[Cell, int]] = {agent: {} for agent in self.ever}
        for (agent, cell), times in Counter(self.window.last(self.tape)).items():
            counts[agent][cell] = times
        return counts

    def cumulative(self) -> float | None:
        """Return the divergence since the start, the author's form."""
        return divergence(list(self.ever.values()))

    def windowed(self) -> float | None:
        """Return the divergence among the latest completions."""
        return divergence(list(self.lately().values()))

    def exact(self) -> list[tuple[str, list[tuple[Cell, int]], list[tuple[Cell, int]]]]:
        """Return the counts that the divergence is read from, in a fixed order."""
        lately = self.lately()
        return [(agent, _listed(self.ever[agent]), _listed(lately[agent])) for agent in sorted(self.ever)]


class Reading(NamedTuple):
    """One point of a series: after n completions; None where an agent was silent."""

    n: int
    cumulative: float | None
    windowed: float | None


def series(agents: Iterable[str], sequence: Sequence[tuple[str, Cell]], window: Window) -> list[Reading]:
    """Read the divergence between the agents every `window.step(n)` completions, and at the end.

    Args:
        agents: those that take part, silent ones included.
        sequence: (agent, cell) of each completion, in order.
        window: its length grows with the completions so far, as a live reader sees it.
    """
    state, step, readings = Divergence(window), window.step(len(sequence)), []
    for agent in agents:
        state.join(agent)
    for n, (agent, cell) in enumerate(sequence, start=1):
        state.add(agent, cell)
        if n % step == 0 or n == len(sequence):
            readings.append(Reading(n, state.cumulative(), state.windowed()))
    return readings


def _listed(counts: Mapping[Cell, int]) -> list[tuple[Cell, int]]:
    return sorted(counts.items(), key=lambda item: (tuple(map(str, item[0])), item[1]))
