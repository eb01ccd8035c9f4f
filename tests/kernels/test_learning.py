"""What is learned on the simulated road: order, and nothing that is not there. Orderings on fixed seeds."""

import pytest

from kernels import controls
from kernels.encoders import ENCODERS
from kernels.wiring import Run
from tests.kernels.conftest import World
from tests.kernels.packs import Lessons, completed, configured

REAL = {"width": 64, "layers": 2, "heads": 4}
LONGER = {"batch": 32, "length": 16, "epochs": 10, "dropout": 0.1}


@pytest.fixture(scope="module")
def lessons(world: World) -> Lessons:
    return Lessons(world.motion, **REAL)


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_a_temporal_encoder_beats_a_linear_model_on_means_by_a_tenth(
    world: World, lessons: Lessons, encoder: str
) -> None:
    outcome = lessons.of(configured(encoder=encoder, **LONGER))
    linear = controls.linear(world.motion, length=16)
    assert outcome.validation > linear.validation + 0.1
    assert outcome.test > linear.test


def test_shuffled_labels_teach_nothing(world: World, lessons: Lessons) -> None:
    run = Run("e-1", configured(encoder="zipformer", **LONGER), 5)
    mistaught = controls.shuffled(run, world.motion, device="cpu", capacity=1, **REAL)
    taught = lessons.of(run.configuration)
    assert mistaught is not None
    assert mistaught.validation < taught.validation - 0.1
    assert abs(mistaught.test - 0.5) < 0.2


def test_a_single_picture_is_a_poor_witness(world: World) -> None:
    last = controls.linear(world.appearance, length=1)
    order = completed(world.appearance, configured(encoder="zipformer", **LONGER) | {"backbone": "appearance"}, **REAL)
    assert last.test < 0.65
    assert order.test > last.test


def test_the_loss_falls(lessons: Lessons) -> None:
    curve = lessons.of(configured(**LONGER)).curves.loss
    assert curve[-1] < curve[0] / 2
