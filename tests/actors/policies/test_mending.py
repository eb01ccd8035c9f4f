"""Asking for a repair, by both SDKs: what came and what it cost is told, whatever a provider does, without the key."""

from __future__ import annotations

from typing import Any

import pytest

from actors.asking import askers
from actors.campaign import parse
from actors.errors import CampaignError
from actors.orders import Answered, Mend, Unanswered
from actors.policies.mending import MendHands
from actors.policies.models import Key, Settings, load_model
from actors.policies.patience import Patience
from actors.repair.menders import mender, told
from tests import tiny
from tests.actors.policies.asking import PLANTED, PRICE
from tests.actors.policies.provider import Provider, hung_up, provider, said, status

ORDER = Mend("c-r-1-1", "Mend it.", "The trace: ...", 0.5)
POLICIES = pytest.mark.parametrize("policy", ["claude", "gemini"])


def hands(policy: str, server: Provider) -> MendHands:
    key = Key("A_KEY", PLANTED)
    model = load_model(policy, Settings("model-x", 500, 120.0, None, server.url), key)
    return MendHands(Patience(model, PRICE, tries=3, timeout=120.0, pause=0.001), key)


def asked(policy: str, *answers: Any) -> tuple[Any, Provider]:
    with provider(*answers) as server:
        asking = hands(policy, server)
        try:
            return asking.perform(ORDER), server
        finally:
            asking.close()


@POLICIES
def test_an_answer_is_told_as_it_came_with_what_it_cost(policy: str) -> None:
    result, server = asked(policy, status(529, retry_after="0"), said(f"The key is {PLANTED}."))
    assert isinstance(result, Answered)
    assert (result.text, result.ideas, result.calls) == ("The key is [A_KEY].", (), 2)
    assert (result.tokens_in, result.tokens_out, result.tokens_cached) == (1300, 300, 200)
    assert 0 < result.usd < 0.05
    assert [request.texts for request in server.requests] == [["Mend it.", "The trace: ..."]] * 2


@POLICIES
@pytest.mark.parametrize(
    ("answer", "kind", "usd"),
    [
        (said("I will not.", stop="refused"), "answer", None),
        (said(""), "answer", None),
        (status(400), "rejected", 0.0),
        (status(503), "unreachable", 0.0),
        (hung_up, "unreachable", 1.5),
    ],
)
def test_whatever_else_comes_is_a_reason_and_a_sum(policy: str, answer: Any, kind: str, usd: float | None) -> None:
    result, _ = asked(policy, answer)
    assert isinstance(result, Unanswered)
    assert result.kind == kind
    assert result.reason
    assert usd is None or result.usd == pytest.approx(usd)
    assert PLANTED not in str(result)


FIXER = '[fixer]\npolicy = "gemini"\nmodel = "m"\nusd = 1.0\n\n[prices.m]\ninput = 1\noutput = 1\n\n[budget]'


def test_a_campaign_whose_fixer_asks_needs_its_key_and_says_so_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    campaign = parse(tiny.FILE.replace("[budget]", FIXER), file="it.toml")
    assert askers.missing_keys(campaign) == ["the fixer needs GEMINI_API_KEY or GOOGLE_API_KEY in the environment"]
    with pytest.raises(CampaignError, match="the fixer needs GEMINI_API_KEY"):
        mender(campaign)
    (line,) = told(campaign)
    assert line == "fixer    asks m of its provider about crashes; a patch that held waits; at most 1 USD"
    assert askers.cost(campaign) == "cost     at most 1.00 USD for calls of models; nothing was asked now"
    assert mender(parse(tiny.FILE, file="it.toml")) is None
