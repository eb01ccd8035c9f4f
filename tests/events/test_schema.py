"""The vocabulary as other people's programs read it: the schemas against every fact, and against AsyncAPI's parser."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError

from events import authors, codec, doors, facts, memory, subjects
from events.consumers import schema, tailing
from events.envelope import Fact, Position
from events.errors import FrameUnreadable
from tests.events.saying import frame
from tests.events.test_vocabulary import FACTS, WRITER

PARSER = "@asyncapi/parser@3.6.3"

DOCUMENT = schema.json_schema()
ASYNC = schema.asyncapi()


def _of(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$schema": schema.DRAFT, "$defs": DOCUMENT["$defs"], "$ref": f"#/$defs/{name}"})


BY_NAME = {name: _of(name) for name in DOCUMENT["$defs"]}


def _as_json(fact: Fact) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(fact))


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    for part in ASYNC["components"]["schemas"].values():
        Draft7Validator.check_schema(part)


def test_every_fact_has_a_schema_and_says_who_writes_it() -> None:
    for kind in codec.KINDS.values():
        assert WRITER[kind] in DOCUMENT["$defs"][kind.__name__]["x-written-by"]
    assert {ref["$ref"].rpartition("/")[2] for ref in DOCUMENT["$defs"]["Fact"]["oneOf"]} == {
        kind.__name__ for kind in codec.KINDS.values()
    }


@given(FACTS)
def test_every_fact_that_can_be_written_fits_its_schema_and_needs_what_the_schema_says(fact: Fact) -> None:
    validator, written = BY_NAME[type(fact).__name__], _as_json(fact)
    validator.validate(written)
    for needed in DOCUMENT["$defs"][type(fact).__name__]["required"]:
        lacking = {key: value for key, value in written.items() if key != needed}
        assert not validator.is_valid(lacking)
        with pytest.raises(FrameUnreadable):
            codec.decode(msgspec.json.encode([lacking]))
    validator.validate({**written, "mood": "of a newer Myriad"})


def test_a_frame_is_one_or_more_facts_of_known_types() -> None:
    whole = Draft202012Validator(DOCUMENT)
    fact = _as_json(facts.WorkerRetired(worker="a", reason="b", cause=Position(3, 1)))
    whole.validate([fact, fact])
    for wrong in ([], fact, [{**fact, "type": "FromTomorrow"}], [{**fact, "worker": 7}], [{**fact, "cause": ["x", 0]}]):
        assert not whole.is_valid(wrong)


def test_a_line_of_tail_fits_the_schema_of_a_line() -> None:
    log = memory.MemoryLog("tale")
    log.append(frame("tale", 1))
    (said,) = tailing.said(log.read(), Position(0))
    _of("Line").validate(json.loads(tailing.line(said)))
    with pytest.raises(ValidationError):
        _of("Line").validate({**json.loads(tailing.line(said)), "position": "first"})


def _resolved(reference: str) -> Any:
    found: Any = ASYNC
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [found for value in part.values() for found in _references(value)]
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = _references(ASYNC)
    assert len(references) > len(codec.KINDS)
    for reference in references:
        assert isinstance(_resolved(reference), dict), reference


@given(st.data())
def test_a_role_may_say_its_own_facts_on_its_channel_and_no_others(data: st.DataObject) -> None:
    fact = data.draw(FACTS)
    for role, kinds in authors.WRITES.items():
        payload = _resolved(ASYNC["channels"][role]["messages"]["frame"]["$ref"])["payload"]
        allowed = {_resolved(ref["$ref"])["title"] for ref in payload["items"]["oneOf"]}
        assert (type(fact).__name__ in allowed) == (type(fact) in kinds)
    part = ASYNC["components"]["schemas"][type(fact).__name__]
    Draft7Validator({**part, "components": ASYNC["components"]}).validate(_as_json(fact))


@pytest.mark.parametrize("author", ["scheduler", "supervisor", "fixer", "analyst", "agent-tpe", "worker-a", "person-x"])
def test_the_address_of_a_channel_is_the_subject_that_a_role_writes_on(author: str) -> None:
    channel = ASYNC["channels"][authors.role_of(author)]
    pattern = re.sub(r"\\{\w+\\}", r"[^.]+", re.escape(channel["address"]))
    assert re.fullmatch(pattern, subjects.subject("tale", "pack", "p-1", author))
    assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])


def test_the_version_moves_when_the_vocabulary_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema.version()
    assert before.startswith("2.0.0+")
    assert DOCUMENT["$id"].endswith(before)
    assert ASYNC["info"]["version"] == before
    fewer = {name: kind for name, kind in codec.KINDS.items() if name != "Boosted"}
    monkeypatch.setattr(schema, "KINDS", fewer)
    assert schema.version() != before


def test_the_door_prints_either_document(capsys: pytest.CaptureFixture[str]) -> None:
    doors.schema()
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(DOCUMENT))
    doors.schema(asyncapi=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(ASYNC))


SCRIPT = """
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({
  channels: document ? document.channels().all().map((channel) => channel.id()) : [],
  errors: diagnostics.filter((found) => found.severity === 0).map((found) => found.message),
}));
"""


@pytest.mark.prove
def test_the_parser_of_the_asyncapi_project_reads_the_document(tmp_path: Path) -> None:
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PARSER], cwd=tmp_path, check=True)
    (tmp_path / "read.mjs").write_text(SCRIPT)

    def read(document: Any) -> dict[str, Any]:
        asked = json.dumps(document)
        done = subprocess.run(
            ["node", "read.mjs"], input=asked, capture_output=True, text=True, cwd=tmp_path, check=True
        )
        return json.loads(done.stdout)

    assert read(ASYNC) == {"channels": [*authors.WRITES], "errors": []}
    assert read({**ASYNC, "channels": 3})["errors"]
