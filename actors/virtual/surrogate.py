"""The surrogate: what a run would have scored, from its configuration, its seed and the instrument; never from when.

It trains nothing. Test AP follows the published median, mean, best and worst of each backbone under each encoder; where
in that range a run falls is decided by its continuous settings and by chance keyed with its seed. Validation AP is the
same quantity on the validation scale, drawn apart, so that the two agree as two small splits do. What nobody published
(cells without runs, the pull of single settings, durations by setting) is ours, and is said so beside each number.
"""

from __future__ import annotations

import math
from hashlib import blake2b, sha256
from statistics import NormalDist
from typing import Any, NamedTuple

import msgspec

from actors.orders import Breakdown, Run, Score
from actors.virtual.bugs import Bug
from events.facts import Execution
from events.space import Configuration
from replay.published import CELLS, REPAIRED_AT_ONCE, REPAIRS, Cell

VERSION = "surrogate-3"

LOSS, POOLING, PADDING = 0.0373 / 0.9245, 0.0111 / 0.9245, 0.0283 / 0.9245
"""Shares of AP lost to the plain loss, to mean pooling and to the padding: the published steps of the best test AP."""

LOSSES = {"focal": 0.0, "label_smoothing": 0.6 * LOSS, "bce": LOSS}
POOLINGS = {"attention": 0.0, "mean": POOLING, "max": 2 * POOLING, "last": 3 * POOLING}
"""Beyond bce and mean, ours: only these two were published."""

BEND = 2.2
"""Validation AP is 1 - (1 - AP)^BEND: .9245 becomes the .997 and .816 the .976 of the published pool curve."""

SETTINGS, LUCK = 0.6, 0.8
"""Weights of the settings and of chance in a run's place within its cell; their squares sum to 1. Ours."""

AGREEMENT = 0.5
"""Correlation of the two splits' chance; ours."""

SPLIT = (1184, 177, 139)
"""Clips that train, validate and test (paper, section 3)."""

OF_LOSS = ("focal_gamma", "focal_alpha", "smoothing")
"""Settings that mean something under their own loss alone."""

MEMORY = 80.0
"""GB of a device (H100)."""

LOWEST = 0.1
"""The flattest tail below a cell's median."""

WIDE = ("vjepa2", "dinov3_l")
HEAVY = {"zipformer": 1.25, "hybrid": 1.15, "xlstm": 1.3, "bimamba": 1.0, "retnet": 0.9}
"""How much time the encoders need beside one another; ours."""

BULKY = HEAVY | {"xlstm": 1.6}
"""How much memory they need: as they need time, but that an xLSTM keeps its states of every step; ours."""

FEATURELESS, CRASHED = 0.0010, 0.0028
"""Shares of first attempts without a feature file, and of attempts that end without a word. Ours, fitted to how many
repairs were published; their kinds were named there, and not counted."""

MISSED = 1 - REPAIRED_AT_ONCE / REPAIRS
"""Share of remedies that miss what is wrong, so that the next attempt goes as the first did: published. That every kind
has the same share is ours; a diverged run's remedy is another configuration, and misses nothing."""

_normal = NormalDist()


class Draws(NamedTuple):
    """Four numbers in (0, 1) that a run's configuration, seed and attempt decide."""

    one: float
    two: float
    three: float
    four: float


