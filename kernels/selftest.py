"""Whether everything that trains does what it says on the device at hand: operations, encoders, lanes.

Fast against reference, single against double precision, slot against slot; each check is small, so that all of them
take less than a minute.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from kernels import lanes, training
from kernels.datasets import Dataset, Part
from kernels.encoders import ENCODERS
from kernels.errors import WrongDevice
from kernels.forward import Forward, Size
from kernels.network import Network
from kernels.operations import recurrence, scan, tiled
from kernels.operations.forms import FAST, REFERENCE, Forms
from kernels.outcomes import Completed
from kernels.pooling import one_hot
from kernels.watching import Moment, Watch, nobody
from kernels.wiring import POOLINGS, Run, wire

LENGTHS = (1, 7, 20, 33)
ALLOWED = {"cpu": 2e-6, "cuda": 1e-5}  # relative, of float32 against float64; that of a GPU is not measured yet
AMPLIFIED = 1e-4  # where a whole network adds to rounding: its gradients (2e-5 seen), and sums of another length
LANES, CLIPS, WIDTH, HEADS, INPUTS = 2, 3, 16, 2, 6
TILED = ("scan", "slstm")
STATES = 5  # of the scan, fewer than any encoder has and not a multiple of anything
CONFIGURATION: dict[str, Any] = {
    "backbone": "none",
    "pooling": "attention",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": 16,
    "length": 8,
    "epochs": 1,
    "learning_rate": 3e-3,
    "weight_decay": 1e-2,
    "dropout": 0.2,
    "oversampling": 2.0,
    "mixup": 0.4,
    "noise": 0.1,
}

Call = Callable[[Forms, Sequence[Tensor]], Tensor]
Case = tuple[Call, list[Tensor]]


@dataclass(frozen=True)
class Check:
    """One claim about one thing: the worst relative error seen, what is allowed, and what went wrong otherwise."""

    name: str
    claim: str
    error: float
    allowed: float
    seconds: float
    problem: str | None = None

    @property
    def held(self) -> bool:
        """Whether the claim was found true; an error that is not a number is not."""
        return self.problem is None and self.error <= self.allowed


def device_at_hand() -> str:
    """The GPU where there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def checks(device: str) -> Iterator[Check]:
    """Yields every check as it is done.

    Raises:
        WrongDevice: there is no such device here.
    """
    lanes.count(device)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise WrongDevice(device, "cpu, as PyTorch sees no GPU here")
    kind = device.partition(":")[0]
    lean = without_compiled(FAST)
    for field in fields(Forms):
        check = partial(_operation, field.name, device)
        yield _timed(field.name, "agrees with its reference", ALLOWED[kind], partial(check, FAST))
        if getattr(lean, field.name) is not getattr(FAST, field.name):
            yield _timed(field.name, "agrees without compiled loops", ALLOWED[kind], partial(check, lean))
        if field.name in TILED and kind == "cpu" and tiled.interpret() is None:
            yield _timed(field.name, "agrees as interpreted tiles", ALLOWED[kind], partial(_tiles, field.name))
    for name in ENCODERS:
        found = cache(partial(_encoder, name, device))
        yield _timed(name, "scores as its reference", ALLOWED[kind], partial(_part, found, 0))
        yield _timed(name, "learns as its reference", AMPLIFIED, partial(_part, found, 1))
        yield _timed(name, "is not changed by padding", AMPLIFIED, partial(_padding, name, device))
        yield _timed(name, "is the same in any lane", 0.0, partial(_slots, name, device))
        if kind == "cuda":
            yield _timed(name, "is replayed as it is taken", 0.0, partial(_replayed, name, device))


def without_compiled(forms: Forms) -> Forms:
    """The same forms on a machine without compiled loops."""
    return replace(forms, scan=scan.lean_both, slstm=recurrence.lean_slstm)


def _part(found: Callable[[], tuple[float, float]], which: int) -> float:
    return found()[which]


def _timed(name: str, claim: str, allowed: float, measure: Callable[[], float]) -> Check:
    began = time.perf_counter()
    try:
        error, problem = measure(), None
    except Exception as raised:  # noqa: BLE001 # whatever a check raises is its finding; the others go on
        error, problem = float("inf"), f"{type(raised).__name__}: {raised}"
    return Check(name, claim, error, allowed, time.perf_counter() - began, problem)


def _operation(name: str, device: str, forms: Forms) -> float:
    """The worst relative error of outputs and gradients, over all lengths."""
    return _worst([against_reference(*case(name, steps), forms, device) for steps in LENGTHS])


def _tiles(name: str) -> float:
    """As `_operation` on a CPU, where each step of a tile is interpreted: one clip, a step and a few."""
    small = {"lanes": 1, "clips": 1, "width": 6, "heads": 2, "states": 3}
    tiles = replace(FAST, scan=scan.tiled_both, slstm=recurrence.tiled_slstm)
    return _worst([against_reference(*case(name, steps, **small), tiles, "cpu") for steps in (1, 6)])


