"""A crash in what trains, as a model is told of it: where it broke, what was run, and the sources that the trace names.

Nothing here is another model's text: a trace, a configuration, our own sources and our own sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from actors.repair.patches import LINES, ROOM, SEALED, SEALED_TOO, is_sealed
from events.facts import Execution
from events.space import Configuration

SHOWN = 8
"""Files that a model is shown, those nearest to the crash first."""

SOURCES = 80_000
"""Bytes of source that a model is shown."""

TRACE = 12_000
"""Characters of a trace that a model is shown: its end."""

EARLIER = 8_000
"""Characters of a refused diff that a model is shown again."""

_FRAME = re.compile(rf'File "[^"\n]*?/{ROOM}/([A-Za-z0-9_/]+\.py)", line \d+, in (\S+)')
_ERROR = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(?::|$)")

STABLE = f"""\
You mend the source code of a program that trains neural networks. One of its runs crashed. You are given the trace, the
run's configuration, and the sources that the trace names. Find the defect and repair it with as few lines as can be.

Answer with one to three sentences that say what is wrong, and then one unified diff in a fenced block:

```diff
--- a/{ROOM}/some/file.py
+++ b/{ROOM}/some/file.py
@@ -10,4 +10,4 @@
 an unchanged line, copied to the letter
-a line that goes
+the line that takes its place
```

Rules:
- Change only Python files of {ROOM}/ that exist; make, remove and move none; at most {LINES} lines.
- Sealed, and refused: {", ".join((*SEALED, *SEALED_TOO))}.
- A repair never changes what a configuration means: no dimension may be ignored, clamped or replaced by another value,
  and no error may be hidden. Every other configuration must train as it did, to the last bit.
- Import nothing new but math, numpy and torch; read and write no files; start no processes.
- Before your diff is used, a copy of {ROOM}/ with it must pass every check of the instrument, and then train this very
  run to its end.
- Where no such diff is right, say so and give none.
"""


class Crash(NamedTuple):
    """What is known of one crashed run.

    Attributes:
        read: returns the text of a file of the room by its path inside it; raises `FileNotFoundError`.
        earlier: diffs that were tried for it, each with why it was refused.
    """

    trace: str
    configuration: Configuration
    execution: Execution
    read: Callable[[str], str]
    earlier: tuple[tuple[str, str], ...] = ()


def site(trace: str) -> str | None:
    """Return where in the room a trace ends: its last file and function there, and the kind of error; None elsewhere.

    Lines move when a file is changed; the function is still the same place.
    """
    frames = _FRAME.findall(trace)
    if not frames:
        return None
    told = trace[trace.rindex('File "') :].split("\n")
    error = _ERROR.match(next((line for line in told[1:] if line[:1] not in ("", " ", "\t")), ""))
    file, function = frames[-1]
    return f"{file} {function} {error[1] if error is not None else 'Error'}"[:200]


def fresh(crash: Crash) -> str:
    """Return the part of the question that is this crash's alone."""
    parts = [f"The trace:\n\n{_fenced(crash.trace[-TRACE:])}"]
    ran = {"configuration": crash.configuration, "execution": msgspec.to_builtins(crash.execution)}
    parts.append(f"What was run:\n\n{_fenced(msgspec.json.encode(ran, order='sorted').decode())}")
    parts += [_tried(diff, reason) for diff, reason in crash.earlier]
    parts += [_source(path, text) for path, text in _sources(crash)]
    return "\n\n".join(parts) + "\n"


def _tried(diff: str, reason: str) -> str:
    return f"This diff was tried and refused, because: {reason}\n\n{_fenced(diff[:EARLIER])}"


def _source(path: str, text: str) -> str:
    sealed = " (sealed: to read, not to change)" if is_sealed(path) else ""
    return f"{ROOM}/{path}{sealed}:\n\n{_fenced(text)}"


def _sources(crash: Crash) -> list[tuple[str, str]]:
    """Return the files of the trace's frames, those nearest to the crash first, as far as there is room."""
    named = dict.fromkeys(path for path, _ in reversed(_FRAME.findall(crash.trace)))
    found, room = [], SOURCES
    for path in [*named][:SHOWN]:
        try:
            text = crash.read(path)
        except FileNotFoundError:
            continue
        if (size := len(text.encode())) <= room:
            found.append((path, text))
            room -= size
    return found


def _fenced(text: str) -> str:
    # Longer than any fence inside, so that nothing that is quoted ends its own quotation.
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
