"""What a campaign file says about models: prices, money, keys; what `myriad check` and `replay cycle` show of it."""

from __future__ import annotations

import json

import pytest

from actors.asking import askers
from actors.campaign import parse
from actors.errors import CampaignFileInvalid
from actors.policies.models import Prompt
from actors.template import TEMPLATE
from events.blobs import Blobs
from events.facts import AnswerReceived
from replay.inquiry import CycleUnknown, inquiry, inquiry_page
from replay.settings import at_hand
from tests import tiny
from tests.actors.policies.asking import PLANTED, Asking, claude, idea
from tests.actors.policies.provider import provider, said, status

ASKING = (
    tiny.FILE
    + """
[prices."model-x"]
input = 5.0
output = 25.0

[[agent]]
name = "c"
policy = "claude"
model = "model-x"
usd = 3.0
"""
)


def changed(before: str, after: str) -> str:
    assert ASKING.count(before) == 1, before
    return ASKING.replace(before, after)


def problems(text: str) -> str:
    with pytest.raises(CampaignFileInvalid) as raised:
        parse(text, file="it.toml")
    return "; ".join(raised.value.problems)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('model = "model-x"\n', "", "agent.model of c is missing: policy claude asks a model"),
        (
            'model = "model-x"',
            'model = "model-y"',
            'prices has no "model-y", which agent c asks: give [prices."model-y"]',
        ),
        ("usd = 3.0", "", "budget.usd and agent.usd of c are both missing"),
        ("usd = 3.0", "usd = 0", "agent.usd of c must be above 0 and finite"),
        ("usd = 3.0", "usd = nan", "agent.usd of c must be above 0 and finite"),
        ("timeout = 60", "timeout = 60\nusd = -1", "budget.usd must be above 0 and finite"),
        ("input = 5.0", "input = -5.0", 'prices."model-x": prices are finite numbers'),
        ("input = 5.0", "inputs = 5.0", "unknown key prices.inputs; did you mean input?"),
        ("usd = 3.0", 'usd = 3.0\nbase_url = "ftp://x"', "agent.base_url of c must be http:// or https://"),
        ("usd = 3.0", 'usd = 3.0\nbase_url = "http://me:key@x/"', "without a user or a key"),
        ("usd = 3.0", "usd = 3.0\ntries = 0", "agent.tries of c must be in [1, 10]"),
        ("usd = 3.0", "usd = 3.0\nmax_tokens = 0", "agent.max_tokens of c must be in [1, 1000000]"),
        ("usd = 3.0", "usd = 3.0\ntemperature = 3", "agent.temperature of c must be in [0, 2]"),
        ("usd = 3.0", "usd = 3.0\nevery = -1", "agent.every must be at least 0 and finite"),
        ("usd = 3.0", 'usd = 3.0\nwithout = ["leaders"]', "agent.without = 'leaders' is not one of leaderboard,"),
        (
            'policy = "uniform"',
            'policy = "uniform"\nmodel = "x"',
            "agent.model of u means nothing: policy uniform asks",
        ),
        ("[workers]", "[base]\ndropot = 0.1\n[workers]", "base.dropot is not a dimension; known are"),
        ("[workers]", "[base]\ndropout = 0.9\n[workers]", "base.dropout = 0.9 is outside [0, 0.5]"),
        (
            "[workers]",
            '[base]\nbackbone = "appearance"\n[workers]',
            "base.backbone = 'appearance' is not one of motion",
        ),
    ],
)
def test_what_is_wrong_about_models_is_a_sentence_that_names_the_key(before: str, after: str, sentence: str) -> None:
    assert sentence in problems(changed(before, after))


def test_the_file_that_new_writes_has_prices_and_runs_without_a_key() -> None:
    campaign = parse(TEMPLATE.format(name="fresh"), file="fresh.toml")
    assert set(campaign.prices) == {"claude-opus-5", "gemini-2.5-pro"}
    assert askers.missing_keys(campaign) == []
    assert askers.cost(campaign) == "cost     0.00 USD: no agent calls a model"


def test_check_names_a_missing_key_and_what_asking_may_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = parse(ASKING, file="it.toml")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-secret-0123456789")
    assert askers.missing_keys(campaign) == []
    shown = "\n".join((*askers.told(campaign), askers.cost(campaign)))
    assert "ANTHROPIC_API_KEY is set and is sent there" in shown
    assert "at most 3.00 USD" in shown
    assert "a-secret" not in shown
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert askers.missing_keys(campaign) == ["agent c needs ANTHROPIC_API_KEY in the environment"]
    assert "ANTHROPIC_API_KEY not set" in "\n".join(askers.told(campaign))


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    campaign = parse(changed("usd = 3.0", 'usd = 3.0\nbase_url = "http://127.0.0.1:1"'), file="it.toml")
    assert askers.missing_keys(campaign) == []
    askers.hands(campaign, campaign.agent[-1]).close()


