"""The policies: one contract for all of them, and what each adds to it."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random

import msgspec
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orders import History, Suggestion, Trial
from actors.policies import POLICIES, load
from actors.policies.sweep import BASES, expand
from actors.policies.tpe import STARTUP, Tpe
from actors.policies.uniform import draw
from events.space import Space
from tests.chronicle import SPACE


def told(count: int, *, seed: int = 3, space: Space = SPACE, open_trials: int = 2) -> History:
    """A history of so many results, a failure and some open trials, by two agents."""
    random = Random(seed)
    trials = [Trial(f"i-{n}", "ab"[n % 2], draw(space, random), random.random()) for n in range(count)]
    failed = (Trial("i-f", "a", draw(space, random), None, failed=True),) if count else ()
    waiting = tuple(Trial(f"i-o{n}", "b", draw(space, random), None) for n in range(open_trials))
    return History(space, (*trials, *failed), waiting)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("count", [0, STARTUP - 1, 40])
def test_everything_proposed_is_a_point_of_the_space_in_its_canonical_form(name: str, count: int) -> None:
    history = told(count)
    ideas = load(name).propose(history, key=11, count=5)
    assert len(ideas) == 5
    for idea in ideas:
        assert SPACE.problems(idea.configuration) == ()
        assert idea.configuration == SPACE.normal(idea.configuration)
        assert idea.rationale


@pytest.mark.parametrize("name", POLICIES)
def test_everything_proposed_is_inside_a_narrowed_space(name: str) -> None:
    space = SPACE.narrowed({"pooling": ["max"], "learning_rate": [1e-3, 2e-3], "loss": ["bce"]})
    for idea in load(name).propose(told(20, space=space), key=5, count=8):
        assert space.problems(idea.configuration) == ()
        assert idea.configuration["pooling"] == "max"
        assert "smoothing" not in idea.configuration


@pytest.mark.parametrize("name", POLICIES)
def test_another_key_gives_other_ideas(name: str) -> None:
    history, policy = told(20), load(name)
    assert policy.propose(history, 1, 3) != policy.propose(history, 2, 3)


IN_A_PROCESS = """
import json, sys, msgspec
from actors.orders import History
from actors.policies import load
from actors.policies.sweep import expand
history = msgspec.json.decode(sys.stdin.buffer.read(), type=History)
name = sys.argv[1]
ideas = expand(history, 11, 6) if name == "sweep" else load(name).propose(history, 11, 4)
print(json.dumps([hash("a word"), msgspec.to_builtins(ideas)]))
"""


@pytest.mark.parametrize("name", [*POLICIES, "sweep"])
def test_the_same_history_and_key_give_the_same_ideas_in_processes_of_other_hash_seeds(name: str) -> None:
    history = msgspec.json.encode(told(30))
    answers = [
        subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS, name],
            input=history,
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        ).stdout
        for seed in ("1", "2")
    ]
    (one_hash, one), (other_hash, other) = map(json.loads, answers)
    assert one_hash != other_hash, "the two processes hash alike, so this shows nothing"
    assert one == other


def test_tpe_is_told_of_everybodys_results_failures_and_open_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    studies: list[optuna.Study] = []
    make = optuna.create_study

    def keeping(**arguments: object) -> optuna.Study:
        studies.append(make(**arguments))  # type: ignore[arg-type] # passed on as they came
        return studies[-1]

    monkeypatch.setattr(optuna, "create_study", keeping)
    history = told(12)
    Tpe().propose(history, key=1, count=1)
    states = [trial.state.name for trial in studies[0].get_trials(deepcopy=False)]
    assert states == ["COMPLETE"] * 12 + ["FAIL", "RUNNING", "RUNNING", "RUNNING"]
    values = [trial.value for trial in studies[0].get_trials(deepcopy=False)[:12]]
    assert values == [trial.validation for trial in history.ended[:12]]


def test_tpe_learns_where_the_good_results_are() -> None:
    random = Random(0)
    ended = []
    for number in range(60):
        configuration = draw(SPACE, random)
        ended.append(Trial(f"i-{number}", "a", configuration, 0.9 if configuration["pooling"] == "max" else 0.1))
    ideas = [idea for key in range(8) for idea in Tpe().propose(History(SPACE, tuple(ended), ()), key=key, count=2)]
    assert sum(idea.configuration["pooling"] == "max" for idea in ideas) > len(ideas) / 2


def test_uniform_ignores_what_was_measured() -> None:
    assert load("uniform").propose(told(0), 4, 3) == load("uniform").propose(told(50), 4, 3)


def test_a_sweep_has_nothing_to_expand_before_the_first_result() -> None:
    assert expand(told(0), 1, 10) == ()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), key=st.integers(0, 1000), count=st.integers(1, 12))
def test_a_variant_is_new_and_one_continuous_dimension_away_from_one_of_the_best(
    seed: int, key: int, count: int
) -> None:
    history = told(10, seed=seed)
    variants = expand(history, key, count)
    assert len(variants) <= count
    scored = sorted((t for t in history.ended if t.validation is not None), key=lambda t: -(t.validation or 0))
    best = {trial.idea: trial.configuration for trial in scored[:BASES]}
    known = {identity(t.configuration) for t in (*history.ended, *history.open)}
    assert len({identity(v.configuration) for v in variants}) == len(variants)
    for variant in variants:
        assert identity(variant.configuration) not in known
        assert SPACE.problems(variant.configuration) == ()
        assert differing(variant, best[variant.parents[0]]) == 1
        assert variant.origin == "sweep"


def identity(configuration: dict[str, str | int | float]) -> tuple[object, object]:
    return SPACE.cell(configuration), SPACE.bins(configuration)


def differing(variant: Suggestion, base: dict[str, str | int | float]) -> int:
    assert variant.configuration.keys() == base.keys()
    return sum(value != base[name] for name, value in variant.configuration.items())
