"""Bugs planted in a copy of the kernels, and whether the canaries of that copy refuse it and say where it is broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOM = Path(__file__).parents[2] / "kernels"
PATIENCE = 600.0
LOOK = """
import json, os, re, sys
import numpy, safetensors.numpy, torch
torch.set_num_threads(1)

def look(seed, named):
    import kernels
    from kernels.canaries import suite
    assert kernels.__path__[0].startswith(sys.argv[1]), kernels.__path__
    named = re.compile(named) if named else None
    for canary in suite.canaries("cpu", seed=seed):
        if canary.problem is not None:
            told = f"{canary.name}, {canary.subject}: {canary.problem}"
            print(json.dumps(told), flush=True)
            if named is not None and named.search(told):
                return

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            look(*json.loads(line))
        except BaseException as raised:
            print(json.dumps(f"the kernels cannot be used: {type(raised).__name__}: {raised}"), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps(f"the kernels ended with status {status}"), flush=True)
    print("null", flush=True)
"""
"""A process that has imported all but the kernels: each look is a child of its own, which imports them as they are."""


@dataclass(frozen=True)
class Edit:
    """One place of one file, which must be there exactly once, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A bug.

    Attributes:
        names: dimensions or stages, of which the canaries must name one.
    """

    name: str
    edits: tuple[Edit, ...]
    names: tuple[str, ...]

    @property
    def named(self) -> re.Pattern[str]:
        """Finds one of the names as a word of its own."""
        return re.compile(r"(?<![a-z_])(?:" + "|".join(map(re.escape, self.names)) + r")(?![a-z_])")


@dataclass(frozen=True)
class Caught:
    """What the canaries said of a mutant, up to the first word of where it is broken."""

    mutant: Mutant
    said: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether any canary had a problem."""
        return bool(self.said)

    @property
    def is_named(self) -> bool:
        """Whether one of them said where."""
        return any(self.mutant.named.search(said) for said in self.said)


def bug(name: str, file: str, old: str, new: str, *names: str) -> Mutant:
    """A bug of one place."""
    return Mutant(name, (Edit(file, old, new),), names)


class Copy:
    """A copy of the kernels, mutated and mended again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._whole = folder, folder / "whole"
        shutil.copytree(ROOM, self._whole)
        shutil.copytree(self._whole, folder / "kernels")
        self._looks = subprocess.Popen(
            [sys.executable, "-c", LOOK, str(folder)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def look(self, mutant: Mutant, seed: int = 1) -> Caught:
        """What the canaries say of a mutant; raises where an edit's place is not there exactly once."""
        for edit in mutant.edits:
            path = self._folder / "kernels" / edit.file
            text = path.read_text(encoding="utf-8")
            assert text.count(edit.old) == 1, (mutant.name, edit.file, edit.old, text.count(edit.old))
            path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
        try:
            return Caught(mutant, self._ask(mutant.named.pattern, seed))
        finally:
            for edit in mutant.edits:
                shutil.copy2(self._whole / edit.file, self._folder / "kernels" / edit.file)

    def healthy(self, seed: int) -> tuple[str, ...]:
        """What the canaries say of the copy as it is, which should be nothing."""
        return self._ask("", seed)

    def close(self) -> None:
        """End the process of the looks."""
        self._looks.stdin.close()  # type: ignore[union-attr] # it was opened as a pipe
        self._looks.wait(PATIENCE)

    def _ask(self, named: str, seed: int) -> tuple[str, ...]:
        assert self._looks.stdin is not None
        assert self._looks.stdout is not None
        self._looks.stdin.write(json.dumps([seed, named]) + "\n")
        self._looks.stdin.flush()
        said = []
        while (line := self._looks.stdout.readline()) and (told := json.loads(line)) is not None:
            said.append(told)
        assert line, "the process of the looks has ended"
        return tuple(said)


def looked_at(mutants: tuple[Mutant, ...], folder: Path) -> Iterator[Caught]:
    """Every mutant's verdict, in order."""
    with closing(Copy(folder)) as copy:
        for mutant in mutants:
            yield copy.look(mutant)
