"""Poolings see only valid steps, losses follow their textbook formulas, and both choose lane by lane."""

import pytest
import torch

from kernels.losses import Losses, reference_loss
from kernels.pooling import one_hot, pool, reference_pool
from kernels.wiring import POOLINGS, Lane, Run, wire
from tests.kernels.packs import configured


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 32])
def test_poolings_agree_with_their_references_in_outputs_and_gradients(steps: int) -> None:
    x = torch.randn(4, 5, steps, 6, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(steps) >= steps - (torch.arange(20).view(4, 5, 1) % steps + 1)
    query = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    single, double = (
        [x.clone().requires_grad_(), query.clone().requires_grad_()],
        [
            x.double().requires_grad_(),
            query.double().requires_grad_(),
        ],
    )
    found = pool(single[0], mask, single[1], one_hot(POOLINGS))
    true = reference_pool(double[0], mask, double[1], POOLINGS)
    assert torch.allclose(found.double(), true, rtol=2e-6, atol=2e-6)
    upstream = torch.randn(true.shape, generator=torch.Generator().manual_seed(2))
    torch.autograd.backward(found, upstream)
    torch.autograd.backward(true, upstream.double())
    for mine, theirs in zip(single, double, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(mine.grad.double(), theirs.grad, rtol=2e-6, atol=2e-6)


def test_a_mask_hides_padding_from_every_pooling() -> None:
    x = torch.randn(4, 2, 6, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(6).expand(4, 2, 6) >= 2
    hidden = x.masked_fill(~mask[..., None], 1e6)
    query = torch.ones(4, 3)
    assert torch.equal(pool(x, mask, query, one_hot(POOLINGS)), pool(hidden, mask, query, one_hot(POOLINGS)))


LANES = {
    "bce": configured(),
    "smoothing": configured(loss="label_smoothing", smoothing=0.1),
    "focal": configured(loss="focal", focal_gamma=2.0, focal_alpha=0.25),
    "shallow focal": configured(loss="focal", focal_gamma=0.5, focal_alpha=0.9),
}


def wired(name: str) -> Lane:
    return wire([Run(name, LANES[name], 1)], capacity=1).lanes[0]


def test_losses_agree_with_their_formulas_in_values_and_gradients() -> None:
    lanes = [wired(name) for name in LANES]
    values = torch.linspace(-6, 6, 25)
    for label in (0.0, 1.0):
        logits = values.expand(len(lanes), -1).clone().requires_grad_()
        found = Losses.of(lanes).each(logits, torch.full_like(logits, label))
        torch.autograd.backward(found.sum())
        for number, lane in enumerate(lanes):
            exact = values.double().requires_grad_()
            true = torch.stack([reference_loss(lane, logit, torch.tensor(label)) for logit in exact])
            torch.autograd.backward(true.sum())
            assert torch.allclose(found[number].double(), true, rtol=1e-5, atol=1e-7)
            assert logits.grad is not None
            assert exact.grad is not None
            assert torch.allclose(logits.grad[number].double(), exact.grad, rtol=1e-5, atol=1e-6)


def test_focal_without_gamma_is_weighted_cross_entropy() -> None:
    focal = wire([Run("e", configured(loss="focal", focal_gamma=0.0, focal_alpha=0.5), 1)], capacity=1).lanes[0]
    logits, labels = torch.linspace(-4, 4, 10)[None], (torch.arange(10) % 2)[None].float()
    both = [Losses.of([lane]).each(logits, labels) for lane in (focal, wired("bce"))]
    assert torch.allclose(both[0] * 2, both[1])


@pytest.mark.parametrize("name", list(LANES))
def test_a_loss_stays_finite_with_finite_gradients_however_sure_the_network_is(name: str) -> None:
    logits = torch.tensor([[-200.0, -30.0, 30.0, 200.0]]).requires_grad_()
    for label in (0.0, 1.0):
        loss = Losses.of([wired(name)]).each(logits, torch.full((1, 4), label))
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        assert torch.isfinite(loss).all()
        assert torch.isfinite(gradient).all()
