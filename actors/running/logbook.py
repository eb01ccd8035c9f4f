"""The operational log: what each process did, for operators; nothing reads it back.

JSON lines in a file, and a human form on the terminal where one is asked for. Keys and passwords are struck out. What
pykka says of a dying actor goes here too. A log that cannot be written is silent: it never harms what it tells about.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from actors.discretion import STRUCK, is_secret, without_secrets
from actors.errors import CampaignError
from events.errors import LogError

TRACE = "exception"
"""The field that holds a trace; the terminal is spared it, the file keeps it."""


def strike_secrets(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Strike out fields that are named as secrets, and the values of secret environment variables anywhere."""
    entry.update({name: STRUCK if is_secret(str(name)) else _struck(value) for name, value in entry.items()})
    return entry


def open_logbook(path: Path, *, terminal: bool, **bound: str) -> None:
    """Write this process's log to a file from now on, and to standard error as well where `terminal` is True.

    Raises:
        CampaignError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", buffering=1)
    except OSError as error:
        raise CampaignError(f"the operational log {path} cannot be written: {error.strerror}") from None
    sinks: list[Any] = [_Sink(file, structlog.processors.JSONRenderer())]
    if terminal:
        sinks.append(
            _Sink(sys.stderr, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0), TRACE)
        )
    structlog.configure(
        processors=[
            lambda _logger, _method, entry: {"process": os.getpid(), **bound, **entry},
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            strike_secrets,
            _Fan(sinks),
        ],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    pykka = logging.getLogger("pykka")
    pykka.propagate = False
    pykka.handlers = [_Passed()]


class _Passed(logging.Handler):
    """Hands on what a library said through Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, LogError):
            return  # a lost log ends the process, which says so once
        structlog.get_logger().log(record.levelno, record.getMessage(), exc_info=error)


class _Sink:
    def __init__(self, file: TextIO, renderer: Any, *omitted: str) -> None:
        self._file = file
        self._renderer = renderer
        self._omitted = omitted

    def write(self, logger: Any, method: str, entry: MutableMapping[str, Any]) -> None:
        kept = {name: value for name, value in entry.items() if name not in self._omitted}
        with contextlib.suppress(OSError, ValueError):
            # One write a line: other threads write here too.
            self._file.write(f"{self._renderer(logger, method, kept)}\n")


class _Fan:
    """The last processor: hands an entry to every sink, each in its own form."""

    def __init__(self, sinks: list[_Sink]) -> None:
        self._sinks = sinks

    def __call__(self, logger: Any, method: str, entry: MutableMapping[str, Any]) -> str:
        for sink in self._sinks:
            sink.write(logger, method, entry)
        return ""


def _struck(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: STRUCK if is_secret(str(name)) else _struck(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_struck(inner) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value