class Surrogate:
    """Answers for a bench under one instrument.

    Args:
        bugs: those that the instrument has.

    Attributes:
        instrument: its digest.
    """

    def __init__(self, bugs: tuple[Bug, ...] = ()) -> None:
        self.bugs = bugs
        self.instrument = sha256(f"{VERSION} {' '.join(bugs)}".encode()).hexdigest()

    def run(self, run: Run, execution: Execution) -> Score | Breakdown:
        """Return how a run ends; `gpu_seconds` says how long it takes."""
        seconds = duration(run.configuration, draws("time", run.configuration, run.seed).one)
        if run.attempt > 1 and draws("remedy", run.configuration, run.seed, run.attempt).one < MISSED:
            whole = msgspec.structs.replace(execution, micro_batches=1)
            broken = self._broken(msgspec.structs.replace(run, attempt=1), whole, seconds)
        else:
            broken = self._broken(run, execution, seconds)
        return broken or self._scored(run, seconds)

    def truth(self, configuration: Configuration, seed: int) -> tuple[float, float]:
        """Return validation and test AP; what is not wired changes nothing, to the last digit."""
        configuration = self._wired(configuration)
        chance = draws("score", configuration, seed)
        shared, apart = _normal.inv_cdf(chance.one), _normal.inv_cdf(chance.two)
        merit = SETTINGS * pull(configuration)
        lost = self._lost(configuration)
        other = AGREEMENT * shared + math.sqrt(1 - AGREEMENT**2) * apart
        test = within(configuration, _normal.cdf(merit + LUCK * shared)) * (1 - lost)
        seen = within(configuration, _normal.cdf(merit + LUCK * other)) * (1 - lost)
        validation = 1 - (1 - seen) ** BEND
        if "leak" in self.bugs:
            validation = 1 - (1 - validation) ** 2
        return validation, test

    def judged(self, configuration: Configuration, seed: int, *, padded: bool) -> float:
        """Return the test AP of one run by an evaluation that pads its clips, or by one that does not."""
        alike = self if padded else Surrogate(tuple(bug for bug in self.bugs if bug != "padding"))
        return alike.truth(configuration, seed)[1]

    def parts(self) -> dict[str, frozenset[int]]:
        """Return the clips that train, validate and test, by number, as evaluation reads them."""
        first, second, last = SPLIT
        begins = first - second if "leak" in self.bugs else first
        return {
            "train": frozenset(range(first)),
            "validation": frozenset(range(begins, begins + second)),
            "test": frozenset(range(first + second, first + second + last)),
        }

    def _wired(self, configuration: Configuration) -> Configuration:
        """Return what is really trained: settings that are not wired are as if they had never been given."""
        wired = dict(configuration)
        if "loss" in self.bugs:
            wired = {name: value for name, value in wired.items() if name not in OF_LOSS} | {"loss": "bce"}
        if "pooling" in self.bugs:
            wired["pooling"] = "mean"
        return wired

    def _lost(self, configuration: Configuration) -> float:
        loss, pooling = str(configuration["loss"]), str(configuration["pooling"])
        lost = LOSSES[loss] + POOLINGS[pooling] + PADDING * ("padding" in self.bugs)
        if loss == "focal":
            # best at 3, as the leaders' gamma was; below 2 the best published run is .0266 lower
            lost += 0.0288 * min(1.0, ((float(configuration["focal_gamma"]) - 3) / 1.5) ** 2)
        return lost

    def _broken(self, run: Run, execution: Execution, seconds: float) -> Breakdown | None:
        luck = draws("fate", run.configuration, run.seed, run.attempt)
        rate = float(run.configuration["learning_rate"])
        if memory(run.configuration) * (0.9 + 0.2 * luck.one) / execution.micro_batches > MEMORY:
            return Breakdown(run.experiment, "out_of_memory", 0, "CUDA out of memory", 60 + 30 * luck.two)
        if rate > 3e-3 and luck.two < 0.005 * rate / 3e-3:
            step = 40 + int(400 * luck.three)
            return Breakdown(run.experiment, "diverged", step, f"loss is nan at step {step}", 0.4 * seconds)
        if run.attempt == 1 and luck.three < FEATURELESS:
            return Breakdown(run.experiment, "missing_features", 0, "no feature file for a clip", 20.0)
        if luck.four < CRASHED:
            return Breakdown(run.experiment, "crashed", 0, "the bench ended without a word", 0.5 * seconds)
        if seconds > execution.timeout:
            return Breakdown(run.experiment, "timeout", 0, "killed at its time-out", execution.timeout)
        return None

    def _scored(self, run: Run, seconds: float) -> Score:
        configuration = run.configuration
        validation, test = (round(min(0.9999999, max(1e-4, value)), 7) for value in self.truth(configuration, run.seed))
        many = int(configuration["epochs"])
        shape = draws("curve", configuration, run.seed)
        best = max(1, min(many, round(many * (0.55 + 0.45 * shape.one))))
        return Score(
            experiment=run.experiment,
            validation=validation,
            test=test,
            noise=round(0.06 * math.sqrt(validation * (1 - validation)), 6),
            epoch=best,
            loss=tuple(round(0.1 + 0.6 * math.exp(-2.5 * n / best), 5) for n in range(1, many + 1)),
            curve=tuple(_curve(validation, best, n) for n in range(1, many + 1)),
            learning_rate=tuple(_rate(configuration, (n - 1) / many) for n in range(1, many + 1)),
            gpu_seconds=round(seconds, 3),
            peak_memory=int(memory(configuration) * 1e9),
        )


def draws(about: str, configuration: Configuration, seed: int, *more: int) -> Draws:
    """Return a run's own chance about something: the same on any machine."""
    text = msgspec.json.encode([about, configuration, seed, *more], order="deterministic")
    whole = blake2b(text, digest_size=32).digest()
    four = (int.from_bytes(whole[n : n + 8], "big") >> 11 for n in (0, 8, 16, 24))
    return Draws(*((value + 0.5) / 2**53 for value in four))


def within(configuration: Configuration, place: float) -> float:
    """Return test AP at a place in (0, 1) within the configuration's cell, under its best loss and pooling."""
    cell, low, high = _shape(str(configuration["backbone"]), str(configuration["encoder"]))
    if place < 0.5:
        return cell.median - (cell.median - cell.worst) * math.pow(1 - 2 * place, low)
    return cell.median + (cell.best - cell.median) * math.pow(2 * place - 1, high)


