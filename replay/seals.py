"""Whether what the analyst recorded while the campaign ran is what its log folds to: held, broken or unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from events.facts import LogSealed, MetricsMeasured
from events.log import LogReader, Recorded
from replay.digest import SCHEME, SCHEMES
from replay.folds import Fold
from replay.measures import Measurement, Values

Verdict = Literal["held", "broken", "unknown"]

EXIT: dict[Verdict, int] = {"held": 0, "broken": 1, "unknown": 2}

TOLERANCE = 1e-12
"""Values derived through logarithms agree to this anywhere; counts and digests agree exactly."""


class Recording(NamedTuple):
    """What the analyst wrote about the log through `through`; `values` is None for a bare seal."""

    sequence: int
    through: int
    digest: str
    values: Values | None

    @property
    def scheme(self) -> str:
        """How its digest was made."""
        return self.digest.partition(":")[0]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One recording against the replay.

    Attributes:
        kind: MetricsMeasured or LogSealed.
        sequence: of the recording's frame.
        through: the last sequence that it speaks about.
        recomputed: None where the log does not reach so far.
        differing: names of recorded values that the replay measures otherwise.
        verdict: unknown where the log ends earlier, or nobody knows any longer how the digest was made and no value
            differs.
    """

    kind: str
    sequence: int
    through: int
    recorded: str
    recomputed: str | None
    differing: tuple[str, ...]
    verdict: Verdict


def recordings(log: LogReader) -> list[Recording]:
    """Return what the analyst recorded about itself, in the order of the log."""
    return [
        Recording(frame.sequence, fact.through, fact.digest, getattr(fact, "values", None))
        for frame in log.read(subject=f"myriad.{log.campaign}.analysis.>")
        for fact in frame.facts
        if isinstance(fact, MetricsMeasured | LogSealed)
    ]


def verified(log: LogReader, *beside: Fold[Any, Any], until: int | None = None) -> tuple[Measurement, list[Check]]:
    """Fold a log through `until` or its end, and check every recording on the way against the state at its `through`.

    Returns:
        The measurement at the end, with the results of the folds given beside it, and one check a recording.
    """
    waiting: dict[int, list[Recording]] = {}
    for recording in recordings(log):
        if until is None or recording.sequence <= until:
            waiting.setdefault(recording.through, []).append(recording)
    measurement, checks = Measurement(*beside), []
    checks += _check(waiting.pop(0, ()), measurement)
    for frame in _through(log, until):
        measurement.advance((frame,))
        if frame.sequence in waiting:
            checks += _check(waiting.pop(frame.sequence), measurement)
    for early in waiting.values():
        checks += [_result(recording, None, ()) for recording in early]
    return measurement, sorted(checks, key=lambda check: check.sequence)


def overall(checks: Iterable[Check]) -> Verdict:
    """Return broken where one is, held where at least one held and none broke, unknown where nothing could be told."""
    verdicts = {check.verdict for check in checks}
    if "broken" in verdicts:
        return "broken"
    return "held" if "held" in verdicts else "unknown"


def _through(log: LogReader, until: int | None) -> Iterable[Recorded]:
    for frame in log.read():
        if until is not None and frame.sequence > until:
            return
        yield frame


def _check(here: Iterable[Recording], measurement: Measurement) -> list[Check]:
    found = []
    for recording in here:
        differing: tuple[str, ...] = ()
        if recording.values is not None:
            differing = _differing(recording.values, measurement.values())
        scheme = recording.scheme if recording.scheme in SCHEMES else SCHEME
        found.append(_result(recording, measurement.digest(scheme), differing))
    return found


def _result(recording: Recording, recomputed: str | None, differing: tuple[str, ...]) -> Check:
    comparable = recomputed is not None and recording.scheme in SCHEMES
    verdict: Verdict = "held" if recording.digest == recomputed else "broken" if comparable else "unknown"
    if differing:
        verdict = "broken"
    return Check(
        kind="LogSealed" if recording.values is None else "MetricsMeasured",
        sequence=recording.sequence,
        through=recording.through,
        recorded=recording.digest,
        recomputed=recomputed,
        differing=differing,
        verdict=verdict,
    )


def _differing(recorded: Values, measured: Values) -> tuple[str, ...]:
    # a name that only one vocabulary has is nothing to compare
    shared = (name for name in recorded if name in measured)
    return tuple(name for name in shared if not _agree(recorded[name], measured[name]))


def _agree(one: float | str | None, other: float | str | None) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return one == other
