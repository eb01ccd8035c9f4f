"""The vocabulary for other people's programs: JSON Schema and an AsyncAPI document, both made from the structs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, get_args

import msgspec

from events import authors
from events.codec import KINDS, LIMIT
from events.envelope import Fact
from events.subjects import Aggregate
from events.upcasters import UPCASTERS, VOCABULARY

DRAFT = "https://json-schema.org/draft/2020-12/schema"

TOKEN = "[A-Za-z0-9_-]{1,64}"  # noqa: S105 # a pattern of names on the wire, no secret
"""What a part of a subject is made of; see `events.subjects.token`."""

SINGULAR = ("scheduler", "supervisor", "fixer", "analyst")
"""Roles of which a campaign has one, which writes under the role's own name; others add a name of their own."""

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a frame; `$defs` holds each fact by its class, and `Line`, what
    `myriad tail` prints.
    """
    facts, parts = _components("#/$defs/{name}")
    line = {
        "title": "Line",
        "description": "One line of myriad tail: a fact, and where it stands.",
        "type": "object",
        "properties": {
            "position": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"},
            "subject": {"type": "string", "pattern": rf"^myriad(\.{TOKEN}){{4}}$"},
            "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}:[0-9]{1,16}$"},
        },
        "required": ["position", "subject", "id"],
        "allOf": [{"$ref": "#/$defs/Fact"}],
    }
    return {
        "$schema": DRAFT,
        "$id": f"urn:myriad:vocabulary:{version()}",
        "title": "Frame",
        "description": f"The facts of one decision. {_evolution()}",
        "type": "array",
        "items": {"$ref": "#/$defs/Fact"},
        "minItems": 1,
        "$defs": {"Fact": {"title": "Fact", "oneOf": facts}, "Line": line, **parts},
    }


def asyncapi() -> Schema:
    """Return the AsyncAPI 3 document of a campaign's stream: one channel a role, each with the facts it may write."""
    refs, parts = _components("#/components/schemas/{name}")
    of_kind = dict(zip(KINDS.values(), refs, strict=True))
    return {
        "asyncapi": "3.0.0",
        "id": "urn:myriad",
        "info": {
            "title": "Myriad: the facts of a campaign",
            "version": version(),
            "description": f"{_stream()} {_evolution()}",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"campaign": _server()},
        "channels": {role: _channel(role) for role in authors.WRITES},
        "operations": {f"follow-{role}": _operation(role) for role in authors.WRITES},
        "components": {
            "securitySchemes": {"user": {"type": "userPassword", "description": "A credential file of the campaign."}},
            "schemas": {name: _draft_7(part) for name, part in parts.items()},
            "messages": {
                role: _message(role, [of_kind[kind] for kind in kinds]) for role, kinds in authors.WRITES.items()
            },
        },
    }


def version() -> str:
    """Return the vocabulary's number, and a digest that also moves when something was added to it."""
    digest = sha256(msgspec.json.encode(_components("{name}"), order="deterministic")).hexdigest()
    return f"{VOCABULARY}.0.0+{digest[:8]}"


def _components(template: str) -> tuple[list[Schema], dict[str, Schema]]:
    facts, parts = msgspec.json.schema_components(KINDS.values(), ref_template=template)
    written = {name: _edited(part, _told) for name, part in parts.items()}
    writers = _writers()
    for kind in KINDS.values():
        written[kind.__name__]["x-written-by"] = writers[kind]
    return list(facts), dict(sorted(written.items()))


def _writers() -> dict[type[Fact], list[str]]:
    return {kind: [role for role, kinds in authors.WRITES.items() if kind in kinds] for kind in KINDS.values()}


def _evolution() -> str:
    older = ", ".join(sorted(UPCASTERS))
    return (
        f"Vocabulary {VOCABULARY}. A new type or a new field with a default keeps the number: pass over what you do "
        f"not know. A changed meaning is a new type and a new number; logs of older vocabularies also hold {older}."
    )


def _stream() -> str:
    return (
        "One JetStream stream a campaign, named myriad-CAMPAIGN; one message a frame, a JSON array of at most "
        f"{LIMIT} bytes; order is the stream's sequence, and a fact's position is that sequence and its index in the "
        "array. Nothing is ever taken away. Pulses on myriad-pulse.CAMPAIGN.AUTHOR are never recorded, nor described."
    )


def _server() -> Schema:
    return {
        "host": "{host}",
        "protocol": "nats",
        "description": "The address in a credential file: the campaign's own server, or any from release 2.12 on.",
        "variables": {"host": {"default": "127.0.0.1:4222"}},
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _channel(role: str) -> Schema:
    parameters: Schema = {
        "campaign": {"description": "The campaign's name."},
        "aggregate": {"description": "What the frame is about.", "enum": list(get_args(Aggregate))},
        "identity": {"description": "Which of them."},
    }
    author = role
    if role not in SINGULAR:
        parameters["name"] = {"description": f"Which {role}: letters, digits, - and _."}
        author = f"{role}-{{name}}"
    return {
        "address": f"myriad.{{campaign}}.{{aggregate}}.{{identity}}.{author}",
        "description": f"What {author} says, and nobody else.",
        "messages": {"frame": {"$ref": f"#/components/messages/{role}"}},
        "parameters": parameters,
    }


def _operation(role: str) -> Schema:
    return {
        "action": "send",
        "summary": f"The {role} records the facts of one decision.",
        "channel": {"$ref": f"#/channels/{role}"},
        "messages": [{"$ref": f"#/channels/{role}/messages/frame"}],
    }


def _message(role: str, facts: Iterable[Schema]) -> Schema:
    identity = {
        "type": "string",
        "description": "author:n, n the author's own count of frames; the log keeps one of each.",
    }
    return {
        "name": f"frame-of-{role}",
        "title": f"A frame of {role}",
        "contentType": "application/json",
        "headers": {"type": "object", "properties": {"Nats-Msg-Id": identity}, "required": ["Nats-Msg-Id"]},
        "payload": {"type": "array", "minItems": 1, "items": {"oneOf": list(facts)}},
    }


def _edited(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """Return a schema with every mapping in it changed, the innermost first."""
    if isinstance(schema, dict):
        return change({key: _edited(value, change) for key, value in schema.items()})
    if isinstance(schema, list | tuple):
        return [_edited(value, change) for value in schema]
    return schema


def _told(schema: Schema) -> Schema:
    """Straighten the lines of a docstring; and leave out OpenAPI's discriminator, which JSON Schema does not know."""
    if isinstance(schema.get("description"), str):
        schema["description"] = inspect.cleandoc(schema["description"])
    if isinstance(schema.get("discriminator"), dict):
        del schema["discriminator"]
    return schema


def _draft_7(schema: Any) -> Any:
    """Say a tuple as draft 7 does, the dialect of AsyncAPI."""
    return _edited(schema, _tuples_as_items)


def _tuples_as_items(schema: Schema) -> Schema:
    if isinstance(schema.get("prefixItems"), list):
        rest = {"additionalItems": schema["items"]} if "items" in schema else {}
        return {
            **{k: v for k, v in schema.items() if k not in ("prefixItems", "items")},
            "items": schema["prefixItems"],
        } | rest
    return schema
