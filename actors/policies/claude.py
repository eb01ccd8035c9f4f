"""Claude, over the Anthropic SDK: the only module that knows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import anthropic
from anthropic.types import Message, MessageParam, TextBlockParam

from actors.policies.models import Key, ModelFailed, Prompt, Reply, Settings, asked_wait, counted, turned_away

HOME = "https://api.anthropic.com"
"""Named here, so that no variable of the environment sends the key elsewhere than the campaign file says."""

SAMPLING = "2023-06-01"
"""The API version that takes a temperature; later ones refuse it even at its default."""

UNSENT = ("ConnectError", "ConnectTimeout")
"""What the HTTP client raises before anything was sent, in the words that its two generations share."""


class Claude:
    """One Claude model, or whatever speaks its protocol at `base_url`."""

    def __init__(self, settings: Settings, key: Key) -> None:
        self._settings = settings
        # Older servers of the protocol read the key from its own header, newer ones from the SDK's bearer token.
        own = {} if settings.base_url is None else {"X-Api-Key": key.value}
        self._client = anthropic.Anthropic(
            api_key=key.value,
            base_url=settings.base_url or HOME,
            max_retries=0,
            timeout=settings.timeout,
            default_headers=own,
            http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
        )

    def ask(self, prompt: Prompt, schema: Mapping[str, Any] | None = None) -> Reply:
        """Send a prompt once; see `actors.policies.models.Model`."""
        began = time.monotonic()
        try:
            message = self._client.messages.create(
                model=self._settings.model,
                max_tokens=self._settings.max_tokens,
                system=[self._stable(prompt)],
                messages=_messages(prompt),
                **self._extras(schema),
            )
        except anthropic.APIStatusError as error:
            raise _status(error) from None
        except anthropic.APIConnectionError as error:
            free = type(error.__cause__).__name__ in UNSENT
            raise ModelFailed(f"{error} {error.__cause__}", kind="unreachable", free=free) from None
        return _reply(message, time.monotonic() - began)

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _stable(self, prompt: Prompt) -> TextBlockParam:
        """Return what never changes; a provider keeps it from about a thousand tokens on, at a price of its own."""
        block: TextBlockParam = {"type": "text", "text": prompt.stable}
        return block | {"cache_control": {"type": "ephemeral"}} if self._settings.cached else block

    def _extras(self, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        extras: dict[str, Any] = {}
        if schema is not None:
            extras["output_config"] = {"format": {"type": "json_schema", "schema": dict(schema)}}
        if self._settings.temperature is not None:
            extras["extra_body"] = {"temperature": self._settings.temperature}
            extras["extra_headers"] = {"anthropic-version": SAMPLING}
        return extras


def _messages(prompt: Prompt) -> list[MessageParam]:
    messages: list[MessageParam] = [{"role": "user", "content": prompt.fresh}]
    for turn in prompt.turns:
        messages += [{"role": "assistant", "content": turn.answer}, {"role": "user", "content": turn.correction}]
    return messages


def _status(error: anthropic.APIStatusError) -> ModelFailed:
    said = error.body.get("error") if isinstance(error.body, dict) else None
    words = said.get("message") if isinstance(said, dict) else error.message
    return turned_away(error.status_code, f"{error.type or ''} {words}", asked_wait(error.response.headers))


def _reply(message: object, seconds: float) -> Reply:
    """Read a message as far as it can be read: the SDK does not check what a server sends."""
    if not isinstance(message, Message) or not isinstance(message.content, list):
        raise ModelFailed("what came back is no message of the protocol", kind="unreachable", free=False)
    texts = [getattr(block, "text", None) for block in message.content if getattr(block, "type", "") == "text"]
    usage = message.usage
    counts = [
        getattr(usage, name, None)
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    ]
    told = counts[0] is not None and counts[3] is not None
    return Reply(
        text="".join(text for text in texts if isinstance(text, str)),
        model=str(message.model),
        usage=counted(*counts) if told else None,
        stop=_stop(str(message.stop_reason)),
        detail=_detail(message),
        seconds=seconds,
    )


def _stop(reason: str) -> Any:
    if reason in ("max_tokens", "model_context_window_exceeded"):
        return "truncated"
    return "refused" if reason == "refusal" else "end"


def _detail(message: Message) -> str:
    details = getattr(message, "stop_details", None)
    words = (message.stop_reason, getattr(details, "category", None), getattr(details, "explanation", None))
    return " ".join(str(word) for word in words if word)
