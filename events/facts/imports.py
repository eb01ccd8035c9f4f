"""What a person brought in from another program: it says what that program recorded, and nothing that it did not."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact
from events.space import Configuration


class StudyImported(Fact, frozen=True, kw_only=True, tag="StudyImported"):
    """A search that another program made; its trials follow, each a `TrialImported`.

    Attributes:
        program: that made it, such as "optuna".
        direction: of its objective; one that was minimised is ranked by its negative.
        trials: that it holds; `imported` of them follow, the others never ended.
        unknown: what the study does not say, in words.
    """

    program: str
    study: str
    direction: Literal["maximize", "minimize"]
    trials: int
    imported: int
    unknown: tuple[str, ...] = ()


class TrialImported(Fact, frozen=True, kw_only=True, tag="TrialImported"):
    """One trial as its study recorded it.

    Attributes:
        experiment: what it is called here; `number` is the study's own.
        value: its objective, None where it has none.
        direction: of the study.
        values: intermediate ones by step, in the order of the steps.
        began, ended: microseconds on the study's clock, whose zone it does not say; None where it does not say when.
        agent: who proposed it, None where the study does not say, as Optuna never does.
    """

    experiment: str
    number: int
    state: Literal["completed", "pruned", "failed"]
    configuration: Configuration
    value: float | None
    direction: Literal["maximize", "minimize"]
    values: tuple[tuple[int, float], ...] = ()
    began: int | None = None
    ended: int | None = None
    agent: str | None = None
