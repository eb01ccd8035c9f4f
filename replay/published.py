"""What the paper's author published about its campaign, as far as the surrogate is calibrated on it or held against it.

From `data/anova.json`, `data/postbugfix_convergence.json` and the paper's tables; MIT licence, Copyright the author of
the public repository warlockee/orze-nips. Average precision, on the test split unless said otherwise.
"""

from __future__ import annotations

from typing import NamedTuple


class Cell(NamedTuple):
    """Test AP of the runs of one backbone under one encoder."""

    runs: int
    mean: float
    median: float
    best: float
    worst: float


CELLS: dict[tuple[str, str], Cell] = {
    ("vjepa2", "zipformer"): Cell(573, 0.76841, 0.81606, 0.92451, 0.05950),
    ("vjepa2", "retnet"): Cell(80, 0.73582, 0.80475, 0.91324, 0.14161),
    ("vjepa2", "hybrid"): Cell(27, 0.82096, 0.84319, 0.90542, 0.51395),
    ("vjepa2", "bimamba"): Cell(121, 0.73071, 0.79228, 0.90165, 0.11765),
    ("dinov3_l", "retnet"): Cell(34, 0.73964, 0.74887, 0.82358, 0.65149),
    ("dinov3_l", "zipformer"): Cell(38, 0.52695, 0.68348, 0.81406, 0.07777),
    ("siglip2", "zipformer"): Cell(22, 0.33576, 0.48199, 0.73923, 0.0),
    ("siglip2", "hybrid"): Cell(8, 0.47900, 0.47274, 0.57443, 0.41287),
    ("siglip2", "bimamba"): Cell(5, 0.39957, 0.49543, 0.52360, 0.0),
    ("siglip2", "retnet"): Cell(16, 0.41826, 0.47184, 0.52275, 0.0),
    ("dinov2_b", "retnet"): Cell(7, 0.63142, 0.61635, 0.71035, 0.55374),
    ("dinov2_b", "zipformer"): Cell(22, 0.46310, 0.47963, 0.64110, 0.18660),
    ("dinov3_b", "zipformer"): Cell(245, 0.11531, 0.07782, 0.55548, 0.04409),
    ("dinov3_b", "retnet"): Cell(71, 0.10810, 0.08971, 0.41515, 0.05154),
    ("dinov3_b", "bimamba"): Cell(50, 0.08513, 0.07814, 0.15139, 0.05773),
}
"""`anova.json`, group_stats; "Retention" there is the encoder retnet, "Hybrid R-M" hybrid. The fusion of backbones is
left out: it is not in the space."""

POOL = {1: 0.76412, 16: 0.98219, 50: 0.98762, 100: 0.98971, 200: 0.99189, 500: 0.99441, 3003: 0.99729}
"""Best validation AP among so many runs drawn from those after the last fix: `postbugfix_convergence.json`, rand_mean
and ap_at_n, and the best of all."""

RUNS, CANDIDATES, CYCLES, DAYS = 10_469, 42_042, 1_683, 27
GPU_HOURS, UTILISATION, USD = 3_227.0, 0.31, 2_000.0
REPAIRS, REPAIRED_AT_ONCE = 64, 52
LEAKED, AFTER_THE_LAST_FIX, SILENT = 8_730, 3_003, 8_975
BEST = {"leak": 0.8478, "loss": 0.8851, "pooling": 0.8962, "padding": 0.9245}
"""Best test AP before the leak was found, and after each later fix (paper, Appendix A)."""

FAVOURITE_SHARE = 0.526
"""Share of all runs on vjepa2."""

ADOPTED = 3
"""Days after the first proposal of vjepa2 within which it was adopted (paper, Appendix A)."""

SEARCHED = {50: 0.9852, 100: 0.9852, 500: 0.9901}
"""Best validation AP among the first so many runs after the last fix (paper, Table 2)."""

IMPROVED = 11
"""Runs after the last fix that beat all before them, counted on the paper's own curve."""

ETA2 = 0.7934
"""`anova.json`: share of the variance of test AP between the groups of backbone and encoder."""

ENTROPY = (0.78, 3.98)
"""`agent_dynamics.json`: the lowest and highest reading over backbone, encoder, loss and pooling from run 400 on."""

DIVERGENCE = (0.475, 0.131)
"""`agent_dynamics.json`: the highest cumulative reading between the agents, and the last one."""
