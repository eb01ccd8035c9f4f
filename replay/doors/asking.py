"""What all doors share: how a campaign is named, opened and asked, and how an answer or an error is printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from events.log import LogReader

Campaign = Annotated[str, Parameter(help="Name, archive path or nats URL.")]
Home = Annotated[
    Path | None, Parameter(help="The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.")
]


def answer(campaign: str, ask: Callable[[LogReader], tuple[Any, str, int]], *, json: bool, home: Path | None) -> int:
    """Open a campaign, ask, print the page or its JSON, and return the exit code.

    `ask` returns the struct that is the JSON, the page and the exit code. An error of the log or of the room is one
    sentence: exit 2 where what was asked for is not there, else 1.
    """
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from events.errors import CampaignUnknown, LogError  # noqa: PLC0415 # likewise
    from replay.errors import QuestionUnknown, ReplayError  # noqa: PLC0415 # likewise

    try:
        with opened(campaign, home) as log:
            made, page, code = ask(log)
    except (LogError, ReplayError) as error:
        sys.stderr.write(f"myriad: {error}\n")
        return 2 if isinstance(error, QuestionUnknown | CampaignUnknown) else 1
    sys.stdout.write(f"{msgspec.json.encode(made, order='deterministic').decode() if json else page}\n")
    return code


def opened(campaign: str, home: Path | None) -> AbstractContextManager[LogReader]:
    """Return the log that a reference names, closed at the end of the block."""
    from events.campaigns import open as resolve  # noqa: PLC0415 # it brings the server's client along

    return closing(resolve(campaign, home))


def at_position(reference: str) -> tuple[str, int | None]:
    """Return NAME@POSITION as its two parts; what stands before a server's address is no name."""
    found = re.fullmatch(r"(?!\w+://[^/]*$)(.+)@(\d+)", reference)
    return (found[1], int(found[2])) if found is not None else (reference, None)
