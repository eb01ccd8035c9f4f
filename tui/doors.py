"""The room's door: `myriad watch`; it loads what it needs when it is opened.

Exit codes: 0 done, 1 the log cannot be read, 2 no such campaign, or no terminal to draw on.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def watch(
    campaign: str,
    *,
    home: Path | None = None,
    read_only: bool = False,
    json: bool = False,
    panel: str = "overview",
    where: str = "",
    sort: str = "number",
    at: str = "end",
    test: bool = False,
) -> int:
    """Show one campaign on one screen, live while it runs, recorded when it does not.

    Parameters
    ----------
    campaign
        A name under the home, the path of an archive, or a nats URL.
    home
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    read_only
        Only look on: nothing can be written from the screen.
    json
        Print what a panel would show as one JSON object, and end.
    panel
        With --json: overview, experiments, agents, dynamics, facts or eras; an experiment such as e-12 for its dossier;
        a cycle such as c-tpe-3.
    where
        With --json: of experiments, a predicate such as "validation > 0.9"; of facts, words that each must hold; of
        agents, a word that their cycles must hold.
    sort
        With --json: the column that experiments are sorted by; a minus sign in front for downward.
    at
        With --json: the moment, as a position, a time or an experiment; otherwise the end.
    test
        With --json: show test scores too on the overview's leaderboard; on the screen :test does that.
    """
    from events.errors import CampaignUnknown, LogError  # noqa: PLC0415 # a door loads its room when it is opened
    from replay.errors import QuestionUnknown  # noqa: PLC0415 # likewise
    from tui.errors import NoTerminal, WatchError  # noqa: PLC0415 # likewise

    try:
        if json:
            _print(campaign, home, panel=panel, where=where, sort=sort, at=at, test=test)
        else:
            _draw(campaign, home, read_only=read_only)
    except (LogError, WatchError, QuestionUnknown) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, CampaignUnknown | NoTerminal | QuestionUnknown) else 1
    return 0


def _print(campaign: str, home: Path | None, *, panel: str, where: str, sort: str, at: str, test: bool) -> None:
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from tui.reading import twin  # noqa: PLC0415 # likewise

    said = twin(campaign, home, panel=panel, where=where, sort=sort, at=at, test=test)
    sys.stdout.write(f"{msgspec.json.encode(said, order='deterministic').decode()}\n")


def _draw(campaign: str, home: Path | None, *, read_only: bool) -> None:
    from tui.errors import NoTerminal  # noqa: PLC0415 # help must not wait for it
    from tui.links import Source  # noqa: PLC0415 # likewise

    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on the last
        raise NoTerminal(campaign)
    source = Source(campaign, home)

    gc.disable()  # until the log is read nothing is garbage: see `tui.app.WatchApp.on_mount`
    from tui.acting import writer  # noqa: PLC0415 # likewise
    from tui.app import WatchApp  # noqa: PLC0415 # Textual takes a third of a second, and a wrong name needs none of it
    from tui.remembered import Remembered  # noqa: PLC0415 # likewise

    write = None if read_only or source.is_file else writer(campaign, home)
    remembered = Remembered(source.log, source.pictures) if source.pictures is not None else None
    WatchApp(source.log, source.again, write, remembered).run()
