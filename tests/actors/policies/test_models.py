"""Claude and Gemini over their own SDKs, against a server that speaks both protocols: one port, whoever answers."""

from __future__ import annotations

import threading
from email.utils import formatdate
from typing import Any

import pytest

from actors.errors import CampaignError
from actors.policies.models import Key, Model, ModelFailed, Prompt, Settings, Turn, asked_wait, find_key, load_model
from actors.policies.patience import Patience
from actors.policies.prices import Price, Usage, rounds
from tests.actors.policies.provider import (
    Answer,
    Asked,
    Counts,
    Provider,
    blocked,
    held,
    hung_up,
    provider,
    raw,
    said,
    status,
)
from tests.actors.waiting import eventually

KEY = Key("A_KEY", "planted-key-0123456789")
PROMPT = Prompt("what never changes\n\n", "what does\n\n")
PRICE = Price(input=5.0, output=25.0, cached=0.5, write=6.25)

both = pytest.mark.parametrize("policy", ["claude", "gemini"])


def model(policy: str, server: Provider, **changes: Any) -> Model:
    known: dict[str, Any] = {"model": "model-x", "max_tokens": 500, "timeout": 120.0, "base_url": server.url}
    return load_model(policy, Settings(**known | changes), KEY)


def patient(policy: str, server: Provider, *, tries: int = 3, timeout: float = 120.0) -> Patience:
    return Patience(model(policy, server), PRICE, tries=tries, timeout=timeout, pause=0.001)


@both
def test_a_reply_tells_its_text_its_version_its_tokens_and_that_it_is_whole(policy: str) -> None:
    with provider(said("- an idea")) as server:
        reply = model(policy, server).ask(PROMPT)
    written = 100 if policy == "claude" else 0  # Gemini keeps what it likes, and says only what it read
    fresh = 1000 if policy == "claude" else 1100
    assert reply[:4] == ("- an idea", "model-20261101", Usage(fresh, written, 200, 300), "end")
    assert reply.seconds > 0


@both
def test_a_prompt_is_sent_as_it_is_in_two_parts_that_make_the_whole(policy: str) -> None:
    with provider(said("- an idea")) as server:
        model(policy, server).ask(PROMPT)
    (asked,) = server.requests
    assert asked.texts == [PROMPT.stable, PROMPT.fresh]


@both
def test_a_correction_follows_the_answer_that_it_is_about(policy: str) -> None:
    prompt = PROMPT._replace(turns=(Turn("an answer", "a correction"),))
    with provider(said("- an idea")) as server:
        model(policy, server).ask(prompt)
    (asked,) = server.requests
    assert asked.texts == [PROMPT.stable, PROMPT.fresh, "an answer", "a correction"]
    messages = asked.body["messages"] if policy == "claude" else asked.body["contents"]
    answering = "assistant" if policy == "claude" else "model"
    assert [message["role"] for message in messages] == ["user", answering, "user"]


def test_the_part_that_never_changes_is_marked_for_claude_s_cache() -> None:
    with provider(said("- an idea")) as server:
        model("claude", server, cached=True).ask(PROMPT)
        model("claude", server, cached=False).ask(PROMPT)
    (kept,), (plain,) = (asked.body["system"] for asked in server.requests)
    assert kept == {"type": "text", "text": PROMPT.stable, "cache_control": {"type": "ephemeral"}}
    assert plain == {"type": "text", "text": PROMPT.stable}


def test_claude_takes_a_temperature_only_under_the_version_that_knows_one() -> None:
    with provider(said("- an idea")) as server:
        model("claude", server).ask(PROMPT)
        model("claude", server, temperature=0.3).ask(PROMPT)
    plain, warm = server.requests
    assert "temperature" not in plain.body
    assert plain.headers["anthropic-version"] != "2023-06-01"
    assert (warm.body["temperature"], warm.headers["anthropic-version"]) == (0.3, "2023-06-01")


def test_gemini_takes_a_temperature_and_a_limit() -> None:
    with provider(said("- an idea")) as server:
        model("gemini", server, temperature=0.3).ask(PROMPT)
    config = server.requests[0].body["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"]) == (0.3, 500)


