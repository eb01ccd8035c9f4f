"""What every encoder promises, whichever it is."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from kernels import evaluation
from kernels.encoders import ENCODERS
from kernels.forward import Forward, Size
from kernels.network import Network
from kernels.operations.forms import FAST, REFERENCE
from kernels.pooling import one_hot
from kernels.wiring import POOLINGS

INPUTS = 6
TOLERANCE = 2e-6
AMPLIFIED = 1e-4  # of gradients, where a whole encoder adds to rounding
every_encoder = pytest.mark.parametrize("encoder", list(ENCODERS))


def built(encoder: str, *, lanes: int = 4, layers: int = 4) -> tuple[Network, Forward]:
    """A network whose parameters are all off their first values, with one pooling a lane."""
    network = Network(encoder, inputs=INPUTS, size=Size(16, layers, 2))
    flat = network.blueprint.initial(list(range(lanes)))
    flat += 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(1))
    progress = torch.linspace(0, 1, lanes)
    return network, Forward(network.blueprint.views(flat), progress, one_hot([POOLINGS[n % 4] for n in range(lanes)]))


def clips(steps: int, *, lanes: int = 4, count: int = 3) -> tuple[Tensor, Tensor]:
    x = torch.randn(lanes, count, steps, INPUTS, generator=torch.Generator().manual_seed(2))
    lengths = torch.arange(lanes * count).view(lanes, count, 1) % steps + 1
    return x, torch.arange(steps) >= steps - lengths


def relative_error(found: Tensor, true: Tensor) -> float:
    return float((found.detach() - true.detach()).norm() / true.detach().norm())


def gradients(through: Forward) -> Tensor:
    """The gradients of all parameters in one vector, zero where none arrived."""
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in through.weights.values()]
    return torch.cat([part.flatten() for part in parts])


@every_encoder
@pytest.mark.parametrize("steps", [1, 2, 7, 20, 32])
def test_an_encoder_agrees_with_its_reference_in_outputs_and_every_gradient(encoder: str, steps: int) -> None:
    network, through = built(encoder)
    x, mask = clips(steps)
    fast, reference = (
        Forward(
            {name: weight.double().requires_grad_() for name, weight in through.weights.items()},
            through.progress.double(),
            through.poolings.double(),
            forms=forms,
        )
        for forms in (FAST, REFERENCE)
    )
    true = network.forward(x.double(), mask, reference)
    assert relative_error(network.forward(x.double(), mask, fast), true) < 1e-12
    assert relative_error(network.forward(x, mask, through), true) < TOLERANCE
    for side in (fast, reference):
        torch.autograd.backward(network.forward(x.double(), mask, side).sum())
    assert relative_error(gradients(fast), gradients(reference)) < 1e-12


@every_encoder
@pytest.mark.parametrize("steps", [1, 2, 33, 64])
def test_an_encoder_takes_clips_of_up_to_64_steps(encoder: str, steps: int) -> None:
    network, through = built(encoder)
    x = torch.randn(4, 3, steps, 16, generator=torch.Generator().manual_seed(3))
    mask = clips(steps)[1]
    true = network.encoder.forward(
        x.double(),
        mask,
        Forward(
            {k: v.double() for k, v in through.weights.items()}, through.progress, through.poolings, forms=REFERENCE
        ),
    )
    found = network.encoder.forward(x, mask, through)
    assert found.shape == x.shape
    assert relative_error(found, true) < TOLERANCE


@every_encoder
def test_an_encoder_keeps_its_meaning_in_low_precision(encoder: str) -> None:
    network, through = built(encoder)
    x, mask = clips(20)
    low = Forward(
        {name: weight.bfloat16() for name, weight in through.weights.items()},
        through.progress.bfloat16(),
        through.poolings.bfloat16(),
    )
    found = network.forward(x.bfloat16(), mask, low)
    assert found.dtype == torch.bfloat16
    assert relative_error(found.float(), network.forward(x, mask, through)) < 0.1


@every_encoder
def test_the_longest_clips_teach_what_the_reference_teaches_and_nearly_so_in_low_precision(encoder: str) -> None:
    network, through = built(encoder, lanes=1, layers=2)
    x = torch.randn(1, 2, 64, 16, generator=torch.Generator().manual_seed(4))
    mask = torch.arange(64) >= torch.tensor([0, 23])[:, None]
    kinds = ((torch.float64, FAST), (torch.float64, REFERENCE), (torch.float32, FAST), (torch.bfloat16, FAST))
    found = []
    for kind, forms in kinds:
        leaves = {name: weight.detach().to(kind).requires_grad_() for name, weight in through.weights.items()}
        side = Forward(leaves, through.progress.to(kind), through.poolings.to(kind), forms=forms)
        torch.autograd.backward(network.encoder.forward(x.to(kind), mask[None], side).sum())
        found.append(gradients(side).double())
    double, true, single, low = found
    assert relative_error(double, true) < 1e-12
    assert relative_error(single, true) < AMPLIFIED
    assert relative_error(low, true) < 0.1


@every_encoder
def test_one_clip_scores_the_same_alone_and_in_a_batch(encoder: str) -> None:
    network, through = built(encoder)
    x, mask = clips(20)
    together = network.forward(x, mask, through)
    alone = torch.cat([network.forward(x[:, n : n + 1], mask[:, n : n + 1], through) for n in range(3)], 1)
    assert torch.allclose(together, alone, rtol=1e-6, atol=1e-6)


@every_encoder
def test_evaluation_scores_by_trainings_own_forward(encoder: str) -> None:
    network, through = built(encoder)
    x, mask = clips(20, lanes=1, count=5)
    scores = evaluation.score(network, through, x[0], mask[0], 2)
    trained = network.forward(x.expand(4, -1, -1, -1), mask.expand(4, -1, -1), through)
    assert torch.allclose(torch.from_numpy(scores), trained, rtol=1e-6, atol=1e-6)


@every_encoder
def test_padding_before_a_clip_changes_no_score_whatever_it_holds(encoder: str) -> None:
    network, through = built(encoder)
    x, _ = clips(13)
    full = torch.ones(x.shape[:3], dtype=torch.bool)
    bare = network.forward(x, full, through)
    for padding in (torch.zeros(4, 3, 6, INPUTS), torch.full((4, 3, 6, INPUTS), 1e3)):
        wide = torch.cat([padding, x], 2)
        mask = torch.cat([torch.zeros(4, 3, 6, dtype=torch.bool), full], 2)
        assert torch.allclose(network.forward(wide, mask, through), bare, rtol=1e-6, atol=1e-6)


@every_encoder
def test_the_order_of_a_clips_steps_changes_every_poolings_score(encoder: str) -> None:
    network, through = built(encoder)
    x, _ = clips(12)
    mask = torch.ones(x.shape[:3], dtype=torch.bool)
    there, back = network.forward(x, mask, through), network.forward(x.flip(2), mask, through)
    assert ((there - back).abs().amax(1) > 1e-3).all()


@every_encoder
def test_every_parameter_of_an_encoder_reaches_the_score(encoder: str) -> None:
    network, through = built(encoder)
    x, mask = clips(20)
    weights = {k: v.clone().requires_grad_() for k, v in through.weights.items()}
    # Past the opening, where the bypasses are no longer held at their bound.
    through = replace(through, weights=weights, progress=torch.ones(4))
    torch.autograd.backward(network.forward(x, mask, through).sum())
    silent = [name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_the_bypass_opens_with_progress_and_only_with_its_own_lanes() -> None:
    network, through = built("zipformer", lanes=2)
    x, mask = clips(8, lanes=2)
    early = network.forward(x, mask, replace(through, progress=torch.tensor([0.0, 0.0])))
    late = network.forward(x, mask, replace(through, progress=torch.tensor([0.0, 1.0])))
    assert torch.equal(early[0], late[0])
    assert not torch.allclose(early[1], late[1], atol=1e-4)


def first(encoder: str, *, width: int = 64, layers: int = 2) -> dict[str, Tensor]:
    """A lane's first parameters by name."""
    blueprint = Network(encoder, inputs=INPUTS, size=Size(width, layers, 4)).blueprint
    return {name: view[0] for name, view in blueprint.views(blueprint.initial([3])).items()}


