"""The xLSTM's two memories: every form against its recurrence in double precision, and that against the naive one."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels.operations import compiled
from kernels.operations.mlstm import mlstm, reference_mlstm
from kernels.operations.recurrence import compiled_slstm, lean_slstm, reference_slstm, slstm
from tests.kernels.test_operations import LENGTHS, assert_agrees, drawn, masked, relative_error

Form = Callable[[Tensor, Tensor, Tensor], Tensor]
FORMS = {"lean": lean_slstm} | ({"compiled": compiled_slstm} if isinstance(compiled.state(), compiled.Built) else {})
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def cells(steps: int, *, channels: int = 24, head: int = 12) -> tuple[Tensor, Tensor]:
    return drawn(2, 3, steps, 4, channels) * 2, drawn(2, channels, 4 * head, seed=1) * 0.4


def memories(steps: int) -> list[Tensor]:
    """q, k, v, gates."""
    return [*(drawn(2, 3, steps, 2, 8, seed=n) for n in range(3)), drawn(2, 3, steps, 2, 2, seed=3)]


@every_form
@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("channels", [24, 64])
def test_an_slstm_agrees_with_its_reference_in_outputs_and_every_gradient(
    form: Form, steps: int, channels: int
) -> None:
    gates, recurrent = cells(steps, channels=channels, head=channels // (2 if channels == 24 else 4))
    for mask in (masked(2, 3, steps), torch.ones(2, 3, steps, dtype=torch.bool)):
        assert_agrees(
            lambda g, r, m=mask: form(g, r, m), lambda g, r, m=mask: reference_slstm(g, r, m), gates, recurrent
        )


def test_the_lean_slstm_passes_a_numerical_gradient_check() -> None:
    gates, recurrent = (x.double().requires_grad_() for x in (drawn(1, 2, 4, 4, 4), drawn(1, 4, 8, seed=1)))
    mask = torch.tensor([[[True] * 4, [False, False, True, True]]])
    assert torch.autograd.gradcheck(lambda g, r: lean_slstm(g, r, mask), (gates, recurrent))


def test_the_stabilised_slstm_is_the_naive_one() -> None:
    """Beck et al. 2024, equations 8 to 14, with the exponentials as they stand."""
    gates, recurrent = (x.double() for x in cells(20))
    y = c = n = torch.zeros(2, 3, 24, dtype=torch.float64)
    rows = []
    for t in range(20):
        back = torch.einsum("ebhi,ehio->ebho", y.view(2, 3, 2, 12), recurrent.view(2, 2, 12, 48))
        i, f, z, o = (gates[:, :, t] + back.unflatten(-1, (4, 12)).transpose(2, 3).flatten(-2)).unbind(2)
        c = torch.sigmoid(f) * c + torch.exp(i) * torch.tanh(z)
        n = torch.sigmoid(f) * n + torch.exp(i)
        y = torch.sigmoid(o) * c / n
        rows.append(y)
    found = reference_slstm(gates, recurrent, torch.ones(2, 3, 20, dtype=torch.bool))
    assert torch.allclose(found, torch.stack(rows, 2), rtol=1e-10, atol=1e-12)


@every_form
def test_gates_that_would_overflow_leave_an_slstm_finite(form: Form) -> None:
    gates, recurrent = cells(20)
    gates = (gates * 100).requires_grad_()
    y = form(gates, recurrent, torch.ones(2, 3, 20, dtype=torch.bool))
    torch.autograd.backward(y.sum())
    assert y.abs().max() <= 1
    assert gates.grad is not None
    assert torch.isfinite(gates.grad).all()


@every_form
def test_an_slstm_starts_where_its_clip_starts(form: Form) -> None:
    gates, recurrent = cells(13)
    wide = torch.cat([torch.full((2, 3, 6, 4, 24), 7.0), gates], 2)
    mask = torch.arange(19).expand(2, 3, 19) >= 6
    y = form(wide, recurrent, mask)
    assert torch.equal(y[:, :, :6], torch.zeros(2, 3, 6, 24))
    assert torch.equal(y[:, :, 6:], form(gates, recurrent, mask[:, :, 6:]))


@every_form
def test_a_lane_of_an_slstm_is_bitwise_the_same_beside_any_neighbour(form: Form) -> None:
    gates, recurrent = cells(20)

    def run(lanes: list[int]) -> list[Tensor]:
        chosen = [x[lanes].clone().requires_grad_() for x in (gates, recurrent)]
        y = form(*chosen, torch.ones(2, 3, 20, dtype=torch.bool))
        torch.autograd.backward(y.square().sum())
        return [y.detach()[-1], *(x.grad[-1] for x in chosen if x.grad is not None)]

    for mine, theirs in zip(run([0, 1]), run([1, 1]), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("steps", LENGTHS)
def test_the_parallel_mlstm_is_its_recurrence_in_outputs_and_every_gradient(steps: int) -> None:
    for mask in (masked(2, 3, steps), torch.ones(2, 3, steps, dtype=torch.bool)):
        assert_agrees(lambda *x, m=mask: mlstm(*x, m), lambda *x, m=mask: reference_mlstm(*x, m), *memories(steps))


def test_the_mlstm_passes_a_numerical_gradient_check() -> None:
    inputs = [*(drawn(1, 2, 4, 2, 3, seed=n) for n in range(3)), drawn(1, 2, 4, 2, 2, seed=3)]
    mask = torch.tensor([[[True] * 4, [False, False, True, True]]])
    # Looser than the rest: the published epsilon beside the scale has a gradient through it that nobody follows.
    assert torch.autograd.gradcheck(
        lambda *x: mlstm(*x, mask), [x.double().requires_grad_() for x in inputs], rtol=1e-4
    )


def test_the_stabilised_mlstm_is_the_naive_one() -> None:
    """Beck et al. 2024, equations 19 to 27 with the exponentials as they stand; equal but for the epsilon."""
    q, k, v, gates = (x.double() for x in memories(20))
    memory, norm, rows = torch.zeros(2, 3, 2, 8, 8).double(), torch.zeros(2, 3, 2, 8).double(), []
    for t in range(20):
        enter, keep = torch.exp(gates[:, :, t, 0]), torch.sigmoid(gates[:, :, t, 1])
        key = k[:, :, t] / 8**0.5
        memory = keep[..., None, None] * memory + enter[..., None, None] * key[..., None] * v[:, :, t, :, None]
        norm = keep[..., None] * norm + enter[..., None] * key
        size = (norm * q[:, :, t]).sum(-1).abs().clamp(min=1)
        rows.append((memory * q[:, :, t, ..., None]).sum(-2) / size[..., None])
    found = reference_mlstm(q, k, v, gates, torch.ones(2, 3, 20, dtype=torch.bool))
    assert torch.allclose(found, torch.stack(rows, 2), rtol=1e-4, atol=1e-5)


def test_gates_that_would_overflow_leave_an_mlstm_finite() -> None:
    inputs = [x * 100 if n == 3 else x for n, x in enumerate(memories(64))]
    for x in inputs:
        x.requires_grad_()
    y = mlstm(*inputs, masked(2, 3, 64))
    torch.autograd.backward(y.sum())
    assert torch.isfinite(y).all()
    assert all(x.grad is not None and torch.isfinite(x.grad).all() for x in inputs)


def test_an_mlstm_looks_only_backwards_and_never_into_padding() -> None:
    q, k, v, gates = memories(12)
    mask = torch.arange(12).expand(2, 3, 12) >= 4
    before = mlstm(q, k, v, gates, mask)
    changed = [x.clone() for x in (k, v, gates)]
    for x in changed:
        x[:, :, :4] = 50.0
        x[:, :, 9:] += 1
    after = mlstm(q, *changed, mask)
    assert torch.equal(before[:, :, :9], after[:, :, :9])
    assert not torch.equal(before[:, :, 9:], after[:, :, 9:])
    assert torch.equal(before[:, :, :4], torch.zeros(2, 3, 4, 2, 8))


def test_low_precision_keeps_the_memories_in_float32() -> None:
    mask = torch.ones(2, 3, 20, dtype=torch.bool)
    for form, reference, inputs in ((slstm, reference_slstm, cells(20)), (mlstm, reference_mlstm, memories(20))):
        low = [x.bfloat16() for x in inputs]
        found = form(*low, mask)
        assert found.dtype == torch.bfloat16
        assert relative_error(found, reference(*(x.double() for x in low), mask)) < 1e-2
