"""What training is held against: the same networks as plain PyTorch modules, each in its published parallel form.

One run at a time, no lanes, autograd throughout, the optimizer and the loader that come with PyTorch. The modules are
made from a run's own first weights, so that they can be shown to compute what ours compute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 # as every textbook has it
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from kernels import datasets, precision
from kernels.encoders import bimamba, retnet, zipformer
from kernels.operations import retention

Weights = Mapping[str, Tensor]


def linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    made = nn.Linear(*weight.shape, bias=bias is not None)
    made.weight = nn.Parameter(weight.T.clone())
    if bias is not None:
        made.bias = nn.Parameter(bias.clone())
    return made


def convolution(kernel: Tensor, bias: Tensor | None, padding: int) -> nn.Conv1d:
    taps, width = kernel.shape
    made = nn.Conv1d(width, width, taps, padding=padding, groups=width, bias=bias is not None)
    made.weight = nn.Parameter(kernel.T[:, None].clone())
    if bias is not None:
        made.bias = nn.Parameter(bias.clone())
    return made


def parameter(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.clone())


class RMSNorm(nn.Module):
    def __init__(self, gain: Tensor, eps: float) -> None:
        super().__init__()
        self.gain, self.eps = parameter(gain), eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.gain


class LayerNorm(nn.Module):
    def __init__(self, gain: Tensor) -> None:
        super().__init__()
        self.gain = parameter(gain)

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.gain, eps=1e-5)


class RetNetBlock(nn.Module):
    """microsoft/torchscale's parallel form."""

    def __init__(self, w: Weights, name: str, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = (RMSNorm(w[f"{name}.{part}.gain"], 1e-6) for part in ("retention", "forward"))
        width = w[f"{name}.retention.gain"].shape[0]
        q, k, v, g = w[f"{name}.retention.in"].split([width, width, 2 * width, 2 * width], -1)
        self.q, self.k, self.v, self.g = linear(q), linear(k), linear(v), linear(g)
        self.out = linear(w[f"{name}.retention.out"])
        value, gate = w[f"{name}.forward.in"].chunk(2, -1)
        self.value, self.gate, self.down = linear(value), linear(gate), linear(w[f"{name}.forward.out"])

    def rotate(self, x: Tensor) -> Tensor:
        steps, size = x.shape[-2:]
        angle = (10000 ** -torch.linspace(0, 1, size // 2)).repeat_interleave(2)
        turn = torch.arange(1 - steps, 1)[:, None] * angle
        turned = torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
        return x * turn.cos() + turned * turn.sin()

    def decay(self, steps: int) -> Tensor:
        gamma = torch.tensor(retention.decays(self.heads))[:, None, None]
        place = torch.arange(steps)
        apart = place[:, None] - place
        return torch.where(apart >= 0, gamma ** apart.clamp(min=0), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm1(x)
        q, k, v = (f(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
        scores = self.rotate(q) @ self.rotate(k).transpose(-1, -2) * q.shape[-1] ** -0.5
        mixed = (scores * self.decay(x.shape[1])) @ v
        mixed = mixed * torch.rsqrt(mixed.pow(2).mean(-1, keepdim=True) + retnet.HEAD_EPSILON)
        x = x + self.out(self.dropout(F.silu(self.g(normed)) * mixed.transpose(1, 2).flatten(2)))
        normed = self.norm2(x)
        return x + self.down(self.dropout(F.silu(self.gate(normed)) * self.value(normed)))


class Mamba(nn.Module):
    """state-spaces/mamba's selective_scan_ref, by zero-order hold."""

    def __init__(self, w: Weights, name: str) -> None:
        super().__init__()
        # Ours keeps the taps of both directions in the order of the steps; turned clips need theirs turned.
        kernel = w[f"{name}.kernel"].flip(0) if name.endswith("backward") else w[f"{name}.kernel"]
        self.conv = convolution(kernel, w[f"{name}.kernel.bias"], bimamba.TAPS - 1)
        self.select = linear(w[f"{name}.select"])
        self.step = linear(w[f"{name}.step"], w[f"{name}.step.bias"])
        self.a_log = parameter(w[f"{name}.rate"].T)
        self.skip = parameter(w[f"{name}.skip"])

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        u = F.silu(self.conv(x.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2)
        rank = self.step.in_features
        low, b, c = self.select(u).split([rank, bimamba.STATES, bimamba.STATES], -1)
        delta = F.softplus(self.step(low))
        return (self.scan(u, delta, -torch.exp(self.a_log), b, c) + u * self.skip) * F.silu(z)

    def scan(self, u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        exponent = delta[..., None] * a
        keep = torch.exp(exponent)
        entering = torch.expm1(exponent) / a * b[:, :, None] * u[..., None]
        state, outputs = torch.zeros_like(entering[:, 0]), []
        for t in range(u.shape[1]):
            state = keep[:, t] * state + entering[:, t]
            outputs.append(torch.einsum("bdn,bn->bd", state, c[:, t]))
        return torch.stack(outputs, 1)


class BiMambaBlock(nn.Module):
    def __init__(self, w: Weights, name: str, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.dropout = RMSNorm(w[f"{name}.gain"], 1e-6), nn.Dropout(dropout)
        parts, outs = w[f"{name}.in"].chunk(4, -1), w[f"{name}.out"].chunk(2)
        self.x = nn.ModuleList(map(linear, parts[:2]))
        self.z = nn.ModuleList(map(linear, parts[2:]))
        self.mamba = nn.ModuleList([Mamba(w, f"{name}.{direction}") for direction in bimamba.DIRECTIONS])
        self.out = nn.ModuleList(map(linear, outs))

    def forward(self, x: Tensor) -> Tensor:
        sides = []
        for n, (into, gate, mamba, out) in enumerate(zip(self.x, self.z, self.mamba, self.out, strict=True)):
            turned = self.norm(x).flip(1) if n else self.norm(x)
            side = out(self.dropout(mamba(into(turned), gate(turned))))
            sides.append(side.flip(1) if n else side)
        return x + (sides[0] + sides[1]) / 2


class Blockwise(nn.Module):
    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = parameter(weight.view(-1, weight.shape[1], weight.shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        blocks = x.unflatten(-1, self.weight.shape[:2])
        return torch.einsum("...hi,hio->...ho", blocks, self.weight).flatten(-2)


class MatrixBlock(nn.Module):
    """NX-AI/xlstm's parallel mLSTM."""

    def __init__(self, w: Weights, name: str, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.norm, self.dropout = heads, LayerNorm(w[f"{name}.gain"]), nn.Dropout(dropout)
        self.up, self.down = linear(w[f"{name}.in"]), linear(w[f"{name}.out"])
        self.conv = convolution(w[f"{name}.kernel"], w[f"{name}.kernel.bias"], 3)
        self.q, self.k, self.v = (Blockwise(w[f"{name}.{part}"]) for part in ("query", "key", "value"))
        self.gates = linear(w[f"{name}.gates"], w[f"{name}.gates.bias"].flatten())
        self.gain, self.skip = parameter(w[f"{name}.head"]), parameter(w[f"{name}.skip"])

    def cell(self, q: Tensor, k: Tensor, v: Tensor, enter: Tensor, forget: Tensor) -> Tensor:
        steps = q.shape[-2]
        running = torch.cat([torch.zeros_like(forget[..., :1]), F.logsigmoid(forget)], -1).cumsum(-1)
        reach = (running[..., :, None] - running[..., None, :])[..., 1:, 1:]
        lower = torch.ones(steps, steps, dtype=torch.bool).tril()
        log_decay = torch.where(lower, reach, -torch.inf) + enter[..., None, :]
        m = log_decay.amax(-1, keepdim=True)
        weights = q @ (k / math.sqrt(k.shape[-1])).transpose(-1, -2) * torch.exp(log_decay - m)
        norm = torch.maximum(weights.sum(-1, keepdim=True).abs(), torch.exp(-m))
        return weights / (norm + 1e-6) @ v

    def forward(self, x: Tensor) -> Tensor:
        inside, z = self.up(self.norm(x)).chunk(2, -1)
        filtered = F.silu(self.conv(inside.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        q, k, v = self.q(filtered), self.k(filtered), self.v(inside)
        enter, forget = self.gates(torch.cat([q, k, v], -1)).transpose(1, 2).chunk(2, 1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))
        read = F.layer_norm(self.cell(q, k, v, enter, forget), q.shape[-1:]).transpose(1, 2).flatten(2)
        return x + self.down(self.dropout((read * self.gain + self.skip * filtered) * F.silu(z)))


class CellBlock(nn.Module):
    """NX-AI/xlstm's vanilla sLSTM."""

    def __init__(self, w: Weights, name: str, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.norm, self.dropout = heads, LayerNorm(w[f"{name}.gain"]), nn.Dropout(dropout)
        self.conv = convolution(w[f"{name}.kernel"], w[f"{name}.kernel.bias"], 3)
        self.i, self.f, self.z, self.o = (Blockwise(w[f"{name}.{p}"]) for p in ("enter", "forget", "cell", "output"))
        self.recurrent = parameter(w[f"{name}.recurrent"].view(heads, -1, w[f"{name}.recurrent"].shape[1]))
        self.bias, self.gain = parameter(w[f"{name}.gates.bias"].flatten(1)), parameter(w[f"{name}.head"])
        self.norm2 = LayerNorm(w[f"{name}.forward.gain"])
        self.up, self.down = linear(w[f"{name}.forward.in"]), linear(w[f"{name}.forward.out"])

    def cell(self, gates: Tensor) -> Tensor:
        y = c = n = m = torch.zeros_like(gates[:, 0, 0])
        outputs = []
        for t in range(gates.shape[1]):
            back = torch.einsum("bhi,hio->bho", y.unflatten(-1, (self.heads, -1)), self.recurrent)
            raw = gates[:, t] + back.unflatten(-1, (4, -1)).transpose(1, 2).flatten(2)
            i, f, z, o = raw.unbind(1)
            last = F.logsigmoid(f) + m
            m = i if t == 0 else torch.maximum(i, last)
            enter, keep = torch.exp(i - m), torch.exp(last - m)
            c, n = keep * c + enter * torch.tanh(z), keep * n + enter
            y = torch.sigmoid(o) * c / n
            outputs.append(y)
        return torch.stack(outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        filtered = F.silu(self.conv(normed.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        gates = torch.stack([self.i(filtered), self.f(filtered), self.z(normed), self.o(normed)], 2) + self.bias
        heads = self.cell(gates).unflatten(-1, (self.heads, -1))
        x = x + self.dropout(F.layer_norm(heads, heads.shape[-1:]).flatten(2) * self.gain)
        gate, value = self.up(self.norm2(x)).chunk(2, -1)
        return x + self.down(self.dropout(F.gelu(gate) * value))


class BiasNorm(nn.Module):
    def __init__(self, bias: Tensor, log_scale: Tensor) -> None:
        super().__init__()
        self.bias, self.log_scale = parameter(bias), parameter(log_scale)

    def forward(self, x: Tensor) -> Tensor:
        return x * ((x - self.bias).pow(2).mean(-1, keepdim=True) + 1e-8) ** -0.5 * self.log_scale.exp()


class ZipformerLayer(nn.Module):
    """k2-fsa/icefall's pieces in the paper's block, at one rate of steps."""

    def __init__(self, w: Weights, name: str, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout, self.progress = heads, nn.Dropout(dropout), 0.0
        parts = ("attention", "convolution", "forward")
        self.norms = nn.ModuleList([BiasNorm(w[f"{name}.{p}.norm"], w[f"{name}.{p}.scale"]) for p in parts])
        self.ins = nn.ModuleList([linear(w[f"{name}.{p}.in"], w[f"{name}.{p}.in.bias"]) for p in parts])
        self.outs = nn.ModuleList([linear(w[f"{name}.{p}.out"], w[f"{name}.{p}.out.bias"]) for p in parts])
        self.bypasses = nn.ParameterList([parameter(w[f"{name}.{p}.bypass"]) for p in parts])
        self.bias = parameter(w[f"{name}.attention.bias"])
        self.conv = convolution(w[f"{name}.convolution.kernel"], None, zipformer.TAPS // 2)
        self.group = parameter(w[f"{name}.group"]) if f"{name}.group" in w else None
        self.rate_bypass = parameter(w[f"{name}.rate.bypass"]) if self.group is not None else None

    def attend(self, hidden: Tensor) -> Tensor:
        q, k, v = hidden.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        place = torch.arange(hidden.shape[1])
        bias = self.bias[:, place - place[:, None] + zipformer.REACH - 1]
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias, -1)
        return (weights @ v).transpose(1, 2).flatten(2)

    def convolve(self, hidden: Tensor) -> Tensor:
        mixed = self.conv(F.glu(hidden, -1).transpose(1, 2)).transpose(1, 2)
        return torch.logaddexp(torch.zeros(()), mixed - 1) - 0.08 * mixed - 0.313261687

    def feed(self, hidden: Tensor) -> Tensor:
        return torch.logaddexp(torch.zeros(()), hidden - 4) - 0.08 * hidden - 0.035

    def bound(self, scale: Tensor) -> Tensor:
        opened = min(self.progress / zipformer.OPENING, 1.0)
        return scale.clamp(min=zipformer.CLOSED - (zipformer.CLOSED - zipformer.OPEN) * opened)

    def block(self, x: Tensor) -> Tensor:
        inside = (self.attend, self.convolve, self.feed)
        for norm, into, mix, out, scale in zip(self.norms, self.ins, inside, self.outs, self.bypasses, strict=True):
            x = x + self.bound(scale) * out(self.dropout(mix(into(norm(x)))))
        return x

    def forward(self, x: Tensor) -> Tensor:
        if self.group is None or self.rate_bypass is None:
            return self.block(x)
        rate = len(self.group)
        slow = (x.unflatten(1, (-1, rate)) * torch.softmax(self.group, 0)[:, None]).sum(2)
        fast = self.block(slow).repeat_interleave(rate, 1)
        return x + self.bound(self.rate_bypass) * (fast - x)


LAYERS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "zipformer": (ZipformerLayer, ZipformerLayer),
    "retnet": (RetNetBlock, RetNetBlock),
    "bimamba": (BiMambaBlock, BiMambaBlock),
    "hybrid": (RetNetBlock, BiMambaBlock),
    "xlstm": (MatrixBlock, CellBlock),
}


class Classifier(nn.Module):
    """One run's network with attention pooling, from a lane's weights; clips have no padding."""

    def __init__(self, encoder: str, w: Weights, *, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.stem, self.place = linear(w["stem.weight"], w["stem.bias"]), parameter(w["stem.place"])
        self.dropout = nn.Dropout(dropout)
        kinds = [LAYERS[encoder][n % 2] for n in range(layers)]
        self.layers = nn.ModuleList([kind(w, f"{encoder}.{n}", heads, dropout) for n, kind in enumerate(kinds)])
        self.norm, self.query = RMSNorm(w["final.gain"], 1e-6), parameter(w["pooling.query"])
        self.head = linear(w["head.weight"], w["head.bias"])

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.stem(x) + self.place[-x.shape[1] :])
        for layer in self.layers:
            hidden = layer(hidden)
        hidden = self.norm(hidden)
        weights = torch.softmax(hidden @ self.query, 1)
        return self.head((weights[..., None] * hidden).sum(1))[:, 0]

    def opened(self, progress: float) -> None:
        for layer in self.layers:
            if isinstance(layer, ZipformerLayer):
                layer.progress = progress


def train(model: Classifier, folder: Path, cache: Path, configuration: Mapping[str, Any]) -> tuple[float, float]:
    """One run as a plain loop, features read from disk: best validation AP, and test AP at that epoch."""
    data, length = datasets.load(folder, cache, configuration["backbone"]), configuration["length"]
    values = [torch.from_numpy(p.values[:, -length:]) for p in (data.train, data.validation, data.test)]
    labels = torch.from_numpy(data.train.labels).float()
    loader = DataLoader(TensorDataset(values[0], labels), batch_size=configuration["batch"], shuffle=True)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=configuration["learning_rate"], weight_decay=configuration["weight_decay"]
    )
    steps = configuration["epochs"] * len(loader)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, test, done = -1.0, 0.0, 0
    for _ in range(configuration["epochs"]):
        model.train()
        for x, y in loader:
            model.opened(done / steps)
            loss = F.binary_cross_entropy_with_logits(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            done += 1
        model.eval()
        with torch.no_grad():
            scores = [model(part).numpy().astype(np.float32) for part in values[1:]]
        validation = precision.average_precision(scores[0], data.validation.labels)
        if validation > best:
            best, test = validation, precision.average_precision(scores[1], data.test.labels)
    return best, test
