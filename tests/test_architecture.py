"""The laws of the house, each a function over source trees: held over the house, tripped once on a planted tree."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePath
from textwrap import dedent

import pytest

import myriad

HOUSE = Path(__file__).resolve().parents[1]
ROOMS = ("events", "kernels", "replay", "tui", "actors")

MAY_IMPORT = {
    "events": set(),
    "kernels": set(),
    "replay": {"events"},
    "tui": {"events", "replay"},
    "actors": {"events", "kernels", "replay"},
}

DOORS = {
    "pykka": ("actors/shell.py", "actors/supervisor.py"),
    "nats": ("events/wire/connection.py", "events/wire/client.py"),
    "cryptography": ("events/wire/certificates.py",),
    "textual": ("tui/",),
    "anthropic": ("actors/policies/claude.py",),
    "google": ("actors/policies/gemini.py",),
    "optuna": ("actors/policies/tpe.py", "actors/studies.py"),
    "yaml": ("actors/policies/answers.py",),
    "scipy": ("replay/statistics/fits.py", "replay/statistics/effects.py"),
    "matplotlib": ("replay/pages/figures.py",),
    "triton": ("kernels/operations/tiles/",),
    "transformers": ("kernels/backbones/pretrained.py",),
    "av": ("kernels/video.py",),
    "isal": ("events/archives/records.py",),
    "pyarrow": ("actors/exports/publishing.py",),
    "structlog": ("actors/", "myriad.py"),
    "msgspec": ("events/", "replay/", "tui/", "actors/", "myriad.py"),
    "torch": ("kernels/", "actors/benches/trainer.py"),
    "cyclopts": ("events/doors.py", "replay/doors/", "tui/doors.py", "actors/doors.py", "myriad.py"),
}

SEALED = {
    *("__future__", "abc", "bisect", "collections", "contextlib", "dataclasses", "datetime", "enum", "functools"),
    *("hashlib", "heapq", "io", "itertools", "json", "math", "operator", "re", "statistics", "string", "textwrap"),
    *("tomllib", "typing"),
    *("msgspec", "numpy", "scipy", "matplotlib", "events", "replay"),
}
"""What a module of replay/ may import: nothing that knows the time, chance, the environment, the network or threads."""

DOORWAY = {"sys", "pathlib", "cyclopts"}
"""What its doors may import besides: how they are asked, and where they answer."""

CLOCKS = ("now", "today", "utcnow")
"""What a sealed module may not call on the types that it may import."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "types", "stuff"}

LONGEST = 350


