"""Mutants made mechanically: each dimension ignored, fixed, swapped with a neighbour, or applied at another stage."""

from collections.abc import Iterator
from itertools import pairwise

from kernels.canaries.dimensions import VALUES
from kernels.wiring import stages
from tests.kernels.planting import Edit, Mutant, bug

NEUTRAL: dict[str, object] = {
    "backbone": "canary_one",
    "encoder": "retnet",
    "pooling": "mean",
    "loss": "bce",
    "scheduler": "linear",
    "batch": 16,
    "length": 32,
    "epochs": 2,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "dropout": 0.0,
    "oversampling": 1.0,
    "mixup": 0.0,
    "noise": 0.0,
    "focal_gamma": 0.0,
    "focal_alpha": 0.5,
    "smoothing": 0.0,
}
"""What a dimension is where nobody asks for it."""

DEFAULT: dict[str, object] = {
    "backbone": "canary_two",
    "encoder": "zipformer",
    "pooling": "attention",
    "loss": "label_smoothing",
    "scheduler": "cosine",
    "batch": 8,
    "length": 16,
    "epochs": 3,
    "learning_rate": 3e-3,
    "weight_decay": 0.01,
    "dropout": 0.1,
    "oversampling": 2.0,
    "mixup": 0.2,
    "noise": 0.05,
    "focal_gamma": 2.0,
    "focal_alpha": 0.25,
    "smoothing": 0.1,
}
"""What somebody who forgets to pass a dimension on would find in a signature."""

STAGES = stages()
NUMBERS = tuple(name for name, value in NEUTRAL.items() if isinstance(value, float))
OWNED = {"focal_gamma": 2.0, "focal_alpha": 0.25, "smoothing": 0.1}
CHOICES = ("backbone", "encoder", "pooling", "loss", "scheduler")
SHAPES = ("backbone", "encoder", "length", "batch")
SHAPED = '    return Shape(*(configuration[key] for key in ("backbone", "encoder", "length", "batch")))'
LANED = "    return Lane(run.experiment, run.seed, **values)"


def mutants() -> tuple[Mutant, ...]:
    """All of them, in a fixed order."""
    return (*_ignored(), *_fixed(), *_swapped(), *_scaled(), *_mistaken(), *_crossed(), *ELSEWHERE, *_seeds())


def _wired(title: str, name: str, value: str) -> Mutant:
    """A mutant whose wiring gives a dimension another value; `held` is the one that was asked for."""
    place, mapping = (SHAPED, "configuration") if name in SHAPES else (LANED, "values")
    kept = "" if name in SHAPES else f'    if {mapping}["{name}"] is not None:\n    '
    change = f'    held = {mapping}.get("{name}")\n'
    if name in SHAPES:
        change += "    configuration = dict(configuration)\n"
    change += f'{kept}    {mapping}["{name}"] = {value}\n'
    if name == "loss":
        change += f"    lacking = {{key: own for key, own in {OWNED}.items() if values[key] is None}}\n"
        change += '    values |= lacking if values["loss"] != held else {}\n'
    return bug(title, "wiring.py", place, change + place, name, *STAGES[name])


def _ignored() -> Iterator[Mutant]:
    for name, value in NEUTRAL.items():
        yield _wired(f"wiring ignores {name}", name, repr(value))


def _fixed() -> Iterator[Mutant]:
    for name, value in DEFAULT.items():
        yield _wired(f"wiring fixes {name} to {value}", name, repr(value))


def _swapped() -> Iterator[Mutant]:
    """The next value in place of the one that was asked for."""
    for name, values in VALUES.items():
        pairs = dict(zip(values, values[1:] + values[:1], strict=True))
        yield _wired(f"wiring gives {name} its neighbour", name, f"{pairs!r}.get(held, held)")


def _scaled() -> Iterator[Mutant]:
    for name in NUMBERS:
        yield _wired(f"wiring makes {name} a tenth too large", name, "held * 1.1")


def _mistaken() -> Iterator[Mutant]:
    """One choice alone is taken for the next."""
    for name in CHOICES:
        values = VALUES[name]
        for one, other in zip(values, values[1:] + values[:1], strict=True):
            value = f"{other!r} if held == {one!r} else held"
            yield _wired(f"{name} {one} is taken for {other}", name, value)


