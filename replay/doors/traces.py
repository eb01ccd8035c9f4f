"""The doors that follow one thing through the log: an experiment, a dimension's values, a cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay.doors.asking import Campaign, Home, answer

if TYPE_CHECKING:
    from events.log import LogReader


def lineage(campaign: Campaign, experiment: str, /, *, json: bool = False, home: Home = None) -> int:
    """Tell where an experiment came from, what came of it, and what each step changed and gained.

    Parameters
    ----------
    experiment: str
        An experiment such as e-12, or an idea.
    json: bool
        Print the lineage as JSON.
    """
    from replay.lineage import lineage as make  # noqa: PLC0415 # help must not wait for it
    from replay.pages.lineage import lineage_page  # noqa: PLC0415 # likewise

    return answer(campaign, lambda log: (made := make(log, experiment), lineage_page(made), 0), json=json, home=home)


def trajectory(campaign: Campaign, /, *, json: bool = False, home: Home = None) -> int:
    """Tell each value of each dimension: who brought it in and why, its share, its best; then the campaign's turns.

    Parameters
    ----------
    json: bool
        Print the trajectory as JSON, every reading of every share included.
    """
    from replay.pages.trajectory import trajectory_page  # noqa: PLC0415 # likewise
    from replay.trajectory import trajectory as make  # noqa: PLC0415 # help must not wait for it

    return answer(campaign, lambda log: (made := make(log), trajectory_page(made), 0), json=json, home=home)


def cycle(campaign: Campaign, name: str, /, *, json: bool = False, home: Home = None) -> int:
    """Show one cycle as it was: the prompt, the raw answer, the ideas in it, their verdicts, and what it cost.

    Parameters
    ----------
    name: str
        Of the cycle, such as c-claude-3.
    json: bool
        Print the cycle as JSON.
    """
    from events.campaigns import whole  # noqa: PLC0415 # help must not wait for it
    from replay.inquiry import inquiry as make  # noqa: PLC0415 # likewise
    from replay.inquiry import inquiry_page  # noqa: PLC0415 # likewise

    def ask(log: LogReader) -> tuple[Any, str, int]:
        made = make(log, name, lambda text: whole(log, text))
        return made, inquiry_page(made), 0

    return answer(campaign, ask, json=json, home=home)
