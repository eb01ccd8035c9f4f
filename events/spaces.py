"""The spaces that ship: the paper's 108,000 cells, and the same space over another task's backbones."""

from __future__ import annotations

from events.space import Choice, Interval, Space

PAPER = Space(
    name="paper",
    dimensions=(
        Choice(
            name="backbone",
            values=("vjepa2", "dinov3_b", "dinov3_l", "dinov2_b", "siglip2", "convnext"),
            part="architecture",
            stage="batch",
            aliases={"vjepa2_vitl14": "vjepa2"},
        ),
        Choice(
            name="encoder",
            values=("zipformer", "retnet", "bimamba", "hybrid", "xlstm"),
            part="architecture",
            stage="parameters",
            keys=("temporal_encoder",),
        ),
        Choice(name="pooling", values=("attention", "mean", "last", "max"), part="architecture", stage="forward"),
        Choice(name="loss", values=("focal", "bce", "label_smoothing"), part="loss", stage="loss"),
        Choice(name="scheduler", values=("cosine", "linear", "step"), part="training", stage="schedule"),
        Choice(name="batch", values=(16, 32, 64, 128), part="training", stage="batch", keys=("batch_size",)),
        Choice(name="length", values=(8, 12, 16, 20, 32), part="training", stage="batch", keys=("seq_len",)),
        Choice(name="epochs", values=(5, 10, 15, 20, 30), part="training", stage="schedule"),
        Interval(name="learning_rate", low=1e-5, high=1e-2, scale="log", part="training", stage="schedule", bins=15),
        Interval(name="weight_decay", low=1e-6, high=1e-1, scale="log", part="training", stage="gradient"),
        Interval(name="dropout", low=0.0, high=0.5, part="training", stage="forward"),
        Interval(name="oversampling", low=1.0, high=5.0, part="data", stage="batch", bins=8),
        Interval(name="mixup", low=0.0, high=1.0, part="data", stage="batch"),
        Interval(name="noise", low=0.0, high=0.2, part="data", stage="batch"),
        Interval(name="focal_gamma", low=0.5, high=5.0, part="loss", stage="loss", when={"loss": ("focal",)}),
        Interval(name="focal_alpha", low=0.1, high=0.9, part="loss", stage="loss", when={"loss": ("focal",)}),
        Interval(name="smoothing", low=0.0, high=0.2, part="loss", stage="loss", when={"loss": ("label_smoothing",)}),
    ),
)
"""Paper, eq. 1-2: 6 x 5 x 4 x 3 x 3 categorical cells of architecture, loss and schedule, times 4 x 5 x 5 = 100 of
batch, length and epochs, which the paper counts but does not list; so are the bounds that it leaves out ours."""


def over(backbones: tuple[str, ...], encoders: tuple[str, ...]) -> Space:
    """Return the paper's space with a task's own backbones and the encoders that can be built."""
    own: dict[str, tuple[str, ...]] = {"backbone": backbones, "encoder": encoders}
    dimensions = tuple(
        Choice(name=d.name, values=own[d.name], part=d.part, stage=d.stage, keys=d.keys) if d.name in own else d
        for d in PAPER.dimensions
    )
    return Space(name="+".join(backbones), dimensions=dimensions)
