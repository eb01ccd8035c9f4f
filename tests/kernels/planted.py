"""Bugs that real pipelines have, each planted alone; the first four are the paper's."""

from tests.kernels.planting import Edit, Mutant, bug

TRAINING, RECORDS, LOSSES, POOLING = "training.py", "records.py", "losses.py", "pooling.py"

PAPERS = (
    bug(
        "the splits overlap",
        "splits.py",
        "(order[:first], order[first:second], order[second:])",
        "(order[:first], order[first - 2 : second], order[second:])",
        "split",
    ),
    bug("focal loss is not wired", LOSSES, 'lane.loss == "focal" and', 'lane.loss == "focus" and', "loss"),
    bug("attention pooling is not wired", POOLING, "[torch.softmax(scores, -1), mean,", "[mean, mean,", "pooling"),
    bug(
        "evaluation pads unlike training",
        RECORDS,
        "        mask = torch.ones(x.shape[:2]",
        "        x = torch.nn.functional.pad(x, (0, 0, 4, 0))\n        mask = torch.ones(x.shape[:2]",
        "evaluation",
    ),
)
IGNORED = (
    bug("weight decay is ignored", "optimizer.py", ".addcmul_(self._decay, self._flat)", "", "weight_decay", "update"),
    bug("mixup is ignored", TRAINING, "if self._mixes:", "if False:", "mixup", "batch"),
    bug("noise is ignored", TRAINING, "if self._blurs:", "if False:", "noise", "batch"),
    bug("dropout is ignored", TRAINING, "if self._drops:", "if False:", "dropout", "forward"),
    bug("label smoothing is ignored", LOSSES, "1.0, 1.0, lane.smoothing or 0.0", "1.0, 1.0, 0.0", "smoothing", "loss"),
    bug(
        "focal alpha is ignored",
        LOSSES,
        "return lane.focal_gamma, lane.focal_alpha, 1 - lane.focal_alpha, 0.0",
        "return lane.focal_gamma, 1.0, 1.0, 0.0",
        "focal_alpha",
        "loss",
    ),
    bug("focal gamma is ignored", LOSSES, "weight * wrong**self.gamma *", "weight *", "focal_gamma", "loss"),
    bug(
        "oversampling is ignored",
        "plans.py",
        "share = oversampling * len(positive) / (oversampling * len(positive) + len(negative))",
        "share = len(positive) / (len(positive) + len(negative))",
        "oversampling",
        "batch",
    ),
    bug("seeds do not reach the first parameters", "parameters.py", "np.array([seed,", "np.array([0,", "seed"),
    bug("seeds do not reach the order of clips", "plans.py", "np.array([seed,", "np.array([0,", "seed"),
    bug(
        "seeds do not reach dropout",
        TRAINING,
        "dropout=Dropout(self._seeds,",
        "dropout=Dropout(0 * self._seeds,",
        "dropout",
        "forward",
    ),
    bug("seeds do not reach the noise", TRAINING, "draws.keys(self._seeds,", "draws.keys(0 * self._seeds,", "batch"),
    bug(
        "retention ignores the mask",
        "encoders/retnet.py",
        "v * mask[..., None])",
        "v)",
        "retnet",
    ),
    bug("sLSTM ignores the mask", "encoders/xlstm.py", '.recurrent"], mask)', '.recurrent"], mask | True)', "xlstm"),
    bug(
        "Zipformer's convolution ignores the mask",
        "encoders/zipformer.py",
        "torch.sigmoid(gate) * mask[..., None]",
        "torch.sigmoid(gate)",
        "zipformer",
    ),
    bug(
        "the warm-up is ignored", "schedules.py", "np.where(step < warm, (step + 1) / warm, decay)", "decay", "schedule"
    ),
)
STEPS = (
    bug("the schedule is never stepped", TRAINING, "now.rates, now.step)", "self.plan.rates[0], now.step)", "update"),
    bug(
        "the schedule is stepped once an epoch",
        TRAINING,
        "now.rates, now.step)",
        "self.plan.at(now.step - now.step % self.plan.epoch_steps).rates, now.step)",
        "update",
    ),
    bug(
        "the schedule is stepped as if each step were an epoch",
        "schedules.py",
        "    step = np.arange(steps)\n",
        "    step = np.minimum(np.arange(steps) * 3, steps - 1)\n",
        "schedule",
    ),
    bug(
        "the loss is summed over the batch",
        TRAINING,
        "loss = losses.sum(1) / self._batch",
        "loss = losses.sum(1)",
        "gradient",
    ),
    bug("gradients pile up from step to step", TRAINING, "        self._gradient.zero_()\n", "", "gradient"),
    bug(
        "the gradient is not clipped", "optimizer.py", "self._gradient *= CLIP / norm.clamp(min=CLIP)", "pass", "update"
    ),
    bug(
        "Adam forgets to correct its bias",
        "optimizer.py",
        "self._first / (1 - BETA1**count).float()",
        "+self._first",
        "update",
    ),
)
BATCHES = (
    bug(
        "length is cut from the wrong end",
        TRAINING,
        "data.train.values[:, -pack.shape.length :]",
        "data.train.values[:, : pack.shape.length].copy()",
        "length",
        "batch",
    ),
    bug(
        "labels are shifted by one",
        TRAINING,
        "torch.from_numpy(data.train.labels)",
        "torch.from_numpy(data.train.labels).roll(1)",
        "batch",
    ),
    bug(
        "labels of the data are shifted by one",
        "datasets.py",
        "np.array([positive[name] for name in names])",
        "np.roll([positive[name] for name in names], 1)",
        "split",
    ),
    bug(
        "labels are not mixed with their clips",
        TRAINING,
        "self._labels[partners], shares",
        "self._labels[clips], shares",
        "mixup",
        "batch",
    ),
    bug(
        "the noise is the same at every step",
        TRAINING,
        "draws.keys(self._seeds, now.step,",
        "draws.keys(self._seeds, 0 * now.step,",
        "batch",
    ),
    bug(
        "the backbone's features are another's",
        "features.py",
        '    path = cache / f"{backbone}.json"\n    if not path.exists():',
        '    path = sorted(cache.glob("*_*.json"))[0]\n    if not path.exists():',
        "features",
        "split",
    ),
    bug(
        "a clip lies in two parts under two names",
        "splits.py",
        'f"{key}\\n{contents[name]}"',
        'f"{key}\\n{name}"',
        "split",
    ),
    bug(
        "features are standardised by the clips that are judged too",
        "datasets.py",
        "for name in split.train if name in place",
        "for name in split.train + split.test if name in place",
        "split",
    ),
    bug(
        "every epoch draws in the same order",
        "plans.py",
        "epoch_order(order, labels,",
        "epoch_order(_generator(lane.seed, ORDER_STREAM), labels,",
        "batch",
    ),
    bug(
        "dropout does not scale up what it keeps",
        "network.py",
        "self._factor = 1 / (1 - self._threshold / 65536)",
        "self._factor = torch.ones_like(rates)",
        "dropout",
    ),
)
JUDGING = (
    bug(
        "clips are judged in training mode",
        RECORDS,
        "through = Forward(self._network.blueprint.views(flat), progress, self._poolings)",
        "from kernels.network import Dropout\n"
        "        lanes, some = len(flat), torch.tensor(0)\n"
        "        drop = Dropout(torch.arange(lanes), torch.full((lanes,), 0.3), some, 0)\n"
        "        through = Forward(self._network.blueprint.views(flat), progress, self._poolings, dropout=drop)",
        "evaluation",
    ),
    bug(
        "clips are ranked by probabilities rounded to float16",
        "precision.py",
        '    order = np.argsort(-scores, kind="stable")',
        '    scores = (1 / (1 + np.exp(-scores))).astype(np.float16)\n    order = np.argsort(-scores, kind="stable")',
        "evaluation",
    ),
    bug(
        "the best epoch is chosen on test",
        RECORDS,
        "            if value > max(record.validations, default=-1.0):",
        "            tried = self._score(self._data.test, flat, progress)[number]\n"
        "            value = precision.average_precision(tried, self._data.test.labels)\n"
        "            if value > max(record.validations, default=-1.0):",
        "evaluation",
    ),
    bug(
        "the last epoch is kept, not the best",
        RECORDS,
        "if value > max(record.validations, default=-1.0):",
        "if True:",
        "evaluation",
    ),
    bug(
        "the last epoch is reported, not the best",
        RECORDS,
        "best = int(np.argmax(record.validations))",
        "best = len(record.validations) - 1",
        "evaluation",
    ),
    bug(
        "test clips are the validation clips",
        RECORDS,
        "tests = self._score(self._data.test,",
        "tests = self._score(self._data.validation,",
        "evaluation",
    ),
    bug(
        "clips are judged at the first step's progress",
        RECORDS,
        "[min(done / end, 1.0) for end in ends]",
        "[0.0 for end in ends]",
        "evaluation",
    ),
    bug(
        "equal scores are ranked by their place in the file",
        "precision.py",
        "np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))",
        "np.arange(len(ranked))",
        "evaluation",
    ),
)
NETWORKS = (
    bug(
        "the last step is found by counting, and reads padding",
        POOLING,
        "(mask * place).argmax(-1)",
        "(mask.sum(-1) - 1)",
        "padding",
    ),
    bug("the mean counts padding", POOLING, "mask.sum(-1, keepdim=True)", "mask.shape[-1]", "padding"),
    bug(
        "the maximum reads padding",
        POOLING,
        "x.masked_fill(~mask[..., None], -torch.inf).amax(2)",
        "x.amax(2)",
        "padding",
    ),
    bug("attention reads padding", POOLING, ".masked_fill(~mask, -torch.inf)\n", "\n", "padding"),
    Mutant(
        "BiMamba reads forwards twice",
        (
            Edit(
                "encoders/bimamba.py",
                "scanned = through.forms.scan(*sides)",
                "scanned = [through.forms.scan(x, x)[0] for x in sides]",
            ),
            Edit("encoders/bimamba.py", 'back = TAPS - 1 if direction == "forward" else 0', "back = TAPS - 1"),
        ),
        ("bimamba",),
    ),
    bug(
        "BiMamba drops its backward half",
        "encoders/bimamba.py",
        "torch.cat(gated, -1)",
        "torch.cat([gated[0], 0 * gated[1]], -1)",
        "bimamba",
    ),
    bug(
        "retention looks ahead",
        "operations/retention.py",
        "* apart).masked_fill(apart < 0, 0.0)",
        "* apart.abs())",
        "retnet",
    ),
    bug(
        "one encoder is another",
        "encoders/__init__.py",
        '"hybrid": "kernels.encoders.hybrid:Hybrid"',
        '"hybrid": "kernels.encoders.retnet:RetNet"',
        "encoder",
        "hybrid",
    ),
    bug(
        "padding stands behind a clip's places",
        "network.py",
        '["stem.place"][:, None, -x.shape[2] :]',
        '["stem.place"][:, None, : x.shape[2]]',
        "padding",
        "forward",
    ),
    bug(
        "an encoder's dropout is forgotten",
        "encoders/bimamba.py",
        "through.dropout(torch.cat(gated, -1))",
        "torch.cat(gated, -1)",
        "dropout",
    ),
)
PLANTED = PAPERS + IGNORED + STEPS + BATCHES + JUDGING + NETWORKS
