"""The doors that ask whether the record holds: digest and audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer

if TYPE_CHECKING:
    from events.log import LogReader


def digest(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Recompute the digest and hold it against every one that the analyst recorded: exit 0 held, 1 broken, 2 unknown.

    Parameters
    ----------
    json: bool
        Print the digest and every check as JSON.
    """
    from replay.pages.reports import record_lines  # noqa: PLC0415 # help must not wait for it
    from replay.report import record  # noqa: PLC0415 # likewise
    from replay.seals import EXIT, verified  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = record(*verified(log))
        return made, "\n".join(record_lines(made)), EXIT[made.verdict]

    return answer(campaign, ask, json=json, home=home)


def audit(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Put every law of the house to the test on the log: exit 0 held, 1 broken, 2 unknown.

    Parameters
    ----------
    json: bool
        Print every ruling as JSON: how often each law was put to the test, and what broke it where.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.audit import audit as make  # noqa: PLC0415 # likewise
    from replay.audit import audit_page  # noqa: PLC0415 # likewise
    from replay.seals import EXIT  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(log, lambda text: whole(log, text))
        return made, audit_page(made), EXIT[made.verdict]

    return answer(campaign, ask, json=json, home=home)
