"""roadsim, the offline task: dash-camera clips of a simulated road, as real video with Nexar-shaped metadata.

Why what is seen, without its order, says little: the place where a clip ends is drawn before its label, so the last
picture is no witness; and half of the negatives are positives run backwards (the other car's motion relative to the
camera, which keeps driving forwards), made afresh, so that no negative shows a positive of this data set.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kernels import splits, video
from kernels.errors import AnotherWorld, BadTask
from kernels.files import replacing
from kernels.processes import Progress, spread
from kernels.tasks import camera, catalogue, physics
from kernels.tasks.camera import Pixels

COLUMNS = ("file_name", "time_of_event", "time_of_alert", "light_conditions", "weather", "scene", "time_to_accident")
KINDS = ("positive", "positive", "matched", "reversed")  # of clip number i: KINDS[i % 4]
RECIPE = "roadsim 2"  # named anew whenever the same seed would give other pixels

FLEETS = {"a": 1, "b": 2}  # of each camera fleet: frames of the file for each picture that its recorder takes


@dataclass(frozen=True)
class Rendered:
    """A finished task folder: clips in it, how many of them were already there, and the digest of its content."""

    clips: int
    reused: int
    digest: str


@dataclass(frozen=True)
class Scene:
    """One clip before it is filmed: its metadata row and all that moves."""

    row: dict[str, str]
    vehicles: list[camera.Vehicle]
    weather: camera.Weather
    pitch: np.ndarray[tuple[int], np.dtype[np.float64]]
    travelled: camera.Floats


def render(
    folder: Path, *, clips: int, seed: int, fleet: str = "a", processes: int = 1, progress: Progress | None = None
) -> Rendered:
    """Makes `folder` hold `clips` clips of the world `seed`; what is complete is used again.

    Args:
        folder: receives positive/ and negative/ clips (NNNNN.mp4), metadata.csv, split.json and, last, task.json.
        clips: number of clips, at least 32; half of them are positive.
        seed: of the world; the same seed gives the same pixels before encoding.
        fleet: of cameras, one of `FLEETS`; fleet b sees the same roads, but its recorder takes half as many pictures
            and shows each in two frames, so that neighbouring frames show no motion.
        processes: how many render at the same time.
        progress: called with (clips done, clips in all) as they finish.

    Raises:
        AnotherWorld: the folder holds clips of another seed or recipe.
        BadTask: there are too few clips to be split.
    """
    if clips < splits.SMALLEST:
        raise BadTask(folder, f"needs at least {splits.SMALLEST} clips to be split in three, got {clips}")
    _claim(folder, _world(seed, fleet))
    whole = _recorded(folder)
    missing = [index for index in range(clips) if not _is_whole(folder, name_of(index), whole)]
    done = clips - len(missing)
    for _ in spread(partial(_make, folder, seed, fleet), missing, processes):
        done += 1
        if progress is not None:
            progress(done, clips)
    digest = _describe(folder, clips, seed, fleet)
    return Rendered(clips, clips - len(missing), digest)


def name_of(index: int) -> str:
    """The file name of clip `index` inside its task folder."""
    return f"{'positive' if KINDS[index % 4] == 'positive' else 'negative'}/{index:05d}.mp4"


def pixels(seed: int, index: int, fleet: str = "a") -> Pixels:
    """Frames [64, 64, 96, 3] of clip `index` of world `seed`, before encoding, as a fleet's camera records them."""
    rng = _generator(seed, index)
    made = _scene(rng, index)
    taken = camera.film(rng, made.vehicles, made.weather, made.pitch, made.travelled)
    return taken[camera.recorded(len(taken), FLEETS[fleet])]


def scene(seed: int, index: int) -> Scene:
    """What clip `index` of world `seed` shows."""
    return _scene(_generator(seed, index), index)


def _generator(seed: int, index: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, index], np.uint64)))


def _make(folder: Path, seed: int, fleet: str, index: int) -> None:
    video.write(folder / name_of(index), pixels(seed, index, fleet))


