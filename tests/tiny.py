"""The smallest campaign that is real: 72 rendered clips, one backbone, a network of width 16, runs of a fraction of a
second; its clips and features are made once for all tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from actors.benches.child import Child
from actors.benches.setups import Setup
from actors.orders import Prepare, Prepared
from actors.running.opening import reuse
from events.folder import Campaign as Folder

CLIPS, SEED = 72, 7

FILE = f"""
name = "tiny"

[task]
clips = {CLIPS}
seed = {SEED}

[space]
backbone = ["motion"]
epochs = [5]
length = [8, 12]
batch = [16, 32]

[network]
width = 16
layers = 1
heads = 2

[budget]
experiments = 6
timeout = 60

[workers]
devices = ["cpu", "cpu"]
silence = 3

[analysis]
every = 2
controls = false

[champion]
repeats = 0

[[agent]]
name = "u"
policy = "uniform"
ideas = 3
"""

ALONE = ('devices = ["cpu", "cpu"]', 'devices = ["cpu"]')
"""The change that leaves one worker, where two would show nothing that one does not."""


def setup(folder: Folder, **changes: object) -> Setup:
    """What a bench of a campaign in this folder is told."""
    told = Setup(
        worker="worker-cpu0-a",
        device="cpu",
        task=str(folder.path / "clips"),
        cache=str(folder.features),
        checkpoints=str(folder.checkpoints),
        backbones=("motion",),
        width=16,
        layers=1,
        heads=2,
    )
    return msgspec.structs.replace(told, **changes)


def make_world(path: Path) -> Folder:
    """Render the clips and extract the features, as a campaign would."""
    folder = Folder(path)
    folder.path.mkdir(parents=True)
    child = Child(setup(folder), path / "world.err", lambda pulse: None)
    try:
        order = Prepare(id="prepare", clips=CLIPS, seed=SEED, processes=os.cpu_count() or 1)
        answer = child.ask(order, 300.0)
    finally:
        child.close()
    assert isinstance(answer, Prepared), answer
    return folder


def settle_in(world: Folder, home: Path, name: str = "tiny", *changes: tuple[str, str]) -> Path:
    """Give a campaign under this home the world's clips and features, and return its file, with changes."""
    text = FILE.replace('name = "tiny"', f'name = "{name}"')
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    folder = Folder(home / name)
    folder.path.mkdir(parents=True, exist_ok=True)
    reuse(world, folder)
    file = home.parent / f"{name}.toml"
    file.write_text(text)
    return file
