"""Facts of the instrument: what gave numbers their meaning, what its canaries saw, and which results it spoiled."""

from __future__ import annotations

from typing import Literal

import msgspec

from events.envelope import Fact, Text


class Canary(msgspec.Struct, frozen=True, gc=False):
    """What one canary saw: a claim about a dimension or a stage, the number seen, and the one allowed.

    Attributes:
        name: of the canary, such as "dimension", "split", "padding", "shuffled_labels" or "planted_signal".
        subject: the dimension or stage that it speaks of.
        problem: what is wrong, in words; None where the claim held.
    """

    name: str
    subject: str
    seen: float | None
    allowed: float | None
    problem: str | None = None


class InstrumentVerified(Fact, frozen=True, kw_only=True, tag="InstrumentVerified"):
    """Every canary held: this instrument may train.

    Attributes:
        parts: digest of each part of the instrument, by name; two instruments differ where these do.
        seconds: that the canaries took.
        platform: on which they were run: kind of device, lanes, versions of what computes. The verdict is of the
            instrument there, and of no other; empty in logs from before it was told, where it is of every one.
    """

    instrument: str
    parts: dict[str, str]
    canaries: tuple[Canary, ...]
    seconds: float
    platform: dict[str, str] = {}


class InstrumentRefused(Fact, frozen=True, kw_only=True, tag="InstrumentRefused"):
    """A canary did not hold, so that nothing may be trained with this instrument; fields as when it is verified."""

    instrument: str
    parts: dict[str, str]
    canaries: tuple[Canary, ...]
    seconds: float
    reason: str
    platform: dict[str, str] = {}


class EraOpened(Fact, frozen=True, kw_only=True, tag="EraOpened"):
    """From here on results are made by this instrument; `era` counts from 1."""

    era: int
    instrument: str
    reason: str


class DefectFound(Fact, frozen=True, kw_only=True, tag="DefectFound"):
    """Something made results mean other than they say.

    Attributes:
        component: what was wrong, such as "pooling" or "split".
        where: predicate over runs that says which results it touched; see `events.predicates`.
        since: the first position whose runs may be touched; None means from the beginning.
        by: who or what found it, in words: a person, a canary, a rerun. The author is the person who declares it, the
            worker whose canary did not hold, or the analyst.
    """

    defect: str
    component: str
    where: str
    reason: str
    by: str = ""
    since: int | None = None


class DefectFixed(Fact, frozen=True, kw_only=True, tag="DefectFixed"):
    """A defect touches no run of this instrument, and none that starts after this."""

    defect: str
    instrument: str
    reason: str = ""


class RunCompared(Fact, frozen=True, kw_only=True, tag="RunCompared"):
    """A run was made again and held against its record.

    Attributes:
        verdict: equal: the same bits; close: within the tolerance; different: neither.
        validation: of the rerun; `recorded` that of the record.
        tolerance: allowed between them where the platforms differ.
        gpu_seconds: device time that it took; 0 in logs from before it was told, here and below.
    """

    experiment: str
    attempt: int
    verdict: Literal["equal", "close", "different"]
    recorded: float
    validation: float
    tolerance: float
    instrument: str
    platform: dict[str, str]
    curve: tuple[float, ...] = ()
    note: Text | None = None
    gpu_seconds: float = 0.0


class RepeatsBegun(Fact, frozen=True, kw_only=True, tag="RepeatsBegun"):
    """The analyst will have a leader's configuration run under other seeds, each for at most `timeout` seconds, which
    are reserved until `SeedsRepeated` or `RepeatsForgone` follows.
    """

    experiment: str
    seeds: tuple[int, ...]
    timeout: float


class SeedsRepeated(Fact, frozen=True, kw_only=True, tag="SeedsRepeated"):
    """A completed experiment's configuration was run under other seeds, so that its luck can be told from its worth.

    Attributes:
        seeds: none of them the experiment's own; `validation` the AP of each, in their order.
    """

    experiment: str
    seeds: tuple[int, ...]
    validation: tuple[float, ...]
    instrument: str
    platform: dict[str, str]
    gpu_seconds: float = 0.0


class RepeatsForgone(Fact, frozen=True, kw_only=True, tag="RepeatsForgone"):
    """A leader stays a candidate: its interval over other seeds will not be known, and why; `gpu_seconds` were lost."""

    experiment: str
    reason: str
    gpu_seconds: float = 0.0
