"""The TPE policy: Optuna's tree-structured Parzen estimator over configurations, told of everybody's results."""

from __future__ import annotations

from typing import cast

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from actors.orders import History, Suggestion, Trial
from events.space import Choice, Configuration, Dimension, Space, is_active

STARTUP = 8
"""Results before which TPE draws at random; Optuna's default of 10 is a fifth of a small campaign."""


class Tpe:
    """Rebuilds its study from the history each time, so that the same history and key give the same suggestions."""

    name = "tpe"

    def propose(self, history: History, key: int, count: int) -> tuple[Suggestion, ...]:
        """Return `count` suggestions; open trials count as running, so that a batch does not repeat itself."""
        study = _study(history, key)
        return tuple(self._ask(study, history.space) for _ in range(count))

    def _ask(self, study: optuna.Study, space: Space) -> Suggestion:
        trial = study.ask()
        configuration: Configuration = {}
        for choice in space.choices:
            configuration[choice.name] = cast("str | int", trial.suggest_categorical(choice.name, choice.values))
        for d in space.intervals:
            if is_active(d, configuration):
                configuration[d.name] = trial.suggest_float(d.name, d.low, d.high, log=d.scale == "log")
        known = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        return Suggestion(configuration=space.normal(configuration), rationale=f"TPE over {known} results")


def _study(history: History, key: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=key % 2**32, constant_liar=True, n_startup_trials=STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials([_frozen(history.space, trial) for trial in (*history.ended, *history.open)])
    return study


def _frozen(space: Space, trial: Trial) -> FrozenTrial:
    active = space.active(trial.configuration)
    if trial.validation is not None:
        state = TrialState.COMPLETE
    else:
        state = TrialState.FAIL if trial.failed else TrialState.RUNNING
    return create_trial(
        state=state,
        value=trial.validation,
        params={dimension.name: trial.configuration[dimension.name] for dimension in active},
        distributions={dimension.name: _distribution(dimension) for dimension in active},
    )


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.scale == "log")
