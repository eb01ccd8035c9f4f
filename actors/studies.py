"""Another program's search as a campaign's log: an Optuna study, from its database or its journal.

    study = read("sqlite:///old.db", None)
    write(study, "old", Path("campaigns/old.myriad"))

What the study does not say is not said here either; see `replay.imported` for how its trials are read. Its database and
its journal are only read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from actors.errors import CampaignError
from events import subjects
from events.archives import archive
from events.envelope import Text
from events.facts import CampaignOpened, StudyImported, TrialImported
from events.log import Frame
from events.memory import MemoryLog
from events.space import Choice, Configuration, Dimension, Interval, Space, Value

AUTHOR = "person-import"

SQLITE = "sqlite:///"

UNKNOWN = (
    "who proposed each trial",
    "test scores, and the noise of scores",
    "the instrument that measured, and its platform",
    "device time: each trial counts as long as it took",
)

FEW = 20
"""Whole numbers that are so few are a choice among them; more are an interval."""

States = Literal["completed", "pruned", "failed"]


class Study(NamedTuple):
    """What was read: the trials that ended, in the order in which they did."""

    name: str
    direction: Literal["maximize", "minimize"]
    many: int
    space: Space
    trials: tuple[TrialImported, ...]


def read(source: str, name: str | None) -> Study:
    """Read a study from `sqlite:///FILE`, the database's file, a journal file, or any database URL that Optuna takes.

    Raises:
        CampaignError: there is none, there are several and none is named, or it has several objectives.
    """
    import optuna  # noqa: PLC0415 # a second to load, and only a study needs it

    storage = _storage(source)
    names = optuna.get_all_study_names(storage)
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        held = ", ".join(names) or "no study"
        raise CampaignError(f"{source} holds {held}: name one with --study")
    study = optuna.load_study(study_name=name, storage=storage)
    if len(study.directions) != 1:
        raise CampaignError(f"study {name} has {len(study.directions)} objectives; a campaign has one")
    direction = cast("Literal['maximize', 'minimize']", study.direction.name.lower())
    trials = study.get_trials(deepcopy=False)
    ended = sorted((trial for trial in trials if trial.state.is_finished()), key=_order)
    space = _space(name, ended)
    told = tuple(_trial(trial, space, direction) for trial in ended)
    return Study(name, direction, len(trials), space, told)


def bring(source: str, home: Path, *, study: str | None, name: str | None) -> str:
    """Make a study a campaign under the home and say what came of it; raises as `read` and `write` do."""
    found = read(source, study)
    campaign = name or found.name
    to = home / f"{campaign}.myriad"
    write(found, campaign, to)
    return f"{to}: {len(found.trials)} of {found.many} trials of study {found.name}; myriad replay {campaign} report"


def write(study: Study, campaign: str, to: Path) -> None:
    """Write a study as a portable file, the same bytes for the same study; raises `LogError` where it cannot be."""
    log = MemoryLog(subjects.token(campaign, what="name"))
    for number, (identity, fact) in enumerate(_facts(study, campaign), start=1):
        log.append(Frame(subjects.subject(campaign, "campaign", identity, AUTHOR), f"{AUTHOR}:{number}", (fact,)))
    archive.export(log, to)


def _facts(study: Study, campaign: str) -> Iterator[tuple[str, CampaignOpened | StudyImported | TrialImported]]:
    at = min((trial.began for trial in study.trials if trial.began is not None), default=0)
    file = f"# imported from the Optuna study {study.name!r}: it had no campaign file\n"
    text = Text(head=file, length=len(file))
    yield "opening", CampaignOpened(campaign=campaign, file=text, space=study.space, seed=0, at=at)
    yield (
        "study",
        StudyImported(
            program="optuna",
            study=study.name,
            direction=study.direction,
            trials=study.many,
            imported=len(study.trials),
            unknown=UNKNOWN,
            at=at,
        ),
    )
    for trial in study.trials:
        yield "trial", trial


def _storage(source: str) -> Any:
    import optuna  # noqa: PLC0415 # see read
    from optuna.storages import JournalStorage, RDBStorage  # noqa: PLC0415 # see read
    from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415 # see read

    path = Path(source.removeprefix(SQLITE))
    if "://" not in source or source.startswith(SQLITE):
        # Optuna makes the file that it is asked to open; an import must not.
        if not path.is_file():
            raise CampaignError(f"{path} is not there: name a portable file, an Optuna journal, or {SQLITE}FILE")
        if not path.read_bytes()[:16].startswith(b"SQLite format 3"):
            return _asked(source, lambda: JournalStorage(JournalFileBackend(str(path))))
        source = f"{SQLITE}{path.absolute()}"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return _asked(source, lambda: RDBStorage(source))


def _asked(source: str, open_: Any) -> Any:
    try:
        return open_()
    except Exception as error:  # noqa: BLE001 # databases, drivers and JSON all raise their own
        reason = str(error).strip().splitlines() or [type(error).__name__]
        where = source.rpartition("@")[2]  # a URL may hold a password
        raise CampaignError(f"{where} holds no Optuna study that this Optuna reads: {reason[0][:200]}") from None


def _order(trial: Any) -> tuple[datetime, int]:
    return trial.datetime_complete or trial.datetime_start or datetime.min, trial.number  # noqa: DTZ901 # as Optuna's own, without a zone


def _trial(trial: Any, space: Space, direction: Literal["maximize", "minimize"]) -> TrialImported:
    values = tuple((step, float(v)) for step, v in sorted(trial.intermediate_values.items()) if math.isfinite(v))
    value = trial.values[0] if trial.values and math.isfinite(trial.values[0]) else None
    states: dict[str, States] = {"COMPLETE": "completed", "PRUNED": "pruned"}
    state = states.get(trial.state.name, "failed")
    began, ended = _microseconds(trial.datetime_start), _microseconds(trial.datetime_complete)
    return TrialImported(
        experiment=f"e-{trial.number}",
        number=trial.number,
        state="failed" if state == "completed" and value is None else state,
        configuration=_configuration(trial.params, space),
        value=value,
        direction=direction,
        values=values,
        began=began,
        ended=ended,
        at=ended or began or 0,
    )


def _microseconds(clock: datetime | None) -> int | None:
    return int(clock.replace(tzinfo=UTC).timestamp() * 1e6) if clock is not None else None


def _space(name: str, trials: list[Any]) -> Space:
    known: dict[str, list[Any]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        for dimension, distribution in trial.distributions.items():
            known.setdefault(dimension, []).append(distribution)
    dimensions: list[Dimension] = []
    for dimension, distributions in known.items():
        dimensions += _dimensions(dimension, distributions, always=len(distributions) == len(trials))
    return Space(name=name, dimensions=tuple(dimensions))


def _dimensions(name: str, distributions: list[Any], *, always: bool) -> list[Dimension]:
    """Return a parameter's dimension; one that some trials do not have is there only where they say so."""
    values = _values(distributions)
    if values is not None:
        values = values if always else [*values, "absent"]
        return [Choice(name=name, values=tuple(values), part="training", stage="parameters")]
    low, high = min(d.low for d in distributions), max(d.high for d in distributions)
    scale: Literal["linear", "log"] = "log" if all(d.log for d in distributions) else "linear"
    there = Choice(name=f"{name}?", values=("present", "absent"), part="training", stage="parameters")
    when: dict[str, tuple[str | int, ...]] = {} if always else {there.name: ("present",)}
    interval = Interval(
        name=name, low=float(low), high=float(high), part="training", stage="parameters", scale=scale, when=when
    )
    return [interval] if always else [there, interval]


def _values(distributions: list[Any]) -> list[str | int] | None:
    """Return what a parameter is chosen from, None where it is measured."""
    if all(hasattr(d, "choices") for d in distributions):
        return list(dict.fromkeys(_word(choice) for d in distributions for choice in d.choices))
    low, high = min(d.low for d in distributions), max(d.high for d in distributions)
    if low == high:
        return [_word(low)]
    whole = all(isinstance(d.low, int) and isinstance(d.high, int) and not d.log for d in distributions)
    return list(range(low, high + 1)) if whole and high - low < FEW else None


def _word(value: object) -> str | int:
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _configuration(parameters: dict[str, Any], space: Space) -> Configuration:
    found: Configuration = {}
    for dimension in space.dimensions:
        name = dimension.name
        if isinstance(dimension, Interval):
            if name in parameters:
                found[name] = cast("Value", parameters[name])
        elif name.endswith("?") and name[:-1] in space.names:
            found[name] = "present" if name[:-1] in parameters else "absent"
        else:
            found[name] = _word(parameters[name]) if name in parameters else "absent"
    return found
