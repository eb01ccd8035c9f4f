"""A lineage as text for a terminal."""

from __future__ import annotations

from replay.leaderboard import NOISE
from replay.lineage import Lineage, Member, Step
from replay.pages.tables import WIDTH, brief, entry, folded, measured

SHOWN = 20
"""Children, siblings and twins that a page shows; the JSON twin has them all."""


def lineage_page(lineage: Lineage) -> str:
    """Return a lineage's text: the subject, its line of ancestors, its repairs, then what came of it."""
    subject, children = lineage.subject, [step for step in lineage.after if step.generation == 1]
    later = len(lineage.after) - len(children)
    lines = [
        f"{_name(subject)}  {_score(subject)}",
        f"  {brief(subject.configuration, WIDTH - 2)}",
        f"  by {subject.agent} as {subject.origin}, proposed at {subject.proposed}: {subject.rationale}",
        *[f"  ended without a result before: {', '.join(subject.failures)}"] * bool(subject.failures),
        "",
        f"From: {len(lineage.before)} steps" if lineage.before else "From: nobody, it has no parents",
        *(line for step in lineage.before for line in _step(lineage, step, step.parent, step.generation - 1)),
        *([f"  gained along the line {lineage.gained:+.4f}"] if lineage.gained is not None else []),
        "",
        f"Children: {len(children)}" + (f", and {later} steps of later generations" if later else ""),
        *(line for step in lineage.after[:SHOWN] for line in _step(lineage, step, step.child, step.generation)),
    ]
    lines += [f"Repairs: {len(lineage.repairs)}"] * bool(lineage.repairs)
    for repair in lineage.repairs:
        child = f", child {repair.child}" if repair.child is not None else ""
        lines.append(f"  {repair.repair} of attempt {repair.attempt}: {repair.diagnosis}; {repair.remedy}{child}")
    lines += _names("siblings, of a common parent", lineage.siblings)
    lines += _names("declined as its twins", lineage.twins)
    return folded(lines, indent=4)


def _step(lineage: Lineage, step: Step, shown: str, generation: int) -> list[str]:
    other = lineage.members[shown]
    changed = ", ".join(f"{c.dimension} {_value(c.before)} -> {_value(c.after)}" for c in step.changes) or "nothing"
    told = "no gain to tell" if step.gain is None else f"{step.gain:+.4f} {NOISE[step.within_noise]}"
    return [
        f"  {generation:+d}  {_name(other)}  {_score(other)}  by {other.agent} as {other.origin}",
        f"      {step.parent} -> {step.child}: {changed}; {told}",
    ]


def _name(member: Member) -> str:
    return f"{member.experiment} ({member.idea})" if member.experiment is not None else member.idea


def _score(member: Member) -> str:
    if member.validation is not None:
        score = f"AP {member.validation:.4f} +- {measured(member.noise)}"
        known = f"known now {member.known:.4f}" if member.known is not None else "unknown now"
        return f"{score} believed then, {known} ({', '.join(member.defects)})" if member.defects else score
    return f"{member.status}: {member.reason}" if member.reason is not None else member.status


def _value(value: str | float | None) -> str:
    return "none" if value is None else entry(value)


def _names(what: str, names: tuple[str, ...]) -> list[str]:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [f"{what}: {', '.join(names[:SHOWN])}{more}"] * bool(names)