def _crossed() -> Iterator[Mutant]:
    """Two numbers in each other's place."""
    lane = ("weight_decay", "dropout", "mixup", "noise")
    pairs = [*pairwise(lane), ("focal_gamma", "focal_alpha"), ("noise", "weight_decay")]
    for one, other in pairs:
        change = f'    values["{one}"], values["{other}"] = values["{other}"], values["{one}"]\n'
        names = (one, other, *STAGES[one], *STAGES[other])
        yield bug(f"{one} and {other} change places", "wiring.py", LANED, change + LANED, *names)


TRAINING, PLANS = "training.py", "plans.py"
RATES = "rates[:own] = learning_rates(lane, own)"
UPDATE = '        self._watch("gradient", gradient=self._gradient)\n'
LOGITS = "        logits = self._network.forward(x, mask, through)\n"
MAKE = "self.plan = plans.make(lanes, data.train.labels, self._batch, device)"
EACH = "losses = shares * self._loss.each(logits, labels) + (1 - shares) * self._loss.each(logits, others)"
WANTED = "return 0.0, 1.0, 1.0, lane.smoothing or 0.0"
FOCAL = "return lane.focal_gamma, lane.focal_alpha, 1 - lane.focal_alpha, 0.0"
LANES = "        self._network, self._batch, self._watch = network, pack.shape.batch, watch\n"


def _own(name: str) -> Edit:
    """Keeps a dimension of the first lane for use at another stage."""
    return Edit(TRAINING, LANES, f"{LANES}        self._own = float(lanes[0].{name} or 0.0)\n")


