"""The doors `myriad whatif` and `myriad rehearse`: a recorded campaign under other rules, and under today's roles.

Exit codes of whatif: 0 answered (a bound is an answer), 2 unknown or misuse; of rehearse: 0 the same decisions,
1 another one, 2 cannot tell.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal


def whatif(
    campaign: str,
    /,
    *,
    duplicates: Literal["recorded", "bins", "cell", "near", "exact", "none"] = "recorded",
    order: Literal["recorded", "worth", "fair", "priority", "age"] = "recorded",
    experiments: int | None = None,
    gpu_hours: float | None = None,
    without: tuple[str, ...] = (),
    eras: int | None = None,
    json: bool = False,
    home: Path | None = None,
) -> int:
    """Tell how a recorded campaign would have gone under another rule.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL.
    duplicates: str
        When two ideas are one: as recorded; bins (today's rule); the same cell; cells near each other; exact; none.
    order: str
        What runs next: as recorded; fair between agents (today's rule); by priority alone; by age.
    experiments: int
        Another budget of completed experiments.
    gpu_hours: float
        Another budget of device time.
    without: str
        An agent that is switched off; may be given again.
    eras: int
        End history where a further instrument than this many first measured.
    json: bool
        Print the answer as JSON.
    home: Path
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    """
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from actors.errors import CampaignError  # noqa: PLC0415 # likewise
    from actors.hindsight.whatif import Question  # noqa: PLC0415 # likewise
    from actors.hindsight.whatif import whatif as answered  # noqa: PLC0415 # likewise
    from actors.hindsight.whatif_page import whatif_page  # noqa: PLC0415 # likewise
    from events import campaigns  # noqa: PLC0415 # likewise
    from events.errors import LogError  # noqa: PLC0415 # likewise
    from replay.errors import ReplayError  # noqa: PLC0415 # likewise

    question = Question(
        duplicates=duplicates,
        order=order,
        experiments=experiments,
        gpu_hours=gpu_hours,
        without=tuple(without),
        eras=eras,
    )
    try:
        log = campaigns.open(campaign, home)
        try:
            answer = answered(log, question, lambda text: campaigns.whole(log, text))
        finally:
            log.close()
    except (CampaignError, LogError, ReplayError) as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 2
    print(msgspec.json.encode(answer, order="deterministic").decode() if json else whatif_page(answer))
    return 0 if answer.best.low is not None else 2


def rehearse(campaign: str, /, *, json: bool = False, home: Path | None = None) -> int:
    """Ask today's scheduler, fixer and analyst to decide again at each of their recorded frames.

    Parameters
    ----------
    campaign: str
        Name, archive path or nats URL.
    json: bool
        Print the comparison as JSON.
    home: Path
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    """
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from actors.errors import CampaignError  # noqa: PLC0415 # likewise
    from actors.hindsight.rehearsal import EXIT  # noqa: PLC0415 # likewise
    from actors.hindsight.rehearsal import rehearse as rehearsed  # noqa: PLC0415 # likewise
    from actors.hindsight.rehearsal_page import rehearsal_page  # noqa: PLC0415 # likewise
    from events import campaigns  # noqa: PLC0415 # likewise
    from events.errors import LogError  # noqa: PLC0415 # likewise
    from replay.errors import ReplayError  # noqa: PLC0415 # likewise

    try:
        log = campaigns.open(campaign, home)
        try:
            made = rehearsed(log, reading=lambda text: campaigns.whole(log, text))
        finally:
            log.close()
    except (CampaignError, LogError, ReplayError) as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 2
    print(msgspec.json.encode(made, order="deterministic").decode() if json else rehearsal_page(made))
    return EXIT[made.verdict]
