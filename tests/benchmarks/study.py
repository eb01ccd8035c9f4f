"""A real trained study: uniform and TPE campaigns on both camera fleets, and one configuration under twenty seeds.

    just study [--experiments 172] [--repeats 20] [--clips 1500]      # more than an hour on two idle cores

Whatever ends it, the same command goes on where it stood: a campaign resumes from its log, one whose archive lies under
--to is not run again, and each repeat is on the disk before the next is waited for. What it leaves (campaign files,
archives, repeats) is the evidence that the report is made from, by `study_report`, and by nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from actors.running import opening
from actors.running.sessions import session
from events import campaigns
from events.archives import archive
from events.folder import Campaign as Folder
from events.space import Configuration
from kernels import datasets, training
from kernels.outcomes import Completed
from kernels.wiring import Run, wire
from replay import folds
from replay.ledger import LedgerFold
from tests.benchmarks import study_report

FILE = """\
# One of the campaigns of the study; tests/benchmarks/study.py writes and runs it.
name = "{name}"
seed = {seed}

[task]
kind = "roadsim"
clips = {clips}
seed = 7
fleet = "{fleet}"

[space]
{space}
[network]
width = 64
layers = 2
heads = 4

[budget]
experiments = {experiments}
timeout = 900

[workers]
silence = 60

[analysis]
every = 20

[[agent]]
name = "{policy}"
policy = "{policy}"
ideas = 4
sweep = 0
"""


@dataclass(frozen=True)
class Plan:
    """What is run, where campaigns live (`home`) and where the evidence is kept (`to`)."""

    home: Path
    to: Path
    experiments: int = 172
    repeats: int = 20
    clips: int = 1500
    fleets: tuple[str, ...] = ("a", "b")
    policies: tuple[str, ...] = ("uniform", "tpe")
    space: str = ""

    @property
    def campaigns(self) -> list[tuple[str, str]]:
        """Fleet and policy of each campaign, in the order in which they are run."""
        return [(fleet, policy) for fleet in self.fleets for policy in self.policies]


def main() -> None:
    """Run what is not there yet, then write the report."""
    parser = argparse.ArgumentParser(prog="just study", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("campaigns"))
    parser.add_argument("--to", type=Path, default=Path("docs/study"))
    for name, many in (("experiments", 172), ("repeats", 20), ("clips", 1500)):
        parser.add_argument(f"--{name}", type=int, default=many)
    told = parser.parse_args()
    plan = Plan(told.home, told.to, told.experiments, told.repeats, told.clips)
    if not study(plan):
        sys.exit("stopped; the same command goes on where it was")


def study(plan: Plan) -> bool:
    """Run what is not there yet and write the report; False when a person stopped it on the way."""
    plan.to.mkdir(parents=True, exist_ok=True)
    for fleet, policy in plan.campaigns:
        if not searched(plan, fleet, policy):
            return False
    for line in repeated(plan):
        print(line, flush=True)
    page = plan.to.with_suffix(".md")
    page.write_text(study_report.page(plan.to))
    print(f"{page}: written from {plan.to}")
    return True


def searched(plan: Plan, fleet: str, policy: str) -> bool:
    """Run one campaign to its end and keep its archive, unless that is done; False when it was stopped."""
    name = f"study-{fleet}-{policy}"
    kept, file, folder = plan.to / f"{name}.myriad", plan.to / f"{name}.toml", Folder(plan.home / name)
    if kept.exists():
        print(f"{name}: done before, {kept}", flush=True)
        return True
    told = {"experiments": plan.experiments, "clips": plan.clips, "space": plan.space, "seed": 1}
    file.write_text(FILE.format(name=name, fleet=fleet, policy=policy, **told))
    first = Folder(plan.home / f"study-{fleet}-{plan.policies[0]}")
    if first.path != folder.path:
        opening.reuse(first, folder)
    session(file, plan.home, headless=True)
    log = campaigns.open(folder.path)
    try:
        (ledger,) = folds.run(log, LedgerFold())
        if ledger.closed is None:
            return False
        partial_path = kept.with_suffix(".part")
        partial_path.unlink(missing_ok=True)
        archive.export(log, partial_path, campaigns.blobs(log))
    finally:
        log.close()
    partial_path.rename(kept)
    return True


def repeated(plan: Plan) -> Iterator[str]:
    """Train the first fleet's best configuration under other seeds, those that are missing; say each as it ends."""
    name, configuration = champion(plan)
    path = plan.to / "repeats.jsonl"
    # A line torn by a kill is dropped, and so are repeats of another configuration.
    held = [row for row in study_report.repeats(path) if row["configuration"] == configuration]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in held))
    missing = sorted({*range(1, plan.repeats + 1)} - {row["seed"] for row in held})
    folder = Folder(plan.home / f"study-{plan.fleets[0]}-{plan.policies[0]}")
    train = partial(_train, opening.task_folder(folder), folder.features, configuration)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool, path.open("a") as out:
        for ended in as_completed([pool.submit(train, seed) for seed in missing]):
            row = {"experiment": name, "configuration": configuration} | ended.result()
            out.write(f"{json.dumps(row)}\n")
            out.flush()
            os.fsync(out.fileno())
            yield f"seed {row['seed']}: validation {row['validation']:.4f}, test {row['test']:.4f}"


def champion(plan: Plan) -> tuple[str, Configuration]:
    """The best run by validation of the first fleet's campaigns: its name and its configuration."""
    done = []
    for policy in plan.policies:
        name = f"study-{plan.fleets[0]}-{policy}"
        done += [(run, f"{name} {run.experiment}") for run in study_report.searched(plan.to / f"{name}.myriad").done]
    best, name = max(done, key=lambda pair: pair[0].validation)
    return name, best.configuration


def _train(clips: Path, cache: Path, configuration: Configuration, seed: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    data = datasets.load(clips, cache, str(configuration["backbone"]))
    pack = wire([Run(f"seed-{seed}", configuration, seed)], capacity=1)
    for end in training.train(pack, data, device="cpu", width=64, layers=2, heads=4):
        if isinstance(end, Completed):
            return {
                "seed": seed,
                "validation": end.validation,
                "test": end.test,
                "noise": end.noise,
                "seconds": end.seconds,
            }
    raise RuntimeError(f"the champion's configuration diverged under seed {seed}")


if __name__ == "__main__":
    main()
