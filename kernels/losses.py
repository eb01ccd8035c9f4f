"""Binary losses from logits, in float32, lane by lane: focal, cross-entropy, cross-entropy with smoothed labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from kernels.wiring import Lane

LEAST = 1e-6  # of 1 - p_t: (1 - p_t)^gamma has an endless slope at 0 when gamma < 1


@dataclass(frozen=True)
class Losses:
    """All three losses as one formula, w_y (1 - p_t)^gamma CE(y (1 - eps) + eps / 2), with values (E, 1) for each lane.

    Cross-entropy is weights 1, gamma 0 and eps 0, exactly; focal has weights alpha and 1 - alpha; smoothing has eps.
    """

    gamma: Tensor
    positive: Tensor
    negative: Tensor
    smoothing: Tensor

    @classmethod
    def of(cls, lanes: Sequence[Lane], device: torch.device | str = "cpu") -> "Losses":
        """The lanes' losses on a device."""
        rows = [_values(lane) for lane in lanes]
        return cls(*torch.tensor(rows, dtype=torch.float32, device=device).T[..., None])

    def each(
        self,
        logits: Tensor,  # (E, B)
        labels: Tensor,  # (E, B) of 0 and 1
    ) -> Tensor:  # (E, B)
        """The loss of each clip."""
        logits = logits.float()
        positive, negative = logsigmoid(logits), logsigmoid(-logits)
        soft = labels * (1 - self.smoothing) + self.smoothing / 2
        entropy = -(soft * positive + (1 - soft) * negative)
        wrong = torch.where(labels > 0.5, negative, positive).exp().clamp(min=LEAST)
        weight = torch.where(labels > 0.5, self.positive, self.negative)
        return weight * wrong**self.gamma * entropy


def _values(lane: Lane) -> tuple[float, float, float, float]:
    if lane.loss == "focal" and lane.focal_alpha is not None and lane.focal_gamma is not None:
        return lane.focal_gamma, lane.focal_alpha, 1 - lane.focal_alpha, 0.0
    return 0.0, 1.0, 1.0, lane.smoothing or 0.0


def reference_loss(lane: Lane, logit: Tensor, label: Tensor) -> Tensor:
    """One clip's loss by its textbook formula (Lin et al. 2017 for focal), in the precision given."""
    probability = torch.sigmoid(logit)
    if lane.loss == "focal":
        gamma, alpha = lane.focal_gamma or 0.0, lane.focal_alpha or 0.0
        true, weight = (probability, alpha) if label > 0.5 else (1 - probability, 1 - alpha)
        return -weight * (1 - true) ** gamma * torch.log(true)
    target = label * (1 - (lane.smoothing or 0.0)) + (lane.smoothing or 0.0) / 2
    return -(target * torch.log(probability) + (1 - target) * torch.log(1 - probability))
