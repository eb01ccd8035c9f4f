"""The selective scan: every form against the recurrence in double precision, and the recurrence against its sources."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu, softplus

from kernels.operations import compiled
from kernels.operations.scan import Direction, Discretization, Scan, compiled_scan, lean_scan, reference_scan, scan
from tests.kernels.test_operations import LENGTHS, TOLERANCE, drawn, relative_error

# Where no compiler is at hand, that the compiled form is missing is the platform's affair, said by test_compiled.
FORMS = {"lean": lean_scan} | ({"compiled": compiled_scan} if isinstance(compiled.state(), compiled.Built) else {})
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
every_rule = pytest.mark.parametrize("discretization", ["zoh", "euler"])


def inputs(steps: int, *, channels: int = 37, states: int = 5, least: float = -3.0) -> list[Tensor]:
    """u, delta, a, b, c of two lanes of three clips, with step sizes from tiny to several."""
    return [
        drawn(2, 3, steps, channels),
        softplus(drawn(2, 3, steps, channels, seed=1) * 2 + least),
        -torch.exp(drawn(2, states, channels, seed=2)),
        drawn(2, 3, steps, states, seed=3),
        drawn(2, 3, steps, states, seed=4),
    ]


@every_form
@every_rule
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("steps", LENGTHS)
def test_a_scan_agrees_with_its_reference_in_outputs_and_every_gradient(
    form: Scan, steps: int, direction: Direction, discretization: Discretization
) -> None:
    single = [x.requires_grad_() for x in inputs(steps)]
    double = [x.detach().double().requires_grad_() for x in single]
    found = form(*single, direction=direction, discretization=discretization)
    true = reference_scan(*double, direction=direction, discretization=discretization)
    assert relative_error(found, true) < TOLERANCE
    upstream = drawn(*true.shape, seed=99)
    torch.autograd.backward([found, true], [upstream, upstream.double()])
    for mine, theirs in zip(single, double, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert relative_error(mine.grad, theirs.grad) < TOLERANCE


@every_form
def test_gradients_keep_their_digits_where_steps_are_tiny(form: Scan) -> None:
    """(exp(x) - 1) / x and its slope are differences of close numbers there."""
    single = [x.requires_grad_() for x in inputs(20, least=-12.0)]
    double = [x.detach().double().requires_grad_() for x in single]
    torch.autograd.backward([form(*single).sum(), reference_scan(*double).sum()])
    for mine, theirs in zip(single, double, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert relative_error(mine.grad, theirs.grad) < TOLERANCE


@every_rule
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_lean_scan_passes_a_numerical_gradient_check(direction: Direction, discretization: Discretization) -> None:
    small = [
        drawn(1, 2, 4, 3),
        softplus(drawn(1, 2, 4, 3, seed=1)),
        -torch.exp(drawn(1, 2, 3, seed=2)),
        drawn(1, 2, 4, 2, seed=3),
        drawn(1, 2, 4, 2, seed=4),
    ]
    assert torch.autograd.gradcheck(
        lambda *x: lean_scan(*x, direction=direction, discretization=discretization),
        [x.double().requires_grad_() for x in small],
    )


def test_eulers_rule_is_the_published_recurrence() -> None:
    """Written out as state-spaces/mamba documents its reference: clips first, all steps' factors at once, gated."""
    u, delta, a, b, c = (x[0].double() for x in inputs(20))
    skip, z = drawn(37, seed=5).double(), drawn(3, 20, 37, seed=6).double()
    keep = torch.exp(torch.einsum("btd,nd->btdn", delta, a))
    entering = torch.einsum("btd,btn,btd->btdn", delta, b, u)
    state, rows = torch.zeros(3, 37, 5, dtype=torch.float64), []
    for t in range(20):
        state = keep[:, t] * state + entering[:, t]
        rows.append(torch.einsum("bdn,bn->bd", state, c[:, t]))
    published = (torch.stack(rows, 1) + u * skip) * silu(z)
    ours = (reference_scan(*(x[None] for x in (u, delta, a, b, c)), discretization="euler")[0] + u * skip) * silu(z)
    assert torch.allclose(ours, published, rtol=1e-12, atol=1e-14)


def test_a_zero_order_hold_is_exact_for_an_input_that_is_held() -> None:
    """One step of size 1 is as a thousand of a thousandth under one input, which Euler's rule only approaches."""
    u, b, c = torch.ones(1, 1, 1, 2).double(), torch.ones(1, 1, 1, 3).double(), drawn(1, 1, 1, 3).double()
    a = -torch.exp(drawn(1, 3, 2, seed=1)).double()
    one = torch.ones(1, 1, 1, 2).double()

    def often(rule: Discretization) -> Tensor:
        many = [x.expand(1, 1, 1000, -1) for x in (u, one / 1000, b, c)]
        return reference_scan(many[0], many[1], a, many[2], many[3], discretization=rule)[:, :, -1:]

    held = reference_scan(u, one, a, b, c)
    assert torch.allclose(held, often("zoh"), rtol=1e-12)
    assert torch.allclose(held, often("euler"), rtol=2e-3)
    assert not torch.allclose(held, reference_scan(u, one, a, b, c, discretization="euler"), rtol=1e-1)


@every_form
def test_scanning_backwards_is_scanning_the_turned_clip(form: Scan) -> None:
    u, delta, a, b, c = inputs(9)
    turned = form(u.flip(2), delta.flip(2), a, b.flip(2), c.flip(2)).flip(2)
    assert torch.equal(form(u, delta, a, b, c, direction="backward"), turned)


@every_form
def test_a_lane_is_bitwise_the_same_in_any_slot_beside_any_neighbours(form: Scan) -> None:
    def run(lanes: list[int]) -> list[Tensor]:
        chosen = [x[lanes].clone().requires_grad_() for x in inputs(20)]
        y = form(*chosen)
        torch.autograd.backward(y, drawn(1, 3, 20, 37, seed=9).expand_as(y))
        return [y.detach()[-1], *(x.grad[-1] for x in chosen if x.grad is not None)]

    for mine, theirs in zip(run([0, 1]), run([1, 1]), strict=True):
        assert torch.equal(mine, theirs)


@every_form
def test_what_is_not_a_number_comes_out(form: Scan) -> None:
    """A lane that diverged must say so."""
    for place in range(5):
        broken = inputs(4)
        broken[place][:, :, -1] = torch.nan
        assert torch.isnan(form(*broken)).any()


def test_other_precisions_are_scanned_by_the_lean_loop_with_a_state_in_float32() -> None:
    low = [x.bfloat16() for x in inputs(20)]
    found = scan(*low)
    assert found.dtype == torch.bfloat16
    assert relative_error(found, reference_scan(*(x.double() for x in low))) < 5e-3
    assert scan(*(x.double() for x in inputs(3))).dtype == torch.float64
