"""Training as a whole: what it reports, what it keeps, and that parts of a batch add up to the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kernels import checkpoints, precision, scoring, training
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.errors import BadCheckpoint, BadConfiguration
from kernels.forward import Size
from kernels.network import Network
from kernels.optimizer import AdamW
from kernels.outcomes import Completed, Epoch, Failed
from kernels.parameters import Blueprint
from kernels.wiring import Run, wire
from tests.kernels.packs import SIZE, completed, configured, trained


def test_every_epoch_is_reported_before_the_outcome(small: Dataset) -> None:
    pack = wire([Run("e-1", configured(epochs=3), 1)], capacity=1)
    *epochs, outcome = training.train(pack, small, device="cpu", **SIZE)
    assert isinstance(outcome, Completed)
    assert [epoch.epoch for epoch in epochs if isinstance(epoch, Epoch)] == [1, 2, 3]
    assert tuple(epoch.validation for epoch in epochs if isinstance(epoch, Epoch)) == outcome.curves.validation
    assert outcome.validation == max(outcome.curves.validation)
    assert outcome.epoch == 1 + int(np.argmax(outcome.curves.validation))
    assert outcome.seconds > 0
    assert outcome.peak_memory > 0


def test_the_test_clips_cannot_change_which_epoch_is_chosen(small: Dataset) -> None:
    configuration = configured(epochs=6, learning_rate=1e-2)
    flipped = replace(small, test=replace(small.test, labels=~small.test.labels))
    one, other = completed(small, configuration), completed(flipped, configuration)
    assert (one.epoch, one.validation, one.digest) == (other.epoch, other.validation, other.digest)
    assert one.test != other.test


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_micro_batches_give_the_scores_of_the_whole_batch(small: Dataset, encoder: str) -> None:
    lively = configured(encoder=encoder, dropout=0.2, noise=0.1, mixup=0.4, epochs=1)
    whole, parts = (
        scoring.score(
            checkpoints.decode(completed(small, lively, micro_batches=n).checkpoint), small.test.values, device="cpu"
        )
        for n in (1, 3)
    )
    # Measured: under 1e-6 after these four steps, and 1.2e-6 after seven at width 64.
    assert np.linalg.norm(whole - parts) / np.linalg.norm(whole) < 1e-5


def test_a_checkpoint_scores_the_recorded_precision_again(small: Dataset) -> None:
    hard = replace(small, spread=np.full(5, 2, np.float32), mean=np.ones(5, np.float32))
    outcome = completed(hard, configured(encoder="zipformer", length=3, epochs=4, learning_rate=1e-2))
    assert outcome.epoch < 4, "the premise: another epoch than the last is kept"
    for part, recorded in ((hard.validation, outcome.validation), (hard.test, outcome.test)):
        raw = part.values * hard.spread + hard.mean
        scores = scoring.score(checkpoints.decode(outcome.checkpoint), raw, device="cpu")
        assert precision.average_precision(scores, part.labels) == recorded
    assert checkpoints.digest(outcome.checkpoint) == outcome.digest


def test_a_damaged_checkpoint_is_refused(small: Dataset) -> None:
    with pytest.raises(BadCheckpoint, match="not a checkpoint"):
        checkpoints.decode(completed(small, configured()).checkpoint[:-9])


def test_memory_that_is_refused_fails_every_lane_and_names_the_step(small: Dataset) -> None:
    failed, other = trained(small, configured(), configured(), width=2**26)
    assert isinstance(failed, Failed)
    assert isinstance(other, Failed)
    assert (failed.kind, failed.step) == ("out_of_memory", 0)


def test_data_of_another_backbone_are_refused(small: Dataset) -> None:
    with pytest.raises(ValueError, match="asks for backbone 'appearance', the data are of 'motion'"):
        trained(small, configured(backbone="appearance"))


def test_a_batch_that_does_not_divide_into_so_many_parts_is_refused(small: Dataset) -> None:
    for parts in (0, 17):
        with pytest.raises(ValueError, match=f"batch of 16 clips divides into 1 to as many parts, not {parts}"):
            trained(small, configured(), micro_batches=parts)


def test_a_run_that_diverged_is_not_trained_on(small: Dataset) -> None:
    pack = wire([Run("e-1", configured(learning_rate=1e12, epochs=10_000), 1)], capacity=1)
    (outcome,) = training.train(pack, small, device="cpu", **SIZE)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "diverged"
    assert outcome.step < 40


def test_a_width_that_does_not_divide_into_its_heads_is_refused(small: Dataset) -> None:
    with pytest.raises(BadConfiguration, match="'width' is 10; allowed: a multiple of twice the heads, 4"):
        trained(small, configured(), width=10)


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_only_matrices_decay(encoder: str) -> None:
    network = Network(encoder, inputs=5, size=Size(16, 2, 2))
    decaying = {name for name, parameter in network.blueprint.parameters.items() if parameter.decays}
    assert decaying
    assert all(len(network.blueprint.parameters[name].shape) == 2 for name in decaying)
    never = ("bias", "norm", "scale", "bypass", "kernel", "place", "gain", "rate", "skip", "head.gain")
    assert not any(part in name for name in decaying for part in never)


def test_the_optimizer_agrees_with_torch_on_every_lane() -> None:
    blueprint = Blueprint()
    blueprint.declare("weight", 100, spread=1.0, decays=True)
    blueprint.declare("bias", 100, spread=1.0)
    flat = blueprint.initial([1, 2])
    assert flat.shape == (2, 256)
    gradient = torch.zeros_like(flat)
    used = torch.cat([torch.arange(100), torch.arange(128, 228)])
    theirs = [[torch.nn.Parameter(lane[:100].clone()), torch.nn.Parameter(lane[128:228].clone())] for lane in flat]
    rates, decays = (1e-3, 1e-2), (0.0, 0.1)
    mine = AdamW(blueprint, flat, gradient, torch.tensor(decays))
    judges = [
        torch.optim.AdamW(
            [{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}],
            lr=rate,
            betas=(0.9, 0.99),
        )
        for (weight, bias), rate, decay in zip(theirs, rates, decays, strict=True)
    ]
    for step in range(20):
        drawn = torch.randn(2, 200, generator=torch.Generator().manual_seed(step)) * (0.01 if step % 2 else 1)
        gradient[:, used] = drawn
        mine.update(torch.tensor(rates), torch.tensor(step))
        for pair, row, judge in zip(theirs, drawn, judges, strict=True):
            pair[0].grad, pair[1].grad = row[:100].clone(), row[100:].clone()
            torch.nn.utils.clip_grad_norm_(pair, 1.0)
            judge.step()
    for lane, pair in zip(flat, theirs, strict=True):
        assert torch.allclose(lane[used], torch.cat([p.detach() for p in pair]), rtol=1e-5, atol=1e-6)
