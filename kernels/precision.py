"""How a ranking is judged: average precision, exact with ties, and how far chance alone would move it."""

import numpy as np
from numpy.typing import NDArray

RULE = "average precision, ties entering together; first best epoch by validation alone; test at that epoch"
RESAMPLES = 200
RESAMPLING_KEY = (0x4E015E, 1)


def average_precision(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> float:
    """Sum of precision times gain in recall over the distinct scores, from the highest down; 0 to 1.

    Clips of equal score enter together, so their order cannot matter (as sklearn's average_precision_score).

    Raises:
        ValueError: no clip is positive, or a score is not finite.
    """
    if not labels.any():
        raise ValueError("average precision needs at least one positive clip")
    if not np.isfinite(scores).all():
        raise ValueError("average precision needs finite scores")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(labels[order])
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
    precision = hits[ends] / (ends + 1)
    return float((np.diff(hits[ends], prepend=0) * precision).sum() / hits[-1])


def nexar(
    scores: NDArray[np.float32], labels: NDArray[np.bool_], leads: NDArray[np.float64]
) -> tuple[dict[float, float], float]:
    """Average precision at each lead, and the mean of these: the Nexar competition's measure.

    A clip of a lead is judged against the clips of the same lead alone (https://www.kaggle.com/competitions/
    nexar-collision-prediction, "Evaluation": the mean over 0.5, 1.0 and 1.5 s before the event).

    Args:
        scores: of all clips, [clips].
        labels: of all clips, [clips].
        leads: seconds before its event at which each clip ends, [clips].

    Raises:
        ValueError: as `average_precision`, at some lead.
    """
    at = {float(lead): average_precision(scores[leads == lead], labels[leads == lead]) for lead in np.unique(leads)}
    return at, float(np.mean(list(at.values())))


def noise(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> float:
    """Standard deviation of the average precision over clips drawn again, within each label, with a fixed key."""
    rng = np.random.Generator(np.random.Philox(key=np.array(RESAMPLING_KEY, np.uint64)))
    parts = [np.flatnonzero(labels == label) for label in (False, True)]
    drawn = np.concatenate([rng.choice(part, (RESAMPLES, len(part))) for part in parts], 1)
    return float(np.std([average_precision(scores[row], labels[row]) for row in drawn]))
