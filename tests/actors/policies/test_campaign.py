"""A campaign whose agents ask models, in its own process on a real log: run, killed in mid-call, replayed."""

from __future__ import annotations

import itertools
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from events.archives.archive import open_folder
from events.facts import (
    AnswerReceived,
    AnswerRefused,
    Completed,
    CycleStarted,
    Fact,
    IdeaProposed,
    Queued,
    SpaceWidened,
)
from events.folder import Campaign as Folder
from events.log import Recorded
from replay.cycles import CyclesFold
from replay.folds import Pass
from replay.measures import Measurement
from replay.seals import overall, verified
from tests.actors.policies.asking import PLANTED, idea
from tests.actors.policies.provider import Answer, Asked, Provider, Sent, provider, said, status
from tests.faults.eavesdropping import Eavesdropper
from tests.faults.runs import Place
from tests.tiny import ALONE

AGENTS = """
[prices."model-x"]
input = 5.0
output = 25.0

[[agent]]
name = "claude"
policy = "claude"
model = "model-x"
backlog = 2
max_tokens = 1000
sweep = 1
base_url = "{url}"

[[agent]]
name = "gemini"
policy = "gemini"
model = "model-x"
backlog = 2
max_tokens = 1000
usd = 2.0
base_url = "{url}"
"""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLANTED)
    monkeypatch.setenv("GEMINI_API_KEY", PLANTED)


def ready(made: list[Place], world: Folder, path: Path, server: Provider, *changes: tuple[str, str]) -> Place:
    """A tiny campaign of a Claude and a Gemini agent."""
    place = Place(path, world, ("timeout = 60", "timeout = 60\nusd = 5.0"), *changes)
    text = place.file.read_text()
    widen = "[widen]\nat_most = 1\n[widen.within]\nepochs = [1, 9]\n"
    place.file.write_text(text[: text.index("[[agent]]")] + widen + AGENTS.format(url=server.url))
    made.append(place)
    return place


def thinking(space: tuple[str, ...] = ("zipformer", "retnet", "bimamba", "hybrid", "xlstm")) -> Answer:
    """Ever new ideas of the tiny space; every fourth answer has one that must be corrected."""
    numbers = itertools.count()

    def answer(asked: Asked) -> Sent:
        n = next(numbers)
        ideas: list[dict[str, Any]] = [
            {"encoder": space[(n + k) % len(space)], "dropout": f"{(n * 3 + k) % 50 / 100}"} for k in range(3)
        ]
        ideas[0]["epochs"] = 7 if n else 5
        text = "".join(
            idea(length=12, batch=16, pooling=("max", "mean")[n % 2], **{"epochs": 5} | values) for values in ideas
        )
        return said(text + (idea(secret=1) if n % 4 == 1 else ""))(asked)

    return answer


def facts(frames: list[Recorded], kind: type[Fact]) -> list[Any]:
    return [fact for recorded in frames for fact in recorded.facts if isinstance(fact, kind)]


def never_over(frames: list[Recorded], budget: float, agents: dict[str, float]) -> None:
    told: Pass[Any] = Pass(CyclesFold())
    (cycles,) = told.results()
    for recorded in frames:
        told.advance((recorded,))
        assert cycles.spent() <= budget
        assert all(cycles.spent(agent) <= limit for agent, limit in agents.items())


def everything_under(path: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in path.rglob("*") if file.is_file() and file.suffix != ".mp4")


