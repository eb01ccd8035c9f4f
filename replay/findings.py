"""The statistics by name, for `myriad replay NAME metric`: what is estimated, tested or resampled, never in a digest.

`replay.metrics` holds the exact measures. These carry intervals, nulls and caveats, and load numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Callable

from replay.contributions import CONTRIBUTIONS
from replay.convergence import CONVERGENCE
from replay.dynamics import DYNAMICS
from replay.measures import Measurement
from replay.metrics import Metric
from replay.origins import ORIGINS

FINDINGS: dict[str, Callable[[Measurement], Metric]] = {**CONTRIBUTIONS, **CONVERGENCE, **DYNAMICS, **ORIGINS}
