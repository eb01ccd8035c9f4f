"""AdamW over lanes: one flat buffer, one update, each lane with its own rate, decay and gradient clip."""

import torch
from torch import Tensor

from kernels.parameters import Blueprint

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8
CLIP = 1.0  # norm that each lane's gradient is cut down to


class AdamW:
    """Decoupled weight decay (Loshchilov and Hutter 2019) on a flat buffer (E, P) and its gradient."""

    def __init__(self, blueprint: Blueprint, flat: Tensor, gradient: Tensor, weight_decay: Tensor) -> None:
        """Keeps `flat` (E, P), which it will change, its `gradient` (E, P), and each lane's decay (E,)."""
        self._flat, self._gradient = flat, gradient
        self._first, self._second = torch.zeros_like(flat), torch.zeros_like(flat)
        self._decay = weight_decay[:, None] * blueprint.decaying().to(flat.device)
        self._bounds = tuple(bound.to(flat.device) for bound in blueprint.bounds())

    def update(
        self,
        rates: Tensor,  # (E,): 0 leaves a lane as it is
        step: Tensor,  # () int64: steps done before this one
    ) -> None:
        """One step of every lane; the gradient is clipped in place."""
        norm = self._gradient.square().sum(1, keepdim=True).sqrt()
        self._gradient *= CLIP / norm.clamp(min=CLIP)
        self._first.lerp_(self._gradient, 1 - BETA1)
        self._second.mul_(BETA2).addcmul_(self._gradient, self._gradient, value=1 - BETA2)
        count = (step + 1).double()
        first = self._first / (1 - BETA1**count).float()
        slope = (self._second / (1 - BETA2**count).float()).sqrt_().add_(EPSILON)
        rate = rates[:, None]
        self._flat -= rate * (first.div_(slope).addcmul_(self._decay, self._flat))
        torch.clamp(self._flat, *self._bounds, out=self._flat)
