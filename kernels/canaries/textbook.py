"""What a step must make, worked out again from the configuration itself, by formulas and not by the training's code.

Where the network's own parts are used (an encoder, the draws of dropout and noise), other canaries look at these.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from kernels.canaries.tracing import Subject
from kernels.forward import Forward, unchanged
from kernels.network import FINAL_EPSILON, Dropout, Network
from kernels.operations.forms import FAST
from kernels.optimizer import BETA1, BETA2, CLIP, EPSILON
from kernels.schedules import DROPS, WARM_UP

Configuration = Mapping[str, Any]


def rates(configuration: Configuration, steps: int) -> list[float]:
    """The learning rate of every step: a linear warm-up, then a cosine, a line or two drops by ten."""
    warm = max(1, round(WARM_UP * steps))
    found = []
    for step in range(steps):
        done = (step - warm) / max(1, steps - warm)
        factors = {
            "cosine": 0.5 + 0.5 * math.cos(math.pi * done),
            "linear": 1 - done,
            "step": 0.1 if DROPS[0] <= done < DROPS[1] else 0.01 if done >= DROPS[1] else 1.0,
        }
        factor = (step + 1) / warm if step < warm else factors[configuration["scheduler"]]
        found.append(configuration["learning_rate"] * factor)
    return found


def loss(configuration: Configuration, logits: Tensor, labels: Tensor) -> Tensor:
    """Each clip's loss in double precision, from logits and labels of 0 and 1 of any one shape.

    Focal as Lin et al. 2017, equation 5; the others as cross-entropy with labels moved towards one half.
    """
    chance = torch.sigmoid(logits.double())
    if configuration["loss"] == "focal":
        gamma, alpha = configuration["focal_gamma"], configuration["focal_alpha"]
        true = torch.where(labels > 0.5, chance, 1 - chance)
        weight = torch.where(labels > 0.5, alpha, 1 - alpha)
        return torch.neg(weight * (1 - true) ** gamma * torch.log(true))
    smoothing = configuration["smoothing"] if configuration["loss"] == "label_smoothing" else 0.0
    target = labels * (1 - smoothing) + smoothing / 2
    return torch.neg(target * torch.log(chance) + (1 - target) * torch.log(1 - chance))


def mixed_loss(configuration: Configuration, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Each clip's loss when a share of it, and of its label, is another's."""
    own, other = (loss(configuration, logits, batch[name]) for name in ("labels", "others"))
    return batch["shares"] * own + (1 - batch["shares"]) * other


def network(subject: Subject, inputs: int) -> Network:
    """The network that a configuration names."""
    return Network(subject.configuration["encoder"], inputs=inputs, size=subject.size)


def score(
    net: Network,
    subject: Subject,
    flat: Tensor,  # (size,)
    x: Tensor,  # (B, T, C)
    progress: Tensor,  # ()
    *,
    step: int | None = None,  # of training; None while judging, without dropout
) -> Tensor:  # (B,)
    """The logits of clips without padding."""
    weights = net.blueprint.views(flat[None])
    dropout = unchanged if step is None else _dropout(subject, step)
    through = Forward(weights, progress[None], torch.zeros(1, 4), dropout=dropout)
    hidden = FAST.linear(x[None], weights["stem.weight"], weights["stem.bias"])
    hidden = dropout(hidden + weights["stem.place"][:, None, -x.shape[1] :])
    hidden = net.encoder.forward(hidden, torch.ones(1, *x.shape[:2], dtype=torch.bool), through)
    hidden = FAST.rms_norm(hidden, FINAL_EPSILON) * weights["final.gain"][:, None, None]
    pooled = _pooled(hidden[0], weights["pooling.query"][0], subject.configuration["pooling"])
    return torch.addmv(weights["head.bias"][0], pooled, weights["head.weight"][0, :, 0])


def _dropout(subject: Subject, step: int) -> Dropout:
    rate = torch.tensor([float(subject.configuration["dropout"])])
    return Dropout(torch.tensor([subject.seed]), rate, torch.tensor(step), 0)


def _pooled(hidden: Tensor, query: Tensor, pooling: str) -> Tensor:
    """Of steps (B, T, D), one vector a clip (B, D); attention as the paper's appendix D."""
    if pooling == "attention":
        return (torch.softmax(hidden @ query, 1)[..., None] * hidden).sum(1)
    if pooling == "max":
        return hidden.max(1).values
    return hidden.mean(1) if pooling == "mean" else hidden[:, -1]


class Descent:
    """AdamW with a clipped gradient, one vector in double precision (Loshchilov and Hutter 2019, algorithm 2)."""

    def __init__(self, net: Network, weight_decay: float) -> None:
        self._decay = weight_decay * net.blueprint.decaying().double()
        self._low, self._high = net.blueprint.bounds()
        self._first = self._second = torch.zeros_like(self._decay)
        self._step = 0

    def after(
        self,
        flat: Tensor,  # (size,)
        gradient: Tensor,  # (size,)
        rate: float,
    ) -> Tensor:  # (size,) float64
        """The parameters after a step; steps come in order."""
        self._step += 1
        slope = gradient.double()
        slope = slope * min(1.0, CLIP / max(float(slope.norm()), 1e-30))
        self._first = BETA1 * self._first + (1 - BETA1) * slope
        self._second = BETA2 * self._second + (1 - BETA2) * slope**2
        first, second = self._first / (1 - BETA1**self._step), self._second / (1 - BETA2**self._step)
        moved = flat.double() - rate * (first / (second.sqrt() + EPSILON) + self._decay * flat)
        return moved.clamp(self._low.double(), self._high.double())


def average_precision(scores: list[float], labels: list[bool]) -> float:
    """The mean, over positives, of the precision among all clips that score at least as high."""
    found = []
    for own, positive in zip(scores, labels, strict=True):
        if positive:
            above = [label for score, label in zip(scores, labels, strict=True) if score >= own]
            found.append(sum(above) / len(above))
    return math.fsum(found) / len(found)
