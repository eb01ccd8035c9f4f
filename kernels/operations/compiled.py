"""The recurrences as compiled loops, built once by the machine's own C compiler; without one, why they are not used.

What was built is part of the platform: another compiler or processor may change last bits, and so may doing without.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = Path(__file__).with_name("recurrences.c")
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-ffp-contract=fast", "-shared", "-fPIC")
TAKEN = ("torch.float32", "torch.int64", "torch.int32")
PATIENCE = 60.0  # seconds that a compiler may take; it needs one
SWITCH = "MYRIAD_COMPILED"  # environment variable: "0" does without


@dataclass(frozen=True)
class Built:
    """A library that was loaded, and the digest of what it was built from and for."""

    library: ctypes.CDLL
    digest: str


@dataclass(frozen=True)
class Missing:
    """Why there is no library."""

    reason: str


@lru_cache(maxsize=1)
def state() -> Built | Missing:
    """Loads the library, building it when this machine has not yet; asked once a process."""
    if os.environ.get(SWITCH) == "0":
        return Missing(f"{SWITCH} is 0")
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return Missing("no C compiler (cc, gcc or clang) on the path")
    try:
        return load(compiler, cache())
    except subprocess.CalledProcessError as error:
        return Missing(f"{compiler} failed: {(error.stderr.splitlines() or ['it said nothing'])[-1]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Missing(str(error))


def describe() -> str:
    """What a platform says of it: the digest of source, compiler and processor, or the reason for doing without."""
    found = state()
    return f"c {found.digest}" if isinstance(found, Built) else f"none: {found.reason}"


def usable(*tensors: "Tensor") -> bool:
    """Whether the compiled loops can take such tensors: on the CPU, and in float32 where they are not whole numbers."""
    ours = all(x.device.type == "cpu" and str(x.dtype) in TAKEN for x in tensors)
    return ours and isinstance(state(), Built)


def call(name: str, sizes: tuple[int, ...], *tensors: "Tensor") -> None:
    """Calls a loop of the library with its sizes and dense arrays.

    Raises:
        MemoryError: the loop was refused its workspace.
        RuntimeError: there is no library.
    """
    found = state()
    if isinstance(found, Missing):
        raise RuntimeError(f"no compiled loops here: {found.reason}")
    if not all(x.is_contiguous() for x in tensors):
        raise ValueError(f"'{name}' takes dense arrays")
    counts = (ctypes.c_long * len(sizes))(*sizes)
    loop = getattr(found.library, name)
    if loop(counts, *(ctypes.c_void_p(x.data_ptr()) for x in tensors)):
        raise MemoryError(f"the loop '{name}' was refused its workspace")


def cache() -> Path:
    """Where built libraries are kept: myriad/ in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "myriad"


def load(compiler: str, folder: Path) -> Built:
    """Loads the library from `folder`, built there first when source, compiler or processor are new to it.

    Raises:
        subprocess.CalledProcessError: the compiler does not take the source.
        OSError: the folder cannot be written, or the library not loaded.
    """
    # The compiler's own macros name its version and every instruction set that it will use on this processor.
    asked = _run(compiler, "-march=native", "-dM", "-E", "-x", "c", os.devnull)
    digest = hashlib.sha256("\n".join([SOURCE.read_text(), *FLAGS, asked]).encode()).hexdigest()[:16]
    path = folder / f"recurrences-{digest}.so"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as workshop:
            fresh = Path(workshop) / path.name
            _run(compiler, *FLAGS, "-o", str(fresh), str(SOURCE))
            fresh.replace(path)
    return Built(ctypes.CDLL(str(path)), digest)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout
