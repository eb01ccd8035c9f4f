"""The recurrences as tiles: their numbers by Triton's interpreter, their code by its compiler, and who gets them.

On a machine with a GPU the same claims are put to the programs that run there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from kernels import instrument
from kernels.operations import recurrence, scan, tiled
from kernels.operations.scan import Discretization, Side
from tests.kernels.test_operations import TOLERANCE, drawn, relative_error

WHY_NOT = "triton is not installed" if tiled.installed() is None else None
GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
# A GPU's products are three of tensor cores, which nobody has measured yet.
ALLOWED = 1e-5 if GPU else TOLERANCE
needs_triton = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
in_full = pytest.param(20, marks=pytest.mark.prove), pytest.param(33, marks=pytest.mark.prove)


@pytest.fixture(autouse=True, scope="module")
def interpreted() -> None:
    if not GPU and WHY_NOT is None:
        assert tiled.interpret() is None
        import triton

        assert triton.knobs.runtime.interpret


def side(steps: int, seed: int, *, channels: int = 11, states: int = 3, clips: int = 1) -> list[Tensor]:
    """u, delta, a, b, c of two lanes, in channels and states that fill no tile."""
    return [
        drawn(2, clips, steps, channels, seed=seed),
        softplus(drawn(2, clips, steps, channels, seed=seed + 1) * 2 - 3),
        -torch.exp(drawn(2, states, channels, seed=seed + 2)),
        drawn(2, clips, steps, states, seed=seed + 3),
        drawn(2, clips, steps, states, seed=seed + 4),
    ]


def paired(parts: list[Tensor]) -> tuple[Side, Side]:
    u, delta, a, b, c, *others = parts
    return (u, delta, a, b, c), tuple(others)  # type: ignore[return-value] # ten in all


def agree(fast: Callable[..., Tensor], true: Callable[..., Tensor], inputs: list[Tensor]) -> None:
    """Outputs and every gradient, in float32 against float64."""
    single = [x.to(DEVICE).requires_grad_() for x in inputs]
    double = [x.detach().double().requires_grad_() for x in single]
    found, wanted = fast(single), true(double)
    upstream = drawn(*wanted.shape, seed=99).to(DEVICE)
    torch.autograd.backward([found, wanted], [upstream, upstream.double()])
    assert relative_error(found, wanted) < ALLOWED
    for mine, theirs in zip(single, double, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        if theirs.grad.any():
            assert relative_error(mine.grad, theirs.grad) < ALLOWED
        else:
            assert not mine.grad.any()


@needs_triton
@pytest.mark.parametrize("discretization", ["zoh", pytest.param("euler", marks=pytest.mark.prove)])
@pytest.mark.parametrize("steps", [1, 6, *in_full])
def test_a_scan_of_tiles_agrees_with_its_reference_in_outputs_and_every_gradient(
    steps: int, discretization: Discretization
) -> None:
    agree(
        lambda x: torch.stack(scan.tiled_both(*paired(x), discretization=discretization)),
        lambda x: torch.stack(scan.reference_both(*paired(x), discretization=discretization)),
        side(steps, 0) + side(steps, 10),
    )


@needs_triton
@pytest.mark.parametrize("clips", [3, pytest.param(18, marks=pytest.mark.prove)])
@pytest.mark.parametrize("steps", [1, 7, *in_full])
def test_an_slstm_of_tiles_agrees_with_its_reference_in_outputs_and_every_gradient(steps: int, clips: int) -> None:
    """Heads of 12 channels fill no tile, and of 24 take two parts of one; clips begin at different steps."""
    for head in (12, 24):
        begins = steps - (torch.arange(clips)[:, None] % steps + 1).expand(2, clips, 1)
        mask = (torch.arange(steps) >= begins).to(DEVICE)
        agree(
            lambda x, m=mask: recurrence.tiled_slstm(*x, m),
            lambda x, m=mask: recurrence.reference_slstm(*x, m),
            [drawn(2, clips, steps, 4, 24) * 2, drawn(2, 24, 4 * head, seed=1) * 0.4],
        )


@needs_triton
def test_a_lane_of_tiles_is_bitwise_the_same_beside_any_neighbour() -> None:
    """Nothing is added up atomically, so the order of sums is the program's own."""
    inputs, cells = side(5, 0) + side(5, 10), [drawn(2, 1, 5, 4, 16), drawn(2, 16, 64, seed=1) * 0.4]
    mask = torch.ones(2, 1, 5, dtype=torch.bool, device=DEVICE)

    def run(lanes: list[int]) -> list[Tensor]:
        found = []
        for form, parts in (
            (lambda x: torch.stack(scan.tiled_both(*paired(x)), 1), inputs),
            (lambda x: recurrence.tiled_slstm(*x, mask), cells),
        ):
            chosen = [x[lanes].to(DEVICE).requires_grad_() for x in parts]
            y = form(chosen)
            torch.autograd.backward(y.square().sum())
            found += [y.detach()[-1], *(x.grad[-1] for x in chosen if x.grad is not None)]
        return found

    for mine, theirs in zip(run([0, 1]), run([1, 1]), strict=True):
        assert torch.equal(mine, theirs)


