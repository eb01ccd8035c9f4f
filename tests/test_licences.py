"""Every dependency is pinned exactly, and its licence is on the page."""

from __future__ import annotations

import json
import re
from importlib import metadata

from tests import licences


def test_the_page_of_licences_is_what_the_metadata_of_the_pins_say() -> None:
    assert licences.PAGE.read_text() == licences.page(), "just licences writes it again"
    assert "not said" not in licences.page()


def test_everything_that_we_need_is_pinned_to_one_version() -> None:
    lines = (licences.ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.+!-]*", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    wanted, seen = {"myriad"}, set[str]()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        for needed in metadata.requires(name) or ():
            other = re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9_.-]", needed)[0]).lower()
            extra = "extra ==" in needed and name != "myriad"
            if not extra and other not in seen and _is_here(other):
                wanted.add(other)
    ours = {"myriad", "setuptools", "pip"}
    loose = {name for name in seen - pinned - ours if not name.startswith(("nvidia", "triton", "cuda"))}
    assert loose == set(), "pin these in constraints.txt"


def test_what_is_installed_here_is_what_is_pinned() -> None:
    pins = dict(line.split("==") for line in (licences.ROOT / "constraints.txt").read_text().split())
    here = {name: version for name, version in pins.items() if _is_here(name)}
    assert {name: metadata.version(name).partition("+")[0] for name in here} == here
    assert {*pins} - {*here} <= {*licences.NOT_EVERYWHERE}


def test_the_examples_pin_what_they_need_too() -> None:
    examples = licences.ROOT / "docs" / "examples"
    node = json.loads((examples / "clients" / "package.json").read_text())["dependencies"]
    locked = json.loads((examples / "clients" / "package-lock.json").read_text())["packages"]
    assert all(locked[f"node_modules/{name}"]["version"] == version for name, version in node.items())
    assert all("integrity" in package for path, package in locked.items() if path)
    notebook = (examples / "notebook" / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in notebook if not line.startswith("#"))


def _is_here(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
