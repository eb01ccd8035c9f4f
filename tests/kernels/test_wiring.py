"""Configurations are wired whole or refused in one sentence, and describing them needs no torch."""

import subprocess
import sys

import pytest

from kernels.errors import BadConfiguration, MixedPack
from kernels.wiring import Run, Shape, shape, wire
from tests.kernels.packs import configured


def test_a_missing_key_is_named() -> None:
    configuration = configured()
    del configuration["mixup"]
    with pytest.raises(BadConfiguration, match="'mixup' is 'missing'"):
        shape(configuration)


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(BadConfiguration, match="'warmth' is 3; allowed: no such key"):
        shape(configured(warmth=3))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("encoder", "transformer"),
        ("pooling", "median"),
        ("loss", "hinge"),
        ("scheduler", "constant"),
        ("backbone", ""),
        ("batch", 0),
        ("length", 33),
        ("length", 8.0),
        ("epochs", True),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1e-3),
        ("dropout", 1.0),
        ("oversampling", 0.5),
        ("mixup", -0.1),
        ("noise", "much"),
    ],
)
def test_an_impossible_value_is_refused_with_what_is_allowed(key: str, value: object) -> None:
    with pytest.raises(BadConfiguration, match=f"'{key}' is .*; allowed: ") as refused:
        shape(configured(**{key: value}))
    assert (refused.value.key, refused.value.value is value) == (key, True)


def test_a_losss_own_keys_are_required_with_it_and_refused_without_it() -> None:
    with pytest.raises(BadConfiguration, match="focal_gamma"):
        shape(configured(loss="focal"))
    with pytest.raises(BadConfiguration, match="smoothing"):
        shape(configured(loss="bce", smoothing=0.1))


def test_runs_share_a_shape_when_backbone_encoder_length_and_batch_agree() -> None:
    assert shape(configured()) == shape(configured(pooling="max", epochs=9)) == Shape("motion", "retnet", 8, 16)
    assert shape(configured(length=12)) != shape(configured())


def test_a_pack_refuses_two_shapes_and_more_runs_than_lanes() -> None:
    one, other = Run("e-1", configured(), 1), Run("e-2", configured(batch=32), 2)
    with pytest.raises(MixedPack, match="runs of one shape, got 2"):
        wire([one, other], capacity=2)
    with pytest.raises(MixedPack, match="has 1 lanes, got 2"):
        wire([one, one], capacity=1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="seed"):
        wire([Run("e-1", configured(), -1)], capacity=1)


def test_wiring_rendering_and_describing_import_no_torch() -> None:
    program = (
        "import sys, kernels.wiring, kernels.features, kernels.tasks.roadsim, kernels.instrument, kernels.datasets,"
        " kernels.outcomes, kernels.lanes, kernels.precision, kernels.checkpoints; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
