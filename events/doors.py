"""The doors `myriad tail`, `export`, `import`, `schema` and `declare`; each loads what it needs when it is opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from events.declaring import VERBS, in_order

if TYPE_CHECKING:
    from events.log import Recorded

PREDICATES = """
A predicate says which configurations (of a ban) or runs (of a defect) are meant:
`pooling == attention`, `learning_rate > 1e-3 and backbone in (video, motion)`, `not (era == 1 or worker ~ worker-cpu)`.
The operators are == != < <= > >=, ~ for "begins with", in (...) and not in (...), joined by and, or, not and
parentheses; `everything` means all. A name that a run does not have makes its comparison false. Names are the
dimensions of the space, and of a run also experiment, idea, agent, origin, status, worker, instrument, device, failure,
era, attempt, seed, position, validation, best_epoch and gpu_seconds; torch, numpy, triton and av are the versions of a
run's platform.
"""

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]


def tail(
    campaign: str,
    *,
    after: str = "0",
    since: str | None = None,
    follow: bool = False,
    durable: str | None = None,
    type: tuple[str, ...] = (),  # noqa: A002 # the option is --type
    subject: str = ">",
    entity: str | None = None,
    cloudevents: bool = False,
    home: Path | None = None,
) -> None:
    """Print a campaign's facts as JSON lines, each with its position.

    Parameters
    ----------
    campaign
        A name under the home, the path of an archive, or a nats URL.
    after
        Begin after this position, as an earlier line gave it: SEQUENCE or SEQUENCE.INDEX.
    since
        Begin with the first fact whose author's clock said this or later: ISO 8601, of UTC where it says no zone.
    follow
        Wait for new facts until interrupted.
    durable
        Go on where the last tail under this name stopped; every line that was handed over counts as read. Who must
        lose nothing when it dies keeps the position of its last line itself, and asks --after it.
    type
        Print these types of facts alone.
    subject
        Print the facts of these subjects alone: a NATS filter, `myriad.NAME.` understood before it.
    entity
        Print what is said of one thing alone: an experiment, idea, agent, worker, pack, cycle, repair, by its name.
    cloudevents
        Print CloudEvents 1.0 instead, one a line.
    home
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    """
    from events import campaigns  # noqa: PLC0415 # a door loads its room when it is opened
    from events.consumers import cloudevents as events_of  # noqa: PLC0415 # a door loads its room when it is opened
    from events.consumers import tailing  # noqa: PLC0415 # a door loads its room when it is opened
    from events.consumers.bookmarks import Bookmark  # noqa: PLC0415 # a door loads its room when it is opened

    wanted = tailing.Wanted(type, entity, None if since is None else tailing.moment(since))
    position, line = tailing.position(after), events_of.line if cloudevents else tailing.line
    log = campaigns.open(campaign, home)
    mark = None
    try:
        if durable is not None:
            mark = Bookmark(campaigns.home_of(home), log.campaign, durable)
            position = max(position, mark.position)
        frames: Iterable[Recorded] = tailing.frames(log, position, subject, follow=follow)
        for said in tailing.said(frames, position, wanted):
            if not _print([line(said)], flush=follow or mark is not None):
                return
            if mark is not None:
                mark.move(said.position)
        _print([], flush=True)
    except KeyboardInterrupt:
        return
    finally:
        log.close()
        if mark is not None:
            mark.close()


def export(campaign: str, to: Path, *, home: Path | None = None) -> None:
    """Write a campaign into one portable file, verified by whoever opens it.

    Parameters
    ----------
    campaign
        A name under the home, the path of an archive, or a nats URL.
    to
        The file to write, NAME.myriad by custom; it must not be there yet.
    home
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    """
    from events import campaigns  # noqa: PLC0415 # a door loads its room when it is opened
    from events.archives import archive  # noqa: PLC0415 # a door loads its room when it is opened

    log = campaigns.open(campaign, home)
    try:
        manifest = archive.export(log, to, campaigns.blobs(log))
    finally:
        log.close()
    size = to.stat().st_size
    _print([f"{to}: {manifest.frames} frames and {manifest.blobs} blobs of {manifest.campaign}, {size} bytes"])


def import_(archive: Path, *, home: Path | None = None) -> None:
    """Make a campaign from a portable file, every frame at its own position.

    Parameters
    ----------
    archive
        The file that `myriad export` wrote.
    home
        The folder of campaigns; MYRIAD_HOME or ./campaigns when it is not given.
    """
    from events import campaigns  # noqa: PLC0415 # a door loads its room when it is opened
    from events.archives import importing  # noqa: PLC0415 # a door loads its room when it is opened

    made = importing.import_campaign(archive, campaigns.home_of(home))
    log = campaigns.open(made.path)
    try:
        _print([f"{made.path}: {log.last()} frames of {made.name}"])
    finally:
        log.close()


def schema(*, asyncapi: bool = False) -> None:
    """Print the JSON Schema of a frame and of every fact, or the AsyncAPI 3 document of a campaign's stream.

    Parameters
    ----------
    asyncapi
        The AsyncAPI document instead: addresses, who says what, and the same schemas.
    """
    import msgspec  # noqa: PLC0415 # a door loads its room when it is opened

    from events.consumers import schema as described  # noqa: PLC0415 # a door loads its room when it is opened

    document = described.asyncapi() if asyncapi else described.json_schema()
    _print([msgspec.json.format(msgspec.json.encode(document), indent=2).decode()])


def declare(*words: Words) -> int:
    """Say something to a campaign, as a fact with a person as its author, whether it runs or not."""
    app = App(
        name="declare",
        help="Say something to a campaign, as a fact. CAMPAIGN is a name, the path of its folder, or a nats URL.\n"
        + PREDICATES,
        usage="Usage: myriad declare CAMPAIGN VERB [ARGS]",
        version_flags=(),
        result_action="return_value",
    )
    for name, verb in VERBS.items():
        app.command(verb, name=name, usage=f"Usage: myriad declare CAMPAIGN {name} [ARGS]")
    return app(in_order(words)) or 0


def _print(lines: Iterable[str], *, flush: bool = True) -> bool:
    """Print the lines and say whether there is still somebody who reads them."""
    # A reader such as `head` may close the pipe; that is its right, and the end of our work.
    try:
        for line in lines:
            print(line)
        if flush:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
