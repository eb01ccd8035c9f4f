"""The scores that trained lanes give to clips, by training's own forward without dropout."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels.forward import Forward
from kernels.network import Network


@torch.no_grad()
def score(
    network: Network,
    through: Forward,
    x: Tensor,  # (N, T, C)
    mask: Tensor,  # (N, T) bool
    batch: int,
) -> NDArray[np.float32]:  # (E, N)
    """The logits that every lane gives to the same clips, `batch` clips at a time."""
    lanes = len(through.progress)
    parts = []
    for start in range(0, len(x), batch):
        clips, valid = x[start : start + batch], mask[start : start + batch]
        parts.append(network.forward(clips.expand(lanes, -1, -1, -1), valid.expand(lanes, -1, -1), through))
    logits: NDArray[np.float32] = torch.cat(parts, 1).cpu().numpy()
    return logits
