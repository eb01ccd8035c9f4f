"""Triton's programs compiled for an H100 without one: registers, spills, products and atomics, by its own tools.

    python -m tests.kernels.ahead [NAME]        # one line of JSON a program, or the first of that name

In a process of its own, since the tests' own interprets what is compiled here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import triton
from triton.backends import nvidia
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels.operations.tiles import cell, scan

TARGET = GPUTarget("cuda", 90, 32)
WHOLE = {"clips", "steps", "channels", "states", "chunks", "size"}
DUMP = Path(nvidia.__file__).parent / "bin" / "cuobjdump"
SCANNED = {"CHUNK": scan.CHUNK, "BLOCK": scan.BLOCK, "STATES": 16}
RULES, HEADS = (True, False), (16, 32, 64)


def celled(head: int) -> dict[str, Any]:
    return {"BLOCK": cell.BLOCK, "HEAD": head, "PART": cell.PART, "PRECISION": cell.PRECISION}


def programs() -> list[tuple[Any, dict[str, Any], int]]:
    """Every program with what it is compiled for: both rules, and heads of widths 64 to 256."""
    scans = [(which, SCANNED | {"HELD": held}, scan.WARPS) for which in (scan.live, scan.relive) for held in RULES]
    cells = [(which, celled(head), cell.warps(head)) for which in (cell.forward, cell.backward) for head in HEADS]
    return scans + cells


def compiled(program: Any, constants: dict[str, Any], warps: int) -> dict[str, Any]:
    """What became of a program."""
    names = program.arg_names
    kinds = {name: "constexpr" if name in constants else "i32" if name in WHOLE else "*fp32" for name in names}
    even = {(n,): [["tt.divisibility", 16]] for n, name in enumerate(names) if kinds[name] == "*fp32"}
    source = ASTSource(program, kinds, {(names.index(name),): value for name, value in constants.items()}, even)
    made = triton.compile(source, target=TARGET, options={"num_warps": warps})
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(made.asm["cubin"])
        used, code = (
            subprocess.run([DUMP, how, file.name], capture_output=True, text=True, check=True).stdout
            for how in ("--dump-resource-usage", "-sass")
        )
    numbers = re.search(r"REG:(\d+) STACK:(\d+)", used)
    assert numbers is not None, used
    return {
        "program": f"{program.__module__.rpartition('.')[2]}.{program.__name__}",
        "for": constants,
        "registers": int(numbers[1]),
        "stack": int(numbers[2]),
        "spills": len(re.findall(r"\bSTL\b", code)),
        "products": len(re.findall(r"\bHMMA\b", code)),
        "atomics": len(re.findall(r"\b(?:ATOM|ATOMG|ATOMS|RED)\b", code)),
    }


def main() -> None:
    """Print a line for each program, or for the first one of a name."""
    chosen = programs()
    if len(sys.argv) > 1:
        chosen = [one for one in chosen if one[0].__name__ == sys.argv[1]][:1]
    for program in chosen:
        print(json.dumps(compiled(*program)), flush=True)


if __name__ == "__main__":
    main()