def pull(configuration: Configuration) -> float:
    """Return what the settings are worth: about 0 for those that searchers choose, -1 for uniform draws; ours."""
    worth = 1.35
    for name, (best, width) in _WISHES.items():
        if name in configuration:
            value = float(configuration[name])
            at = math.log10(value) if name in ("learning_rate", "weight_decay", "batch") else value
            worth -= min(2.0, ((at - best) / width) ** 2) * 0.35
    worth += {"cosine": 0.25, "linear": 0.1, "step": 0.0}.get(str(configuration["scheduler"]), 0.0)
    return worth


def duration(configuration: Configuration, place: float) -> float:
    """Return the device seconds of a whole run: 3 to 10 minutes of training, and its overhead.

    The mean over the published campaign is 18.5 minutes in all; how it depends on the settings is ours.
    """
    steps = int(configuration["epochs"]) / 30 * math.sqrt(64 / int(configuration["batch"]))
    effort = steps * (0.6 + 0.4 * int(configuration["length"]) / 32) * HEAVY.get(str(configuration["encoder"]), 1.0)
    training = 180 + 420 * min(1.0, effort / 1.4)
    overhead = (640 if configuration["backbone"] in WIDE else 560) * (0.7 + 0.9 * place)
    return training + overhead


def memory(configuration: Configuration) -> float:
    """Return the gigabytes that a run needs: at the largest batch and length some do not fit, mostly xLSTMs; ours."""
    clips = int(configuration["batch"]) * int(configuration["length"])
    wide = 1.0 if configuration["backbone"] in WIDE else 0.8
    return 4 + 0.0136 * clips * wide * BULKY.get(str(configuration["encoder"]), 1.0)


_WISHES: dict[str, tuple[float, float]] = {
    "learning_rate": (math.log10(3e-4), 0.7),
    "weight_decay": (-2.0, 2.0),
    "batch": (math.log10(64), 0.4),
    "dropout": (0.2, 0.2),
    "epochs": (20, 12),
    "length": (18, 12),
    "oversampling": (2.0, 2.0),
    "mixup": (0.15, 0.5),
    "noise": (0.03, 0.1),
}
"""Where each setting does best, and how far from there it costs; ours."""

_MISSING = {"xlstm": -0.03, "hybrid": 0.02, "bimamba": -0.02, "retnet": 0.0, "zipformer": 0.0}
_LIKE = {"vjepa2": 0.80, "dinov3_l": 0.72, "dinov2_b": 0.52, "siglip2": 0.45, "dinov3_b": 0.09, "convnext": 0.35}
"""Cells without published runs: about the backbone's median, the encoder a little better or worse; ours."""


def _cell(backbone: str, encoder: str) -> Cell:
    if (known := CELLS.get((backbone, encoder))) is not None:
        return known
    median = _LIKE.get(backbone, 0.3) + _MISSING.get(encoder, 0.0) * min(1.0, 2 * _LIKE.get(backbone, 0.3))
    return Cell(0, median * 0.95, median, median + 0.1, median * 0.15)


def _shape(backbone: str, encoder: str) -> tuple[Cell, float, float]:
    if (made := _shapes.get((backbone, encoder))) is None:
        cell = _cell(backbone, encoder)
        made = _shapes[backbone, encoder] = (cell, *_bends(cell))
    return made


def _bends(cell: Cell) -> tuple[float, float]:
    """Return the exponents below and above the median that give a cell its published mean."""
    below, above, shift = cell.median - cell.worst, cell.best - cell.median, 2 * (cell.mean - cell.median)
    low = below / (above / 2 - shift) - 1 if above / 2 > shift else 0.0
    # a cell whose mean lies far above its median has its tail above it
    return (low, 1.0) if low >= LOWEST else (1.0, above / (shift + below / 2) - 1)


def _curve(validation: float, best: int, epoch: int) -> float:
    if epoch == best:
        return validation
    off = math.exp(-3 * epoch / best) if epoch < best else 0.01 * (epoch - best)
    return round(validation * (1 - min(0.5, 0.02 + off)), 6)


def _rate(configuration: Configuration, done: float) -> float:
    rate: Any = configuration["learning_rate"]
    match configuration["scheduler"]:
        case "cosine":
            return float(f"{rate * 0.5 * (1 + math.cos(math.pi * done)):.6g}")
        case "linear":
            return float(f"{rate * (1 - done):.6g}")
        case _:
            return float(f"{rate * 0.1 ** int(3 * done):.6g}")


_shapes: dict[tuple[str, str], tuple[Cell, float, float]] = {}