ELSEWHERE = (
    bug(
        "backbone acts on the first parameters",
        TRAINING,
        "initial([lane.seed for lane in lanes])",
        "initial([lane.seed + 7 * data.backbone.endswith('two') for lane in lanes])",
        "backbone",
        "parameters",
    ),
    Mutant(
        "encoder acts on the order of clips",
        (
            Edit(
                TRAINING,
                MAKE,
                MAKE.replace("(lanes,", "([replace(x, seed=x.seed + len(pack.shape.encoder)) for x in lanes],"),
            ),
        ),
        ("encoder", "batch"),
    ),
    Mutant(
        "pooling acts before the encoder",
        (
            Edit(
                "network.py",
                "        hidden = self.encoder.forward(",
                "        hidden = hidden * (1 + through.poolings[:, :1, None, None])\n"
                "        hidden = self.encoder.forward(",
            ),
            Edit(
                "network.py", '["pooling.query"], through.poolings)', '["pooling.query"], 0 * through.poolings + 0.25)'
            ),
        ),
        ("pooling", "forward"),
    ),
    Mutant(
        "loss acts on the gradient",
        (
            Edit(TRAINING, LANES, f'{LANES}        self._own = 2.0 if lanes[0].loss == "focal" else 1.0\n'),
            Edit("losses.py", FOCAL, "return 0.0, 1.0, 1.0, 0.0"),
            Edit(TRAINING, UPDATE, f"        self._gradient *= self._own\n{UPDATE}"),
        ),
        ("loss",),
    ),
    Mutant(
        "scheduler acts on the gradient",
        (
            Edit(PLANS, RATES, "rates[:own] = lane.learning_rate"),
            Edit(TRAINING, LANES, f'{LANES}        self._own = 0.5 if lanes[0].scheduler == "step" else 1.0\n'),
            Edit(TRAINING, UPDATE, f"        self._gradient *= self._own\n{UPDATE}"),
        ),
        ("scheduler", "schedule"),
    ),
    bug("batch acts on the learning rate too", PLANS, RATES, f"{RATES} * (batch / 16)", "batch", "schedule"),
    Mutant(
        "length acts in the network, not on the batch",
        (
            Edit(TRAINING, "data.train.values[:, -pack.shape.length :]", "data.train.values.copy()"),
            Edit(
                TRAINING, LOGITS, LOGITS.replace("x, mask,", "x[:, :, -self._length :], mask[:, :, -self._length :],")
            ),
            Edit(TRAINING, LANES, f"{LANES}        self._length = pack.shape.length\n"),
        ),
        ("length", "batch"),
    ),
    Mutant(
        "epochs act on the noise",
        (
            _own("epochs"),
            Edit(
                TRAINING,
                "x = x + self._noise[:, None, None, None] * grain",
                "x = x + self._own * self._noise[:, None, None, None] * grain",
            ),
        ),
        ("epochs", "batch"),
    ),
    Mutant(
        "learning_rate acts on the gradient",
        (
            _own("learning_rate"),
            Edit(PLANS, RATES, "rates[:own] = learning_rates(lane, own) / lane.learning_rate * 1e-2"),
            Edit(TRAINING, UPDATE, f"        self._gradient *= self._own / 1e-2\n{UPDATE}"),
        ),
        ("learning_rate", "schedule"),
    ),
    Mutant(
        "weight_decay acts on the gradient",
        (
            Edit("optimizer.py", ".addcmul_(self._decay, self._flat)", ""),
            Edit(
                "optimizer.py",
                "        norm = self._gradient",
                "        self._gradient += self._decay * self._flat\n        norm = self._gradient",
            ),
        ),
        ("weight_decay", "update"),
    ),
    Mutant(
        "dropout acts on the batch",
        (
            Edit(TRAINING, "if self._drops:", "if False:"),
            Edit(
                TRAINING,
                "        return x, self._labels[clips]",
                "        x = Dropout(self._seeds, self._dropout, now.step, start)(x)\n"
                "        return x, self._labels[clips]",
            ),
        ),
        ("dropout", "batch"),
    ),
    Mutant(
        "oversampling acts on the loss",
        (
            _own("oversampling"),
            Edit(PLANS, "epoch_steps * batch, lane.oversampling)", "epoch_steps * batch, 1.0)"),
            Edit(TRAINING, EACH, f"{EACH}\n        losses = losses * (1 + (self._own - 1) * labels)"),
        ),
        ("oversampling", "batch"),
    ),
    Mutant(
        "mixup acts on the scores",
        (
            Edit(TRAINING, "if self._mixes:", "if False:"),
            Edit(TRAINING, LOGITS, f"{LOGITS}        logits = shares * logits + (1 - shares) * logits.flip(1)\n"),
        ),
        ("mixup", "batch"),
    ),
    Mutant(
        "noise acts on the scores",
        (
            Edit(TRAINING, "if self._blurs:", "if False:"),
            Edit(
                TRAINING,
                LOGITS,
                f"{LOGITS}        key = draws.keys(self._seeds, now.step, NOISE_SITE)\n"
                "        logits = logits + self._noise[:, None] * draws.normals(key, logits.shape[1])\n",
            ),
        ),
        ("noise", "batch"),
    ),
    Mutant(
        "focal_gamma acts on the scores",
        (
            _own("focal_gamma"),
            Edit("losses.py", FOCAL, "return 0.0, lane.focal_alpha, 1 - lane.focal_alpha, 0.0"),
            Edit(TRAINING, LOGITS, f"{LOGITS}        logits = logits * (1 + self._own)\n"),
        ),
        ("focal_gamma", "forward", "loss"),
    ),
    Mutant(
        "focal_alpha acts on the gradient",
        (
            _own("focal_alpha"),
            Edit("losses.py", FOCAL, "return lane.focal_gamma, 0.5, 0.5, 0.0"),
            Edit(TRAINING, UPDATE, f"        self._gradient *= 1 + self._own\n{UPDATE}"),
        ),
        ("focal_alpha", "loss"),
    ),
    Mutant(
        "smoothing acts on the scores",
        (
            _own("smoothing"),
            Edit("losses.py", WANTED, "return 0.0, 1.0, 1.0, 0.0"),
            Edit(TRAINING, LOGITS, f"{LOGITS}        logits = logits * (1 - self._own)\n"),
        ),
        ("smoothing", "loss", "forward"),
    ),
)


def _seeds() -> Iterator[Mutant]:
    seeded = "    return Lane(run.experiment, run.seed, **values)"
    for title, value in (("ignored", "0"), ("fixed to 42", "42"), ("its neighbour", "run.seed + 1")):
        yield bug(f"seed is {title}", "wiring.py", seeded, seeded.replace("run.seed", value), "seed", "parameters")
    yield bug(
        "seed acts on the loss",
        "losses.py",
        "return lane.focal_gamma, lane.focal_alpha, 1 - lane.focal_alpha, 0.0",
        "return lane.focal_gamma + lane.seed % 2, lane.focal_alpha, 1 - lane.focal_alpha, 0.0",
        "seed",
        "loss",
    )
