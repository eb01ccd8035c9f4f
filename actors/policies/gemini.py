"""Gemini, over Google's generative AI SDK: the only module that knows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from google import genai
from google.genai import errors, types

from actors.policies.models import Key, ModelFailed, Prompt, Reply, Settings, asked_wait, bounded, counted, turned_away

HOME = "https://generativelanguage.googleapis.com/"
"""Named here, so that no variable of the environment sends the key elsewhere than the campaign file says."""

CUT = ("MAX_TOKENS", "CONTINUATION")

UNSENT = ("ConnectError", "ConnectTimeout")
"""What the HTTP client raises before anything was sent, in the words that its two generations share."""


class Gemini:
    """One Gemini model, or whatever speaks its protocol at `base_url`."""

    def __init__(self, settings: Settings, key: Key) -> None:
        self._settings = settings
        options = types.HttpOptions(
            base_url=settings.base_url or HOME,
            timeout=int(settings.timeout * 1000),
            # The SDK follows redirects and takes the key along.
            client_args={"follow_redirects": False},
        )
        self._client = genai.Client(vertexai=False, api_key=key.value, http_options=options)

    def ask(self, prompt: Prompt, schema: Mapping[str, Any] | None = None) -> Reply:
        """Send a prompt once; see `actors.policies.models.Model`."""
        began = time.monotonic()
        try:
            response = self._client.models.generate_content(
                model=self._settings.model, contents=_contents(prompt), config=self._config(prompt, schema)
            )
        except errors.APIError as error:
            raise _status(error) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2"):
                raise
            free = type(error).__name__ in UNSENT
            raise ModelFailed(f"{type(error).__name__} {error}", kind="unreachable", free=free) from None
        return _reply(response, time.monotonic() - began)

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _config(self, prompt: Prompt, schema: Mapping[str, Any] | None) -> types.GenerateContentConfig:
        return types.GenerateContentConfig(
            system_instruction=prompt.stable,
            temperature=self._settings.temperature,
            max_output_tokens=self._settings.max_tokens,
            response_mime_type="application/json" if schema is not None else None,
            response_json_schema=dict(schema) if schema is not None else None,
            # Left on, the SDK would send further requests of its own accord, which nobody has reserved.
            automatic_continuation=False,
        )


def _contents(prompt: Prompt) -> list[types.Content]:
    contents = [_content("user", prompt.fresh)]
    for turn in prompt.turns:
        contents += [_content("model", turn.answer), _content("user", turn.correction)]
    return contents


def _content(role: str, text: str) -> types.Content:
    return types.Content(role=role, parts=[types.Part(text=text)])


def _status(error: errors.APIError) -> ModelFailed:
    headers = getattr(error.response, "headers", None) or {}
    wait = asked_wait(headers)
    said = f"{error.status or ''} {error.message or ''}"
    return turned_away(int(error.code or 500), said, _retry_info(error.details) if wait is None else wait)


def _retry_info(details: object) -> float | None:
    """Return the delay of a google.rpc.RetryInfo among an error's details, such as "3.5s"."""
    error = details.get("error") if isinstance(details, dict) else None
    notes = error.get("details") if isinstance(error, dict) else None
    for note in notes if isinstance(notes, list) else []:
        delay = str(note.get("retryDelay", "")) if isinstance(note, dict) else ""
        try:
            return bounded(float(delay.removesuffix("s")))
        except ValueError:
            continue
    return None


def _reply(response: types.GenerateContentResponse, seconds: float) -> Reply:
    """Read a response: no candidate at all means that the prompt was refused."""
    candidate = response.candidates[0] if response.candidates else None
    parts = candidate.content.parts if candidate is not None and candidate.content is not None else None
    text = "".join(part.text for part in parts or () if part.text and not part.thought)
    stop, detail = _stop(response, candidate)
    return Reply(
        text=text,
        model=response.model_version or "",
        usage=_usage(response),
        stop=stop,
        detail=detail,
        seconds=seconds,
    )


def _stop(
    response: types.GenerateContentResponse, candidate: types.Candidate | None
) -> tuple[Literal["end", "truncated", "refused"], str]:
    if candidate is None:
        feedback = response.prompt_feedback
        blocked = feedback.block_reason if feedback is not None else None
        return ("refused", f"the prompt was blocked: {blocked.value}") if blocked is not None else ("end", "")
    reason = candidate.finish_reason.value if candidate.finish_reason is not None else ""
    detail = f"{reason} {candidate.finish_message or ''}".strip()
    if reason in CUT:
        return "truncated", detail
    return ("end" if reason in ("", "STOP") else "refused"), detail


def _usage(response: types.GenerateContentResponse) -> Any:
    used = response.usage_metadata
    if used is None or used.prompt_token_count is None:
        return None
    cached = used.cached_content_token_count or 0
    read = used.prompt_token_count + (used.tool_use_prompt_token_count or 0)
    return counted(read - cached, 0, cached, (used.candidates_token_count or 0) + (used.thoughts_token_count or 0))
