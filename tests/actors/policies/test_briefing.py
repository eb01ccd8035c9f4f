"""What an agent is told: each section from the ledger, each one to be switched off, and nothing that a model wrote."""

from __future__ import annotations

from typing import Any

import pytest

from actors.asking.desk import based
from events.envelope import Text
from events.facts import Failed
from replay.briefing import SECTIONS, Briefing, Section, Terms, briefing
from replay.failing import FailingFold
from replay.folds import Pass
from replay.ledger import LedgerFold
from replay.repairs import RepairsFold
from tests.chronicle import SPACE, Chronicle


def told(c: Chronicle, **terms: Any) -> Briefing:
    folds: Pass[Any] = Pass(LedgerFold(), RepairsFold(), FailingFold())
    folds.advance(c.log.read())
    return briefing(*folds.results(), Terms(base=based({}, c.space), **terms))


def section(c: Chronicle, title: str, **terms: Any) -> list[str]:
    """The lines below a title, up to the next."""
    blocks = told(c, **terms).text.split("\n\n")
    (block,) = [block for block in blocks if block.startswith(f"## {title}")]
    return block.splitlines()[1:]


def ran(c: Chronicle, validation: float, *, parents: tuple[str, ...] = (), agent: str = "a", **changes: Any) -> str:
    (idea,) = c.cycle(agent, changes, parents=parents)
    experiment = c.queues(idea)
    c.runs(experiment, validation=validation)
    return idea


def failed(c: Chronicle, trace: str, **changes: Any) -> str:
    experiment = c.queues(c.proposes("a", **changes))
    c.assigns(experiment)
    c.starts(experiment)
    lease = c._leases[experiment]
    fact = Failed(experiment=experiment, attempt=1, kind="crashed", step=7, trace=Text(head=trace), gpu_seconds=1.0)
    c.says(lease.worker, "pack", lease.pack, fact, cause=experiment)
    return experiment


def test_before_the_first_result_every_section_says_so(tale: Chronicle) -> None:
    text = told(tale).text
    for sentence in ("No experiment is completed yet.", "There are none yet.", "nothing leads"):
        assert sentence in text
    assert told(tale).leading == {}


def test_the_leaderboard_is_the_twenty_best_with_their_values(tale: Chronicle) -> None:
    ideas = [ran(tale, 0.5 + n / 100, dropout=n / 50) for n in range(23)]
    rows = section(tale, "Leaderboard (top 20 of 23)")[2:]
    assert len(rows) == 20
    assert rows[0].startswith(f"| 1 | 0.7200 | 0.0300 | {ideas[-1]} | appearance | zipformer | pooling attention, ")
    assert "dropout 0.44, " in rows[0]
    assert rows[-1].startswith(f"| 20 | 0.5300 | 0.0300 | {ideas[3]} |")


def test_the_distribution_counts_the_latest_experiments_whatever_became_of_them(tale: Chronicle) -> None:
    for _ in range(10):
        ran(tale, 0.9, backbone="motion")
    for n in range(50):
        tale.queues(tale.proposes("a", encoder="retnet" if n < 20 else "bimamba"))
    lines = section(tale, "Distribution of the last 50 experiments")
    assert "- backbone: appearance 50, motion 0" in lines
    assert "- encoder: zipformer 0, retnet 20, bimamba 30, hybrid 0, xlstm 0" in lines


def test_failures_are_the_last_ten_in_one_plain_line_each(tale: Chronicle) -> None:
    for n in range(11):
        failed(tale, f"Traceback\n  File x\nValueError: no {n} \x1b[31m\u202e\n\n")
    lines = section(tale, "Last 10 failed runs")
    assert len(lines) == 10
    assert lines[-1].endswith(": crashed at step 7: ValueError: no 10 [31m")
    assert not any("no 0 " in line for line in lines)


def test_a_failure_says_what_the_fixer_found(tale: Chronicle) -> None:
    experiment = failed(tale, "boom")
    tale.repairs(experiment)
    (line,) = section(tale, "Last 1 failed runs")
    assert line.endswith("crashed at step 7: boom; it diverged")


def test_a_failure_under_no_lease_is_not_told(tale: Chronicle) -> None:
    experiment = failed(tale, "boom")
    zombie = Failed(experiment=experiment, attempt=9, kind="crashed", step=1, trace=Text(head="boo"), gpu_seconds=1.0)
    tale.says("worker-cpu9-z", "pack", "p-1", zombie)
    assert len(section(tale, "Last 1 failed runs")) == 1