def test_the_money_of_agents_without_a_limit_of_their_own_is_the_campaigns() -> None:
    text = changed("usd = 3.0", "").replace("timeout = 60", "timeout = 60\nusd = 7.5")
    assert "at most 7.50 USD" in askers.cost(parse(text, file="it.toml"))


def test_an_agent_says_on_joining_how_it_asks(blobs: Blobs) -> None:
    with provider(said("")) as server:
        company = Asking(server, blobs, claude(without=("bans", "rules"), temperature=0.5))
        (joined,) = company.speaks("agent-claude")
    assert joined.settings["model"] == "model-x"
    assert joined.settings["temperature"] == 0.5
    assert joined.settings["without"] == "bans, rules"
    assert "usd" not in joined.settings


def test_a_cycle_is_shown_with_its_prompt_its_answers_its_ideas_and_their_verdicts(blobs: Blobs) -> None:
    first = idea(backbone="motion", encoder="retnet") * 2 + idea(nonsense=1)
    with provider(said(first), said(idea(pooling="max"))) as server:
        company = Asking(server, blobs, claude(rules="Mind the gap. " * 400))
        for _ in range(2):
            company.speaks("agent-claude")
        company.works("agent-claude")
        company.speaks("agent-claude")
        company.speaks("scheduler")
        sent = "".join(server.requests[0].texts)
    made = inquiry(company.log, "c-claude-1", blobs.whole)
    assert (made.prompt, made.answer, made.corrected) == (sent, first, idea(pooling="max"))
    assert "'nonsense' is not a key" in str(made.correction)
    assert [proposed.verdict for proposed in made.ideas] == ["e-1 queued", "twin", "e-2 queued"]
    assert made.ideas[0].filled["pooling"] == "base"
    assert 0 < made.spent_usd < made.reserve_usd
    page = inquiry_page(made)
    for words in (
        "Mind the gap.",
        "--- corrected answer ---",
        "twin of i-claude-1-1: the same cell",
        "pooling from base",
    ):
        assert words in page
    assert json.loads(json.dumps(made.sections))[0] == "leaderboard"


def test_calls_that_failed_are_on_the_log_of_an_answered_cycle_and_nothing_on_its_page_steers_a_terminal(
    blobs: Blobs,
) -> None:
    steering = "I will.\n\x1b]0;a title\x07 \N{RIGHT-TO-LEFT OVERRIDE}\n```yaml\n" + idea(pooling="max") * 3 + "```"
    away = status(429, f"slow down, {PLANTED}", retry_after="0")
    with provider(status(529), away, said(steering, model="model\x1b[2J")) as server:
        company = Asking(server, blobs, claude(ideas=3))
        for _ in range(2):
            company.speaks("agent-claude")
        company.works("agent-claude")
        company.speaks("agent-claude")
    (answer,) = company.facts(AnswerReceived)
    assert [failure.partition(" ")[0] for failure in answer.failures] == ["529", "429"]
    assert answer.failures[1].endswith("slow down, [A_KEY] (asks for 0 s)")
    made = inquiry(company.log, "c-claude-1", blobs.whole)
    assert made.answer == steering
    page = inquiry_page(made)
    assert all(character.isprintable() or character == "\n" for character in page)
    assert "\\x1b]0;a title\\x07 \\u202e" in page
    assert "--- calls that failed ---" in page


def test_a_provider_is_asked_to_keep_a_prompt_only_where_that_has_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLANTED)
    with provider(said("- an idea")) as server:
        for price in ("", "write = 6.25\n"):
            text = changed("usd = 3.0", f'usd = 3.0\nbase_url = "{server.url}"').replace("output =", f"{price}output =")
            campaign = parse(text, file="it.toml")
            waiting, _ = askers.patience(campaign, campaign.agent[-1])
            waiting.ask(Prompt("what never changes", "what does"), 1.0)
    plain, kept = (asked.body["system"][0] for asked in server.requests)
    assert "cache_control" not in plain
    assert kept["cache_control"] == {"type": "ephemeral"}


def test_a_cycle_whose_texts_are_far_away_shows_their_ends(blobs: Blobs) -> None:
    with provider(said("x" * 9000), said("")) as server:
        company = Asking(server, blobs, claude())
        for _ in range(2):
            company.speaks("agent-claude")
        company.works("agent-claude")
        company.speaks("agent-claude")
    made = inquiry(company.log, "c-claude-1", at_hand)
    assert made.answer is not None
    assert "characters: blob" in made.answer
    assert made.state == "refused"
    assert "--- answer ---" in inquiry_page(made)


def test_a_cycle_that_is_not_there_is_named_with_those_that_are(blobs: Blobs) -> None:
    with provider(said("")) as server:
        company = Asking(server, blobs, claude())
        company.speaks("agent-claude")
        with pytest.raises(CycleUnknown, match="no cycle 'c-9'; it holds none"):
            inquiry(company.log, "c-9", at_hand)
