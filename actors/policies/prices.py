"""What a model's tokens cost: pinned in the campaign file, so that the worst case is known before a call is begun."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

FRAMING = 1024
"""Tokens that a provider may add around the text of a request: roles, separators, its own preamble."""

QUOTED, CORRECTED = 16_384, 8_192
"""Bytes of a first answer that are sent back with its errors, and bytes of those errors."""


class Usage(NamedTuple):
    """Tokens of one call, as the provider counted them, each counted once.

    Attributes:
        fresh: read and not kept; written: read and kept in the provider's cache; cached: read from it; out: written.
    """

    fresh: int
    written: int
    cached: int
    out: int


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens of one model.

    Attributes:
        cached: read from the provider's cache; as `input` where it is left out.
        write: read and kept in the cache; where it is left out, no provider is asked to keep anything.
    """

    input: float
    output: float
    cached: float | None = None
    write: float | None = None

    def problem(self) -> str | None:
        """Say what is wrong with the numbers, or None."""
        known = [value for value in (self.input, self.output, self.cached, self.write) if value is not None]
        fine = all(math.isfinite(value) and value >= 0 for value in known)
        return None if fine else "prices are finite numbers of US dollars per million tokens, not below 0"

    def cost(self, usage: Usage) -> float:
        """Return what a call cost, US dollars."""
        cached = self.input if self.cached is None else self.cached
        write = self.input if self.write is None else self.write
        parts = (usage.fresh * self.input, usage.written * write, usage.cached * cached, usage.out * self.output)
        return math.fsum(parts) / 1e6

    def worst(self, prompt: int, answer: int) -> float:
        """Return the most that one call can cost, US dollars.

        Args:
            prompt: bytes of the prompt; a token of any tokenizer over bytes stands for at least one of them.
            answer: most tokens that the provider may write.
        """
        dearest = max(value for value in (self.input, self.cached, self.write) if value is not None)
        return ((prompt + FRAMING) * dearest + answer * self.output) / 1e6


def rounds(price: Price, *, prompt: int, answer: int) -> tuple[float, float]:
    """Return the worst case of one call of each round, US dollars: the question, and the correction of its answer."""
    return price.worst(prompt, answer), price.worst(prompt + QUOTED + CORRECTED, answer)