def _scene(rng: np.random.Generator, index: int) -> Scene:
    kind = KINDS[index % 4]
    end = physics.draw_motion(rng, physics.draw_position(rng), collides=kind != "matched")
    start = physics.draw_motion(rng, physics.draw_position(rng), collides=False).reversed()
    path = physics.trajectory(rng, start, end)
    if kind == "reversed":
        path = path[::-1].copy()
    dark = rng.random() < 0.3
    sky = rng.uniform(70, 140) if dark else rng.uniform(170, 225)
    weather = camera.Weather(
        (sky + np.array([-8, 0, 22])).astype(np.float32),
        np.full(3, rng.uniform(80, 125), np.float32),
        rng.uniform(0.6, 1.0),
        rng.uniform(1.0, 3.0),
    )
    speed = rng.uniform(8, 18)
    times = physics.moments()
    swing = rng.uniform(0, 0.5, 2) * np.sin(np.outer(times, rng.uniform(2, 9, 2)) + rng.uniform(0, 6.28, 2))
    vehicles = [_vehicle(rng, path), *_bystanders(rng, times, speed)]
    row = {"light_conditions": "Low light" if dark else "Normal", "weather": "Clear", "scene": "Highway"}
    return Scene(row | _times(kind, path, end), vehicles, weather, swing.sum(1), (speed * times).astype(np.float32))


def _times(kind: str, path: physics.Array, end: physics.Motion) -> dict[str, str]:
    if kind != "positive":
        return {"time_of_event": "", "time_of_alert": "", "time_to_accident": ""}
    ahead = physics.collision_after(end, physics.HORIZON) or 0.0
    last = (physics.FRAMES - 1) * physics.INTERVAL
    alert = last - physics.alert_time(path, end)
    return {"time_of_event": f"{last + ahead:.2f}", "time_of_alert": f"{alert:.2f}", "time_to_accident": f"{ahead:.2f}"}


def _vehicle(rng: np.random.Generator, path: physics.Array) -> camera.Vehicle:
    body = (np.float32(1) * rng.uniform(30, 230, 1) + rng.uniform(-25, 25, 3)).astype(np.float32)
    lamps = np.array([rng.uniform(170, 240), 40, 30], np.float32)
    return camera.Vehicle(path, rng.uniform(1.7, 1.95), rng.uniform(1.4, 1.8), body, lamps)


def _bystanders(rng: np.random.Generator, times: physics.Array, speed: float) -> list[camera.Vehicle]:
    """Up to three cars that never matter: oncoming, parked, or far ahead in the next lane."""
    choices = (
        (-rng.uniform(4.2, 5.0), rng.uniform(30, 130), -(speed + rng.uniform(8, 16))),
        (rng.uniform(4.8, 6.0), rng.uniform(15, 90), -speed),
        (rng.choice([-3.6, 3.6]), rng.uniform(20, 32), rng.uniform(-1.0, 1.0)),
    )
    paths = [np.stack([np.full_like(times, x), z + rate * times], 1) for x, z, rate in choices]
    return [_vehicle(rng, path) for path in paths if rng.random() < 0.5]


def _recorded(folder: Path) -> dict[str, str]:
    """The digests of the clips that an earlier rendering finished, by name."""
    return dict(catalogue.contents(catalogue.load(folder))) if (folder / catalogue.FILE).exists() else {}


def _is_whole(folder: Path, name: str, recorded: dict[str, str]) -> bool:
    """Whether a clip is there and, if it was finished before, still has the same bytes."""
    path = folder / name
    return path.exists() and (name not in recorded or _digest(path) == recorded[name])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _claim(folder: Path, world: str) -> None:
    for part in ("positive", "negative"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for torn in folder.glob("*/*.part"):
        torn.unlink()
    claim = folder / "world.txt"
    if not claim.exists():
        _replace(claim, world)
    held = claim.read_text(encoding="utf-8")
    if held != world:
        raise AnotherWorld(folder, held, world)


def _describe(folder: Path, clips: int, seed: int, fleet: str) -> str:
    """Writes metadata.csv, split.json and, last, task.json, whose presence says that the folder is complete."""
    names = [name_of(index) for index in range(clips)]
    contents = {name: _digest(folder / name) for name in names}
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for index, name in enumerate(names):
        writer.writerow({"file_name": name} | scene(seed, index).row)
    _replace(folder / "metadata.csv", table.getvalue())
    positive = {name: name.startswith("positive") for name in names}
    splits.save(folder, splits.assign(contents, positive))
    made = tuple(catalogue.Clip(name, name, contents[name], positive[name]) for name in names)
    task = catalogue.Catalogue("roadsim", _world(seed, fleet), folder, made)
    catalogue.save(folder, task)
    return task.digest


def _world(seed: int, fleet: str) -> str:
    slow = f", a picture in {FLEETS[fleet]} frames" if FLEETS[fleet] > 1 else ""
    return f"{RECIPE}, seed {seed}, fleet {fleet}{slow}"


def _replace(path: Path, text: str) -> None:
    with replacing(path) as partial_path:
        partial_path.write_text(text, encoding="utf-8")