@both
def test_a_schema_is_handed_to_the_provider(policy: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    with provider(said('{"a": "b"}')) as server:
        model(policy, server).ask(PROMPT, schema)
    body = server.requests[0].body
    if policy == "claude":
        assert body["output_config"]["format"] == {"type": "json_schema", "schema": schema}
    else:
        assert body["generationConfig"]["responseJsonSchema"] == schema


@both
def test_the_key_is_sent_as_the_provider_wants_it_and_in_no_address(policy: str) -> None:
    with provider(said("- an idea")) as server:
        model(policy, server).ask(PROMPT)
    (asked,) = server.requests
    name = "authorization" if policy == "claude" else "x-goog-api-key"
    assert KEY.value in asked.headers[name]
    assert KEY.value not in asked.path
    assert KEY.value not in repr(KEY)


@both
@pytest.mark.parametrize(("stop", "means"), [("", "end"), ("cut", "truncated"), ("refused", "refused")])
def test_why_a_reply_stopped_is_told_in_one_word_for_all_providers(policy: str, stop: str, means: str) -> None:
    with provider(said("- an idea", stop=stop)) as server:
        assert model(policy, server).ask(PROMPT).stop == means


def test_a_reply_that_could_go_on_is_truncated_and_no_second_request_is_sent_unasked() -> None:
    with provider(said("- an idea", stop="CONTINUATION")) as server:
        assert model("gemini", server).ask(PROMPT).stop == "truncated"
    assert len(server.requests) == 1


def test_a_prompt_that_gemini_blocks_is_refused() -> None:
    with provider(blocked) as server:
        reply = model("gemini", server).ask(PROMPT)
    assert (reply.stop, reply.text, reply.usage) == ("refused", "", Usage(50, 0, 0, 0))
    assert "PROHIBITED_CONTENT" in reply.detail


@both
@pytest.mark.parametrize(
    ("code", "kind", "free"),
    [
        (400, "rejected", True),
        (401, "rejected", True),
        (403, "rejected", True),
        (404, "rejected", True),
        (413, "rejected", True),
        (408, "unreachable", False),
        (429, "unreachable", True),
        (500, "unreachable", False),
        (502, "unreachable", False),
        (503, "unreachable", True),
        (504, "unreachable", False),
        (529, "unreachable", True),
    ],
)
def test_an_error_says_whether_to_come_again_and_whether_it_cost_nothing(
    policy: str, code: int, kind: str, free: bool
) -> None:
    with provider(status(code, "a reason")) as server, pytest.raises(ModelFailed) as failed:
        model(policy, server).ask(PROMPT)
    assert (failed.value.kind, failed.value.free) == (kind, free)
    assert str(failed.value).startswith(str(code))
    assert "a reason" in str(failed.value)
    assert len(server.requests) == 1, "the SDK must not try again of its own accord: nobody counted that"


@both
@pytest.mark.parametrize("answer", [raw(b"not json"), raw(b"[1, 2]"), raw(b"{}"), raw(b"<p>", kind="text/html")])
def test_what_is_no_reply_of_the_protocol_is_a_failed_call_or_an_empty_one(policy: str, answer: Answer) -> None:
    with provider(answer) as server:
        outcome = patient(policy, server, tries=1).ask(PROMPT, 0.5)
    assert outcome.usd == 0.5
    assert outcome.failure is not None or (outcome.reply is not None and outcome.reply.text == "")


@both
def test_a_connection_that_breaks_may_have_cost_and_one_that_never_was_did_not(policy: str) -> None:
    with provider(hung_up) as server, pytest.raises(ModelFailed) as broken:
        model(policy, server).ask(PROMPT)
    with pytest.raises(ModelFailed) as refused:
        model(policy, server).ask(PROMPT)
    assert (broken.value.kind, broken.value.free) == ("unreachable", False)
    assert (refused.value.kind, refused.value.free) == ("unreachable", True)


@both
def test_a_redirect_is_not_followed_with_the_key(policy: str) -> None:
    with provider(said("stolen")) as thief, provider(raw(b"", code=307, location=thief.url + "/v1/messages")) as server:
        with pytest.raises(ModelFailed):
            model(policy, server).ask(PROMPT)
        assert thief.requests == []


@both
def test_counts_of_tokens_that_cannot_be_true_are_no_counts(policy: str) -> None:
    with provider(said("- an idea", counts=Counts(fresh=-5_000_000))) as server:
        outcome = patient(policy, server).ask(PROMPT, 0.5)
    assert outcome.usd == 0.5


@both
def test_overload_is_tried_again_and_costs_what_the_reply_costs(policy: str) -> None:
    with provider(status(529), status(429, retry_after="0"), said("- an idea")) as server:
        outcome = patient(policy, server).ask(PROMPT, 9.0)
    assert (outcome.calls, outcome.reply is not None, outcome.failure) == (3, True, None)
    assert [failure.partition(" ")[0] for failure in outcome.failures] == ["529", "429"]
    assert outcome.failures[1].endswith("a reason (asks for 0 s)")
    assert outcome.usd == PRICE.cost(outcome.reply.usage or Usage(0, 0, 0, 0))  # type: ignore[union-attr] # seen above


@both
def test_tries_end_and_those_whose_cost_nobody_knows_count_at_their_worst(policy: str) -> None:
    with provider(status(500), status(429, retry_after="0"), status(504)) as server:
        outcome = patient(policy, server).ask(PROMPT, 0.25)
    assert (outcome.reply, outcome.calls, outcome.usd) == (None, 3, 0.5)
    assert outcome.failure is not None
    assert str(outcome.failure).startswith("504")
    assert len(outcome.failures) == 3


@both
def test_what_a_provider_rejects_is_not_tried_again(policy: str) -> None:
    with provider(status(401, "invalid key")) as server:
        outcome = patient(policy, server).ask(PROMPT, 0.25)
    assert (outcome.calls, outcome.usd) == (1, 0.0)


@both
def test_a_wait_longer_than_a_cycle_waits_is_handed_on(policy: str) -> None:
    with provider(status(429, retry_after="3600")) as server:
        outcome = patient(policy, server).ask(PROMPT, 0.25)
    assert outcome.calls == 1
    assert outcome.failure is not None
    assert outcome.failure.wait == 3600.0


def test_gemini_may_name_its_wait_in_the_body() -> None:
    body = b'{"error": {"code": 429, "status": "X", "details": [{"@type": "RetryInfo", "retryDelay": "77.5s"}]}}'
    with provider(raw(body, code=429)) as server, pytest.raises(ModelFailed) as failed:
        model("gemini", server).ask(PROMPT)
    assert failed.value.wait == 77.5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after-ms": "1500", "retry-after": "12"}, 1.5),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e12"}, 86_400.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": formatdate(0, usegmt=True)}, 0.0),
        ({}, None),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_believed_for_a_day(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers) == seconds


