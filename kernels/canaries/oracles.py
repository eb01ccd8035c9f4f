"""Each stage of a seen run held against what its configuration asks for, worked out apart from it."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from kernels import draws
from kernels.canaries import textbook
from kernels.canaries.canary import Misfit
from kernels.canaries.tracing import Made, Trace
from kernels.datasets import Dataset
from kernels.outcomes import Completed
from kernels.training import NOISE_SITE

Check = Callable[[Trace, Dataset], Iterator[Misfit]]


def misfits(seen: Trace, data: Dataset, *, allowed: float) -> list[Misfit]:
    """Where a run did other than its configuration says, rounding included.

    They go no further than the first check that finds one of more than is `allowed`: what follows is spoiled by it.
    """
    found: list[Misfit] = []
    for check in CHECKS:
        found += check(seen, data)
        if any(not misfit.error <= allowed for misfit in found):
            break
    return found


def _off(stage: str, found: Tensor, true: Tensor, problem: str) -> Iterator[Misfit]:
    """How far two tensors differ, as a share of the greatest true value or of 1, where they do at all."""
    if found.shape != true.shape:
        yield Misfit(stage, float("inf"), f"{problem}: {tuple(found.shape)} in place of {tuple(true.shape)}")
        return
    found, true = found.double(), true.double()
    error = float((found - true).abs().max() / true.abs().max().clamp(min=1))
    if error:
        yield Misfit(stage, error, problem)


def _parameters(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    encoder = seen.configuration["encoder"]
    net = textbook.network(seen.subject, len(data.mean))
    parts = {name.partition(".")[0] for name in net.blueprint.parameters} - {"stem", "final", "pooling", "head"}
    if parts != {encoder}:
        yield Misfit("parameters", float("inf"), f"the network has the parts {sorted(parts)}, not '{encoder}'")
    true = net.blueprint.initial([seen.subject.seed])[0]
    yield from _off("parameters", seen.first, true, "the first parameters are not those that the seed draws")


def _schedule(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    steps, plan = _planned(seen, data), seen.made["plan"][0]
    if len(plan["rates"]) != steps or (seen.steps != steps and isinstance(seen.outcome, Completed)):
        yield Misfit("schedule", abs(seen.steps - steps), f"there were {seen.steps} steps in place of {steps}")
        return
    true = torch.tensor(textbook.rates(seen.configuration, steps), dtype=torch.float64)
    peak = seen.configuration["learning_rate"]
    yield from _off("schedule", plan["rates"] / peak, true / peak, "the learning rates are not the scheduler's")
    progress = torch.arange(steps, dtype=torch.float64) / steps
    yield from _off("schedule", plan["progress"], progress, "the progress is not the share of steps done")


def _planned(seen: Trace, data: Dataset) -> int:
    return -(-len(data.train.labels) // int(seen.configuration["batch"])) * int(seen.configuration["epochs"])


def _order(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    """Every epoch draws positives as often as oversampling says, and each clip of a label equally often."""
    plan, labels = seen.made["plan"][0], torch.from_numpy(data.train.labels)
    epochs = plan["clips"].reshape(seen.configuration["epochs"], -1)
    positive, times = int(labels.sum()), seen.configuration["oversampling"]
    share = times * positive / (times * positive + len(labels) - positive)
    for epoch in epochs:
        wanted = round(epoch.numel() * share)
        drawn = int(labels[epoch].sum())
        if drawn != wanted:
            yield Misfit("batch", abs(drawn - wanted), f"an epoch draws {drawn} positives in place of {wanted}")
            return
        counts = torch.bincount(epoch, minlength=len(labels))
        for kind in (labels, ~labels):
            if int(counts[kind].max() - counts[kind].min()) > 1:
                yield Misfit("batch", float(counts[kind].max()), "some clips are drawn more often than others")
                return
    if any(torch.equal(one, other) for one, other in pairwise(epochs)):
        yield Misfit("batch", float("inf"), "two epochs draw their clips in the same order")


def _mixing(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    plan, alpha = seen.made["plan"][0], seen.configuration["mixup"]
    if not torch.equal(plan["partners"].sort(1).values, plan["clips"].sort(1).values):
        yield Misfit("batch", float("inf"), "clips are mixed with clips of another batch")
    if alpha == 0:
        if not torch.equal(plan["shares"], torch.ones_like(plan["shares"])):
            yield Misfit("batch", float("inf"), "clips are mixed without mixup")
    elif not (0 <= plan["shares"].min() < 0.5 < plan["shares"].max() <= 1):
        yield Misfit("batch", float("inf"), f"nothing is mixed, though mixup is {alpha}")


def _batch(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    """Values and labels of every step: the planned clips' last steps, mixed, with the seed's own noise."""
    plan = seen.made["plan"][0]
    values = torch.from_numpy(data.train.values.copy())[:, data.train.values.shape[1] - seen.configuration["length"] :]
    labels = torch.from_numpy(data.train.labels)
    for step, made in enumerate(seen.made["batch"]):
        clips, partners, share = plan["clips"][step], plan["partners"][step], plan["shares"][step]
        mixed = share[:, None, None] * values[clips] + (1 - share[:, None, None]) * values[partners]
        mixed = _noised(seen, mixed, step)
        yield from _off("batch", made["x"], mixed, "the values are not those of the planned clips' last steps")
        yield from _off("batch", made["labels"], labels[clips], "the labels are not the clips' own")
        yield from _off("batch", made["others"], labels[partners], "the labels mixed in are other clips'")
        yield from _off("batch", made["shares"], share, "the shares are not those that were drawn")
        yield from _off("batch", made["mask"], torch.ones_like(made["mask"]), "steps of whole clips are masked")


def _noised(seen: Trace, mixed: Tensor, step: int) -> Tensor:
    key = draws.keys(torch.tensor([seen.subject.seed]), torch.tensor(step), NOISE_SITE)
    grain = draws.normals(key, mixed.numel())[0].view(mixed.shape)
    return torch.add(mixed, grain, alpha=seen.configuration["noise"])


def _pass(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    """Scores, losses and gradients of every step of the first epoch."""
    net, plan = textbook.network(seen.subject, len(data.mean)), seen.made["plan"][0]
    for step in range(min(seen.steps, -(-len(data.train.labels) // seen.configuration["batch"]))):
        batch, flat = seen.made["batch"][step], seen.before(step).clone().requires_grad_()
        logits = textbook.score(net, seen.subject, flat, batch["x"], plan["progress"][step], step=step)
        losses = textbook.mixed_loss(seen.configuration, logits, batch)
        torch.autograd.backward(losses.mean())
        yield from _compared(seen, step, logits.detach(), flat.grad)


def _compared(seen: Trace, step: int, logits: Tensor, gradient: Tensor | None) -> Iterator[Misfit]:
    observed = seen.made["forward"][step]["logits"]
    yield from _off("forward", observed, logits, "the scores are not those of the configured network")
    true = textbook.mixed_loss(seen.configuration, observed, seen.made["batch"][step])
    yield from _off("loss", seen.made["loss"][step]["losses"], true, "the losses are not the configured loss's")
    if gradient is not None:
        found = seen.made["gradient"][step]["gradient"]
        yield from _off("gradient", found, gradient, "the gradient is not that of the batch's mean loss")


def _update(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    net = textbook.network(seen.subject, len(data.mean))
    descent = textbook.Descent(net, seen.configuration["weight_decay"])
    rates = textbook.rates(seen.configuration, _planned(seen, data))
    for step, rate in enumerate(rates[: seen.steps]):
        true = descent.after(seen.before(step), seen.made["gradient"][step]["gradient"], rate)
        yield from _off("update", seen.made["update"][step]["flat"], true, "the parameters did not move as they should")


def _judged(seen: Trace, data: Dataset) -> Iterator[Misfit]:
    """After each epoch the validation clips, at the end the test clips, are scored as in training without dropout."""
    net, outcome = textbook.network(seen.subject, len(data.mean)), seen.outcome
    if not isinstance(outcome, Completed):
        return
    for number, made in enumerate([*seen.made["validation"], *seen.made["test"]]):
        part = data.validation if number < len(seen.made["validation"]) else data.test
        x = torch.from_numpy(part.values[:, part.values.shape[1] - seen.configuration["length"] :].copy())
        step = (number + 1) * seen.steps // seen.configuration["epochs"] if part is data.validation else None
        if step is not None:
            moved = seen.before(step)
            yield from _off("evaluation", made["flat"], moved, "an epoch is judged by other parameters than its last")
            done = torch.tensor(step / seen.steps)
            yield from _off("evaluation", made["progress"], done, "an epoch is judged at another progress than its own")
        with torch.no_grad():
            true = textbook.score(net, seen.subject, made["flat"], x, made["progress"])
        yield from _off("evaluation", made["scores"], true, "clips are judged otherwise than in training")
    yield from _reported(seen, outcome, data)


def _reported(seen: Trace, outcome: Completed, data: Dataset) -> Iterator[Misfit]:
    """What is said of a run is what its judged scores say."""
    truths = [_precision(made, data.validation.labels.tolist()) for made in seen.made["validation"]]
    best = int(np.argmax(truths))
    test = _precision(seen.made["test"][0], data.test.labels.tolist())
    claims = {
        "the validation curve is not the average precision of its scores": (outcome.curves.validation, tuple(truths)),
        "the epoch is not the first best by validation": ((outcome.epoch,), (best + 1,)),
        "the validation score is not that of the best epoch": ((outcome.validation,), (truths[best],)),
        "the test score is not the average precision of its scores": ((outcome.test,), (test,)),
    }
    for problem, (found, true) in claims.items():
        yield from _off("evaluation", torch.tensor(found).double(), torch.tensor(true).double(), problem)
    kept = seen.before((best + 1) * seen.steps // seen.configuration["epochs"])
    yield from _off("evaluation", seen.made["test"][0]["flat"], kept, "test clips are judged by another epoch")


def _precision(made: Made, labels: list[bool]) -> float:
    return textbook.average_precision(made["scores"].tolist(), labels)


CHECKS: tuple[Check, ...] = (_parameters, _schedule, _order, _mixing, _batch, _pass, _update, _judged)
