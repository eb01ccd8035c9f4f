"""Patches of what trains: a unified diff from somebody who is not trusted, read strictly and applied to texts.

What is refused here is refused before anything is written. This is no sandbox: a patch that passes may still do
whatever Python can; see `actors.repair.workshop` for what surrounds it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

from actors.errors import CampaignError

ROOM = "kernels"
"""The room that a patch may change."""

SEALED = ("splits.py", "evaluation.py", "precision.py", "scoring.py", "datasets.py", "controls.py", "outcomes.py")
"""Files of the room that say what is measured, on which clips: no patch may change what a number means."""

SEALED_TOO = ("instrument.py", "selftest.py", "canaries.py", "canaries/", "tasks/", "weights/", "__init__.py")
"""Those that say what the instrument is and hold it to account, and those that make clips and their labels."""

LONGEST = 64 * 1024
"""Bytes of a diff."""

FILES, LINES = 6, 400
"""Files that a diff may change, and lines that it may take out or put in: what is asked for is a minimal repair."""

LARGEST = 256 * 1024
"""Bytes of a patched file."""

REACHING = {"eval", "exec", "compile", "open", "__import__", "globals", "setattr", "delattr", "breakpoint", "input"}
"""Built-in functions that a repair of numerics has no use for; a patch may not bring the first call of one."""

HARMLESS = {"math", "itertools", "functools", "dataclasses", "typing", "collections", "numpy", "torch"}
"""Packages that a patch may import where the file did not."""

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class PatchRefused(CampaignError):
    """A diff cannot be used; the text is one sentence that also tells a model what to do otherwise."""


class Hunk(NamedTuple):
    """Lines that are there and what takes their place.

    Attributes:
        line: where the diff says that they begin, from 1.
        moved: lines that are taken out or put in.
    """

    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    moved: int


class Change(NamedTuple):
    """The hunks of one file, whose path is inside the room."""

    path: str
    hunks: tuple[Hunk, ...]


def digest(diff: str, base: str | None) -> str:
    """Return the name of a patch: sha256 of the diff and of what it is applied to."""
    return sha256(f"{base or ''}\n{diff}".encode()).hexdigest()


def parse(diff: str) -> tuple[Change, ...]:
    """Return the changes of a unified diff.

    Raises:
        PatchRefused: it is no diff of a few existing Python files of the room.
    """
    if len(diff.encode()) > LONGEST:
        raise PatchRefused(f"the diff has more than {LONGEST} bytes")
    if any(not (c.isprintable() or c in "\n\t") for c in diff):
        raise PatchRefused("the diff holds characters that no source line has")
    changes = tuple(_files(diff.split("\n")))
    if not changes:
        raise PatchRefused("there is no change in the diff: it needs ---, +++ and @@ lines")
    if len({change.path for change in changes}) != len(changes):
        raise PatchRefused("the diff names a file twice")
    if len(changes) > FILES:
        raise PatchRefused(f"the diff changes {len(changes)} files, and {FILES} are allowed")
    moved = sum(hunk.moved for change in changes for hunk in change.hunks)
    if moved > LINES:
        raise PatchRefused(f"the diff changes {moved} lines, and {LINES} are allowed")
    return changes


def apply(changes: tuple[Change, ...], read: Callable[[str], str]) -> dict[str, str]:
    """Return the new text of each changed file, by its path inside the room.

    Args:
        changes: of one diff.
        read: returns a file's text by that path; raises `FileNotFoundError` where there is none.

    Raises:
        PatchRefused: a hunk is not found, or the result is no Python or reaches for what it did not before.
    """
    return {change.path: _patched(change, read) for change in changes}


def is_sealed(path: str) -> bool:
    """Say whether a file of the room, by its path inside it, may not be changed."""
    return any(path == name or (name.endswith("/") and path.startswith(name)) for name in (*SEALED, *SEALED_TOO))


def _files(lines: list[str]) -> list[Change]:
    changes, number = [], 0
    while number < len(lines):
        line = lines[number]
        if line.startswith(("GIT binary patch", "Binary files", "rename ", "copy ", "new file", "deleted file")):
            raise PatchRefused(f"a patch changes lines of existing files and nothing else, not: {line[:80]}")
        if line.startswith("--- "):
            if number + 1 >= len(lines) or not lines[number + 1].startswith("+++ "):
                raise PatchRefused("a --- line is not followed by a +++ line")
            path = _path(line, lines[number + 1])
            hunks, number = _hunks(lines, number + 2)
            changes.append(Change(path, hunks))
        elif line.startswith("@@"):
            raise PatchRefused("a hunk stands before any --- and +++ lines")
        else:
            number += 1
    return changes


def _path(before: str, after: str) -> str:
    names = [line[4:].split("\t")[0].strip() for line in (before, after)]
    if "/dev/null" in names:
        raise PatchRefused("a patch makes and removes no files")
    names = [name[2:] if name.startswith(mark) else name for name, mark in zip(names, ("a/", "b/"), strict=True)]
    if names[0] != names[1]:
        raise PatchRefused(f"a patch moves no files, and this one names {names[0][:80]} and {names[1][:80]}")
    path = PurePosixPath(names[0])
    plain = re.fullmatch(r"[A-Za-z0-9_/]+\.py", names[0]) is not None
    if not plain or path.is_absolute() or path.parts[0] != ROOM or len(path.parts) < 2 or str(path) != names[0]:
        raise PatchRefused(f"{names[0][:80]} is no Python file of {ROOM}/")
    inside = str(PurePosixPath(*path.parts[1:]))
    if is_sealed(inside):
        raise PatchRefused(f"{names[0]} is sealed: it says what a result means, and is no place for a repair")
    return inside


def _hunks(lines: list[str], number: int) -> tuple[tuple[Hunk, ...], int]:
    hunks = []
    while number < len(lines) and lines[number].startswith("@@"):
        if (head := _HUNK.match(lines[number])) is None:
            raise PatchRefused(f"this is no hunk header: {lines[number][:80]}")
        body, number = _body(lines, number + 1)
        before = tuple(line[1:] for line in body if line[:1] in (" ", "-"))
        after = tuple(line[1:] for line in body if line[:1] in (" ", "+"))
        if not before or before == after:
            raise PatchRefused("a hunk shows no line that is there, or changes none")
        hunks.append(Hunk(int(head[1]), before, after, sum(line[:1] in ("-", "+") for line in body)))
    if not hunks:
        raise PatchRefused("a file is named without a hunk")
    return tuple(hunks), number


def _body(lines: list[str], number: int) -> tuple[list[str], int]:
    body: list[str] = []
    while number < len(lines) and not lines[number].startswith(("@@", "--- ", "diff ")):
        line = lines[number]
        if line[:1] not in (" ", "-", "+", "\\", ""):
            raise PatchRefused(f"a line of a hunk begins with neither a space nor + nor -: {line[:80]}")
        if line[:1] != "\\":
            # An empty line is what is left of an empty context line whose one space was trimmed.
            body.append(line or " ")
        number += 1
    while body and body[-1] == " ":
        body.pop()
    return body, number


def _patched(change: Change, read: Callable[[str], str]) -> str:
    try:
        text = read(change.path)
    except FileNotFoundError:
        raise PatchRefused(f"there is no {ROOM}/{change.path}") from None
    lines = text.split("\n")
    for hunk in reversed([*change.hunks]):
        at = _place(lines, hunk, change.path)
        lines[at : at + len(hunk.before)] = hunk.after
    patched = "\n".join(lines)
    if len(patched.encode()) > LARGEST:
        raise PatchRefused(f"{ROOM}/{change.path} would have more than {LARGEST} bytes")
    reached = _reach(patched, change.path) - _reach(text, change.path)
    if reached := {name for name in reached if name.partition(".")[0] not in HARMLESS}:
        raise PatchRefused(
            f"{ROOM}/{change.path} would reach for {', '.join(sorted(reached))}, which it did not before"
        )
    return patched


def _place(lines: list[str], hunk: Hunk, path: str) -> int:
    """Return the index of a hunk's first line: the one place where it fits, or the nearest of several to its number.

    The lines must be there to the letter. Their number is a hint: models count badly, and copy well.
    """
    size, before = len(hunk.before), list(hunk.before)
    found = [at for at in range(len(lines) - size + 1) if lines[at : at + size] == before]
    if not found:
        raise PatchRefused(f"these lines are not in {ROOM}/{path}: {' / '.join(hunk.before[:3])[:120]}")
    if len(found) > 1 and hunk.line - 1 not in found:
        raise PatchRefused(f"a hunk fits {len(found)} places of {ROOM}/{path}, and its number names none of them")
    return found[0] if len(found) == 1 else hunk.line - 1


def _reach(text: str, path: str) -> set[str]:
    """Return what a module imports, and which of `REACHING` it names."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PatchRefused(f"{ROOM}/{path} would be no Python: {error}") from None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Name) and node.id in REACHING:
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            found.add(node.attr)
    return found
