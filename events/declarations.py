"""What a person says of a campaign, as facts: what may be said, refused with the nearest name where it may not.

with writable.writable("crash", home) as log:
    said = declarations.declare(log, declarations.ban(where="pooling == last", reason="it reads padding"))
"""

from __future__ import annotations

import difflib
import secrets
import time
from collections.abc import Callable, Collection, Iterable

import msgspec

from events import predicates, subjects
from events.envelope import Fact, Position
from events.errors import Conflict, LogError
from events.facts import (
    BanLifted,
    Banned,
    Boosted,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Cancelled,
    DefectFixed,
    DefectFound,
    PatchAdopted,
)
from events.knowing import Known
from events.log import EventLog, Fence, Frame
from events.subjects import Aggregate

TRIES = 20
"""Times that somebody else may speak first before a declaration gives up."""

ENVELOPE = ("type", *Fact.__struct_fields__)


class Refused(LogError):
    """A declaration contradicts what the log holds, or names what it does not; its text says what there is."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is about to say: the fact, the subject that it belongs under, and its id there."""

    aggregate: Aggregate
    identity: str
    fact: Fact


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said, and where it stands."""

    position: Position
    author: str
    fact: Fact

    @property
    def words(self) -> str:
        """The author, the type of the fact and its own fields, on one line."""
        fields = msgspec.to_builtins(self.fact)
        own = {name: value for name, value in fields.items() if name not in ENVELOPE and value not in ("", None)}
        told = ", ".join(f"{name} {value}" for name, value in own.items())
        return f"{self.author} {fields['type']}" + (f": {told}" if told else "")


def wall_clock() -> int:
    """Return microseconds since 1970 UTC."""
    return time.time_ns() // 1000


Declaration = Callable[[Known], Act]
"""Decides what is said from what the log holds; raises `Refused`."""


def declare(
    log: EventLog, declaration: Declaration, *, known: Known | None = None, clock: Callable[[], int] = wall_clock
) -> Said:
    """Say something to a campaign: in the name that the log's credential holds, else in one that nobody had before.

    Args:
        known: what has been read of this log before; read on from there. None reads it from its beginning.
        clock: the person's, microseconds since 1970 UTC.

    Raises:
        Refused: the log does not allow it; nothing was written.
        LogError: what reading or writing meets.
    """
    author, known = log.author or f"person-{secrets.token_hex(3)}", known or Known()
    for _ in range(TRIES):
        known.read(log)
        act = declaration(known)
        fact = msgspec.structs.replace(act.fact, at=clock(), through=known.through)
        number = known.spoken.get(author, 0) + 1
        subject = subjects.subject(log.campaign, act.aggregate, act.identity, author)
        frame = Frame(subject, f"{author}:{number}", (fact,))
        # what others of its kind say may change what this one may say: their names, whether a pause is on
        fence = Fence(subjects.all_of(log.campaign, act.aggregate), known.last.get(act.aggregate, 0))
        try:
            appended = log.append(frame, expecting=fence)
        except Conflict:
            continue
        if appended.duplicate:  # the same person spoke elsewhere just now
            continue
        return Said(position=Position(appended.sequence), author=author, fact=fact)
    raise Refused(f"campaign {log.campaign} did not come to rest: somebody else spoke first {TRIES} times; try again")


def pause(reason: str = "") -> Declaration:
    """Ask that nothing new be started; what runs goes on."""

    def decide(known: Known) -> Act:
        _open(known)
        if known.paused is not None:
            raise Refused(f"campaign {known.campaign} is paused already, since position {known.paused}")
        return _of_campaign(CampaignPaused(reason=reason))

    return decide


def resume(reason: str = "") -> Declaration:
    """End a pause."""

    def decide(known: Known) -> Act:
        if known.paused is None:
            raise Refused(f"campaign {known.campaign} is not paused")
        return _of_campaign(CampaignResumed(reason=reason, cause=known.paused))

    return decide


def reopen(reason: str = "") -> Declaration:
    """Let a closed search go on; `myriad run` carries it then."""

    def decide(known: Known) -> Act:
        if known.closed is None:
            raise Refused(f"campaign {known.campaign} is open: myriad run goes on with it")
        return _of_campaign(CampaignReopened(reason=reason, cause=known.closed))

    return decide


def boost(experiment: str, *, by: float = 1.0, reason: str = "") -> Declaration:
    """Add to the priority of an experiment that waits; a negative number takes from it."""

    def decide(known: Known) -> Act:
        if (state := _experiment(known, experiment)) != "queued":
            waiting = [name for name, stands in known.experiments.items() if stands == "queued"]
            raise Refused(f"{experiment} is {state}: only what waits can be boosted ({_some(waiting)} wait)")
        return _of_campaign(Boosted(experiment=experiment, by=by, reason=reason))

    return decide


def cancel(experiment: str, *, reason: str = "") -> Declaration:
    """Ask that an experiment that waits or runs does not."""

    def decide(known: Known) -> Act:
        if (state := _experiment(known, experiment)) in ("completed", "abandoned", "cancelled"):
            raise Refused(f"{experiment} is {state}: there is nothing left of it to cancel")
        return _of_campaign(Cancelled(experiment=experiment, reason=reason))

    return decide


def ban(*, where: str, cycles: int | None = None, reason: str = "") -> Declaration:
    """Have ideas declined whose configurations a predicate describes, for so many further cycles or until lifted."""

    def decide(known: Known) -> Act:
        _open(known)
        if cycles is not None and cycles < 1:
            raise Refused(f"a ban lasts for at least one cycle, not {cycles}")
        meant = str(predicates.parse(where, predicates.configurations(known.space)))
        for name, others in known.bans.items():
            if others == meant:
                raise Refused(f"{meant} is banned already, as {name}")
        return _of_campaign(Banned(ban=_fresh("b", known.banned), where=meant, reason=reason, cycles=cycles))

    return decide


def lift(banned: str, *, reason: str = "") -> Declaration:
    """End a ban."""

    def decide(known: Known) -> Act:
        if banned in known.banned and banned not in known.bans:
            raise Refused(f"{banned} is lifted already")
        _among(banned, known.bans, "ban in force")
        return _of_campaign(BanLifted(ban=banned, reason=reason, cause=known.banned[banned]))

    return decide


def defect(
    *, component: str, where: str, since: int | None = None, reason: str = "", by: str = "a person"
) -> Declaration:
    """Say that something made results mean other than they say: those of runs that a predicate describes.

    Args:
        since: the first position (a sequence) whose runs may be touched; None for the beginning.
        by: who or what found it, in words.
    """

    def decide(known: Known) -> Act:
        meant = str(predicates.parse(where, predicates.runs(known.space)))
        if since is not None and not 1 <= since <= known.through:
            raise Refused(f"--since {since}: the log has positions 1 to {known.through}")
        name = _fresh("d", known.defects)
        found = DefectFound(defect=name, component=component, where=meant, reason=reason, by=by, since=since)
        return Act(aggregate="defect", identity=name, fact=found)

    return decide


def fixed(found: str, *, instrument: str, reason: str = "") -> Declaration:
    """Say that a defect touches no run of an instrument, named by its digest or the beginning of it."""

    def decide(known: Known) -> Act:
        if found in known.fixed:
            raise Refused(f"{found} is fixed already")
        _among(found, known.defects, "defect")
        meant = [name for name in known.instruments if name.startswith(instrument)]
        if len(meant) != 1:
            raise Refused(
                f"{instrument!r} means {len(meant)} of this campaign's instruments: {_some(known.instruments)}"
            )
        fact = DefectFixed(defect=found, instrument=meant[0], reason=reason, cause=known.defects[found])
        return Act(aggregate="defect", identity=found, fact=fact)

    return decide


def adopt(patch: str, *, reason: str = "") -> Declaration:
    """Have everybody train with a patch that held in its trial, named by its digest or the beginning of it."""

    def decide(known: Known) -> Act:
        _open(known)
        meant = [name for name in known.patches if patch and name.startswith(patch)]
        if len(meant) != 1:
            raise Refused(f"{patch!r} means {len(meant)} of the patches that held: {_some(known.patches)}")
        (name,), (instrument, base) = meant, known.patches[meant[0]]
        if known.adopted == name:
            raise Refused(f"patch {name} is adopted already")
        if base != known.adopted:
            raise Refused(f"patch {name} was made upon {base or 'what is installed'}, not upon {known.adopted}")
        return _of_campaign(PatchAdopted(patch=name, instrument=instrument, reason=reason))

    return decide


def _of_campaign(fact: Fact) -> Act:
    return Act(aggregate="campaign", identity="declared", fact=fact)


def _open(known: Known) -> None:
    if known.closed is not None:
        raise Refused(f"campaign {known.campaign} is closed, since position {known.closed}: reopen it first")


def _experiment(known: Known, name: str) -> str:
    _among(name, known.experiments, "experiment")
    return known.experiments[name]


def _among(name: str, names: Collection[str], what: str) -> None:
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    raise Refused(f"there is no {what} {name}" + (f"; did you mean {near[0]}?" if near else ", and no other"))


def _fresh(letter: str, taken: Collection[str]) -> str:
    return next(name for n in range(1, len(taken) + 2) if (name := f"{letter}-{n}") not in taken)


def _some(names: Iterable[str], most: int = 8) -> str:
    shown = [*names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return (", ".join(shown[:most]) + more) or "none"
