"""The room's door: `myriad watch`; it loads what it needs when it is opened.

Exit codes: 0 done, 1 the log cannot be read, 2 no such campaign, or no terminal to draw on.
"""

from __future__ import annotations

import sys
from pathlib import Path


def watch(campaign: str, *, home: Path | None = None, json: bool = False) -> int:
    """Show one campaign on one screen, live while it runs, recorded when it does not.

    Parameters
    ----------
    campaign
        A name under the home, the path of an archive, or a nats URL.
    home
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    json
        Print what the screen would show as one JSON object, and end.
    """
    from events.errors import CampaignUnknown, LogError  # noqa: PLC0415 # a door loads its room when it is opened
    from tui.errors import NoTerminal, WatchError  # noqa: PLC0415 # likewise

    try:
        if json:
            _print(campaign, home)
        else:
            _draw(campaign, home)
    except (LogError, WatchError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, CampaignUnknown | NoTerminal) else 1
    return 0


def _print(campaign: str, home: Path | None) -> None:
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from tui.reading import read  # noqa: PLC0415 # likewise

    sys.stdout.write(f"{msgspec.json.encode(read(campaign, home), order='deterministic').decode()}\n")


def _draw(campaign: str, home: Path | None) -> None:
    from tui.errors import NoTerminal  # noqa: PLC0415 # help must not wait for it
    from tui.links import Source  # noqa: PLC0415 # likewise

    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on the last
        raise NoTerminal(campaign)
    source = Source(campaign, home)

    from tui.app import WatchApp  # noqa: PLC0415 # Textual takes a third of a second, and a wrong name needs none of it

    WatchApp(source.log, source.again).run()
