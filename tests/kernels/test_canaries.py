"""Canaries hold on a healthy instrument, report numbers, and each of their guards is tripped once."""

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kernels import precision, training
from kernels.canaries import dimensions, keeping, laws, learning, made, oracles, partition, sameness, suite, tracing
from kernels.canaries.canary import Canary, at_most
from kernels.canaries.suite import SIZE, Own
from kernels.canaries.tracing import Subject
from kernels.encoders import ENCODERS
from kernels.errors import BadTask
from kernels.wiring import KEYS, stages
from tests.kernels.conftest import World
from tests.kernels.packs import configured


def test_every_dimension_says_which_stage_it_acts_on() -> None:
    assert set(KEYS) <= set(stages())
    assert all(acts and set(acts) <= set(dimensions.FEEDS) for acts in stages().values())
    assert set(stages()) == set(dimensions.VALUES)


def test_a_watched_run_ends_with_the_same_bits_as_one_that_nobody_watches() -> None:
    data = made.mechanical(1)
    subject = Subject(dimensions.base(1), 1, SIZE)
    seen = tracing.trace(subject, data, device="cpu")
    pack = tracing.wire([tracing.Run("canary", subject.configuration, 1)], capacity=1)
    *_, outcome = training.train(pack, data, device="cpu", width=SIZE.width, layers=SIZE.layers, heads=SIZE.heads)
    assert getattr(outcome, "digest", None) == getattr(seen.outcome, "digest", "")


def test_laws_and_scores_of_a_healthy_instrument_hold_on_several_seeds() -> None:
    for seed in range(3):
        found = [*laws.canaries(seed, dimensions.base(seed), size=SIZE)]
        found += sameness.canaries(seed, made.mechanical(seed).train.values, size=SIZE, device="cpu")
        assert [canary.problem for canary in found if canary.problem] == []


def test_the_exact_chance_of_a_ranking_counts_every_way_to_label_it() -> None:
    labels = np.array([True, False, True, False, False])
    scores = np.array([5.0, 4.0, 4.0, 2.0, 1.0], np.float32)
    own = precision.average_precision(scores, labels)
    ways = set(permutations(labels.tolist()))
    values = [precision.average_precision(scores, np.array(way)) for way in ways]
    assert learning.chance(scores, labels) == pytest.approx(sum(value >= own - 1e-12 for value in values) / len(values))


def test_a_perfect_ranking_of_twenty_clips_is_one_in_184756() -> None:
    labels = np.arange(20) < 10
    assert learning.chance(-np.arange(20, dtype=np.float32), labels) == pytest.approx(1 / 184756)


def test_a_made_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = list(partition.made_canaries(made.world(tmp_path, 3)))
    assert [canary.problem for canary in found if canary.problem] == []
    assert all(canary.seen is not None for canary in found)


def test_a_clip_in_two_parts_under_two_names_is_found(tmp_path: Path) -> None:
    world = made.world(tmp_path, 3)
    split = json.loads((tmp_path / "split.json").read_text())
    twin = next(name for name in split["train"] if name.startswith("twin"))
    split["train"].remove(twin)
    split["test"] = sorted([*split["test"], twin])
    (tmp_path / "split.json").write_text(json.dumps(split))
    task = json.loads((tmp_path / "task.json").read_text())
    found = list(partition._disjoint({clip["name"]: clip for clip in task["clips"]}, split))
    wrong = {canary.subject: canary.seen for canary in found if canary.problem}
    assert wrong == {"content": 1.0}
    assert world.positive[twin] in (True, False)


def test_another_split_than_the_campaigns_is_found(tmp_path: Path) -> None:
    world = made.world(tmp_path, 3)
    found = partition.canaries(world.folder, world.cache, made.BACKBONES, split="0" * 64)
    assert "the campaign's 000000" in str(next(canary.problem for canary in found if canary.subject == "campaign"))


