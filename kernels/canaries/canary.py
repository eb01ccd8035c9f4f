"""What a canary reports: a claim about a dimension or a stage, the number seen, and the one allowed."""

from dataclasses import dataclass

EXACT = 1e-6  # how far apart two numbers may be that must be the same
ALLOWED = {"cpu": EXACT, "cuda": 2e-5}  # a GPU is held against the CPU, which adds in another order


@dataclass(frozen=True)
class Canary:
    """One finding, held or not.

    Attributes:
        name: of the canary: "dimension", "stage", "split", "sameness", "shuffled_labels" or "planted_signal".
        subject: the dimension, stage or encoder that it speaks of.
        seen: the number that decided.
        allowed: the number that it was held against; None where any change is enough.
        problem: what is wrong, in words; None where the claim held.
    """

    name: str
    subject: str
    seen: float | None
    allowed: float | None
    problem: str | None = None


@dataclass(frozen=True)
class Misfit:
    """Something that a stage made and should not have: how far off it is, and what was wrong, in words."""

    stage: str
    error: float
    problem: str


def at_most(name: str, subject: str, seen: float, allowed: float, problem: str) -> Canary:
    """A canary that holds while what was seen is at most what is allowed; not a number never is."""
    return Canary(name, subject, seen, allowed, None if seen <= allowed else f"{problem} ({seen:.2g} > {allowed:.2g})")
