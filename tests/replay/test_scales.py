"""Validation and test never mix: a law over the sources of whoever selects, and a guard over what it answers."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from events.log import LogReader
from replay.briefing import Terms, briefing
from replay.controls import ControlsFold
from replay.errors import ReplayError
from replay.failing import FailingFold
from replay.folds import run
from replay.leaderboard import leaderboard
from replay.ledger import LedgerFold
from replay.measures import MEASURES, Measurement
from replay.metrics import METRICS, metric
from replay.moments.moment import moment
from replay.queueing import queueing
from replay.report import report
from replay.scales import SelectedOnTest, selects_by_validation, turned_round
from replay.taint import taint
from replay.trajectory import trajectory
from tests.replay import tales
from tests.replay.shifting import Shifting
from tests.test_architecture import HOUSE, sources

ORDERS = {"sorted", "min", "max", "nsmallest", "nlargest", "insort", "bisect", "argmax", "argmin", "argsort", "sort"}
"""What puts things in an order, or takes the first of one."""

CHECKED = {"replay/laws/runs.py"}
"""Where a test score is compared with 0 and 1, and with nothing else."""


def _reads_test(node: ast.AST) -> bool:
    inner = ast.walk(node)
    return any(isinstance(one, ast.Attribute) and one.attr in ("test", "test_ap") for one in inner)


def selects_on_test(root: Path) -> list[str]:
    """Name every place of replay/ and actors/ where a test score is compared, is a key, or goes into an order."""
    broken = []
    for name, tree in sources(root):
        if not name.startswith(("replay/", "actors/")) or name in CHECKED:
            continue
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            ordering = isinstance(node, ast.Call) and word in ORDERS
            comparing = isinstance(node, ast.Compare) and not _asks_whether_it_is_there(node)
            if (ordering or comparing or isinstance(node, ast.Lambda)) and _reads_test(node):
                broken.append(f"{name}:{node.lineno}")
    return broken


def _asks_whether_it_is_there(node: ast.Compare) -> bool:
    return all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)


def test_no_source_of_the_house_puts_test_scores_into_an_order() -> None:
    assert selects_on_test(HOUSE) == []


@pytest.mark.parametrize(
    "planted",
    [
        "def f(rows):\n    return max(rows, key=lambda row: row.outcome.test)\n",
        "def f(rows):\n    return sorted(row.test for row in rows)\n",
        "def f(one, other):\n    return one.test > other.test\n",
        "import heapq\n\ndef f(rows):\n    return heapq.nlargest(3, [row.test for row in rows])\n",
    ],
)
def test_a_planted_fold_that_selects_on_test_breaks_the_law(tmp_path: Path, planted: str) -> None:
    (tmp_path / "replay").mkdir()
    (tmp_path / "replay" / "x.py").write_text(planted)
    assert selects_on_test(tmp_path)


def _briefing(log: LogReader) -> str:
    search, _, repairs, failing = run(log, *MEASURES, FailingFold())
    return briefing(search.ledger, repairs, failing, Terms()).text


def _values(log: LogReader) -> Any:
    measurement = Measurement()
    measurement.advance(log.read())
    return measurement.values(), [metric(measurement, name) for name in METRICS if name != "agents"]


ASKED = {
    "the leaderboard": lambda log: leaderboard(run(log, LedgerFold())[0]),
    "every exact measure": _values,
    "a briefing": _briefing,
    "the controls": lambda log: run(log, ControlsFold()),
    "the leaders of a report": lambda log: report(log).leaders,
    "a moment's leaders": lambda log: moment(log, str(log.last())).leaders,
    "the queue": lambda log: queueing(log, None),
    "taint and what to make again": taint,
    "a trajectory": trajectory,
}


@pytest.mark.parametrize("question", ASKED)
def test_nothing_that_selects_changes_its_answer_when_test_scores_are_turned_round(question: str) -> None:
    c = tales.busy(30)
    assert selects_by_validation(ASKED[question], c.log, name=question) is not None


def test_a_fold_that_selects_on_test_is_refused() -> None:
    def champion(log: LogReader) -> str:
        ledger = run(log, LedgerFold())[0]
        return max(ledger.completed, key=lambda name: ledger.experiments[name].outcome.test)  # type: ignore[union-attr]

    c = Shifting()
    for score in (0.9, 0.5, 0.7):
        c.done(score)
    with pytest.raises(SelectedOnTest, match="champion selects on test scores") as refused:
        selects_by_validation(champion, c.log)
    assert isinstance(refused.value, ReplayError)


def test_a_view_with_test_scores_turned_round_is_the_same_log_in_everything_else() -> None:
    c = tales.busy(10)
    turned = [*turned_round(c.log).read()]
    assert [one.id for one in turned] == [one.id for one in c.log.read()]
    ledger, other = (run(log, LedgerFold())[0] for log in (c.log, turned_round(c.log)))
    for name in ledger.completed:
        mine, theirs = ledger.experiments[name].outcome, other.experiments[name].outcome
        assert mine.test == pytest.approx(1 - theirs.test)
        assert (mine.validation, mine.curves) == (theirs.validation, theirs.curves)
