"""No dimension is dead: changed alone, each changes what its own stage makes, and nothing it must not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kernels import plans
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.forward import Size
from kernels.losses import Losses
from kernels.network import Dropout, Network
from kernels.pooling import one_hot, pool
from kernels.schedules import learning_rates
from kernels.training import Steps
from kernels.wiring import Lane, Run, wire
from tests.kernels.conftest import World
from tests.kernels.packs import Lessons, configured

FOCAL: dict[str, Any] = {"loss": "focal", "focal_gamma": 2.0, "focal_alpha": 0.25}
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *[("encoder", {}, {"encoder": choice}) for choice in ENCODERS if choice != "retnet"],
    *[("pooling", {}, {"pooling": choice}) for choice in ("mean", "last", "max")],
    ("loss", {}, FOCAL),
    ("loss", {}, {"loss": "label_smoothing", "smoothing": 0.1}),
    ("focal_gamma", FOCAL, {"focal_gamma": 1.0}),
    ("focal_alpha", FOCAL, {"focal_alpha": 0.5}),
    ("smoothing", {"loss": "label_smoothing", "smoothing": 0.1}, {"smoothing": 0.2}),
    *[("scheduler", {}, {"scheduler": choice}) for choice in ("linear", "step")],
    ("batch", {}, {"batch": 32}),
    ("length", {}, {"length": 12}),
    ("epochs", {}, {"epochs": 3}),
    ("learning_rate", {}, {"learning_rate": 1e-3}),
    ("weight_decay", {}, {"weight_decay": 1e-1}),
    ("dropout", {}, {"dropout": 0.1}),
    ("oversampling", {}, {"oversampling": 2.0}),
    ("mixup", {}, {"mixup": 0.2}),
    ("noise", {}, {"noise": 0.05}),
]


@pytest.fixture(scope="module")
def lessons(small: Dataset) -> Lessons:
    return Lessons(small)


@pytest.mark.parametrize("encoder", list(ENCODERS))
@pytest.mark.parametrize(
    ("key", "base", "change"), CHANGES, ids=[f"{k}-{next(iter(c.values()))}" for k, _, c in CHANGES]
)
def test_changing_one_dimension_alone_changes_the_training(
    lessons: Lessons, key: str, base: dict[str, Any], change: dict[str, Any], encoder: str
) -> None:
    if key == "encoder" and encoder == change["encoder"]:
        change = {"encoder": "retnet"}
    base = configured(encoder=encoder, **base)
    before, after = lessons.of(base), lessons.of(base | change)
    assert key in change
    assert before.curves.loss != after.curves.loss or before.digest != after.digest


def steps(data: Dataset, **changes: Any) -> Steps:
    pack = wire([Run("e-1", configured(**changes), 5)], capacity=1)
    return Steps(pack, data, Network("retnet", inputs=data.train.values.shape[-1], size=Size(16, 2, 2)), "cpu", 1)


def first_batch(taken: Steps) -> tuple[Tensor, ...]:
    """The first batch: values, labels, partners' labels and shares."""
    return taken.batch(taken.plan.at(torch.tensor(0)), 0, 16)


def batch(data: Dataset, **changes: Any) -> Tensor:
    """The values of the first batch that a configuration trains on, (1, B, T, C)."""
    return first_batch(steps(data, **changes))[0]


def lane(**changes: Any) -> Lane:
    return wire([Run("e-1", configured(**changes), 5)], capacity=1).lanes[0]


def test_the_backbone_decides_what_is_read(world: World) -> None:
    assert world.motion.train.values.shape != world.appearance.train.values.shape
    assert world.motion.train.names == world.appearance.train.names


def test_length_counts_back_from_the_clips_end(small: Dataset) -> None:
    long, short = batch(small, length=12), batch(small, length=8)
    assert torch.equal(long[:, :, -8:], short)
    first = plans.make([lane()], small.train.labels, 16).clips[0, 0]
    assert np.array_equal(short[0].numpy(), small.train.values[first.numpy(), -8:])


def test_noise_adds_its_standard_deviation_to_the_features_and_to_nothing_else(small: Dataset) -> None:
    grain = batch(small, noise=0.2) - batch(small)
    assert grain.std().item() == pytest.approx(0.2, rel=0.1)
    assert torch.equal(steps(small, noise=0.2).plan.clips, steps(small).plan.clips)
    half = batch(small, noise=0.1) - batch(small)
    assert torch.allclose(half * 2, grain, atol=1e-5)


def test_mixup_mixes_two_clips_and_both_their_labels_by_one_share(small: Dataset) -> None:
    mixing = steps(small, mixup=0.5)
    x, labels, others, shares = first_batch(mixing)
    clips, partners = mixing.plan.clips[0, 0], mixing.plan.partners[0, 0]
    train = torch.from_numpy(small.train.values[:, -8:])
    share = shares[0, :, None, None]
    assert torch.allclose(x[0], share * train[clips] + (1 - share) * train[partners], atol=1e-6)
    assert torch.equal(labels[0] > 0, torch.from_numpy(small.train.labels)[clips])
    assert torch.equal(others[0] > 0, torch.from_numpy(small.train.labels)[partners])
    assert 0 < shares.min() < shares.max() < 1