def against_reference(call: Call, inputs: list[Tensor], forms: Forms, device: str) -> float:
    """The worst relative error of outputs and of every gradient, in float32 against the reference in float64."""
    single = [_leaf(x.to(device)) for x in inputs]
    double = [_leaf(x.detach().to(device, torch.float64)) if x.is_floating_point() else x.to(device) for x in inputs]
    found, true = call(forms, single), call(REFERENCE, double)
    upstream = _drawn(*true.shape, seed=99).to(device)
    torch.autograd.backward([found, true], [upstream, upstream.double()])
    pairs = [(found, true)]
    pairs += [
        (x.grad, y.grad) for x, y in zip(single, double, strict=True) if x.grad is not None and y.grad is not None
    ]
    if len(pairs) != 1 + sum(x.requires_grad for x in single):
        raise ArithmeticError("an input has no gradient")
    return _worst([_difference(one, other) for one, other in pairs])


def case(
    name: str,
    steps: int,
    *,
    lanes: int = LANES,
    clips: int = CLIPS,
    width: int = WIDTH,
    heads: int = HEADS,
    states: int = STATES,
) -> Case:
    """How an operation is called, and what with: drawn inputs of such a size, clips of different lengths."""
    mask = _masked(steps, lanes, clips)
    x = _drawn(lanes, clips, steps, width)
    split = [_drawn(lanes, clips, steps, heads, width // heads, seed=n) for n in range(3)]
    row, matrix = _drawn(lanes, width, seed=3) * 0.1, _drawn(lanes, width, width, seed=4)
    gates = _drawn(lanes, clips, steps, 2, heads, seed=5)
    scanned = [part for side in (0, 10) for part in _side(x, states, side)]
    cells = [_drawn(lanes, clips, steps, 4, width), _drawn(lanes, width, 4 * width // heads) * 0.4, mask]
    cases: dict[str, Case] = {
        "attention": (lambda f, a: f.attention(*a), [*split, _drawn(lanes, heads, 127, seed=5), mask]),
        "bias_norm": (lambda f, a: f.bias_norm(*a), [x, row, row[:, :1]]),
        "blockwise": (lambda f, a: f.blockwise(*a), [x, matrix[:, :, :4]]),
        "depthwise": (lambda f, a: f.depthwise(a[0], a[1], 3), [x, matrix[:, :4]]),
        "downsample": (lambda f, a: f.downsample(*a)[0], [x, row[:, :2], mask]),
        "layer_norm": (lambda f, a: f.layer_norm(a[0], 1e-5), [x]),
        "linear": (lambda f, a: f.linear(*a), [x, matrix, row]),
        "mlstm": (lambda f, a: f.mlstm(*a), [*split, gates, mask]),
        "retention": (lambda f, a: f.retention(*a), split),
        "rms_norm": (lambda f, a: f.rms_norm(a[0], 1e-6), [x]),
        "rotate": (lambda f, a: f.rotate(a[0]), split[:1]),
        "scan": (lambda f, a: torch.stack(f.scan(_sided(a[:5]), _sided(a[5:]))), scanned),
        "slstm": (lambda f, a: f.slstm(*a), cells),
        "swoosh_l": (lambda f, a: f.swoosh_l(a[0]), [x * 4]),
        "swoosh_r": (lambda f, a: f.swoosh_r(a[0]), [x * 4]),
        "upsample": (lambda f, a: f.upsample(a[0], 2, 2 * steps - 1), [x]),
    }
    return cases[name]


def _side(x: Tensor, states: int, seed: int) -> list[Tensor]:
    """u, delta, a, b, c of one direction of a scan, u of the shape of x."""
    lanes, *_, width = x.shape
    rates = -torch.exp(_drawn(lanes, states, width, seed=seed + 2))
    chosen = [_drawn(*x.shape[:3], states, seed=seed + n) for n in (3, 4)]
    return [_drawn(*x.shape, seed=seed), softplus(_drawn(*x.shape, seed=seed + 1) * 2 - 3), rates, *chosen]


def _sided(parts: Sequence[Tensor]) -> scan.Side:
    u, delta, a, b, c = parts
    return u, delta, a, b, c


def _masked(steps: int, lanes: int = LANES, clips: int = CLIPS) -> Tensor:
    """Clips of different lengths that end together."""
    length = torch.arange(lanes * clips).view(lanes, clips, 1) % steps + 1
    return torch.arange(steps) >= steps - length


def _encoder(encoder: str, device: str) -> tuple[float, float]:
    """The worst relative errors of scores, and of all parameters' gradients together, over some lengths."""
    network, weights, (poolings, progress) = _built(encoder)
    found: list[tuple[float, float]] = []
    for steps in (1, 7, 20):
        mask = _masked(steps).to(device)
        sides = []
        for forms, kind in ((FAST, torch.float32), (REFERENCE, torch.float64)):
            leaves = {name: _leaf(weight.to(device, kind)) for name, weight in weights.items()}
            through = Forward(leaves, progress.to(device, kind), poolings.to(device, kind), forms=forms)
            x = _drawn(LANES, CLIPS, steps, INPUTS).to(device, kind)
            sides.append(_scored(network, x, mask, through))
        (scores, gradients), (true, wanted) = sides
        found.append((_difference(scores, true), _difference(gradients, wanted)))
    return _worst([one for one, _ in found]), _worst([other for _, other in found])


def _scored(network: Network, x: Tensor, mask: Tensor, through: Forward) -> tuple[Tensor, Tensor]:
    """Scores and the gradients of all parameters."""
    scores = network.forward(x, mask, through)
    if scores.shape != x.shape[:2]:
        raise ArithmeticError(f"scores of shape {tuple(scores.shape)} for clips of shape {tuple(x.shape)}")
    torch.autograd.backward(scores.sum())
    parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in through.weights.values()]
    return scores, torch.cat([part.flatten() for part in parts])


def _padding(encoder: str, device: str) -> float:
    """How far scores move when each clip stands behind six steps of nonsense."""
    network, weights, (poolings, progress) = _built(encoder)
    through = Forward({n: w.to(device) for n, w in weights.items()}, progress.to(device), poolings.to(device))
    x = _drawn(LANES, CLIPS, 13, INPUTS).to(device)
    wide = torch.cat([torch.full((LANES, CLIPS, 6, INPUTS), 1e3, device=device), x], 2)
    mask = torch.arange(19, device=device).expand(LANES, CLIPS, 19) >= 6
    return _difference(network.forward(wide, mask, through), network.forward(x, mask[:, :, 6:], through).double())


def _slots(encoder: str, device: str) -> float:
    """0 when a run ends with the same bits in two slots of a full pack beside other runs, else 1."""
    data, many = _data(), max(3, lanes.count(device))
    subject = Run("subject", CONFIGURATION | {"encoder": encoder}, 5)
    others = [
        Run(
            f"other-{n}", CONFIGURATION | {"encoder": encoder, "learning_rate": 1e-3 * n, "pooling": POOLINGS[n % 4]}, n
        )
        for n in range(1, many)
    ]
    ends = [_ended([subject, *others], data, device), _ended([*others[::-1], subject], data, device)]
    return _apart(*ends)


def _replayed(encoder: str, device: str) -> float:
    """0 when a run whose step is captured ends with the bits of one that is watched, and so taken step by step."""
    runs = [Run("subject", CONFIGURATION | {"encoder": encoder, "epochs": 3}, 5)]

    def somebody(moment: Moment, **made: Tensor) -> None:
        """Looks away too, but has to be called."""

    return _apart(*(_ended(runs, _data(), device, watch) for watch in (nobody, somebody)))


def _ended(runs: Sequence[Run], data: Dataset, device: str, watch: Watch = nobody) -> Completed:
    """How the subject ended in a full pack."""
    pack = wire(runs, capacity=max(3, lanes.count(device)))
    trained = training.train(pack, data, device=device, width=WIDTH, layers=2, heads=HEADS, watch=watch)
    return next(end for end in trained if isinstance(end, Completed) and end.experiment == "subject")


def _apart(one: Completed, other: Completed) -> float:
    return 0.0 if one.digest == other.digest and one.curves == other.curves else 1.0


def _built(encoder: str) -> tuple[Network, dict[str, Tensor], tuple[Tensor, Tensor]]:
    """A network of two layers whose parameters are all off their first values, its poolings and progress."""
    network = Network(encoder, inputs=INPUTS, size=Size(WIDTH, 2, HEADS))
    flat = network.blueprint.initial(list(range(LANES)))
    flat += 0.1 * _drawn(*flat.shape, seed=1)
    return network, network.blueprint.views(flat), (one_hot(POOLINGS[:LANES]), torch.linspace(0, 1, LANES))


def _data() -> Dataset:
    rng = np.random.default_rng(3)
    nothing = np.zeros(INPUTS, np.float32)

    def part(clips: int) -> Part:
        values = rng.standard_normal((clips, 8, INPUTS)).astype(np.float32)
        return Part(tuple(map(str, range(clips))), values, np.arange(clips) % 2 == 0)

    return Dataset("none", part(48), part(16), part(16), nothing, nothing + 1, "drawn")


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _worst(errors: list[float]) -> float:
    """The largest, or not a number where one of them is not; Python's own max would lose it."""
    return float(np.max(errors))


def _leaf(x: Tensor) -> Tensor:
    return x.detach().requires_grad_(x.is_floating_point())


def _difference(found: Tensor, true: Tensor) -> float:
    """The norm of the difference over that of the truth; not a number wherever one of them is not."""
    return float((found.detach().double() - true.detach()).norm() / true.detach().norm().clamp(min=1e-8))
