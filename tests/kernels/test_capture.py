"""A training step may be captured: all that changes it finds on the device, and replaying it is taking it.

No graph is made here: a tape stands for it (see `tape`), which does the same operations on the same memory again. On a
machine with a GPU the graph itself is held to the same claim.
"""

from collections.abc import Iterator

import pytest
import torch

from kernels import training
from kernels.capture import WARM_UP
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.forward import Size
from kernels.network import Network
from kernels.operations import compiled
from kernels.outcomes import Completed, Epoch
from kernels.training import Steps
from kernels.wiring import Run, wire
from tests.kernels.packs import SIZE, configured
from tests.kernels.tape import refused, taped

LIVELY = {"dropout": 0.2, "noise": 0.1, "mixup": 0.4, "oversampling": 2.0, "epochs": 2}
STEPS = 6


@pytest.fixture
def traceable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The compiled loops are called past PyTorch, and are never used on a GPU."""
    monkeypatch.setenv("MYRIAD_COMPILED", "0")
    compiled.state.cache_clear()
    yield
    compiled.state.cache_clear()


def steps(data: Dataset, encoder: str, parts: int = 1) -> Steps:
    runs = [Run("e-0", configured(encoder=encoder, **LIVELY), 5)]
    runs.append(
        Run("e-1", configured(encoder=encoder, pooling="max", loss="focal", focal_gamma=2.0, focal_alpha=0.3), 6)
    )
    network = Network(encoder, inputs=data.train.values.shape[-1], size=Size(16, 2, 2))
    return Steps(wire(runs, capacity=3), data, network, "cpu", parts)


@pytest.mark.usefixtures("traceable")
@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_a_step_that_is_replayed_is_the_step_that_is_taken_bit_for_bit(small: Dataset, encoder: str) -> None:
    taken, replayed = steps(small, encoder), steps(small, encoder)
    for _ in range(STEPS):
        taken.take()
    replayed.take()
    tape = taped(replayed.step)
    for _ in range(STEPS - 2):
        tape.replay()
    assert int(replayed.count) == int(taken.count) == STEPS
    assert torch.equal(replayed.flat, taken.flat)
    assert torch.equal(replayed.first_bad, taken.first_bad)
    taken.done = replayed.done = STEPS
    assert replayed.losses() == taken.losses()


@pytest.mark.usefixtures("traceable")
def test_a_replayed_step_goes_on_where_the_count_says(small: Dataset) -> None:
    """Else a replay of the first step for ever would pass for training."""
    one, other = steps(small, "retnet"), steps(small, "retnet")
    tapes = [taped(x.step) for x in (one, other)]
    other.count.zero_()
    for tape in tapes:
        tape.replay()
    assert not torch.equal(one.flat, other.flat)


@pytest.mark.usefixtures("traceable")
def test_a_batch_in_parts_is_replayed_too(small: Dataset) -> None:
    taken, replayed = steps(small, "zipformer", 2), steps(small, "zipformer", 2)
    taken.take()
    taken.take()
    taped(replayed.step).replay()
    assert torch.equal(replayed.flat, taken.flat)


def test_what_a_graph_could_not_hold_is_refused() -> None:
    x = torch.ones(3)
    assert "asks the device for a number" in (refused(lambda: x.add_(float(x[0]))) or "")
    assert "from numbers of the host" in (refused(lambda: x.add_(torch.tensor([1.0, 2.0, 3.0]))) or "")
    assert "whose size the device decides" in (refused(lambda: x.add_(x.nonzero().sum())) or "")
    assert refused(lambda: x.add_(1)) is None


def test_on_a_gpu_a_run_ends_with_the_same_bits_captured_or_watched(small: Dataset) -> None:
    """A watched run is taken step by step. Where there is no GPU, a run is not captured, and that is all to be seen."""
    if not torch.cuda.is_available():
        assert steps(small, "retnet")._step.__func__ is Steps.step  # type: ignore[attr-defined] # a bound method has one
        return
    ends = []
    for watch in (training.nobody, lambda moment, **made: None):
        pack = wire([Run("e-0", configured(encoder="xlstm", **LIVELY), 5)], capacity=32)
        found = list(training.train(pack, small, device="cuda", watch=watch, **SIZE))
        assert len([x for x in found if isinstance(x, Epoch)]) * 4 > WARM_UP
        ends += [x for x in found if isinstance(x, Completed)]
    assert ends[0].digest == ends[1].digest
