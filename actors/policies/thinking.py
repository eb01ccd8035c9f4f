"""Hands that ask a model: the question, its answer read, one correction of what was wrong, and the sweep's variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actors.orders import Answered, Order, Propose, Question, Refused, Result, Suggestion, Unanswered
from actors.policies.asking import Account, Asker, useless
from actors.policies.models import Key, Prompt, Turn
from actors.policies.patience import Outcome, Patience
from actors.policies.prices import CORRECTED, QUOTED
from actors.policies.proposals import Reading, Terms, lacking, read
from actors.policies.sweep import expand
from events.space import Configuration, Space

PROBLEMS = 40
"""Problems of an answer that are sent back and recorded."""


class Manner(NamedTuple):
    """What the hands know of an agent: fewest and most ideas, variants to add, and a value for every dimension.

    Attributes:
        reading: from the space of the search to that in which an answer is read, with values that could still come.
    """

    ideas: tuple[int, int]
    sweep: int
    base: Configuration
    reading: Callable[[Space], Space] = lambda space: space


class ModelHands:
    """Asks one model for one agent's ideas; nothing that a provider says or does raises here.

    Args:
        key: what no text that leaves these hands may hold.
    """

    def __init__(self, patience: Patience, manner: Manner, key: Key) -> None:
        self._asker = Asker(patience, key)
        self._manner = manner

    def perform(self, order: Order) -> Result:
        """Return the model's ideas and the sweep's, or why there are none."""
        if not isinstance(order, Propose) or order.question is None:
            return Refused(id=order.id, reason="an agent that asks a model is given a question")
        return self._asked(order, order.question)

    def close(self) -> None:
        """Wait for no answer any more."""
        self._asker.close()

    def _asked(self, order: Propose, question: Question) -> Result:
        outcome, account = self._asker.ask(Prompt(question.stable, question.fresh), question.worst[0], Account())
        reply = outcome.reply
        if reply is None:
            return self._failed(order, outcome, account)
        account = account._replace(text=reply.text)
        if (why := useless(reply)) is not None:
            return self._unanswered(order, account, self._asker.hide(why))
        terms = self._terms(order, question)
        first = read(reply.text, terms, cut=reply.stop == "truncated")
        if not first.errors:
            return self._answered(order, account, first.ideas, first.surplus)
        return self._corrected(order, question, account, first, terms)

    def _corrected(
        self, order: Propose, question: Question, account: Account, first: Reading, terms: Terms
    ) -> Answered | Unanswered:
        turn = Turn(_quoted(account.text or ""), _correction(first, terms))
        outcome, account = self._asker.ask(Prompt(question.stable, question.fresh, (turn,)), question.worst[1], account)
        account = account._replace(correction=turn.correction)
        reply = outcome.reply
        if reply is None:
            failed = self._asker.hide(str(outcome.failure))
            return self._answered(order, account, first.ideas, (*first.errors, f"no correction came: {failed}"))
        account = account._replace(corrected=reply.text)
        if (why := useless(reply)) is not None:
            told = self._asker.hide(f"the correction is of no use: {why}")
            return self._answered(order, account, first.ideas, (*first.errors, told))
        second = read(reply.text, terms._replace(leading={}, fewest=0), cut=reply.stop == "truncated")
        ideas, gave_way = _together(first.ideas, second.ideas, terms.most)
        rest = (*second.errors, *first.surplus, *second.surplus, *gave_way, *(lacking(ideas, terms) if ideas else ()))
        return self._answered(order, account, ideas, rest)

    def _terms(self, order: Propose, question: Question) -> Terms:
        trials = (*order.history.ended, *order.history.open)
        fewest, most = self._manner.ideas
        return Terms(
            space=self._manner.reading(order.history.space),
            parents={trial.idea: trial.configuration for trial in trials},
            base=self._manner.base,
            leading=question.leading,
            fewest=fewest,
            most=most,
        )

    def _answered(
        self, order: Propose, account: Account, ideas: tuple[Suggestion, ...], problems: tuple[str, ...]
    ) -> Answered | Unanswered:
        if not ideas:
            return self._unanswered(order, account, f"no idea could be used: {'; '.join(problems[:3])}", problems)
        ideas += expand(order.history, order.key, self._manner.sweep)
        known = account._asdict() | {"text": account.text or ""}
        return Answered(id=order.id, ideas=ideas, problems=self._told(problems), **known)

    def _failed(self, order: Propose, outcome: Outcome, account: Account) -> Unanswered:
        failure = outcome.failure
        kind = failure.kind if failure is not None else "unreachable"
        wait = failure.wait if failure is not None and failure.wait is not None else 0.0
        reason = self._asker.hide(str(failure))
        return Unanswered(id=order.id, reason=reason, kind=kind, wait=wait, **account._asdict())

    def _unanswered(self, order: Propose, account: Account, reason: str, problems: tuple[str, ...] = ()) -> Unanswered:
        told = self._told(problems)
        return Unanswered(id=order.id, reason=reason, kind="answer", problems=told, **account._asdict())

    def _told(self, problems: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._asker.hide(problem) for problem in problems[:PROBLEMS])


def _together(
    first: tuple[Suggestion, ...], second: tuple[Suggestion, ...], most: int
) -> tuple[tuple[Suggestion, ...], tuple[str, ...]]:
    """Put corrected ideas beside those that stood; where they are too many, the last that stood give way."""
    second = second[:most]
    kept = first[: most - len(second)]
    gave = tuple(f"an idea gave way to a corrected one: {idea.rationale[:80]}" for idea in first[len(kept) :])
    return kept + second, gave


def _quoted(answer: str) -> str:
    """Return a first answer as it is sent back: as much as was reserved for."""
    return answer.encode()[:QUOTED].decode(errors="ignore")


def _correction(reading: Reading, terms: Terms) -> str:
    stand = f"{len(reading.ideas)} of your ideas stand and need not be repeated. " if reading.ideas else ""
    missing = max(1, min(terms.most, terms.fewest) - len(reading.ideas))
    lines = [f"- {problem}" for problem in reading.errors[:PROBLEMS]]
    asked = f"Answer with a YAML list of the ideas that replace the wrong ones, at least {missing}, and nothing else."
    text = "\n".join(["These things are wrong in your answer:", *lines, stand + asked])
    return (
        text
        if len(text.encode()) <= CORRECTED
        else text.encode()[: CORRECTED - 200].decode(errors="ignore") + "\n" + asked
    )