def test_mambas_first_rates_are_whole_numbers_and_its_first_steps_lie_evenly_in_their_logarithm() -> None:
    weights = first("bimamba", width=512, layers=1)
    rates = torch.exp(weights["bimamba.0.forward.rate"])
    assert torch.allclose(rates, torch.arange(1.0, 17.0)[:, None].expand(16, 1024), rtol=1e-6)
    steps = torch.nn.functional.softplus(weights["bimamba.0.backward.step.bias"])
    assert steps.min() >= 1e-3 * (1 - 1e-4)
    assert steps.max() <= 1e-1 * (1 + 1e-4)
    share = (torch.log(steps) - torch.log(torch.tensor(1e-3))) / torch.log(torch.tensor(100.0))
    assert abs(share.mean() - 0.5) < 0.03
    assert abs(share.var() - 1 / 12) < 0.01
    assert not torch.equal(weights["bimamba.0.forward.step.bias"], weights["bimamba.0.backward.step.bias"])


def test_the_xlstms_first_gates_remember() -> None:
    weights = first("xlstm")
    assert torch.equal(weights["xlstm.0.gates"], torch.zeros(384, 8))
    assert torch.equal(weights["xlstm.0.gates.bias"][1], torch.linspace(3, 6, 4))
    assert 0 < weights["xlstm.0.gates.bias"][0].abs().max() < 0.5
    assert torch.equal(weights["xlstm.1.recurrent"], torch.zeros(64, 64))
    forget = weights["xlstm.1.gates.bias"][1]
    assert torch.allclose(forget[:, 0], torch.full((4,), 5.0))
    assert torch.allclose(forget[:, -1], torch.full((4,), -7.0))
    assert (forget.diff(dim=1) < 0).all()


def test_the_hybrid_takes_turns_between_retention_and_a_state_space() -> None:
    names = first("hybrid", layers=4)
    assert [f"hybrid.{n}.retention.in" in names for n in range(4)] == [True, False, True, False]
    assert [f"hybrid.{n}.forward.rate" in names for n in range(4)] == [False, True, False, True]
