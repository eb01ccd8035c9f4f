"""A campaign in which everything crashes that can, with keys in its environment: nothing kept or shown holds one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from events.facts import AnswerRefused, Failed
from tests.actors.policies.provider import Sent, provider, raw, status
from tests.faults.eavesdropping import Eavesdropper
from tests.faults.hosts import SPACE
from tests.faults.runs import Place

KEYS = {"ANTHROPIC_API_KEY": "planted-key-0123456789", "GEMINI_API_KEY": "planted-too-0123456789"}

SCRIPT = """
import faulthandler, os, sys

faulthandler.enable()
print({name: value for name, value in os.environ.items()}, file=sys.stderr)
print(open("/proc/self/environ").read(), open("/proc/self/cmdline").read(), file=sys.stderr, flush=True)
if int(os.environ["MYRIAD_EXPERIMENT"][2:]) % 2:
    os.abort()
raise RuntimeError(f"this run knows no more than {dict(os.environ)}")
"""
"""A program that says all that it was given, and crashes: with a trace, or as the kernel has it."""

CAMPAIGN = """
name = "tiny"

[task]
kind = "command"
run = ["python", "train.py"]
inputs = ["train.py"]
space = "space.toml"

[budget]
experiments = 2
fruitless = 2
timeout = 60
usd = 5.0

[workers]
devices = ["cpu"]

[prices."model-x"]
input = 5.0
output = 25.0

[[agent]]
name = "u"
policy = "uniform"
ideas = 3

[[agent]]
name = "claude"
policy = "claude"
model = "model-x"
max_tokens = 1000
base_url = "{url}"

[[agent]]
name = "gemini"
policy = "gemini"
model = "model-x"
max_tokens = 1000
base_url = "{url}"
"""


def hangs_up_with_the_key(asked: Any) -> Sent:
    return raw(f"{{broken {asked.headers}".encode())(asked)


def test_crashes_of_runs_and_of_calls_with_keys_in_the_environment_leave_no_key_anywhere(
    tmp_path: Path, home: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    answers = (
        status(401, f"invalid x-api-key: {' or '.join(KEYS.values())}"),
        hangs_up_with_the_key,
        status(500, f"crashed with {' and '.join(KEYS.values())}"),
        status(400, f"no such key: {' and '.join(KEYS.values())}"),
    )
    with provider(*answers) as server:
        place = Place(tmp_path, None)
        home.append(place)
        place.file.write_text(CAMPAIGN.format(url=server.url))
        (tmp_path / "train.py").write_text(SCRIPT)
        (tmp_path / "space.toml").write_text(SPACE)
        run = place.starts()
        with Eavesdropper(place, run) as heard:
            ended = run.ended()
        sent = str([asked.headers for asked in server.requests])
    assert all(key in sent for key in KEYS.values()), "both were used"
    facts = [fact for recorded in place.frames() for fact in recorded.facts]
    crashed = [fact for fact in facts if isinstance(fact, Failed)]
    traces = [fact.trace.head + fact.trace.tail for fact in crashed]
    assert {fact.kind for fact in crashed} == {"crashed"}
    assert any("this run knows no more than" in trace for trace in traces)
    assert any("Fatal Python error: Aborted" in trace for trace in traces)
    assert any(isinstance(fact, AnswerRefused) for fact in facts)
    conf = (place.folder.credentials / "server.conf").read_text()
    secrets = [*KEYS.values(), *re.findall(r'password: "([^"]+)"', conf)]
    assert len(secrets) > len(KEYS) + 5
    overheard = b"\n".join(content for contents in heard.heard.values() for content in contents)
    for process in ("nats-server", "start_bench", "train.py"):
        assert any(process in command for command in heard.seen), process
    shown = (ended.out + ended.err).encode()
    kept = {
        path: path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and place.folder.credentials not in path.parents
    }
    for secret in secrets:
        assert secret.encode() not in overheard
        assert secret.encode() not in shown
        assert [path for path, content in kept.items() if secret.encode() in content] == []