def test_the_mixing_shares_follow_the_beta_law_of_their_alpha(small: Dataset) -> None:
    for alpha in (0.2, 1.0):
        shares = plans.make([lane(mixup=alpha, epochs=200)], small.train.labels, 16).shares
        assert shares.mean().item() == pytest.approx(0.5, abs=0.02)
        assert shares.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_without_mixup_no_share_is_taken_from_any_clip(small: Dataset) -> None:
    assert torch.equal(plans.make([lane()], small.train.labels, 16).shares, torch.ones(8, 1, 16))


@pytest.mark.parametrize("times", [1.0, 2.0, 5.0])
def test_oversampling_draws_each_positive_that_many_times_as_often_as_a_negative(times: float) -> None:
    labels = np.arange(100) < 30
    plan = plans.make([lane(oversampling=times, epochs=60)], labels, 20)
    counts = np.bincount(plan.clips.flatten().numpy(), minlength=100)
    assert counts[:30].mean() / counts[30:].mean() == pytest.approx(times, rel=0.03)


def test_without_oversampling_every_clip_is_seen_once_an_epoch() -> None:
    labels = np.arange(96) < 30
    plan = plans.make([lane(epochs=2)], labels, 32)
    for epoch in plan.clips[:, 0].reshape(2, -1):
        assert sorted(epoch.tolist()) == list(range(96))


def test_a_clip_set_smaller_than_a_batch_still_fills_it() -> None:
    assert plans.make([lane(batch=64)], np.arange(10) < 5, 64).clips.shape == (2, 1, 64)


def test_dropout_silences_its_share_and_keeps_the_mean(small: Dataset) -> None:
    x = torch.ones(2, 40, 8, 16)
    dropped = Dropout(torch.tensor([1, 2]), torch.tensor([0.0, 0.3]), torch.tensor(0), 0)(x)
    assert torch.equal(dropped[0], x[0])
    assert (dropped[1] == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert dropped[1].mean().item() == pytest.approx(1.0, abs=0.03)


def test_dropout_of_a_part_of_a_batch_is_that_part_of_the_batchs_dropout() -> None:
    x = torch.ones(1, 10, 3, 5)
    whole = Dropout(torch.tensor([7]), torch.tensor([0.5]), torch.tensor(4), 0)(x)
    part = Dropout(torch.tensor([7]), torch.tensor([0.5]), torch.tensor(4), 3)(x[:, 3:8])
    assert torch.equal(whole[:, 3:8], part)


def test_each_scheduler_warms_up_alike_and_decays_its_own_way() -> None:
    rates = {
        name: learning_rates(lane(scheduler=name, learning_rate=1e-2), 100) for name in ("cosine", "linear", "step")
    }
    for curve in rates.values():
        assert np.allclose(curve[:10], np.linspace(1e-3, 1e-2, 10))
        assert curve.argmax() in (9, 10)
        assert curve[-1] < 2e-4
    assert rates["cosine"][32] > rates["linear"][32]
    assert rates["step"][60] == pytest.approx(1e-2)
    assert rates["step"][70] == pytest.approx(1e-3)
    assert rates["step"][95] == pytest.approx(1e-4)


def test_a_change_of_loss_changes_no_batch_and_no_first_parameter(small: Dataset) -> None:
    plain, focal = steps(small), steps(small, **FOCAL)
    assert torch.equal(plain.flat, focal.flat)
    assert torch.equal(first_batch(plain)[0], first_batch(focal)[0])


def test_focal_gamma_changes_the_gradient(small: Dataset) -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    losses = Losses.of([lane(**FOCAL), lane(**(FOCAL | {"focal_gamma": 0.5}))])
    torch.autograd.backward(losses.each(logits, torch.ones(2, 3)).sum())
    assert logits.grad is not None
    assert not torch.allclose(logits.grad[0], logits.grad[1])


def test_every_pooling_gives_another_vector() -> None:
    x = torch.randn(4, 2, 7, 5, generator=torch.Generator().manual_seed(0))[:1].expand(4, -1, -1, -1)
    mask = torch.ones(4, 2, 7, dtype=torch.bool)
    pooled = pool(x, mask, torch.ones(4, 5), one_hot(["attention", "mean", "last", "max"]))
    for one in range(4):
        for other in range(one):
            assert not torch.allclose(pooled[one], pooled[other])


def test_a_seed_changes_parameters_and_order(small: Dataset) -> None:
    one, other = (
        Steps(
            wire([Run("e", configured(), seed)], capacity=1),
            small,
            Network("retnet", inputs=5, size=Size(16, 2, 2)),
            "cpu",
            1,
        )
        for seed in (1, 2)
    )
    assert not torch.equal(one.flat, other.flat)
    assert not torch.equal(one.plan.clips, other.plan.clips)
    assert replace(lane(), seed=1) != replace(lane(), seed=2)