def test_a_run_whose_configuration_is_told_otherwise_is_a_misfit_of_the_stage() -> None:
    data = made.mechanical(2)
    subject = Subject(dimensions.base(2), 2, SIZE)
    seen = tracing.trace(subject, data, device="cpu")
    assert all(misfit.error <= 1e-6 for misfit in oracles.misfits(seen, data, allowed=1e-6))
    changes: dict[str, Any] = {"length": 7, "oversampling": 9.0, "dropout": 0.77, "weight_decay": 3.0}
    stage_of = {"length": "batch", "oversampling": "batch", "dropout": "forward", "weight_decay": "update"}
    for name, value in changes.items():
        told = replace(seen, subject=replace(subject, configuration={**subject.configuration, name: value}))
        wrong = [misfit for misfit in oracles.misfits(told, data, allowed=1e-6) if not misfit.error <= 1e-6]
        assert wrong[0].stage == stage_of[name], name


def test_a_number_that_is_none_never_holds() -> None:
    assert at_most("law", "noise", float("nan"), 1.0, "no number").problem is not None
    assert at_most("law", "noise", 1.0, 1.0, "too much").problem is None


def test_what_a_canary_raises_is_what_it_found(tmp_path: Path) -> None:
    own = Own(tmp_path, tmp_path, ("canary_one",), SIZE)
    (told,) = suite._kept("split", "the task", lambda: suite.of_task(own, 1, "cpu"))
    assert told.problem is not None
    assert "FileNotFoundError" in told.problem
    assert suite.problem([told]) == f"canary split, the task: {told.problem}"
    assert suite.problem([replace(told, problem=None)]) is None


def test_a_campaigns_own_clips_are_looked_at(world: World) -> None:
    own = Own(world.folder, world.cache, ("motion", "appearance"), SIZE)
    found = list(suite.of_task(own, 1, "cpu"))
    assert suite.problem(found) is None
    assert {canary.subject.partition(",")[0] for canary in found if canary.name == "sameness"} == set(ENCODERS)


def test_only_a_healthy_verdict_is_kept_and_none_is_recalled_of_another_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    held, asked = (Canary("law", "noise", 1.0, 6.0),), []

    def canaries(device: str, *, seed: int = 1) -> tuple[Canary, ...]:
        asked.append(device)
        return held

    monkeypatch.setattr(suite, "canaries", canaries)
    monkeypatch.setattr(suite, "of_task", lambda own, seed, device: iter(()))
    own = Own(tmp_path, tmp_path, (), SIZE)
    assert suite.verdict("cpu", own) == suite.verdict("cpu", own) == held
    assert asked == ["cpu"]
    monkeypatch.setattr(keeping.instrument, "source", lambda: {"source/losses.py": "another"})
    held = (Canary("law", "noise", 9.0, 6.0, "too far"),)
    assert suite.verdict("cpu", own) == suite.verdict("cpu", own) == held
    assert len(asked) == 3
    assert len(list((tmp_path / "myriad").iterdir())) == 1


def test_a_campaign_is_looked_at_by_name_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine" / "clips").mkdir(parents=True)
    (tmp_path / "mine" / "features").mkdir()
    (tmp_path / "mine" / "features" / "motion.json").write_text("{}")
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    assert suite.campaign("mine") == suite.campaign(str(tmp_path / "mine"))
    assert suite.campaign("mine").backbones == ["motion"]
    with pytest.raises(BadTask, match="holds no clips and features"):
        suite.campaign("yours")


def test_another_number_of_epochs_changes_no_batch_that_both_have() -> None:
    short, long = (
        tracing.trace(Subject(configured(mixup=0.4, noise=0.1, epochs=epochs), 5, SIZE), small(), device="cpu")
        for epochs in (1, 2)
    )
    for step, made_there in enumerate(short.made["batch"]):
        for name, value in made_there.items():
            assert torch.equal(value, long.made["batch"][step][name]), (step, name)


def small() -> Any:
    return replace(made.mechanical(1), backbone="motion")
