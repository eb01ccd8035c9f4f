"""The doors that read a campaign up to a moment: its state there, its queue, and two moments side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer, at_position, opened

if TYPE_CHECKING:
    from events.log import LogReader


def at(campaign: Campaign, moment: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show the whole state at a past moment.

    Parameters
    ----------
    moment: str
        A position such as 120, or a time such as 2026-05-01T12:00:00Z (UTC where it names no zone).
    json: bool
        Print the state as JSON.
    """
    from replay.moments.moment import moment as make  # noqa: PLC0415 # help must not wait for it
    from replay.pages.reports import moment_page  # noqa: PLC0415 # likewise

    return answer(campaign, lambda log: (made := make(log, moment), moment_page(made), 0), json=json, home=home)


def queue(campaign: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show what waits, in order and why, and what was declined because of what.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL; NAME@POSITION for the queue as it stood there.
    json: bool
        Print the queue as JSON.
    """
    from replay.queueing import queueing, queueing_page  # noqa: PLC0415 # help must not wait for it

    name, until = at_position(campaign)
    return answer(name, lambda log: (made := queueing(log, until), queueing_page(made), 0), json=json, home=home)


def diff(campaign: str, other: str, then: int | None = None, /, *, json: bool = False, home: Home = None) -> int:
    """Hold two campaigns, or two moments of one, side by side.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL; NAME@POSITION reads no further than that.
    other: str
        Likewise; or a position of the same campaign, held against THEN or, without it, against the end.
    then: int
        The later position of the same campaign.
    json: bool
        Print the comparison as JSON.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.difference import Stretch, compare  # noqa: PLC0415 # likewise
    from replay.pages.difference import difference_page  # noqa: PLC0415 # likewise

    one, two = _sides(campaign, other, then)

    def stretch(reference: str, log: LogReader) -> Stretch:
        until = at_position(reference)[1]
        return Stretch(reference=reference, log=log, until=until, reading=lambda text: whole(log, text))

    def ask(log: LogReader) -> tuple[Any, str, int]:
        with opened(at_position(two)[0], home) as second:
            made = compare(stretch(one, log), stretch(two, second))
        return made, difference_page(made), 0

    return answer(at_position(one)[0], ask, json=json, home=home)


def _sides(campaign: str, other: str, then: int | None) -> tuple[str, str]:
    """Return the references of both sides; a bare number is a position of the first one's campaign."""
    name = at_position(campaign)[0]
    if then is not None:
        return f"{name}@{other}", f"{name}@{then}"
    return (f"{name}@{other}", campaign) if other.isdecimal() else (campaign, other)
