"""Several backbones as one: their features side by side."""

import numpy as np

from kernels.backbones import registry
from kernels.backbones.backbone import Backbone, Floats, Pixels


def backbone(name: str) -> Backbone:
    """The concatenation that the registry names; each part sees the pictures that it would see alone."""
    parts = [registry.find(part) for part in registry.FUSED[name]]
    most = max(part.pictures for part in parts)

    def describe(pictures: Pixels) -> Floats:
        # A part that looks at fewer pictures a step looks at the last ones.
        return np.concatenate([part.describe(pictures[:, most - part.pictures :]) for part in parts], -1)

    source = tuple(sorted({file for part in parts for file in part.source} | {"backbones/fused.py"}))
    said = "; ".join(f"{part.name}: {part.preprocessing}" for part in parts)
    (colours,) = {part.colours for part in parts}
    return Backbone(
        name,
        most,
        sum(part.width for part in parts),
        said,
        describe,
        source,
        colours,
        parts=tuple(part.name for part in parts),
        weights=lambda: " ".join(part.weights() for part in parts),
        alone=any(part.alone for part in parts),
    )
