"""The statistics by name, for `myriad replay NAME metric`: what is estimated, tested or resampled, never in a digest.

`replay.metrics` holds the exact measures. These carry intervals, nulls and caveats, and load numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replay.folds import Fold
from replay.measures import Measurement
from replay.metrics import Metric
from replay.occupancy import OccupancyFold
from replay.statistics.contributions import CONTRIBUTIONS
from replay.statistics.convergence import CONVERGENCE
from replay.statistics.costs import COSTS
from replay.statistics.dynamics import DYNAMICS
from replay.statistics.genealogy import GENEALOGY
from replay.statistics.origins import ORIGINS
from replay.statistics.piecewise import PIECEWISE
from replay.statistics.policies import POLICIES
from replay.statistics.sections import SECTIONS

FINDINGS: dict[str, Callable[[Measurement], Metric]] = {
    **CONTRIBUTIONS,
    **CONVERGENCE,
    **POLICIES,
    **DYNAMICS,
    **ORIGINS,
    **GENEALOGY,
    **PIECEWISE,
    **COSTS,
    **SECTIONS,
}

BESIDE: dict[str, tuple[Fold[Any, Any], ...]] = {"utilisation": (OccupancyFold(),)}
"""What a measure needs folded beside the exact ones: `Measurement(*BESIDE.get(name, ()))`."""
