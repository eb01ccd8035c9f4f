"""A pack trained from its first step to its outcomes: one loop for one run or thirty-two."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from kernels import draws, plans
from kernels.capture import Captured
from kernels.datasets import Dataset
from kernels.forward import Forward, Size
from kernels.losses import Losses
from kernels.network import Dropout, Network
from kernels.optimizer import AdamW
from kernels.outcomes import Epoch, Failed, Outcome
from kernels.parameters import trainable
from kernels.plans import Row
from kernels.pooling import one_hot
from kernels.records import Records
from kernels.watching import Watch, nobody
from kernels.wiring import Pack

NOISE_SITE = 0x4015E  # far from dropout's sites, which count from 1


def train(
    pack: Pack,
    data: Dataset,
    *,
    device: str,
    micro_batches: int = 1,
    width: int,
    layers: int,
    heads: int,
    watch: Watch = nobody,
) -> Iterator[Epoch | Outcome]:
    """Trains a pack and reports each lane's epochs as they end, then one outcome a lane.

    Args:
        pack: runs of one shape.
        data: the features of the pack's backbone.
        device: "cpu", "cuda" or "cuda:n".
        micro_batches: parts each batch is computed in, one after the other; the same result, up to rounding, in less
            memory.
        width: of the hidden steps; with `layers` and `heads` the size of the network, one for a whole campaign.
        watch: looks on, and changes nothing.

    Raises:
        BadConfiguration: the width does not divide into the heads.
        ValueError: the data are of another backbone, or a batch does not divide into so many parts.
    """
    if not 1 <= micro_batches <= pack.shape.batch:
        raise ValueError(f"a batch of {pack.shape.batch} clips divides into 1 to as many parts, not {micro_batches}")
    if data.backbone != pack.shape.backbone:
        raise ValueError(f"the pack asks for backbone '{pack.shape.backbone}', the data are of '{data.backbone}'")
    started = time.perf_counter()
    steps: Steps | None = None
    try:
        network = Network(pack.shape.encoder, inputs=data.train.values.shape[-1], size=Size(width, layers, heads))
        steps = Steps(pack, data, network, device, micro_batches, watch=watch)
        for item in _run(steps, Records(pack, data, network, steps.plan, steps.flat, watch=watch)):
            yield item if isinstance(item, Epoch) else replace(item, seconds=_share(started, pack))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        for number, lane in enumerate(pack.lanes):
            step = steps.done if steps is not None else 0
            yield Failed(lane.experiment, number, "out_of_memory", step, str(error), _share(started, pack))


def _run(steps: "Steps", records: Records) -> Iterator[Epoch | Outcome]:
    for epoch in range(len(steps.plan.clips) // steps.plan.epoch_steps):
        for _ in range(steps.plan.epoch_steps):
            steps.take()
        yield from records.judge(epoch, steps.flat, steps.losses(), steps.first_bad.tolist())
        if records.all_diverged():
            break
    # All at once, so that memory refused on the way leaves no lane with two outcomes.
    yield from list(records.outcomes())


class Steps:
    """The training state of all lanes of a pack, and what one step does to it."""

    def __init__(
        self,
        pack: Pack,
        data: Dataset,
        network: Network,
        device: str,
        micro_batches: int,
        *,
        watch: Watch = nobody,
    ) -> None:
        """Initialises every lane from its seed; lanes without a run repeat the first one for a single epoch."""
        lanes = list(pack.lanes) + [replace(pack.lanes[0], epochs=1)] * (pack.capacity - len(pack.lanes))
        self._network, self._batch, self._watch = network, pack.shape.batch, watch
        self.flat = network.blueprint.initial([lane.seed for lane in lanes]).to(device)
        self._gradient = torch.zeros_like(self.flat)
        self._leaf = trainable(self.flat, self._gradient)
        self._optimizer = AdamW(
            network.blueprint,
            self.flat,
            self._gradient,
            torch.tensor([lane.weight_decay for lane in lanes], device=device),
        )
        self.plan = plans.make(lanes, data.train.labels, self._batch, device)
        self._x = torch.from_numpy(data.train.values[:, -pack.shape.length :]).to(device)
        self._labels = torch.from_numpy(data.train.labels).to(device, torch.float32)
        self._loss, self._poolings = Losses.of(lanes, device), one_hot([lane.pooling for lane in lanes]).to(device)
        self._seeds = torch.tensor([lane.seed for lane in lanes], device=device)
        self._dropout = torch.tensor([lane.dropout for lane in lanes], device=device)
        self._noise = torch.tensor([lane.noise for lane in lanes], device=device)
        # Skipped only where every lane's value is zero, which leaves the same bits as adding or mixing in nothing.
        self._drops, self._mixes = any(lane.dropout for lane in lanes), any(lane.mixup for lane in lanes)
        self._blurs = any(lane.noise for lane in lanes)
        bounds = [round(self._batch * n / micro_batches) for n in range(micro_batches + 1)]
        self._parts = list(pairwise(bounds))
        self.first_bad = torch.full((len(lanes),), -1, device=device)
        self._losses = torch.zeros(len(lanes), device=device)
        self.done, self.count = 0, torch.zeros((), dtype=torch.int64, device=device)
        # Who watches is called in the middle of a step, which a graph has no place for.
        captured = self.flat.is_cuda and watch is nobody
        self._step: Callable[[], None] = Captured(self.step, device) if captured else self.step
        plan = self.plan
        watch("parameters", flat=self.flat)
        watch(
            "plan",
            clips=plan.clips,
            partners=plan.partners,
            shares=plan.shares,
            rates=plan.rates,
            progress=plan.progress,
        )

    def take(self) -> None:
        """The next step of every lane that is not done."""
        self._step()
        self.done += 1

    def step(self) -> None:
        """Gradients of the batch, part by part, then the update; which step it is, it reads from `count`."""
        now = self.plan.at(self.count)
        self._gradient.zero_()
        loss = sum((self._accumulate(now, *part) for part in self._parts), torch.zeros_like(self._losses))
        self._watch("gradient", gradient=self._gradient)
        self._optimizer.update(now.rates, now.step)
        self._watch("update", flat=self.flat)
        broken = ~torch.isfinite(loss) & (now.progress < 1) & (self.first_bad < 0)
        self.first_bad.copy_(torch.where(broken, now.step, self.first_bad))
        self._losses += loss
        self.count += 1

    def losses(self) -> list[float]:
        """Each lane's mean loss since this was last asked."""
        means = (self._losses / self.plan.epoch_steps).tolist()
        self._losses.zero_()
        return list(means)

    def batch(self, now: Row, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Clips `start` to `stop` of a step's batch: values (E, b, T, C); labels, partners' labels, shares (E, b)."""
        clips, partners, shares = (column[:, start:stop] for column in (now.clips, now.partners, now.shares))
        x = self._x[clips]
        if self._mixes:
            x = shares[..., None, None] * x + (1 - shares[..., None, None]) * self._x[partners]
        if self._blurs:
            key = draws.keys(self._seeds, now.step, NOISE_SITE)
            inner = x[0, 0].numel()
            grain = draws.normals(key, (stop - start) * inner, start * inner).view(x.shape)
            x = x + self._noise[:, None, None, None] * grain
        return x, self._labels[clips], self._labels[partners], shares

    def _accumulate(self, now: Row, start: int, stop: int) -> Tensor:
        """Adds the gradient of a part of the batch; gives the part's share of each lane's loss, (E,)."""
        x, labels, others, shares = self.batch(now, start, stop)
        through = Forward(self._network.blueprint.views(self._leaf), now.progress, self._poolings)
        if self._drops:
            through = replace(through, dropout=Dropout(self._seeds, self._dropout, now.step, start))
        mask = torch.ones(x.shape[:3], dtype=torch.bool, device=x.device)
        self._watch("batch", x=x, labels=labels, others=others, shares=shares, mask=mask)
        logits = self._network.forward(x, mask, through)
        self._watch("forward", logits=logits)
        losses = shares * self._loss.each(logits, labels) + (1 - shares) * self._loss.each(logits, others)
        self._watch("loss", losses=losses)
        loss = losses.sum(1) / self._batch
        torch.autograd.backward(loss.sum())
        return loss.detach()


def _share(started: float, pack: Pack) -> float:
    return (time.perf_counter() - started) / len(pack.lanes)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether the device refused memory; the CPU's allocator says so only in words."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