@needs_triton
def test_gates_that_would_overflow_leave_an_slstm_of_tiles_finite() -> None:
    gates = (drawn(1, 1, 4, 4, 16) * 200).to(DEVICE).requires_grad_()
    recurrent = drawn(1, 16, 64, seed=1).to(DEVICE)
    with np.errstate(over="ignore"):  # the interpreter computes both branches of a guard
        y = recurrence.tiled_slstm(gates, recurrent, torch.ones(1, 1, 4, dtype=torch.bool, device=DEVICE))
        torch.autograd.backward(y.sum())
    assert y.abs().max() <= 1
    assert gates.grad is not None
    assert torch.isfinite(gates.grad).all()


@needs_triton
def test_tiles_keep_their_states_in_float32_and_answer_in_the_precision_they_were_asked_in() -> None:
    low = [x.bfloat16().to(DEVICE) for x in side(5, 0) + side(5, 10)]
    found = torch.stack(scan.tiled_both(*paired(low)))
    assert found.dtype == torch.bfloat16
    assert relative_error(found, torch.stack(scan.reference_both(*paired([x.double() for x in low])))) < 1e-2


def ahead(*how: str) -> list[dict[str, Any]]:
    """What Triton's compiler makes of every program, in a process that compiles."""
    quiet = {key: value for key, value in os.environ.items() if key != tiled.INTERPRET}
    command = [sys.executable, "-m", "tests.kernels.ahead", *how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=quiet)
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_lean(made: list[dict[str, Any]]) -> None:
    assert {one["program"] for one in made} == {"scan.live", "scan.relive", "cell.forward", "cell.backward"}
    for one in made:
        assert one["registers"] <= 255, one
        assert (one["stack"], one["spills"]) == (0, 0), one
        assert one["atomics"] == 0, one
        assert (one["products"] > 0) == one["program"].startswith("cell"), one


@needs_triton
@pytest.mark.prove
def test_every_program_compiles_for_an_h100_without_spilling_and_without_an_atomic() -> None:
    assert_lean(ahead())


@needs_triton
def test_a_program_compiled_for_an_h100_spills_nothing() -> None:
    (made,) = ahead("live")
    assert (made["program"], made["stack"], made["spills"], made["atomics"]) == ("scan.live", 0, 0, 0)
    assert 0 < made["registers"] < 128


@pytest.fixture
def asked_anew() -> Iterator[None]:
    tiled.state.cache_clear()
    yield
    tiled.state.cache_clear()


@pytest.mark.usefixtures("asked_anew")
def test_who_gets_no_tiles_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiled.describe("cpu") == "none: a CPU has its own loops"
    assert not tiled.usable(torch.zeros(1))
    monkeypatch.setenv("MYRIAD_TILES", "0")
    assert tiled.describe("cuda") == "none: MYRIAD_TILES is 0"


@needs_triton
@pytest.mark.usefixtures("asked_anew")
def test_tiles_that_do_not_run_are_done_without_and_the_platform_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert tiled.describe("cuda") == "none: compute capability 7.5 is below 8.0"
    tiled.state.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))

    def broken(device: str) -> None:
        raise RuntimeError("ptxas: no such target\nand more")

    monkeypatch.setattr(tiled, "_try", broken)
    assert tiled.describe("cuda") == "none: RuntimeError: ptxas: no such target"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    assert instrument.platform("cuda")["compiled"] == "none: RuntimeError: ptxas: no such target"
    tiled.state.cache_clear()
    monkeypatch.setattr(tiled, "_try", lambda device: None)
    assert tiled.describe("cuda:1") == f"triton {version('triton')} sm_90"