def sources(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the rooms, by its path in the house."""
    for path in [*(root / "myriad.py",), *(p for room in ROOMS for p in sorted((root / room).rglob("*.py")))]:
        if path.exists():
            yield path.relative_to(root).as_posix(), parsed(path.read_text())


parsed = cache(ast.parse)


def imports(tree: ast.Module) -> set[str]:
    """Return the first words of everything that a module imports, in whatever function it does so."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module.partition(".")[0])
    return found


def breaks_the_import_law(root: Path) -> list[str]:
    broken = []
    for name, tree in sources(root):
        room = name.partition("/")[0]
        if room in ROOMS:
            foreign = (imports(tree) & {*ROOMS}) - MAY_IMPORT[room] - {room}
            broken += [f"{name} imports {other}" for other in sorted(foreign)]
    return broken


def breaks_one_package_one_door(root: Path) -> list[str]:
    return [
        f"{name} imports {package}"
        for name, tree in sources(root)
        for package in imports(tree) & {*DOORS}
        if not name.startswith(DOORS[package])
    ]


def breaks_the_seal_of_replay(root: Path) -> list[str]:
    broken = []
    for name, tree in sources(root):
        if not name.startswith("replay/"):
            continue
        allowed = SEALED | DOORWAY if name.startswith("replay/doors/") else SEALED
        broken += [f"{name} imports {other}" for other in sorted(imports(tree) - allowed)]
        calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
        broken += [f"{name} calls {c.attr}" for c in calls if isinstance(c, ast.Attribute) and c.attr in CLOCKS]
    return broken


def breaks_the_length_of_a_module(root: Path) -> list[str]:
    lines = ((name, len((root / name).read_text().splitlines())) for name, _ in sources(root))
    return [f"{name} has {many} lines" for name, many in lines if many > LONGEST]


def breaks_the_naming_of_modules(root: Path) -> list[str]:
    return [name for name, _ in sources(root) if Path(name).stem in VAGUE]


def breaks_the_reasons_of_ignores(root: Path) -> list[str]:
    mark = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<codes>[:\[ ]*[A-Za-z0-9, \[\]-]*?)(?P<reason>(#|\s-\s).*)?$")
    broken = []
    for name, _ in sources(root):
        for number, line in enumerate((root / name).read_text().splitlines(), start=1):
            found = mark.search(line)
            if found is not None and not found["reason"]:
                broken.append(f"{name}:{number}: {line.strip()}")
    return broken


def breaks_the_wheel(root: Path) -> list[str]:
    """Name what lies in a room and would not be in a wheel built by the house's pyproject.toml."""
    told = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns, data = told["packages"]["find"]["include"], told["package-data"]
    broken = []
    for path in (p for room in ROOMS for p in sorted((root / room).rglob("*")) if p.is_file()):
        name, folder = path.relative_to(root), path.relative_to(root).parent
        package = ".".join(folder.parts)
        if "__pycache__" in folder.parts:
            continue
        if path.suffix == ".py":
            found = any(PurePath(package).match(pattern) for pattern in patterns)
            ships = found and (path.parent / "__init__.py").exists()
        else:
            owners = [owner for owner in data if name.is_relative_to(owner.replace(".", "/"))]
            ships = any(name.relative_to(o.replace(".", "/")).match(glob) for o in owners for glob in data[o])
        broken += [] if ships else [name.as_posix()]
    return broken


LAWS: dict[Callable[[Path], list[str]], tuple[str, str]] = {
    breaks_the_import_law: ("events/x.py", "from replay import folds\n"),
    breaks_one_package_one_door: ("replay/x.py", "def f():\n    import nats\n"),
    breaks_the_seal_of_replay: ("replay/x.py", "import time\n"),
    breaks_the_length_of_a_module: ("tui/x.py", "x = 1\n" * (LONGEST + 1)),
    breaks_the_naming_of_modules: ("actors/helpers.py", "x = 1\n"),
    breaks_the_wheel: ("tui/pictures/x.png", ""),
    breaks_the_reasons_of_ignores: ("actors/x.py", "x = 1  # noqa: E501\n"),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_nothing_in_the_house(law: Callable[[Path], list[str]]) -> None:
    assert law(HOUSE) == []


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_planted_module_that(law: Callable[[Path], list[str]], tmp_path: Path) -> None:
    name, planted = LAWS[law]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(planted)
    assert len(law(tmp_path)) == 1


def test_a_clock_called_on_an_allowed_type_breaks_the_seal(tmp_path: Path) -> None:
    (tmp_path / "replay").mkdir()
    (tmp_path / "replay" / "x.py").write_text("from datetime import datetime\nx = datetime.now()\n")
    assert breaks_the_seal_of_replay(tmp_path) == ["replay/x.py calls now"]


def test_kernels_init_is_empty_so_that_probes_for_a_package_of_that_name_find_nothing() -> None:
    assert (HOUSE / "kernels" / "__init__.py").read_text() == ""


def modules_after(code: str) -> set[str]:
    """Return the first words of all modules that a fresh interpreter holds after some code."""
    ask = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=HOUSE)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"torch", "numpy", "scipy", "nats", "pykka", "optuna", "textual", "matplotlib", "av", "msgspec", "structlog"}


def test_the_front_door_opens_without_anything_heavy() -> None:
    help_of = "import myriad\ntry:\n    myriad.app()(['--help'])\nexcept SystemExit:\n    pass"
    assert modules_after(help_of) & HEAVY == set()


@pytest.fixture(scope="module")
def opened() -> dict[str, dict[str, str]]:
    """What every door says of itself, and what an interpreter holds that has opened it and those before it."""
    ask = """
        import contextlib, io, json, sys, myriad
        told = {}
        for door in myriad.DOORS:
            with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
                print(myriad.app()([door, "--help"]))
            told[door] = {"said": said.getvalue(), "held": " ".join({name.partition(".")[0] for name in sys.modules})}
        print(json.dumps(told))
    """
    done = subprocess.run([sys.executable, "-c", dedent(ask)], capture_output=True, text=True, check=True, cwd=HOUSE)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("door", [*myriad.DOORS])
def test_the_help_of_every_door_opens_without_anything_heavy(door: str, opened: dict[str, dict[str, str]]) -> None:
    assert f"Usage: myriad {door}" in opened[door]["said"]
    assert set(opened[door]["held"].split()) & HEAVY == set()


@pytest.fixture(scope="module")
def rooms_without_torch() -> set[str]:
    """The rooms, each with those before it, after all of whose modules an interpreter does not hold torch."""
    code = "import sys\nheld = []"
    for room in ("events", "replay", "tui"):
        names = [n.removesuffix(".py").replace("/", ".") for n, _ in sources(HOUSE) if n.startswith(f"{room}/")]
        code += "".join(f"\nimport {name.removesuffix('.__init__')}" for name in names if "launcher" not in name)
        code += f"\nheld += [] if 'torch' in sys.modules else [{room!r}]"
    asked = [sys.executable, "-c", f"{code}\nprint(*held)"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=HOUSE)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("room", ["events", "replay", "tui"])
def test_torch_is_not_imported_by(room: str, rooms_without_torch: set[str]) -> None:
    assert room in rooms_without_torch


def test_a_foreign_distribution_that_shadows_a_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "__init__.py").write_text("")
    assert myriad.shadowed() is None
    monkeypatch.syspath_prepend(str(tmp_path))
    assert str(tmp_path / "events") in (myriad.shadowed() or "")


@pytest.mark.parametrize("door", ["replay {golden} report", "tail {golden}", "schema"])
def test_a_reader_that_goes_away_ends_a_door_without_a_traceback(door: str) -> None:
    words = door.format(golden=HOUSE / "tests" / "golden" / "vocabulary-2.myriad").split()
    read, write = os.pipe()
    os.close(read)
    code = "import sys, myriad; sys.argv[0] = 'myriad'; myriad.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], stdout=write, stderr=subprocess.PIPE, cwd=HOUSE, check=False
    )
    os.close(write)
    assert (done.stderr, done.returncode in (0, 141)) == (b"", True)
