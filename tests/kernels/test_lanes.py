"""At a fixed number of lanes a run is the same bits in any slot beside any neighbours, and fails alone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from kernels import lanes
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.errors import WrongDevice
from kernels.outcomes import Completed, Failed, Outcome
from tests.kernels.packs import configured, trained

LIVELY: dict[str, Any] = {"dropout": 0.2, "noise": 0.1, "mixup": 0.4, "oversampling": 2.0, "epochs": 3}
# Every kind of device at hand is put to the same test.
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
NEIGHBOURS = (
    configured(pooling="max", loss="focal", focal_gamma=2.0, focal_alpha=0.3, learning_rate=1e-2, scheduler="step"),
    configured(pooling="last", loss="label_smoothing", smoothing=0.1, epochs=1, dropout=0.5, weight_decay=0.1),
)


def timeless(outcome: Outcome) -> Outcome:
    """An outcome without what names its slot and its clock."""
    if isinstance(outcome, Completed):
        return replace(outcome, lane=0, seconds=0.0, peak_memory=0, experiment="")
    return replace(outcome, lane=0, seconds=0.0, experiment="")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_a_lane_is_bitwise_the_same_in_any_slot_beside_any_neighbours(
    small: Dataset, encoder: str, device: str
) -> None:
    subject = configured(encoder=encoder, **LIVELY)
    one, other = (neighbour | {"encoder": encoder} for neighbour in NEIGHBOURS)
    first = trained(small, subject, one, other, seeds=(5, 6, 7), device=device)[0]
    last = trained(small, other, one, subject, seeds=(8, 9, 5), device=device)[2]
    alone = trained(small, subject, capacity=3, device=device)[0]
    assert isinstance(first, Completed)
    assert timeless(first) == timeless(last) == timeless(alone)


def test_another_seed_gives_another_result(small: Dataset) -> None:
    one, other = trained(small, configured(**LIVELY), configured(**LIVELY), seeds=(5, 6))
    assert timeless(one) != timeless(other)


def test_the_same_run_twice_is_bitwise_the_same(small: Dataset) -> None:
    once, twice = (trained(small, configured(**LIVELY))[0] for _ in range(2))
    assert timeless(once) == timeless(twice)


def test_a_lane_that_diverges_fails_alone_and_leaves_its_neighbours_as_they_were(small: Dataset) -> None:
    calm, wild = configured(**LIVELY), configured(learning_rate=1e12, weight_decay=0.0, epochs=3)
    failed, beside = trained(small, wild, calm, seeds=(6, 5))
    _, unharmed = trained(small, NEIGHBOURS[0], calm, seeds=(6, 5))
    assert isinstance(failed, Failed)
    assert failed.kind == "diverged"
    assert failed.experiment == "e-0"
    assert timeless(beside) == timeless(unharmed)


def test_a_lane_that_ends_early_reports_only_its_own_epochs(small: Dataset) -> None:
    short, long = trained(small, configured(epochs=1), configured(epochs=4))
    assert isinstance(short, Completed)
    assert isinstance(long, Completed)
    assert len(short.curves.validation) == 1
    assert len(long.curves.validation) == 4


def test_the_lane_count_is_fixed_for_each_kind_of_device() -> None:
    assert lanes.count("cpu") == 1
    assert lanes.count("cuda:1") == 32
    with pytest.raises(WrongDevice, match="allowed: cpu, cuda"):
        lanes.count("abacus")
