"""What a language model is to whoever asks it: one prompt, one reply or one typed failure; every provider fits this."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

from actors.errors import CampaignError
from actors.policies.prices import Usage

MODELS = {"claude": "actors.policies.claude:Claude", "gemini": "actors.policies.gemini:Gemini"}

KEYS = {"claude": ("ANTHROPIC_API_KEY",), "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY")}
"""Where a provider's key is looked for: these variables of the environment, in this order, and nowhere else."""

HIDDEN = 8
"""Characters from which on a key is looked for in what a provider says; a shorter one is a word like any other."""

LONGEST_WAIT = 86_400.0
"""Seconds beyond which a provider's wish to be left alone is not believed."""

SAID = 300
"""Characters of a provider's own words that a reason keeps."""


class Turn(NamedTuple):
    """A first answer, and what was sent back about it."""

    answer: str
    correction: str


class Prompt(NamedTuple):
    """What is sent: the part that never changes, the part that does, and what was said since."""

    stable: str
    fresh: str
    turns: tuple[Turn, ...] = ()


class Reply(NamedTuple):
    """What came back.

    Attributes:
        model: who exactly answered, in the provider's words.
        usage: None where the provider did not say.
        stop: end: it was done; truncated: it was cut at a limit; refused: it would not.
        detail: why it stopped, in the provider's words.
    """

    text: str
    model: str
    usage: Usage | None
    stop: Literal["end", "truncated", "refused"]
    detail: str
    seconds: float


class ModelFailed(CampaignError):
    """A call ended without a reply.

    Attributes:
        kind: unreachable: another time it may go well; rejected: the same request will never do.
        free: the provider did no work, so that the call cost nothing; else nobody knows what it cost.
        wait: seconds in which it asks not to be asked again, None where it did not say.
    """

    def __init__(
        self, reason: str, *, kind: Literal["unreachable", "rejected"], free: bool, wait: float | None = None
    ) -> None:
        super().__init__(one_line(reason))
        self.kind = kind
        self.free = free
        self.wait = wait


class Settings(NamedTuple):
    """How a model is asked; `base_url` None is the provider's own address, `timeout` seconds for one call.

    Attributes:
        cached: whether a provider that must be told to keeps what never changes: only where the price of that is known.
    """

    model: str
    max_tokens: int
    timeout: float
    temperature: float | None = None
    base_url: str | None = None
    cached: bool = False


class Model(Protocol):
    """One model of one provider; asked from one thread at a time."""

    def ask(self, prompt: Prompt, schema: Mapping[str, Any] | None = None) -> Reply:
        """Send a prompt once and return the reply; no retries.

        Args:
            prompt: sent as it is, its parts in order.
            schema: JSON Schema that the provider holds the answer to; None for free text.

        Raises:
            ModelFailed: there is none.
        """

    def close(self) -> None:
        """Give back connections."""


class Key:
    """A provider's key: handed to its SDK, shown to nobody."""

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"Key({self.name})"

    def hide(self, text: str) -> str:
        """Return the text without the key, and without other providers', should whoever answers have said one."""
        others = {name: os.environ.get(name, "").strip() for names in KEYS.values() for name in names}
        for name, value in {**others, self.name: self.value}.items():
            if len(value) >= HIDDEN:
                text = text.replace(value, f"[{name}]")
        return text


def find_key(policy: str, environment: Mapping[str, str] = os.environ) -> Key | None:
    """Return the key that a policy's provider asks for, None where the environment has none.

    Raises:
        CampaignError: it holds what no key holds; what a library says of such a key would quote it.
    """
    found = ((name, environment.get(name, "").strip()) for name in KEYS[policy])
    key = next((Key(name, value) for name, value in found if value), None)
    if key is not None and (strange := re.search(r"[^!-~]", key.value)):
        raise CampaignError(f"{key.name} holds a character that no key has, the {strange.start() + 1}th: set it again")
    return key


def load_model(policy: str, settings: Settings, key: Key) -> Model:
    """Return a model by its policy's name in `MODELS`; its SDK is imported here and not before."""
    module, _, attribute = MODELS[policy].partition(":")
    model: Model = getattr(import_module(module), attribute)(settings, key)
    return model


def turned_away(status: int, reason: str, wait: float | None) -> ModelFailed:
    """Return the failure that an HTTP status means.

    Errors of the request, rate limits (429) and overload (503, 529) are answered before any work is done. After a
    time-out (408, 504) or an error inside (500, 502) nobody knows.
    """
    passing = status in (408, 409, 425, 429) or status >= 500
    free = status in (503, 529) or (status < 500 and status != 408)
    return ModelFailed(f"{status} {reason}", kind="unreachable" if passing else "rejected", free=free, wait=wait)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `retry-after-ms` or `retry-after` header (a number, a date), None where none is."""
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            return bounded(float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    try:
        return bounded(parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None


def bounded(seconds: float) -> float | None:
    """Return seconds to wait as far as they are believed; None for what is no length of time."""
    return min(max(0.0, seconds), LONGEST_WAIT) if math.isfinite(seconds) else None


def counted(*tokens: object) -> Usage | None:
    """Return a usage where each count (fresh, written, cached, out) is a whole number that can be true."""
    known = [0 if count is None else count for count in tokens]
    if not all(isinstance(count, int) and 0 <= count < 2**40 for count in known):
        return None
    return Usage(*(int(str(count)) for count in known))


def one_line(text: str) -> str:
    """Return a provider's words as one line of plain characters, shortened."""
    words = " ".join("".join(c if " " <= c <= "~" else " " for c in text).split())
    return words if len(words) <= SAID else words[: SAID - 3] + "..."
