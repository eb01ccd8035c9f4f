"""Agents that ask models, whole: what is sent is what is stored, money is an invariant, failures are facts."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.agent import Plan
from actors.judgement.budgets import Budget
from actors.policies.prices import Usage, rounds
from events.archives import archive
from events.blobs import Blobs
from events.facts import AnswerReceived, AnswerRefused, CampaignClosed, CycleStarted, IdeaProposed
from replay.cycles import Cycles, CyclesFold
from replay.folds import run
from tests.actors.policies.asking import PLANTED, PRICE, SMALL, Asking, claude, gemini, idea, invented
from tests.actors.policies.provider import Answer, Asked, Sent, provider, raw, said, status

GOOD = idea(backbone="motion", encoder="retnet") + idea(backbone="appearance") + idea(loss="bce")


def ever_new() -> Answer:
    """A model that never repeats itself."""
    numbers = itertools.count()

    def answer(asked: Asked) -> Sent:
        return invented(next(numbers))(asked)

    return answer


def cycles(company: Asking) -> Cycles:
    (folded,) = run(company.log, CyclesFold())
    return folded


def once(blobs: Blobs, *answers: Answer, **changes: Any) -> tuple[Asking, list[Any], list[Asked]]:
    """One cycle of one agent: the company, the facts of its end, and what was asked."""
    with provider(*answers) as server:
        company = Asking(server, blobs, claude(**changes))
        company.speaks("agent-claude")
        company.speaks("agent-claude")
        company.works("agent-claude")
        return company, list(company.speaks("agent-claude")), server.requests


def test_two_agents_of_two_providers_search_side_by_side_to_the_end(blobs: Blobs) -> None:
    with provider(ever_new()) as server:
        company = Asking(server, blobs, claude(sweep=2), gemini())
        company.play()
        assert {asked.claude for asked in server.requests} == {True, False}
    assert len(company.ledger.completed) == 6
    assert len(company.facts(CampaignClosed)) == 1
    assert {fact.origin for fact in company.facts(IdeaProposed)} >= {"agent", "sweep"}
    for answer in company.facts(AnswerReceived):
        assert (answer.model, answer.tokens_in, answer.tokens_cached, answer.tokens_out) == (
            "model-20261101", 1300, 200, 300,
        )  # fmt: skip
        assert 0 < answer.usd < 0.1


def test_nine_agents_of_every_kind_search_together_each_in_its_own_way_and_within_its_own_money(blobs: Blobs) -> None:
    plans = [
        (claude, gemini)[n % 2](f"m{n}", temperature=n / 10, usd=1.0, max_tokens=500 + n, rules=f"You are number {n}.")
        for n in range(7)
    ]
    more = (Plan(name="tpe", policy="tpe"), Plan(name="uniform", policy="uniform"))
    with provider(ever_new()) as server:
        company = Asking(server, blobs, *plans, *more, budget=Budget(experiments=18, timeout=60.0, usd=6.0))
        company.play()
        sent = {text for asked in server.requests for text in asked.texts[:1]}
        warm = {
            asked.body.get("temperature", asked.body.get("generationConfig", {}).get("temperature"))
            for asked in server.requests
        }
    assert len(company.ledger.completed) == 18
    authors = {company.ledger.author(name) for name in company.ledger.completed}
    assert authors == {f"m{n}" for n in range(7)} | {"tpe", "uniform"}
    assert {number for number in range(7) if any(f"You are number {number}." in text for text in sent)} == {*range(7)}
    assert warm == {n / 10 for n in range(7)}
    told = cycles(company)
    assert all(0 < told.spent(plan.name) <= 1.0 for plan in plans)
    assert told.spent() <= 6.0


def test_what_is_sent_is_what_the_log_says_was_sent(blobs: Blobs) -> None:
    with provider(ever_new()) as server:
        company = Asking(server, blobs, claude(rules="Be bold. " * 600), gemini())
        company.play()
        sent = ["".join(asked.texts[:2]) for asked in server.requests if len(asked.texts) == 2]
    stored = [blobs.whole(fact.prompt) for fact in company.facts(CycleStarted) if fact.prompt is not None]
    assert any(len(prompt) > 4096 for prompt in stored)
    assert sorted(stored) == sorted(sent)


def test_sections_that_are_off_are_neither_sent_nor_said_to_have_been(blobs: Blobs) -> None:
    company, _, (asked, *_) = once(blobs, said(GOOD), without=("genealogy", "schema"))
    (started,) = company.facts(CycleStarted)
    assert started.sections == ("leaderboard", "distribution", "failures", "bans", "rules", "diversity")
    assert "Where the leaders come from" not in "".join(asked.texts)
    assert "Configuration schema" not in "".join(asked.texts)


def test_an_answer_is_recorded_with_its_ideas_and_what_each_left_out(blobs: Blobs) -> None:
    _, (answer, *ideas), _ = once(blobs, said(GOOD))
    assert isinstance(answer, AnswerReceived)
    assert (answer.text.head, answer.calls, answer.problems, answer.correction) == (GOOD, 1, (), None)
    assert [fact.filled["batch"] for fact in ideas] == ["base"] * 3
    assert "backbone" not in ideas[0].filled
    assert ideas[2].filled["backbone"] == "base"


def test_an_unknown_key_goes_to_one_correction_with_the_exact_error_and_the_other_ideas_stand(blobs: Blobs) -> None:
    wrong = idea(loss="bce") + idea(backbon="motion") + idea(pooling="max")
    _, (answer, *ideas), asked = once(blobs, said(wrong), said(idea(backbone="motion", pooling="last")))
    assert len(asked) == 2
    assert asked[1].texts[2] == wrong
    assert "idea 2 ('an idea'): 'backbon' is not a key" in asked[1].texts[3]
    assert asked[1].texts[3] == answer.correction.head
    assert answer.corrected.head == idea(backbone="motion", pooling="last")
    assert [fact.configuration["pooling"] for fact in ideas] == ["last", "max", "last"]
    assert (answer.calls, answer.problems, answer.tokens_out) == (2, (), 600)


def test_there_is_no_second_correction_and_what_stays_wrong_is_recorded(blobs: Blobs) -> None:
    wrong = idea(loss="bce") + idea(backbon="motion") + idea(pooling="max")
    _, (answer, *ideas), asked = once(blobs, said(wrong), said(idea(pooling="min")))
    assert len(asked) == 2
    assert len(ideas) == 2
    assert any("pooling = 'min' is not one of" in problem for problem in answer.problems)


@pytest.mark.parametrize("second", [status(401), said(""), said("", stop="refused")])
def test_ideas_that_stand_are_kept_when_no_correction_comes(blobs: Blobs, second: Answer) -> None:
    _, (answer, *ideas), _ = once(blobs, said(idea(loss="bce") + idea(x=1) + idea(pooling="max")), second)
    assert isinstance(answer, AnswerReceived)
    assert len(ideas) == 2
    assert any("'x' is not a key" in problem for problem in answer.problems)


def test_the_diversity_budget_is_demanded_once_more_and_its_breach_recorded(blobs: Blobs) -> None:
    def same(asked: Asked) -> Sent:
        return said("".join(idea(backbone="motion", encoder="retnet", dropout=n / 10) for n in range(4)))(asked)

    with provider(same) as server:
        company = Asking(server, blobs, claude())
        while not company.ledger.completed:
            for author in tuple(company.members):
                company.speaks(author)
                company.works(author)
        for _ in range(40):
            company.speaks("scheduler")
            company.speaks("agent-claude")
            company.works("agent-claude")
    last = company.facts(AnswerReceived)[-1]
    assert "no idea uses another backbone than motion" in last.correction.head
    assert "no idea uses another encoder than retnet: at least one must" in last.problems


@pytest.mark.parametrize(
    ("answers", "kind", "sentence", "usd"),
    [
        ((status(401, "bad key"),), "rejected", "401", 0.0),
        ((status(400, "credit balance too low"),), "rejected", "credit balance", 0.0),
        ((status(529), status(529), status(529)), "unreachable", "529", 0.0),
        ((said("  \n"),), "answer", "the answer is empty", None),
        ((said("", stop="cut"),), "answer", "cut at its limit of tokens", None),
        ((said("no", stop="refused"),), "answer", "the model refused: refusal frontier_llm not this", None),
        ((said("I would rather not."), said("Still not.")), "answer", "no idea could be used", None),
        ((said("x" * 1_000_000), said("y" * 1_000_000)), "answer", "at most 65536 are read", None),
    ],
)
def test_a_cycle_without_ideas_is_a_refusal_with_its_reason_and_its_cost(
    blobs: Blobs, answers: tuple[Answer, ...], kind: str, sentence: str, usd: float | None
) -> None:
    tiny = tuple(_without_waiting(answer) for answer in answers)
    company, (refused,), asked = once(blobs, *tiny)
    assert isinstance(refused, AnswerRefused)
    assert (refused.kind, sentence in refused.reason) == (kind, True), refused
    assert refused.calls == len(asked) == len(answers)
    cost = len(answers) * PRICE.cost(Usage(1000, 100, 200, 300)) if usd is None else usd
    assert refused.usd == pytest.approx(cost)
    assert cycles(company).spent() == refused.usd


def _without_waiting(answer: Answer) -> Answer:
    def at_once(asked: Asked) -> Sent:
        sent = answer(asked)
        return sent._replace(headers={**sent.headers, "retry-after": "0"})

    return at_once


def test_a_megabyte_of_answer_lies_whole_in_the_blobs_and_not_in_the_frame(blobs: Blobs) -> None:
    _, (refused,), _ = once(blobs, said("x" * 1_000_000), said(""))
    assert refused.text.length == 1_000_000
    assert blobs.whole(refused.text) == "x" * 1_000_000


def test_half_a_character_is_written_down_as_it_can_be(blobs: Blobs) -> None:
    body = {"content": [{"type": "text", "text": "@"}], "model": "m", "stop_reason": "end_turn", "type": "message"}
    broken = json.dumps(body).replace("@", "\\ud800 - nothing").encode()
    _, (refused,), _ = once(blobs, raw(broken))
    assert "\\ud800" in refused.text.head


def test_an_answer_whose_cost_nobody_tells_counts_at_its_worst(blobs: Blobs) -> None:
    company, (answer, *_), _ = once(blobs, said(GOOD, counts=None))
    (started,) = company.facts(CycleStarted)
    assert started.prompt is not None
    (worst, again) = rounds(PRICE, prompt=len(blobs.whole(started.prompt).encode()), answer=1000)
    assert answer.usd == worst
    assert started.reserve_usd == 3 * (worst + again)


def test_an_agent_whose_provider_is_away_rests_longer_each_time_and_is_not_thought_barren(blobs: Blobs) -> None:
    with provider(status(529, retry_after="0")) as server:
        company = Asking(server, blobs, claude())
        starts: list[int] = []
        for _ in range(60):
            company.at += 20_000_000
            company.speaks("agent-claude")
            starts += [fact.at for fact in company.facts(CycleStarted)[len(starts) :]]
            company.works("agent-claude")
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]
    assert cycles(company).barren("claude") == 0


def test_a_wait_that_the_provider_names_is_kept_across_a_death(blobs: Blobs) -> None:
    with provider(status(429, retry_after="3600"), said(GOOD)) as server:
        company = Asking(server, blobs, claude())
        for _ in range(2):
            company.speaks("agent-claude")
        company.works("agent-claude")
        (refused,) = company.speaks("agent-claude")
        assert refused.wait == 3600.0
        company.dies("agent-claude")
        company.at += 3_000_000_000
        assert company.speaks("agent-claude") == ()
        company.at += 700_000_000
        assert isinstance(company.speaks("agent-claude")[0], CycleStarted)


def test_cycles_are_no_closer_than_their_cadence(blobs: Blobs) -> None:
    with provider(said("nothing")) as server:
        company = Asking(server, blobs, claude(every=100.0))
        for _ in range(2):
            company.speaks("agent-claude")
        company.works("agent-claude")
        company.speaks("agent-claude")
        assert company.speaks("agent-claude") == ()
        company.at += 100_000_000
        assert isinstance(company.speaks("agent-claude")[0], CycleStarted)


def never_over(company: Asking, budget: float, agents: dict[str, float]) -> None:
    """At every frame, what is spent and reserved stays within every budget."""
    for sequence in range(1, company.log.last() + 1):
        (folded,) = run(company.log, CyclesFold(), until=sequence)
        assert folded.spent() <= budget
        assert all(folded.spent(name) <= limit for name, limit in agents.items())


@pytest.mark.parametrize("answer", [said(GOOD, counts=None), status(500)])
def test_no_budget_is_exceeded_and_agents_without_money_let_the_campaign_close(blobs: Blobs, answer: Answer) -> None:
    budget = Budget(experiments=100, timeout=60.0, usd=2.0)
    with provider(_without_waiting(answer)) as server:
        company = Asking(server, blobs, claude(usd=0.9), gemini(), claude("third"), budget=budget)
        company.play(before=lambda: setattr(company, "at", company.at + 700_000_000))
        asked = len(server.requests)
    never_over(company, 2.0, {"claude": 0.9})
    refused = [fact for fact in company.facts(AnswerRefused) if fact.kind == "budget"]
    assert {fact.cycle.split("-")[1] for fact in refused} == {"claude", "gemini", "third"}
    assert any("agent.usd = 0.9 has no room" in fact.reason for fact in refused)
    assert any("budget.usd = 2 has no room" in fact.reason for fact in refused)
    assert asked > 0
    assert company.ledger.closed is not None


def test_two_agents_that_weigh_the_same_money_at_once_do_not_both_get_it(blobs: Blobs) -> None:
    with provider(said(GOOD)) as server:
        probe = Asking(server, blobs, claude())
        probe.speaks("agent-claude")
        (started,) = probe.speaks("agent-claude")
        budget = msgspec.structs.replace(SMALL, usd=started.reserve_usd * 1.5)
        company = Asking(server, blobs, claude(), gemini(), budget=budget)
        one, other = company.members["agent-claude"], company.members["agent-gemini"]
        for author in ("agent-claude", "agent-gemini"):
            company.speaks(author)
        for member in (one, other):
            member.known.advance(member.pen.catch_up())
        decisions = [member.role.decide(member.known, company.at, _quiet()) for member in (one, other)]
        assert all(decision is not None and decision.orders for decision in decisions), "both think it is theirs"
        wrote = [member.pen.write(decision) for member, decision in zip((one, other), decisions, strict=True)]
        assert [sequence is not None for sequence in wrote] == [True, False]
        assert company.speaks("agent-gemini") == (), "what the other reserved may still come free"
        assert len(company.facts(CycleStarted)) == 1
        never_over(company, started.reserve_usd * 1.5, {})


def _quiet() -> Any:
    from actors.role import News

    return News()


def test_a_death_between_the_call_and_its_record_costs_the_reservation(blobs: Blobs) -> None:
    with provider(said(GOOD)) as server:
        company = Asking(server, blobs, claude())
        company.speaks("agent-claude")
        (started,) = company.speaks("agent-claude")
        company.works("agent-claude")
        company.dies("agent-claude")
        assert cycles(company).spent() == started.reserve_usd
        (refused,) = company.speaks("agent-claude")
        assert (refused.kind, refused.usd) == ("interrupted", None)
        assert cycles(company).spent() == started.reserve_usd
        assert math.isclose(cycles(company).agents["claude"].usd, started.reserve_usd)


def test_agents_that_die_again_and_again_exceed_no_budget(blobs: Blobs) -> None:
    budget = Budget(experiments=100, timeout=60.0, usd=1.5)
    with provider(ever_new()) as server:
        company = Asking(server, blobs, claude(), gemini(), budget=budget)
        turns = itertools.count()

        def dying() -> None:
            if next(turns) % 3 == 0:
                company.dies(("agent-claude", "agent-gemini")[next(turns) % 2])

        company.play(before=dying)
    never_over(company, 1.5, {})
    assert {fact.kind for fact in company.facts(AnswerRefused)} >= {"interrupted", "budget"}


def test_the_key_is_in_no_fact_and_no_blob_even_when_a_provider_says_it_back(blobs: Blobs, tmp_path: Path) -> None:
    answers = (
        status(400, f"invalid header Bearer {PLANTED}"),
        said(f"- {PLANTED}: 1\n" * 300),
        said(f"- rationale: {PLANTED}\n  loss: bce\n", model=PLANTED),
        status(429, f"{PLANTED} is over its limit", retry_after="0"),
        ever_new(),
    )
    with provider(*answers) as server:
        company = Asking(server, blobs, claude(), gemini())
        company.play()
        assert all(PLANTED in json.dumps(asked.headers) for asked in server.requests)
    log = b"".join(recorded.payload for recorded in company.log.read())
    assert b"A_KEY" in log, "it was said back, and hidden"
    assert PLANTED.encode() not in log
    assert all(PLANTED.encode() not in blobs.get(digest) for digest in blobs.digests())


SAME_PROMPT = """
import sys
from pathlib import Path
from events.archives import archive
from replay.briefing import Terms, briefing
from replay.failing import FailingFold
from replay.folds import Pass
from replay.ledger import LedgerFold
from replay.repairs import RepairsFold
told = Pass(LedgerFold(), RepairsFold(), FailingFold())
told.advance(archive.open_file(Path(sys.argv[1])).read())
print(hash("a word"))
print(briefing(*told.results(), Terms(base={"backbone": "motion"})).text)
"""


def test_the_same_log_gives_the_same_prompt_under_any_hash_seed() -> None:
    golden = Path(__file__).parents[2] / "golden" / "vocabulary-1.myriad"
    said_twice = [
        subprocess.run(
            [sys.executable, "-c", SAME_PROMPT, str(golden)],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout.split(b"\n", 1)
        for seed in ("1", "2")
    ]
    (one_hash, one), (other_hash, other) = said_twice
    assert one_hash != other_hash, "the two processes hash alike, so this shows nothing"
    assert one == other
    assert len(one) > 5000
    assert archive.open_file(golden).last() > 100