@both
def test_a_call_that_takes_too_long_is_left_and_counts_at_its_worst(policy: str) -> None:
    ever = threading.Event()
    with provider(held(ever, said("- late"))) as server:
        outcome = patient(policy, server, tries=1, timeout=0.2).ask(PROMPT, 0.25)
        ever.set()
    assert (outcome.reply, outcome.usd) == (None, 0.25)
    assert outcome.failure is not None
    assert outcome.failure.kind == "unreachable"


@both
def test_hands_that_are_called_back_wait_for_nothing(policy: str) -> None:
    ever, asked = threading.Event(), threading.Event()

    def silent(request: Asked) -> Any:
        asked.set()
        return held(ever, said("- late"))(request)

    with provider(silent) as server:
        patience = patient(policy, server, timeout=600.0)
        outcomes: list[Any] = []
        thread = threading.Thread(target=lambda: outcomes.append(patience.ask(PROMPT, 0.25)))
        thread.start()
        assert asked.wait(120)
        patience.close()
        thread.join(20)
        assert not thread.is_alive()
        ever.set()
    assert outcomes[0].reply is None


def test_a_pause_between_two_tries_ends_when_the_hands_are_called_back() -> None:
    with provider(status(429, retry_after="50")) as server:
        patience = patient("claude", server)
        outcomes: list[Any] = []
        thread = threading.Thread(target=lambda: outcomes.append(patience.ask(PROMPT, 0.25)))
        thread.start()
        eventually(lambda: server.requests)
        patience.close()
        thread.join(20)
    assert [outcome.calls for outcome in outcomes] == [1]


def test_the_worst_case_of_a_call_is_more_than_any_call_of_its_size_costs() -> None:
    text = "a word, ein Wort, 一个词 " * 50
    first, second = rounds(PRICE, prompt=len(text.encode()), answer=500)
    for fresh, written, cached in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        tokens = len(text.encode())
        assert PRICE.cost(Usage(fresh * tokens, written * tokens, cached * tokens, 500)) < first < second


@pytest.mark.parametrize("changes", [{"input": -1.0}, {"output": float("nan")}, {"cached": float("inf")}])
def test_a_price_is_a_finite_number_not_below_zero(changes: dict[str, float]) -> None:
    assert Price(**{"input": 1.0, "output": 1.0} | changes).problem()


@pytest.mark.parametrize("value", ["sk-planted\n0123456789", "sk-pl\u00e4nted", "sk-pla nted", "sk-pla\x00nted"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(value: str) -> None:
    """A library that is handed one says of it: illegal header value, and then the value."""
    with pytest.raises(CampaignError) as refused:
        find_key("claude", {"ANTHROPIC_API_KEY": value})
    assert str(refused.value).startswith("ANTHROPIC_API_KEY holds a character that no key has, the ")
    assert "pl" not in str(refused.value)


def test_a_key_comes_from_its_variable_and_from_nowhere_else() -> None:
    assert find_key("claude", {"ANTHROPIC_API_KEY": " k-1 "}).value == "k-1"  # type: ignore[union-attr] # it is there
    assert find_key("gemini", {"GOOGLE_API_KEY": "g-1"}).name == "GOOGLE_API_KEY"  # type: ignore[union-attr] # likewise
    both_set = find_key("gemini", {"GOOGLE_API_KEY": "g-1", "GEMINI_API_KEY": "g-2"})
    assert both_set is not None
    assert both_set.value == "g-2"
    assert find_key("claude", {"ANTHROPIC_AUTH_TOKEN": "x", "ANTHROPIC_API_KEY": " "}) is None
