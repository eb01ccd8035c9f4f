"""A ranking judged at each lead by itself: how long before its event a clip ends, and what that makes of the scores."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels import precision

MARK = "@"  # between a video's file and the lead, in a clip's name


def name(file: str, lead: float) -> str:
    """The name of the clip of a file that ends `lead` seconds before its event."""
    return f"{file}{MARK}{lead:g}"


def judged(names: Sequence[str], scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> dict[float, float]:
    """Average precision at each lead, whose mean is the Nexar measure (`precision.nexar`).

    Args:
        names: of all clips.
        scores, labels: of all clips, [clips].

    Returns:
        By lead in seconds; empty where a clip's name says no lead, or a lead has no positive clip.
    """
    said = [clip.rpartition(MARK)[2] for clip in names if MARK in clip]
    if len(said) < len(names):
        return {}
    try:
        leads = np.array(said, np.float64)
    except ValueError:
        return {}  # a file of a user's own whose name has the mark
    if any(not labels[leads == lead].any() for lead in np.unique(leads)):
        return {}
    return precision.nexar(scores, labels, leads)[0]
