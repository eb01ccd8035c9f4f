"""Hands that ask a model for a repair, and what is read of its answer: an explanation and one unified diff."""

from __future__ import annotations

from typing import NamedTuple

from actors.orders import Answered, Mend, Order, Refused, Result, Unanswered
from actors.policies.asking import Account, Asker, useless
from actors.policies.fences import blocks
from actors.policies.models import Key, Prompt
from actors.policies.patience import Patience

LONGEST = 200_000
"""Characters of an answer that is looked into."""


class Mended(NamedTuple):
    """An answer as it was read; `diff` is None where there is none to try, and `problem` says why."""

    explanation: str
    diff: str | None
    problem: str | None = None


def read(text: str) -> Mended:
    """Return what an answer says: what stands before its fenced diff, and the diff."""
    if len(text) > LONGEST:
        return Mended("", None, f"the answer has {len(text)} characters; at most {LONGEST} are read")
    text = text.replace("\r\n", "\n")
    found = [block for block in blocks(text) if block.closed and block.info in ("diff", "patch")]
    if len(found) != 1:
        problem = "the answer holds no fenced diff" if not found else f"the answer holds {len(found)} diffs, not one"
        return Mended(text.strip(), None, problem)
    return Mended(text[: found[0].start].strip(), found[0].body)


class MendHands:
    """Asks one model what is wrong; nothing that a provider says or does raises here.

    Args:
        key: what no text that leaves these hands may hold.
    """

    def __init__(self, patience: Patience, key: Key) -> None:
        self._asker = Asker(patience, key)

    def perform(self, order: Order) -> Result:
        """Return the model's answer, as it came, or why there is none."""
        if not isinstance(order, Mend):
            return Refused(id=order.id, reason="a mender is asked about crashes alone")
        outcome, account = self._asker.ask(Prompt(order.stable, order.fresh), order.worst, Account())
        failure, reply = outcome.failure, outcome.reply
        if reply is None:
            kind = failure.kind if failure is not None else "unreachable"
            wait = failure.wait if failure is not None and failure.wait is not None else 0.0
            reason = self._asker.hide(str(failure))
            return Unanswered(id=order.id, reason=reason, kind=kind, wait=wait, **account._asdict())
        account = account._replace(text=reply.text)
        if (why := useless(reply)) is not None:
            return Unanswered(id=order.id, reason=self._asker.hide(why), kind="answer", **account._asdict())
        return Answered(id=order.id, ideas=(), **account._asdict())

    def close(self) -> None:
        """Wait for no answer any more."""
        self._asker.close()