def test_two_models_search_side_by_side_and_the_replay_has_the_same_digest(
    world: Folder, tmp_path: Path, home: list[Place]
) -> None:
    with provider(status(529, retry_after="0"), thinking()) as server:
        place = ready(home, world, tmp_path, server)
        run = place.starts()
        with Eavesdropper(place, run) as heard:
            ended = run.ended()
        assert ended.code == 0, ended
        sent = {"".join(asked.texts[:2]) for asked in server.requests}
    frames = place.frames()
    assert len(facts(frames, Completed)) == 6
    assert {fact.agent for fact in facts(frames, CycleStarted)} == {"claude", "gemini"}
    assert facts(frames, AnswerReceived)
    assert any(fact.filled for fact in facts(frames, IdeaProposed))
    (widened,) = facts(frames, SpaceWidened)
    assert (widened.dimension, widened.value) == ("epochs", 7)
    longer = {fact.idea for fact in facts(frames, IdeaProposed) if fact.configuration["epochs"] == 7}
    completed = {fact.experiment for fact in facts(frames, Completed)}
    assert {fact.experiment for fact in facts(frames, Queued) if fact.idea in longer} & completed
    never_over(frames, 5.0, {"gemini": 2.0})
    measurement = Measurement()
    measurement.advance(frames)
    assert f"digest {measurement.digest()}" in ended.out
    assert overall(verified(open_folder(place.folder.archive, "tiny"))[1]) == "held"
    shown = place.calls("replay", "tiny", "cycle", "c-claude-1", "--json")
    assert shown.code == 0, shown
    assert json.loads(shown.out)["prompt"] in sent
    assert PLANTED.encode() not in everything_under(tmp_path)
    nobody_overheard(heard, place.folder)


def nobody_overheard(heard: Eavesdropper, folder: Folder) -> None:
    """Keys and passwords are in no process's command line or environment, and in no file but the credentials."""
    conf = (folder.credentials / "server.conf").read_text()
    passwords = re.findall(r'password: "([^"]+)"', conf)
    assert len(passwords) == 11  # owner, person, reader, two agents, two workers, scheduler, fixer, analyst, supervisor
    for process in ("nats-server", "start_bench"):
        assert any(process in command for command in heard.seen), process
    overheard = b"\n".join(content for contents in heard.heard.values() for content in contents)
    kept = b"\n".join(
        path.read_bytes()
        for path in folder.path.rglob("*")
        if path.is_file() and path.suffix != ".mp4" and folder.credentials not in path.parents
    )
    for secret in (PLANTED, *passwords):
        assert secret.encode() not in overheard
        assert secret.encode() not in kept


def test_a_run_killed_in_the_middle_of_a_call_counts_its_reservation_and_ends_all_the_same(
    world: Folder, tmp_path: Path, home: list[Place]
) -> None:
    calls, go, think = itertools.count(), threading.Event(), thinking()

    def slow_at_first(asked: Asked) -> Sent:
        return think(asked)._replace(hold=go if next(calls) < 2 else None)

    with provider(slow_at_first) as server:
        place = ready(home, world, tmp_path, server, ALONE)
        run = place.starts().until(lambda: len(server.requests) >= 2)
        run.kills("everything")
        run.ended()
        place.all_gone()
        before = place.frames()
        go.set()
        ended = place.runs()
        assert ended.code == 0, ended
    frames = place.frames()
    assert frames[: len(before)] == before
    interrupted = [fact for fact in facts(frames, AnswerRefused) if fact.kind == "interrupted"]
    assert {fact.cycle for fact in interrupted} == {"c-claude-1", "c-gemini-1"}
    (cycles,) = _folded(frames)
    assert all(cycles.cycles[fact.cycle].spent == cycles.cycles[fact.cycle].reserve_usd > 0 for fact in interrupted)
    assert len(facts(frames, Completed)) == 6
    never_over(frames, 5.0, {"gemini": 2.0})


def _folded(frames: list[Recorded]) -> Any:
    told: Pass[Any] = Pass(CyclesFold())
    told.advance(frames)
    return told.results()


def test_a_campaign_without_its_key_is_refused_in_a_sentence_before_anything_is_opened(
    world: Folder, tmp_path: Path, home: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with provider(status(500)) as server:
        place = ready(home, world, tmp_path, server)
        text = place.file.read_text()
        place.file.write_text(text.replace(f'base_url = "{server.url}"\n', "", 1))
        ended = place.runs()
    assert ended.code == 1
    assert "agent claude needs ANTHROPIC_API_KEY in the environment" in ended.sentence
    assert place.frames() == []
