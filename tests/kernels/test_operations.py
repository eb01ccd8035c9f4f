"""Every fast form against its readable reference in double precision: outputs and all gradients, at ragged lengths."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels.operations import attention, convolution, linear, norm, resample, retention, swoosh

LENGTHS = (1, 2, 7, 20, 33, 64)
TOLERANCE = 2e-6
Operation = Callable[..., Tensor]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def relative_error(found: Tensor, true: Tensor) -> float:
    return float((found.detach().double() - true.detach()).norm() / true.detach().norm().clamp(min=1e-8))


def assert_agrees(fast: Operation, reference: Operation, *inputs: Tensor, tolerance: float = TOLERANCE) -> None:
    """Compares outputs and the gradient of every floating input, float32 against float64."""
    single = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    double = [x.double().requires_grad_() if x.is_floating_point() else x for x in inputs]
    found, true = fast(*single), reference(*double)
    assert found.shape == true.shape
    assert relative_error(found, true) < tolerance
    upstream = drawn(*true.shape, seed=99)
    torch.autograd.backward(found, upstream)
    torch.autograd.backward(true, upstream.double())
    for mine, theirs in zip(single, double, strict=True):
        if mine.is_floating_point():
            assert mine.grad is not None
            assert theirs.grad is not None
            assert relative_error(mine.grad, theirs.grad) < tolerance


@pytest.mark.parametrize("steps", LENGTHS)
def test_bias_norm_agrees_with_its_reference(steps: int) -> None:
    x, bias, scale = drawn(3, 2, steps, 12), drawn(3, 12, seed=1) * 0.1, drawn(3, 1, seed=2)
    assert_agrees(norm.bias_norm, norm.reference_bias_norm, x, bias, scale)


def test_bias_norm_of_a_row_of_padding_is_finite_with_finite_gradients() -> None:
    x = torch.zeros(1, 1, 2, 4, requires_grad=True)
    y = norm.bias_norm(x, torch.zeros(1, 4), torch.ones(1, 1))
    torch.autograd.backward(y.sum())
    assert torch.isfinite(y).all()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("steps", LENGTHS)
def test_rms_norm_agrees_with_its_reference(steps: int) -> None:
    assert_agrees(lambda x: norm.rms_norm(x, 1e-5), lambda x: norm.reference_rms_norm(x, 1e-5), drawn(2, 3, steps, 8))


@pytest.mark.parametrize("steps", LENGTHS)
def test_layer_norm_agrees_with_its_reference(steps: int) -> None:
    assert_agrees(
        lambda x: norm.layer_norm(x, 1e-5), lambda x: norm.reference_layer_norm(x, 1e-5), drawn(2, 3, steps, 8)
    )


@pytest.mark.parametrize("side", ["l", "r"])
def test_swoosh_agrees_with_its_reference(side: str) -> None:
    fast, reference = getattr(swoosh, f"swoosh_{side}"), getattr(swoosh, f"reference_swoosh_{side}")
    assert_agrees(fast, reference, drawn(4000) * 6)


def test_swoosh_does_not_overflow_where_its_reference_would() -> None:
    assert torch.isfinite(swoosh.swoosh_r(torch.tensor([-1e4, 1e4]))).all()


def test_swoosh_r_is_zero_at_zero_and_swoosh_l_is_not() -> None:
    assert swoosh.swoosh_r(torch.zeros(1)).abs().item() < 1e-7
    assert swoosh.swoosh_l(torch.zeros(1)).item() == pytest.approx(-0.01685, abs=1e-5)


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("back", [0, 3, 6])
def test_depthwise_convolution_agrees_with_its_reference(steps: int, back: int) -> None:
    inputs = drawn(2, 3, steps, 5), drawn(2, 7, 5, seed=1)
    assert_agrees(
        lambda *x: convolution.depthwise(*x, back), lambda *x: convolution.reference_depthwise(*x, back), *inputs
    )


def test_a_convolution_reaches_as_far_back_as_it_is_told() -> None:
    x, kernel = torch.zeros(1, 1, 9, 2), torch.ones(1, 4, 2)
    x[:, :, 4] = 1
    for back in range(4):
        reached = convolution.depthwise(x, kernel, back)[0, 0, :, 0].nonzero()[:, 0]
        assert reached.tolist() == list(range(4 - (3 - back), 4 + back + 1))


@pytest.mark.parametrize("steps", LENGTHS)
def test_retention_in_quadratic_form_agrees_with_its_recurrence(steps: int) -> None:
    q, k = drawn(2, 2, steps, 3, 4), drawn(2, 2, steps, 3, 4, seed=1)
    assert_agrees(retention.retention, retention.reference_retention, q, k, drawn(2, 2, steps, 3, 6, seed=2))


def test_retention_passes_a_numerical_gradient_check() -> None:
    inputs = [drawn(1, 2, 5, 2, 3, seed=n).double().requires_grad_() for n in range(3)]
    assert torch.autograd.gradcheck(retention.retention, inputs)


def test_retention_looks_only_backwards() -> None:
    q, k, v = (drawn(1, 1, 9, 2, 4, seed=n) for n in range(3))
    changed = v.clone()
    changed[:, :, 5:] += 1
    before, after = retention.retention(q, k, v), retention.retention(q, k, changed)
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


def test_heads_decay_as_the_paper_says() -> None:
    assert retention.decays(3) == [1 - 1 / 32, 1 - 1 / 64, 1 - 1 / 128]


@pytest.mark.parametrize("steps", LENGTHS)
def test_rotation_agrees_with_complex_numbers(steps: int) -> None:
    assert_agrees(retention.rotate, retention.reference_rotate, drawn(2, 2, steps, 3, 8), tolerance=4e-6)


def test_rotated_products_depend_on_distance_alone() -> None:
    same = drawn(1, 1, 1, 1, 8).double().expand(1, 1, 12, 1, 8)
    turned = retention.rotate(same)[0, 0, :, 0]
    products = turned @ turned.T
    assert torch.allclose(products.diagonal(3), products.diagonal(3)[:1].expand(9), atol=1e-12)


def masked(lanes: int, clips: int, steps: int) -> Tensor:
    """A mask whose clips have different lengths, at least one step each, all ending together."""
    lengths = torch.arange(lanes * clips).view(lanes, clips, 1) % steps + 1
    return torch.arange(steps) >= steps - lengths


@pytest.mark.parametrize("steps", LENGTHS)
def test_attention_agrees_with_its_reference(steps: int) -> None:
    q, k, v = (drawn(2, 3, steps, 2, 4, seed=n) for n in range(3))
    inputs = (q, k, v, drawn(2, 2, 127, seed=4), masked(2, 3, steps))
    assert_agrees(attention.attention, attention.reference_attention, *inputs)


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("size", [2, 4])
def test_downsampling_agrees_with_its_reference(steps: int, size: int) -> None:
    inputs = drawn(2, 3, steps, 5), drawn(2, size, seed=1), masked(2, 3, steps)
    assert_agrees(
        lambda *all: resample.downsample(*all)[0], lambda *all: resample.reference_downsample(*all)[0], *inputs
    )
    assert torch.equal(resample.downsample(*inputs)[1], resample.reference_downsample(*inputs)[1])


@pytest.mark.parametrize("steps", LENGTHS)
def test_upsampling_agrees_with_its_reference(steps: int) -> None:
    x = drawn(2, 3, -(-steps // 2), 5)
    assert_agrees(lambda x: resample.upsample(x, 2, steps), lambda x: resample.reference_upsample(x, 2, steps), x)


def test_a_linear_map_agrees_with_its_reference() -> None:
    assert_agrees(
        linear.linear, linear.reference_linear, drawn(3, 4, 5, 6), drawn(3, 6, 7, seed=1), drawn(3, 7, seed=2)
    )


def test_a_blockwise_map_agrees_with_its_reference_and_keeps_to_its_blocks() -> None:
    x, weight = drawn(3, 4, 5, 12), drawn(3, 12, 4, seed=1)
    assert_agrees(linear.blockwise, linear.reference_blockwise, x, weight)
    changed = x.clone()
    changed[..., 4:8] += 1
    moved = (linear.blockwise(changed, weight) != linear.blockwise(x, weight)).any(0).any(0).any(0)
    assert moved.tolist() == [False] * 4 + [True] * 4 + [False] * 4
