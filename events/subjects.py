"""Names on the wire: `myriad.<campaign>.<aggregate>.<id>.<author>`, and which of them a filter means."""

from __future__ import annotations

import re
from typing import Literal

from events.errors import LogError

Aggregate = Literal["campaign", "cycle", "pack", "worker", "repair", "defect", "analysis"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def token(word: str, *, what: str) -> str:
    """Return the word unchanged when it can stand in a subject.

    Raises:
        LogError: it holds another character than letters, digits, `-` and `_`, or more than 64.
    """
    if not _TOKEN.fullmatch(word):
        raise LogError(f"{what} {word!r} must be 1 to 64 letters, digits, '-' or '_'")
    return word


def subject(campaign: str, aggregate: Aggregate, identity: str, author: str) -> str:
    """Build the subject of a frame."""
    return f"myriad.{campaign}.{aggregate}.{identity}.{author}"


def is_frame(campaign: str, name: str) -> bool:
    """Say whether a name is the subject of one of the campaign's frames."""
    tokens = name.split(".")
    return len(tokens) == 5 and tokens[:2] == ["myriad", campaign] and all(map(_TOKEN.fullmatch, tokens))


def everything(campaign: str) -> str:
    """Return the filter of all of a campaign's frames."""
    return f"myriad.{campaign}.>"


def own(campaign: str, author: str) -> str:
    """Return the filter of an author's frames: the fence of a role."""
    return f"myriad.{campaign}.*.*.{author}"


def pack(campaign: str, identity: str) -> str:
    """Return the filter of a pack's frames: the fence of a lease."""
    return f"myriad.{campaign}.pack.{identity}.*"


def all_of(campaign: str, aggregate: Aggregate) -> str:
    """Return the filter of every frame of an aggregate: the fence of what all its authors share, such as money."""
    return f"myriad.{campaign}.{aggregate}.*.*"


def pulse(campaign: str, author: str) -> str:
    """Return the subject of an author's pulses, which are never recorded."""
    return f"myriad-pulse.{campaign}.{author}"


def call(campaign: str) -> str:
    """Return the subject on which a campaign's runner calls workers on other hosts; nothing of it is recorded."""
    return f"myriad-call.{campaign}"


def lent(campaign: str, user: str) -> str:
    """Return the subject on which processes that would lend the devices of one machine hear of one another."""
    return f"myriad-lent.{campaign}.{user}"


def files(campaign: str) -> str:
    """Return the bucket of what workers on other hosts need."""
    return f"myriad-files-{campaign}"


def returns(campaign: str) -> str:
    """Return the bucket of what workers on other hosts made."""
    return f"myriad-returns-{campaign}"


def kept(bucket: str) -> str:
    """Return the stream of a bucket of the object store."""
    return f"OBJ_{bucket}"


def author_of(name: str) -> str:
    """Return the author of a frame's subject: its last token."""
    return name.rpartition(".")[2]


def place_of(name: str) -> tuple[str, str]:
    """Return what a frame's subject is about: aggregate and id, such as `cycle.c-tpe-3`, and the id alone."""
    _, _, aggregate, identity, _ = name.split(".")
    return f"{aggregate}.{identity}", identity


def matches(wanted: str, name: str) -> bool:
    """Say whether a subject is meant by a filter, with NATS's `*` (one token) and `>` (one or more, at the end)."""
    if wanted == ">":
        return True
    pattern, tokens = wanted.split("."), name.split(".")
    for index, part in enumerate(pattern):
        if part == ">":
            return len(tokens) > index
        if index >= len(tokens) or part not in ("*", tokens[index]):
            return False
    return len(pattern) == len(tokens)
