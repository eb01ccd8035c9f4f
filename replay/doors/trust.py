"""The doors that ask whether results can be trusted: instruments, eras, taint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer

if TYPE_CHECKING:
    from events.log import LogReader


def instruments(campaign: Campaign, *words: str, json: bool = False, home: Home = None) -> int:
    """List the instruments: what each is made of, what its canaries saw, how many runs it measured.

    Parameters
    ----------
    words: str
        Nothing, or `diff A B`: what changed between two of them, each named by the beginning of its digest.
    json: bool
        Print them, or the changes, as JSON.
    """
    from replay.errors import QuestionUnknown  # noqa: PLC0415 # help must not wait for it
    from replay.instruments import changes, named  # noqa: PLC0415 # likewise
    from replay.instruments import instruments as make  # noqa: PLC0415 # likewise
    from replay.pages.trust import changes_page, instruments_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        known = make(log)
        if not words:
            return known, instruments_page(known), 0
        if len(words) != 3 or words[0] != "diff":
            raise QuestionUnknown(f"instruments takes nothing, or diff A B, not {' '.join(words)}")
        made = changes(named(known, words[1]), named(known, words[2]))
        return made, changes_page(made), 0

    return answer(campaign, ask, json=json, home=home)


def eras(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Tell when each era began and why, under which instrument, how many runs it had, and its best on each scale.

    Parameters
    ----------
    json: bool
        Print the eras as JSON.
    """
    from replay.era_report import era_report  # noqa: PLC0415 # help must not wait for it
    from replay.folds import run  # noqa: PLC0415 # likewise
    from replay.ledger import LedgerFold  # noqa: PLC0415 # likewise
    from replay.pages.trust import eras_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = era_report(run(log, LedgerFold())[0])
        return made, eras_page(made), 0

    return answer(campaign, ask, json=json, home=home)


def taint(
    campaign: Campaign,
    /,
    *,
    rerun: bool = False,
    gpu_hours: float | None = None,
    most: int | None = None,
    json: bool = False,
    home: Home = None,
) -> int:
    """Tell what defects touched, what came of it, and what would be worth making again.

    Parameters
    ----------
    rerun: bool
        Only what is worth making again, best first; `myriad rerun CAMPAIGN --tainted` does it.
    gpu_hours: float
        With --rerun: as much as fits into so much device time.
    most: int
        With --rerun: at most so many.
    json: bool
        Print it as JSON, the whole tree included.
    """
    from replay.pages.taint import rerun_page, taint_page  # noqa: PLC0415 # likewise
    from replay.taint import taint as make  # noqa: PLC0415 # help must not wait for it
    from replay.taint import worth_rerunning  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(log)
        if not rerun:
            return made, taint_page(made), 0
        seconds = gpu_hours * 3600 if gpu_hours is not None else None
        worth = worth_rerunning(made, gpu_seconds=seconds, most=most)
        return worth, rerun_page(worth), 0

    return answer(campaign, ask, json=json, home=home)


def champion(campaign: Campaign, /, *, repeats: int | None = None, json: bool = False, home: Home = None) -> int:
    """Say who is champion: the best sound result whose interval over other seeds is known; exit 2 while nobody is.

    Parameters
    ----------
    repeats: int
        Other seeds that make an interval known, two at least; by default as the campaign file says in champion.repeats.
        `myriad rerun CAMPAIGN EXPERIMENT --seeds N` runs them.
    json: bool
        Print the champion and the candidates as JSON.
    """
    from replay.champions import champion as make  # noqa: PLC0415 # help must not wait for it
    from replay.folds import run  # noqa: PLC0415 # likewise
    from replay.ledger import LedgerFold  # noqa: PLC0415 # likewise
    from replay.pages.trust import champion_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(run(log, LedgerFold())[0], needed=repeats)
        return made, champion_page(made), 0 if made.champion is not None else 2

    return answer(campaign, ask, json=json, home=home)
