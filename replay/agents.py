"""What each agent did for the search: one row an author, the fixer included."""

from __future__ import annotations

import math

import msgspec

from replay.ledger import Experiment, Idea
from replay.measures import Results


class AgentRow(msgspec.Struct, kw_only=True):
    """One author of ideas, from joining on.

    Attributes:
        policy: None for an author that never joined, such as the fixer.
        origins: its ideas by origin: agent, sweep or fixer.
        failed: attempts of its experiments that ended without a result; leases taken back are not among them.
        improvements: its completions that beat all before them, whoever ran those.
        cells: distinct cells of the whole space among its completions.
        entropy_whole, entropy_architecture, entropy_training: bits, over its own latest completions (paper's window).
        gpu_seconds: device time of all attempts of its experiments.
        usd: US dollars, open reservations included.
    """

    agent: str
    policy: str | None = None
    cycles: int = 0
    proposed: int = 0
    origins: dict[str, int] = {}
    declined: int = 0
    queued: int = 0
    completed: int = 0
    failed: int = 0
    best_validation: float | None = None
    improvements: int = 0
    cells: int = 0
    entropy_whole: float | None = None
    entropy_architecture: float | None = None
    entropy_training: float | None = None
    gpu_seconds: float = 0.0
    usd: float = 0.0


def agents(results: Results) -> list[AgentRow]:
    """Return a row for each agent that joined, and then for each other author of ideas, in the order of the log."""
    search, cycles, _ = results
    rows = {
        agent.agent: AgentRow(agent=agent.agent, policy=agent.policy, cycles=len(agent.cycles), usd=agent.usd)
        for agent in cycles.agents.values()
    }
    for idea in search.ledger.ideas.values():
        _count_idea(rows.setdefault(idea.agent, AgentRow(agent=idea.agent)), idea)
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for experiment in search.ledger.experiments.values():
        author = search.ledger.ideas[experiment.idea].agent
        _count_experiment(rows[author], experiment)
        seconds[author] += [attempt.gpu_seconds for attempt in experiment.attempts]
    for step in search.progress.improvements:
        rows[search.ledger.author(step.experiment)].improvements += 1
    for name, row in rows.items():
        row.gpu_seconds = math.fsum(seconds[name])
        row.cells = search.diversity.covered(name)
        row.entropy_whole = search.diversity.entropy("whole", name)
        row.entropy_architecture = search.diversity.entropy("architecture", name)
        row.entropy_training = search.diversity.entropy("training", name)
    return list(rows.values())


def _count_idea(row: AgentRow, idea: Idea) -> None:
    row.proposed += 1
    row.origins[idea.origin] = row.origins.get(idea.origin, 0) + 1
    row.declined += idea.declined is not None


def _count_experiment(row: AgentRow, experiment: Experiment) -> None:
    row.queued += 1
    row.failed += sum(attempt.broken for attempt in experiment.attempts)
    if experiment.outcome is not None:
        row.completed += 1
        row.best_validation = max(experiment.outcome.validation, row.best_validation or -math.inf)
