"""A script that Myriad runs as an experiment: three small classifiers of Fisher's irises (1936), in numpy alone.

It reads its configuration from the file that MYRIAD_CONFIGURATION names and answers with JSON lines. It knows nothing
of Myriad; any language that can read a file and print could stand here.
"""

import csv
import json
import os
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np

TOLD = json.loads(Path(os.environ["MYRIAD_CONFIGURATION"]).read_text())
CONFIGURATION, SEED = TOLD["configuration"], TOLD["seed"]
SPECIES = ["setosa", "versicolor", "virginica"]


def flowers():
    """Measurements (standardised by the training part) and species of three parts, by a hash of each row."""
    with (Path(__file__).parent / "iris.csv").open() as rows:
        table = list(csv.reader(rows))[1:]
    places = [int(sha256(",".join(row).encode()).hexdigest(), 16) % 10 for row in table]
    x = np.array([[float(value) for value in row[:4]] for row in table])[:, : CONFIGURATION["measurements"]]
    y = np.array([SPECIES.index(row[4]) for row in table])
    parts = [np.array([low <= place < high for place in places]) for low, high in ((0, 5), (5, 8), (8, 10))]
    mean, spread = x[parts[0]].mean(0), x[parts[0]].std(0)
    return [((x[part] - mean) / spread, y[part]) for part in parts]


def neighbours(train, validation, test):
    """The most frequent species among the nearest flowers."""
    x, y = train

    def score(part):
        order = np.argsort(((part[0][:, None] - x) ** 2).sum(-1), 1)[:, : round(CONFIGURATION["neighbours"])]
        return float(
            np.mean([np.bincount(y[row]).argmax() == label for row, label in zip(order, part[1], strict=True)])
        )

    return score(validation), score(test)


def network(train, validation, test, hidden):
    """Softmax regression, or a network with one hidden layer, by gradient descent."""
    rng = np.random.default_rng(SEED)
    wide = [CONFIGURATION["measurements"], *([hidden] if hidden else []), len(SPECIES)]
    weights = [rng.normal(0, a**-0.5, (a, b)) for a, b in pairwise(wide)]
    biases = [np.zeros(b) for b in wide[1:]]
    x, target = train[0], np.eye(len(SPECIES))[train[1]]
    best = (0.0, 0.0)

    def forward(x):
        between = np.tanh(x @ weights[0] + biases[0]) if hidden else x
        said = between @ weights[-1] + biases[-1]
        said = np.exp(said - said.max(1, keepdims=True))
        return between, said / said.sum(1, keepdims=True)

    def score(part):
        return float((forward(part[0])[1].argmax(1) == part[1]).mean())

    for epoch in range(1, CONFIGURATION["epochs"] + 1):
        for _ in range(5):
            between, said = forward(x)
            error = (said - target) / len(x)
            if hidden:
                inner = (error @ weights[-1].T) * (1 - between**2)
                weights[0] -= CONFIGURATION["learning_rate"] * (x.T @ inner)
                biases[0] -= CONFIGURATION["learning_rate"] * inner.sum(0)
            weights[-1] -= CONFIGURATION["learning_rate"] * (between.T @ error + CONFIGURATION["ridge"] * weights[-1])
            biases[-1] -= CONFIGURATION["learning_rate"] * error.sum(0)
        loss = float(-(target * np.log(forward(x)[1] + 1e-12)).sum(1).mean())
        print(json.dumps({"epoch": epoch, "loss": loss, "validation": score(validation)}), flush=True)
        best = max(best, (score(validation), score(test)), key=lambda pair: pair[0])
    np.savez(os.environ["MYRIAD_CHECKPOINT"] + ".npz", *weights, *biases)
    Path(os.environ["MYRIAD_CHECKPOINT"] + ".npz").rename(os.environ["MYRIAD_CHECKPOINT"])
    return best


def main():
    """Trains what the configuration asks for and says how it did."""
    parts = flowers()
    if CONFIGURATION["model"] == "neighbours":
        validation, test = neighbours(*parts)
    else:
        validation, test = network(*parts, hidden=16 if CONFIGURATION["model"] == "hidden" else 0)
    many = len(parts[1][1])
    print(json.dumps({"validation": validation, "test": test, "noise": (validation * (1 - validation) / many) ** 0.5}))


main()
