"""The operational log: what each process did, for operators; nothing reads it back.

JSON lines in a file, and a human form on the terminal where one is asked for. Keys and passwords are struck out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

SECRET_WORDS = ("key", "token", "password", "secret", "credential")
"""A field or an environment variable whose name holds one of these is secret."""

STRUCK = "(struck out)"


def strike_secrets(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Strike out fields that are named as secrets, and the values of secret environment variables anywhere."""
    secrets = [value for name, value in os.environ.items() if _is_secret(name) and len(value) >= 8]
    for name, value in entry.items():
        entry[name] = STRUCK if _is_secret(name) else _without(value, secrets)
    return entry


def open_logbook(path: Path, *, terminal: bool, **bound: str) -> None:
    """Write this process's log to a file from now on, and to standard error as well where `terminal` is True."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", buffering=1)
    sinks: list[Any] = [_Sink(file, structlog.processors.JSONRenderer())]
    if terminal:
        sinks.append(_Sink(sys.stderr, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            strike_secrets,
            _Fan(sinks),
        ],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    structlog.contextvars.bind_contextvars(process=os.getpid(), **bound)


class _Sink:
    def __init__(self, file: TextIO, renderer: Any) -> None:
        self._file = file
        self._renderer = renderer

    def write(self, logger: Any, method: str, entry: MutableMapping[str, Any]) -> None:
        print(self._renderer(logger, method, dict(entry)), file=self._file)


class _Fan:
    """The last processor: hands an entry to every sink, each in its own form."""

    def __init__(self, sinks: list[_Sink]) -> None:
        self._sinks = sinks

    def __call__(self, logger: Any, method: str, entry: MutableMapping[str, Any]) -> str:
        for sink in self._sinks:
            sink.write(logger, method, entry)
        return ""


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, STRUCK)
    return value
