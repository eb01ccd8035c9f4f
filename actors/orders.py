"""What roles ask of their hands, and what comes back: plain data, the same through a thread or through a pipe."""

from __future__ import annotations

from typing import Literal

import msgspec

from actors.benches.scrutiny import Control, Controlled, Repeat, Repeated
from actors.benches.vetting import Verified, Verify
from events.facts import Execution, FailureKind
from events.space import Configuration, Space, Value


class Trial(msgspec.Struct, frozen=True, gc=False):
    """One experiment as policies see it: validation AP, None while it has none."""

    idea: str
    agent: str
    configuration: Configuration
    validation: float | None
    failed: bool = False


class History(msgspec.Struct, frozen=True):
    """What a policy may know: the space, completed and failed trials in the order of their ends, then open ones."""

    space: Space
    ended: tuple[Trial, ...]
    open: tuple[Trial, ...]


class Suggestion(msgspec.Struct, frozen=True):
    """An idea before it is proposed; `filled` says where values come from that its author left out."""

    configuration: Configuration
    rationale: str
    origin: Literal["agent", "sweep"] = "agent"
    parents: tuple[str, ...] = ()
    priority: float = 0.5
    filled: dict[str, str] = {}


class Question(msgspec.Struct, frozen=True):
    """What a model is asked, and what its answer is held against.

    Attributes:
        stable, fresh: the prompt, in two parts; see `replay.briefing.Briefing`.
        leading: values that at least one idea must leave, by dimension.
        worst: US dollars that one call counts as where nobody knows its cost: of the question, and of a correction.
    """

    stable: str
    fresh: str
    leading: dict[str, Value]
    worst: tuple[float, float]


class Propose(msgspec.Struct, frozen=True, tag="propose"):
    """Ask a policy for ideas; `key` seeds every draw; `question` is for a policy that reads."""

    id: str
    key: int
    history: History
    question: Question | None = None


class Run(msgspec.Struct, frozen=True, gc=False):
    """One experiment of a pack, in one lane."""

    experiment: str
    attempt: int
    lane: int
    configuration: Configuration
    seed: int


class Train(msgspec.Struct, frozen=True, tag="train"):
    """Train a pack: experiments of one shape, side by side; weights are kept from `keep_from` validation AP on."""

    id: str
    runs: tuple[Run, ...]
    execution: Execution
    keep_from: float = 0.0


class Extract(msgspec.Struct, frozen=True, tag="extract"):
    """Make a backbone's features from the task's clips."""

    id: str
    backbone: str


class Mend(msgspec.Struct, frozen=True, tag="mend"):
    """Ask a model what broke a run, and for a diff; see `actors.repair.crash` for the two parts of the prompt.

    Attributes:
        worst: US dollars that one call counts as where nobody knows its cost.
    """

    id: str
    stable: str
    fresh: str
    worst: float


class Try(msgspec.Struct, frozen=True, tag="try"):
    """Make a copy of what trains with a patch, hold it against its checks, and make a broken run again in it.

    Attributes:
        device: that it broke on.
        checked: whether the copy passed its checks before, so that the run alone is to be made.
    """

    id: str
    patch: str
    base: str | None
    diff: str
    run: Run
    execution: Execution
    device: str
    checked: bool = False


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Train with an adopted patch from here on; answered by a description of the bench that can."""

    id: str
    patch: str


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """Make all that training needs: the task's clips, then each backbone's features; what is there is reused.

    Attributes:
        kind: and what follows it: see `actors.tasks.Task`.
        sample: about how many clips are enough, 0 for all.
    """

    id: str
    clips: int
    seed: int
    processes: int
    kind: str = "roadsim"
    fleet: str = "a"
    folder: str = ""
    table: str = ""
    split: str = ""
    strict: bool = False
    leads: tuple[float, ...] = ()
    sample: int = 0


class Describe(msgspec.Struct, frozen=True, tag="describe"):
    """Say under which instrument and on which platform training would take place."""

    id: str


Order = Propose | Mend | Try | Move | Train | Extract | Control | Prepare | Describe | Verify | Repeat


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """A policy's ideas, with the raw answer and what it cost."""

    id: str
    text: str
    model: str
    ideas: tuple[Suggestion, ...]
    seconds: float
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    tokens_cached: int = 0
    calls: int = 0
    correction: str | None = None
    corrected: str | None = None
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class Unanswered(msgspec.Struct, frozen=True, tag="unanswered"):
    """A model gave no idea; see `events.facts.AnswerRefused`."""

    id: str
    reason: str
    kind: Literal["answer", "unreachable", "rejected"]
    usd: float
    seconds: float
    wait: float = 0.0
    text: str | None = None
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    calls: int = 0
    correction: str | None = None
    corrected: str | None = None
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An order could not be carried out, and why."""

    id: str
    reason: str


class Score(msgspec.Struct, frozen=True, tag="score"):
    """A run's result; see `events.facts.Completed`."""

    experiment: str
    validation: float
    test: float
    noise: float
    epoch: int
    loss: tuple[float | None, ...]
    curve: tuple[float, ...]
    learning_rate: tuple[float, ...]
    gpu_seconds: float
    peak_memory: int
    checkpoint: str | None = None
    leads: dict[str, tuple[float, float]] = {}


class Breakdown(msgspec.Struct, frozen=True, tag="breakdown"):
    """A run's failure; see `events.facts.Failed`."""

    experiment: str
    kind: FailureKind
    step: int
    trace: str
    gpu_seconds: float


class Trained(msgspec.Struct, frozen=True, tag="trained"):
    """A pack's ends, one a run."""

    id: str
    ends: tuple[Score | Breakdown, ...]


class Extracted(msgspec.Struct, frozen=True, tag="extracted"):
    """Features are in the cache; see `events.facts.FeaturesExtracted`."""

    id: str
    backbone: str
    digest: str
    clips: int
    width: int
    reused: bool
    seconds: float
    problems: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True, tag="prepared"):
    """All that training needs is there.

    Attributes:
        reused: clips that were there before.
        problems: what was left out, and why.
        total: clips of the whole task, where only a sample was wanted.
    """

    id: str
    clips: int
    reused: int
    features: tuple[Extracted, ...]
    problems: tuple[str, ...] = ()
    total: int = 0


class Described(msgspec.Struct, frozen=True, tag="described"):
    """A bench can train: under this instrument, of these parts, on this platform, with so many lanes a pack."""

    id: str
    instrument: str
    platform: dict[str, str]
    lanes: int
    parts: dict[str, str] = {}


class Tried(msgspec.Struct, frozen=True, tag="tried"):
    """What came of a patch's trial.

    Attributes:
        problem: why it cannot be used, None where it held.
        instrument: of the copy, None where there is none.
        verified: what its canaries saw, None where they were not run.
        validation: of the run, None where it did not end with a result.
    """

    id: str
    seconds: float
    problem: str | None = None
    instrument: str | None = None
    verified: Verified | None = None
    validation: float | None = None


Result = (
    Answered
    | Unanswered
    | Refused
    | Trained
    | Extracted
    | Controlled
    | Prepared
    | Described
    | Tried
    | Verified
    | Repeated
)


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A worker's sign of life; a pulse, never recorded."""

    worker: str


class Epoch(msgspec.Struct, frozen=True, tag="epoch"):
    """Where a run is; a pulse, never recorded."""

    worker: str
    experiment: str
    epoch: int
    epochs: int
    loss: float | None
    validation: float


Pulse = Beat | Epoch


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far a preparation is."""

    stage: str
    done: int
    total: int
