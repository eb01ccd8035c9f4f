"""What a person may declare, one function a verb: `myriad declare CAMPAIGN VERB ...`; each prints what it wrote, where.

Exit codes: 0 written, 1 refused (one sentence on standard error, nothing was written), 2 no such campaign.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.declarations import Declaration


def pause(campaign: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """Ask that nothing new be started; what runs goes on.

    Parameters
    ----------
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.pause(reason), home)


def resume(campaign: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """End a pause.

    Parameters
    ----------
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.resume(reason), home)


def reopen(campaign: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """Let a closed search go on; `myriad run` carries it then.

    Parameters
    ----------
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.reopen(reason), home)


def boost(campaign: str, experiment: str, /, *, by: float = 1.0, reason: str = "", home: Path | None = None) -> int:
    """Put an experiment that waits before others.

    Parameters
    ----------
    experiment
        One that waits, such as e-78.
    by
        What is added to its priority; a negative number takes from it.
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.boost(experiment, by=by, reason=reason), home)


def cancel(campaign: str, experiment: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """Ask that an experiment that waits or runs does not.

    Parameters
    ----------
    experiment
        Such as e-78.
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.cancel(experiment, reason=reason), home)


def ban(campaign: str, /, *, where: str, cycles: int | None = None, reason: str = "", home: Path | None = None) -> int:
    """Have ideas declined whose configurations a predicate describes.

    Parameters
    ----------
    where
        Such as 'pooling == last and learning_rate > 1e-3'; see myriad declare --help.
    cycles
        After so many further cycles the ban ends of itself; without it, when it is lifted.
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.ban(where=where, cycles=cycles, reason=reason), home)


def lift(campaign: str, ban: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """End a ban.

    Parameters
    ----------
    ban
        Its name, such as b-1.
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.lift(ban, reason=reason), home)


def defect(
    campaign: str,
    /,
    *,
    component: str,
    where: str,
    since: int | None = None,
    reason: str = "",
    home: Path | None = None,
) -> int:
    """Say that something made results mean other than they say.

    Parameters
    ----------
    component
        What was wrong, such as pooling or split.
    where
        Which runs it touched, such as 'pooling == attention' or 'instrument ~ 3fa9 and era == 2'.
    since
        The first position (a sequence) whose runs it may have touched; without it, all of them.
    reason
        What happened, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    declaration = declarations.defect(component=component, where=where, since=since, reason=reason)
    return _say(campaign, declaration, home)


def fixed(campaign: str, defect: str, /, *, instrument: str, reason: str = "", home: Path | None = None) -> int:
    """Say that a defect touches no run of an instrument, and none that starts from now on.

    Parameters
    ----------
    defect
        Its name, such as d-1.
    instrument
        The digest of the instrument without it, or its beginning; `replay CAMPAIGN instruments` lists them.
    reason
        What was done, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.fixed(defect, instrument=instrument, reason=reason), home)


def adopt(campaign: str, patch: str, /, *, reason: str = "", home: Path | None = None) -> int:
    """Have everybody train with a patch that held in its trial; it lies in the campaign's folder, under patches/.

    Parameters
    ----------
    patch
        Its digest, or the beginning of it.
    reason
        Why, in your own words; it stands on the log.
    """
    from events import declarations  # noqa: PLC0415 # help must not wait for it

    return _say(campaign, declarations.adopt(patch, reason=reason), home)


VERBS: dict[str, Callable[..., int]] = {
    "pause": pause,
    "resume": resume,
    "boost": boost,
    "cancel": cancel,
    "ban": ban,
    "lift": lift,
    "reopen": reopen,
    "defect": defect,
    "fixed": fixed,
    "adopt": adopt,
}


def in_order(words: tuple[str, ...]) -> list[str]:
    """Put the verb before the campaign, whichever came first."""
    if not words or words[0] in VERBS or words[0].startswith("-"):
        return [*words]
    verb, *rest = words[1:] or ["--help"]
    return [verb] if verb.startswith("-") else [verb, words[0], *rest]


def _say(campaign: str, declaration: Declaration, home: Path | None) -> int:
    from events.declarations import declare  # noqa: PLC0415 # help must not wait for it
    from events.errors import CampaignUnknown, LogError  # noqa: PLC0415 # likewise
    from events.writable import writable  # noqa: PLC0415 # likewise

    try:
        with writable(campaign, home) as log:
            said = declare(log, declaration)
    except LogError as error:
        sys.stderr.write(f"myriad: {error}\n")
        return 2 if isinstance(error, CampaignUnknown) else 1
    sys.stdout.write(f"{said.position} {said.words}\n")
    return 0
