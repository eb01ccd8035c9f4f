"""What can go wrong in this room, as one family of exceptions that carry what they speak about."""

from pathlib import Path
from typing import Any


class KernelsError(Exception):
    """Root of every error this room raises on purpose; any of them comes whole out of another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


class BadConfiguration(KernelsError):
    """A configuration that cannot be wired into a pack."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(f"configuration key '{key}' is {value!r}; allowed: {allowed}")
        self.key, self.value, self.allowed = key, value, allowed


class MixedPack(KernelsError):
    """Runs of different shapes, or more runs than lanes, were put into one pack."""


class WrongDevice(KernelsError):
    """A device that this room has no lane count for."""

    def __init__(self, device: str, allowed: str) -> None:
        super().__init__(f"device '{device}' is not one this room trains on; allowed: {allowed}")
        self.device, self.allowed = device, allowed


class AnotherWorld(KernelsError):
    """A folder holds clips of another seed or recipe than the one asked for."""

    def __init__(self, folder: Path, held: str, asked: str) -> None:
        super().__init__(f"{folder} holds clips of {held}, not of {asked}; name another folder or delete this one")
        self.folder, self.held, self.asked = folder, held, asked


class BadTask(KernelsError):
    """A task folder that is incomplete or contradicts itself."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class BadRows(KernelsError):
    """Rows of a table, or videos that they name, cannot be used, and the user asked for all or none."""

    def __init__(self, folder: Path, problems: tuple[str, ...]) -> None:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        super().__init__(f"{shown} (strict = true refuses the whole task; mend them, or leave them out)")
        self.folder, self.problems = folder, problems


class BadVideo(KernelsError):
    """A video that cannot be decoded, or holds no picture at the time asked for."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"video {path}: {problem}")
        self.path, self.problem = path, problem


class MissingFeatures(KernelsError):
    """No feature cache for a backbone."""

    def __init__(self, cache: Path, backbone: str) -> None:
        super().__init__(f"no features of backbone '{backbone}' in {cache}; run features.extract for it first")
        self.cache, self.backbone = cache, backbone


class BadFeatures(KernelsError):
    """Features that must not be trained on: damaged, constant or not finite."""

    def __init__(self, backbone: str, problem: str, columns: tuple[int, ...] = ()) -> None:
        super().__init__(f"features of backbone '{backbone}': {problem}")
        self.backbone, self.problem, self.columns = backbone, problem, columns


class BadWeights(KernelsError):
    """A file of shipped weights that is missing or not the recorded one."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class MissingPackage(KernelsError):
    """A package that is only needed for some backbones is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package {package} is not installed; pip install 'myriad[{extra}]'")
        self.package, self.extra = package, extra


class BadCheckpoint(KernelsError):
    """Checkpoint bytes that are damaged or of another format."""


def _restored(kind: type[KernelsError], args: tuple[Any, ...], state: dict[str, Any]) -> KernelsError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
