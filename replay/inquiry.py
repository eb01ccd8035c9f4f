"""One cycle as it was: what its agent was told, what the model answered, what was made of it, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from events.envelope import Fact, Text
from events.errors import BlobMissing
from events.facts import IdeaDeclined, IdeaProposed, RefusalKind
from events.log import LogReader
from events.space import Configuration
from replay.cycles import Cycle, CyclesFold
from replay.errors import QuestionUnknown
from replay.folds import run
from replay.ledger import Idea, Ledger, LedgerFold
from replay.pages.tables import brief, folded
from replay.settings import Reading

F = TypeVar("F", bound=Fact)

LINE = 400
"""Characters of a configuration on one line, broken where the page ends."""


class CycleUnknown(QuestionUnknown):
    """A cycle was asked for that the log does not hold."""


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """One idea of the cycle and its verdict.

    Attributes:
        filled: dimensions that its author left out, and where their values came from.
        rule: why it was declined, in the scheduler's words; None when it was accepted.
    """

    idea: str
    origin: str
    rationale: str
    configuration: Configuration
    filled: dict[str, str]
    verdict: str
    twin: str | None = None
    rule: str | None = None
    validation: float | None = None


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME cycle ID --json` prints.

    Attributes:
        prompt, answer, correction, corrected: whole texts, None where there was none.
        problems: what stayed wrong with the answer.
        failures: why each call failed that did, in order.
        reserve_usd, spent_usd: US dollars set aside, and counted as spent.
    """

    cycle: str
    agent: str
    state: str
    reason: str | None
    kind: RefusalKind | None
    model: str | None
    sections: tuple[str, ...]
    prompt: str | None
    answer: str | None
    correction: str | None
    corrected: str | None
    problems: tuple[str, ...]
    ideas: tuple[Proposed, ...]
    reserve_usd: float
    spent_usd: float
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    calls: int
    seconds: float
    failures: tuple[str, ...] = ()


def inquiry(log: LogReader, name: str, reading: Reading) -> Inquiry:
    """Return a cycle with its texts, ideas and verdicts.

    Raises:
        CycleUnknown: the log holds no cycle of this name.
    """
    ledger, cycles = run(log, LedgerFold(), CyclesFold())
    if (cycle := cycles.cycles.get(name)) is None:
        known = [*cycles.cycles]
        between = f"it holds {len(known)}, {known[0]} to {known[-1]}" if known else "it holds none"
        raise CycleUnknown(f"the log has no cycle {name!r}; {between}")
    said = {fact.idea: fact for fact in _facts(log, name, IdeaProposed)}
    rules = {fact.idea: fact.rule for fact in _facts(log, name, IdeaDeclined)}
    return Inquiry(
        cycle=name,
        agent=cycle.agent,
        state=_state(cycle),
        reason=cycle.refused,
        kind=cycle.kind,
        model=cycle.model,
        sections=cycle.sections,
        problems=cycle.problems,
        ideas=tuple(_proposed(ledger, ledger.ideas[idea], said[idea], rules.get(idea)) for idea in cycle.ideas),
        reserve_usd=cycle.reserve_usd,
        spent_usd=cycle.spent,
        prompt=_whole(cycle.prompt, reading),
        answer=_whole(cycle.answer, reading),
        correction=_whole(cycle.correction, reading),
        corrected=_whole(cycle.corrected, reading),
        tokens_in=cycle.tokens_in,
        tokens_cached=cycle.tokens_cached,
        tokens_out=cycle.tokens_out,
        calls=cycle.calls,
        seconds=cycle.seconds,
        failures=cycle.failures,
    )


def inquiry_page(inquiry: Inquiry) -> str:
    """Return a cycle's text; what was sent and answered stands as it was, line for line.

    Characters that no eye sees, such as those that steer a terminal or turn a line around, are spelled out.
    """
    known = f", {inquiry.model}" if inquiry.model else ""
    tokens = f"{inquiry.tokens_in} tokens in ({inquiry.tokens_cached} cached), {inquiry.tokens_out} out"
    head = [
        f"cycle      {inquiry.cycle} of {inquiry.agent}: {inquiry.state}{known}",
        *([f"refused    {inquiry.kind or 'no kind told'}: {inquiry.reason}"] if inquiry.reason is not None else []),
        f"cost       {inquiry.spent_usd:.4f} USD of {inquiry.reserve_usd:.4f} reserved",
        f"           {inquiry.calls} calls, {inquiry.seconds:.1f} s, {tokens}",
        f"sections   {', '.join(inquiry.sections) or 'none'}",
    ]
    parts = [folded(head)]
    if inquiry.failures:
        parts.append(folded(["--- calls that failed ---", *inquiry.failures], indent=2))
    names = {"prompt": inquiry.prompt, "answer": inquiry.answer}
    names |= {"correction asked for": inquiry.correction, "corrected answer": inquiry.corrected}
    parts += [f"--- {name} ---\n{text.rstrip()}" for name, text in names.items() if text is not None]
    if inquiry.problems:
        parts.append(folded(["--- what stayed wrong ---", *inquiry.problems], indent=2))
    parts.append(folded(["--- ideas ---", *(line for idea in inquiry.ideas for line in _lines(idea))], indent=4))
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in "\n\n".join(parts))


def _lines(idea: Proposed) -> Iterator[str]:
    score = f", validation AP {idea.validation:.4f}" if idea.validation is not None else ""
    why = f": {idea.rule}" if idea.rule is not None else ""
    twin = f" of {idea.twin}" if idea.twin is not None else ""
    yield f"{idea.idea} ({idea.origin}): {idea.verdict}{twin}{why}{score}"
    yield f"    {brief(idea.configuration, LINE)}"
    yield f"    {idea.rationale}"
    if idea.filled:
        yield "    filled in: " + ", ".join(f"{name} from {source}" for name, source in idea.filled.items())


def _proposed(ledger: Ledger, idea: Idea, fact: IdeaProposed, rule: str | None) -> Proposed:
    experiment = ledger.experiments.get(idea.experiment or "")
    verdict = f"{experiment.experiment} {experiment.status}" if experiment is not None else "no verdict yet"
    return Proposed(
        idea=idea.idea,
        origin=idea.origin,
        rationale=idea.rationale,
        configuration=idea.configuration,
        filled=fact.filled,
        verdict=idea.declined or verdict,
        twin=idea.twin,
        rule=rule,
        validation=experiment.outcome.validation if experiment is not None and experiment.outcome else None,
    )


def _facts(log: LogReader, cycle: str, kind: type[F]) -> Iterator[F]:
    for recorded in log.read(subject=f"myriad.{log.campaign}.cycle.{cycle}.*"):
        yield from (fact for fact in recorded.facts if isinstance(fact, kind))


def _whole(text: Text | None, reading: Reading) -> str | None:
    try:
        return None if text is None else reading(text)
    except BlobMissing as error:
        assert text is not None  # noqa: S101 # a text that is not there is not read
        return f"{text.head}\n[... {text.length - len(text.head) - len(text.tail)} characters: {error}]\n{text.tail}"


def _state(cycle: Cycle) -> str:
    if cycle.open:
        return "open, not answered yet"
    return "refused" if cycle.refused is not None else "answered"
