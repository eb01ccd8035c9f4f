"""One model, asked for somebody who records it: what was said and what it cost, without the key in any of it."""

from __future__ import annotations

from typing import NamedTuple

from actors.policies.models import Key, Prompt, Reply, one_line
from actors.policies.patience import Outcome, Patience


class Account(NamedTuple):
    """What was said and spent so far, as the result records it."""

    usd: float = 0.0
    calls: int = 0
    seconds: float = 0.0
    text: str | None = None
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    correction: str | None = None
    corrected: str | None = None
    failures: tuple[str, ...] = ()

    def after(self, outcome: Outcome) -> Account:
        """Add what a round of calls cost."""
        usage = outcome.reply.usage if outcome.reply is not None else None
        fresh, written, cached, out = usage or (0, 0, 0, 0)
        return self._replace(
            usd=self.usd + outcome.usd,
            calls=self.calls + outcome.calls,
            seconds=self.seconds + outcome.seconds,
            model=outcome.reply.model if outcome.reply is not None else self.model,
            tokens_in=self.tokens_in + fresh + written + cached,
            tokens_out=self.tokens_out + out,
            tokens_cached=self.tokens_cached + cached,
            failures=(*self.failures, *outcome.failures),
        )


class Asker:
    """Asks one model; nothing that a provider says or does raises here.

    Args:
        key: what no text that comes back may hold.
    """

    def __init__(self, patience: Patience, key: Key) -> None:
        self._patience = patience
        self._key = key

    def ask(self, prompt: Prompt, worst: float, account: Account) -> tuple[Outcome, Account]:
        """Return what came of a prompt, and the account after it.

        Args:
            prompt: sent as it is.
            worst: US dollars that one call counts as where nobody knows what it cost.
            account: of what was asked before.
        """
        outcome = self._patience.ask(prompt, worst)
        outcome = outcome._replace(failures=tuple(map(self._key.hide, outcome.failures)))
        if outcome.reply is not None:
            text = self._clean(outcome.reply.text)
            model, detail = (one_line(self._clean(words)) for words in (outcome.reply.model, outcome.reply.detail))
            outcome = outcome._replace(reply=outcome.reply._replace(text=text, model=model[:100], detail=detail))
        return outcome, account.after(outcome)

    def hide(self, text: str) -> str:
        """Return the text without the key."""
        return self._key.hide(text)

    def close(self) -> None:
        """Wait for no answer any more; called from another thread."""
        self._patience.close()

    def _clean(self, text: str) -> str:
        """Return a text that can be written down: no half characters, no key."""
        return self._key.hide(text.encode("utf-8", "backslashreplace").decode())


def useless(reply: Reply) -> str | None:
    """Say why there is nothing to read in a reply, or None."""
    if reply.stop == "refused":
        return f"the model refused: {reply.detail}"
    if not reply.text.strip():
        cut = ", cut at its limit of tokens" if reply.stop == "truncated" else ""
        return f"the answer is empty{cut}"
    return None