def test_nothing_is_banned_yet(tale: Chronicle) -> None:
    assert section(tale, "Banned configurations") == ["None."]


def test_the_genealogy_tells_parents_changes_and_gains_of_the_leaders(tale: Chronicle) -> None:
    first = ran(tale, 0.5)
    second = ran(tale, 0.52, parents=(first,), dropout=0.3)
    third = ran(tale, 0.9, parents=(second,), loss="bce", dropout=0.3)
    lines = section(tale, "Where the leaders come from")
    assert lines[0] == (
        f"- rank 1: {third} from {second}: loss focal -> bce, focal_gamma 2.75 -> none, focal_alpha 0.5 -> none; "
        "+0.3800 AP"
    )
    assert lines[1] == f"- rank 1: {second} from {first}: dropout 0.25 -> 0.3; +0.0200 AP (within noise)"


def test_a_line_that_runs_into_itself_is_told_once(tale: Chronicle) -> None:
    ran(tale, 0.5, parents=("i-1",))
    assert section(tale, "Where the leaders come from") == [
        "- rank 1: i-1 from i-1: no change; +0.0000 AP (within noise)"
    ]


def test_the_schema_is_made_from_the_space() -> None:
    c = Chronicle(space=SPACE.narrowed({"pooling": ["max", "mean"], "dropout": [0.1, 0.2]}))
    c.opened()
    lines = section(c, "Configuration schema")
    assert len(lines) == len(c.space.dimensions)
    assert "- pooling: one of mean, max" in lines
    assert "- dropout: a number from 0.1 to 0.2" in lines
    assert "- learning_rate: a number from 1e-05 to 0.01, on a logarithmic scale" in lines
    assert "- smoothing: a number from 0 to 0.2; only where loss is label_smoothing" in lines


def test_the_example_of_an_answer_is_a_point_of_the_space_with_the_bases_values(tale: Chronicle) -> None:
    lines = section(tale, "How to answer")
    assert "  backbone: motion" in lines
    assert "  loss: bce" in lines
    assert not any("focal_gamma" in line for line in lines), "inactive under the base's loss"


def test_the_diversity_budget_leaves_what_most_leaders_use(tale: Chronicle) -> None:
    ran(tale, 0.99, encoder="xlstm")
    for n in range(3):
        ran(tale, 0.5 + n / 10, encoder="retnet", backbone="motion")
    assert told(tale).leading == {"backbone": "motion", "encoder": "retnet"}
    assert section(tale, "Diversity budget") == [
        "- At least 1 idea must use another backbone than motion.",
        "- At least 1 idea must use another encoder than retnet.",
    ]


def test_no_budget_is_asked_where_there_is_no_other_value() -> None:
    c = Chronicle(space=SPACE.narrowed({"backbone": ["motion"]}))
    c.opened()
    ran(c, 0.5)
    assert set(told(c).leading) == {"encoder"}


def test_with_the_section_off_no_budget_is_checked_either(tale: Chronicle) -> None:
    ran(tale, 0.5)
    assert told(tale, sections=("leaderboard",)).leading == {}


@pytest.mark.parametrize("off", SECTIONS)
def test_a_section_that_is_off_goes_and_nothing_else_changes(tale: Chronicle, off: Section) -> None:
    parent = ran(tale, 0.5)
    ran(tale, 0.6, parents=(parent,), dropout=0.3)
    failed(tale, "boom", dropout=0.4)
    whole = told(tale, rules="Be bold.").text.split("\n\n")
    rest = told(tale, rules="Be bold.", sections=tuple(s for s in SECTIONS if s != off)).text.split("\n\n")
    gone = [block for block in whole if block not in rest]
    assert len(gone) == 1
    assert [block for block in whole if block not in gone] == rest


def test_what_the_log_tells_is_in_the_fresh_part_alone(tale: Chronicle) -> None:
    before = told(tale, rules="Be bold.")
    ran(tale, 0.5)
    after = told(tale, rules="Be bold.")
    assert before.stable == after.stable
    assert before.fresh != after.fresh
    assert "Be bold." in after.stable


def test_no_words_of_a_model_reach_a_model(tale: Chronicle) -> None:
    ran(tale, 0.5)
    assert "worth a try" in {idea.rationale for idea in _ledger(tale).ideas.values()}
    assert "worth a try" not in told(tale).text


def _ledger(c: Chronicle) -> Any:
    folds: Pass[Any] = Pass(LedgerFold())
    folds.advance(c.log.read())
    return folds.results()[0]
