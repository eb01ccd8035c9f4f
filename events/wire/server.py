"""The embedded server: a real nats-server on a loopback port, its store locked, gone when we are.

    with server.running(folder) as running:
        log = jetstream.connect(running.credential("person"), folder.name)

`running` starts it and stops it; `start` returns a `Running` that the caller stops. Both belong to the main thread: the
kernel ends the server when the *thread* that started it ends (see `events/wire/launcher.py`; Linux only, elsewhere a
killed parent leaves its server behind, and the next start names it). Windows is not supported.

Each user has a generated password. Those of three lie in `credentials/USER.json` (0600): `owner` makes the stream;
`person` speaks as the one person who runs and declares; `reader` reads frames and hears pulses. Each other author of a
run is a user of its own, whom nothing outside the process knows. Nobody but the owner may change or empty a stream.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from events.errors import PortInUse, ServerFailed, StoreLocked
from events.folder import Campaign
from events.wire import binary, credentials
from events.wire.address import Address
from events.wire.credentials import Credential, is_loopback, write_secret
from events.wire.permissions import LOOPBACK, Listening, config
from events.wire.users import KEPT, users, write_machines

SPARE = 32 * 1024 * 1024
"""Bytes of the disk that the server leaves free, so that it refuses a frame before the disk refuses it."""

PATIENCE = 10.0
"""Seconds to wait for a store that somebody has only for a moment."""

ALWAYS = "always"
"""Every frame is on the disk before it is acknowledged."""

LAUNCHER = Path(__file__).with_name("launcher.py")


class _Holder(msgspec.Struct, frozen=True):
    run: int
    server: int = 0


class Running:
    """A server that answers.

    Attributes:
        url: `nats://127.0.0.1:port`.
        pid: the server's process.
        websocket: `ws://127.0.0.1:port` where browsers may connect, None where they may not.
    """

    def __init__(
        self,
        folder: Campaign,
        process: subprocess.Popen[bytes],
        ports: dict[str, list[str]],
        credentials: dict[str, Credential],
    ) -> None:
        self.folder = folder
        self.url = credentials["owner"].url
        self.websocket = next(iter(ports.get("websocket", ())), None)
        self.pid = process.pid
        self._process = process
        self._credentials = credentials

    def credential(self, user: str) -> Credential:
        """Return what a user needs to connect: owner, person, reader, or an author for whom the server was started."""
        return self._credentials[user]

    @property
    def alive(self) -> bool:
        """Say whether the server's process is there."""
        return self._process.poll() is None

    def stop(self, patience: float = 20.0) -> None:
        """End the server in good order, or after `patience` seconds without asking."""
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self.folder.server.unlink(missing_ok=True)


@contextlib.contextmanager
def running(
    folder: Campaign | Path,
    *,
    listening: Listening = LOOPBACK,
    room: int | None = None,
    sync: str = ALWAYS,
    announce: bool = True,
    authors: Iterable[str] = (),
    websocket: int | None = None,
) -> Iterator[Running]:
    """Run a campaign's server for the length of a with statement; arguments and errors are those of `start`."""
    started = start(
        folder, listening=listening, room=room, sync=sync, announce=announce, authors=authors, websocket=websocket
    )
    try:
        yield started
    finally:
        started.stop()


def start(
    folder: Campaign | Path,
    *,
    listening: Listening = LOOPBACK,
    room: int | None = None,
    sync: str = ALWAYS,
    announce: bool = True,
    authors: Iterable[str] = (),
    websocket: int | None = None,
) -> Running:
    """Start a campaign's server and wait until it answers.

    Args:
        folder: the campaign's folder, made where it is not there.
        listening: on which address, and with which certificates; port 0 takes a free one.
        room: bytes that the store may take; None for what the disk has.
        sync: when frames reach the disk: `ALWAYS`, or an interval as the server writes it ("2m"), which survives the
            end of every process and not a power cut.
        announce: write `server.json`, so that others of this machine find the server.
        authors: each a user who speaks in its own name alone.
        websocket: port of a listener for browsers, on the loopback address, 0 for a free one; None for none.

    Raises:
        StoreLocked: another server has this store.
        PortInUse: the port is taken.
        ServerFailed: no binary, one that is too old, no space, not the main thread, an address that others may reach
            and no TLS, or the server's own reason.
    """
    if not is_loopback(listening.host) and listening.tls is None:
        raise ServerFailed(f"{listening.host} can be reached from other machines: no server listens there without TLS")
    if threading.current_thread() is not threading.main_thread():
        raise ServerFailed("the server is started from the main thread: it ends when its starting thread does")
    folder = folder if isinstance(folder, Campaign) else Campaign(folder)
    path = binary.find()
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(_locked(folder))
        _take_over(folder)
        write_machines(folder)
        known, room = users(folder, authors), _room(folder) if room is None else room
        settings = config(folder, known.values(), listening=listening, room=room, sync=sync, websocket=websocket)
        write_secret(_config_file(folder), settings.encode())
        process = _spawn(path, folder, lock)
        try:
            os.pwrite(lock, _line(_Holder(os.getpid(), process.pid)), 0)
            ports = _wait(folder, process, listening)
        except BaseException:
            process.kill()
            process.wait()
            raise
    url = listening.url(urlsplit(ports["nats"][0]).port or 0)
    ca = str(listening.tls.authority) if listening.tls is not None else None
    known = {name: msgspec.structs.replace(credential, url=url, ca=ca) for name, credential in known.items()}
    for name in KEPT:
        credentials.save(known[name], folder.credentials / f"{name}.json")
    if announce:
        here = Address(url=url, pid=process.pid, run=os.getpid(), host=listening.host)
        write_secret(folder.server, msgspec.json.encode(here))
    return Running(folder, process, ports, known)


def address(folder: Campaign) -> Address | None:
    """Return where a campaign's server runs on this machine, or None when none holds its store and can be reached.

    One that was killed holds its store until the machine has done away with it, and is nowhere.
    """
    if holder(folder) is None:
        return None
    try:
        found = msgspec.json.decode(folder.server.read_bytes(), type=Address)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.listens() else None


def holder(folder: Campaign) -> tuple[int, int] | None:
    """Return (run, server): the processes that hold a campaign's store, zeros where they cannot be told, or None."""
    try:
        lock = os.open(_lock_file(folder), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        found = _read_holder(lock)
        return found.run, found.server
    else:
        return None
    finally:
        os.close(lock)


@contextlib.contextmanager
def _locked(folder: Campaign) -> Iterator[int]:
    # The server's process inherits this open file and with it the lock, which lasts as long as either has it open;
    # ours is closed once the server runs, so that the lock means the server and nothing else.
    _make_folders(folder)
    lock = os.open(_lock_file(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(folder, lock)
        folder.server.unlink(missing_ok=True)
        os.ftruncate(lock, 0)
        os.pwrite(lock, _line(_Holder(os.getpid())), 0)
        yield lock
    finally:
        os.close(lock)


def _take(folder: Campaign, lock: int) -> None:
    start = time.monotonic()
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        found = _read_holder(lock)
        # Who has announced its server means to stay. Anybody else has the store for a moment: a look at the lock, a
        # reader that catches its archive up, a start, an end, or a server that is dying after its parent.
        stays = folder.server.exists() and _is_there(found.run)
        if time.monotonic() - start > (0.3 if stays else PATIENCE):
            raise StoreLocked(folder.name, found.run, found.server)
        time.sleep(0.01)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _make_folders(folder: Campaign) -> None:
    try:
        folder.store.mkdir(parents=True, exist_ok=True)
        folder.credentials.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServerFailed(f"{error.filename} cannot be made: {error.strerror}") from error


def _line(holder: _Holder) -> bytes:
    return msgspec.json.encode(holder).ljust(64) + b"\n"


def _read_holder(lock: int) -> _Holder:
    try:
        return msgspec.json.decode(os.pread(lock, 256, 0), type=_Holder)
    except msgspec.MsgspecError:
        return _Holder(0)


def _take_over(folder: Campaign) -> None:
    """Put a store of before there were accounts where the campaign's account looks for it."""
    stores = folder.store / "jetstream"
    if (old := stores / "$G").is_dir() and not (stores / "campaign").exists():
        old.rename(stores / "campaign")


def _room(folder: Campaign) -> int:
    taken = sum(file.stat().st_size for file in folder.store.rglob("*") if file.is_file())
    free = shutil.disk_usage(folder.store).free - SPARE
    if free <= 0:
        raise ServerFailed(f"the disk of {folder.store} is full: make room, nothing was started")
    return taken + free


def _spawn(path: Path, folder: Campaign, lock: int) -> subprocess.Popen[bytes]:
    _log_file(folder).write_bytes(b"")
    launch = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(path), "-c", str(_config_file(folder))]
    # A session of its own, so that Ctrl-C reaches us alone and we stop the server after our last frame.
    null = subprocess.DEVNULL
    with _log_file(folder).open("ab") as log:
        return subprocess.Popen(
            launch,
            pass_fds=(lock,),
            stdin=null,
            stdout=null,
            stderr=log,
            env=binary.environment(),
            start_new_session=True,
        )


def _wait(
    folder: Campaign, process: subprocess.Popen[bytes], listening: Listening, patience: float = 60.0
) -> dict[str, list[str]]:
    written = folder.store / f"nats-server_{process.pid}.ports"
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError, msgspec.MsgspecError, KeyError, IndexError):
            ports = msgspec.json.decode(written.read_bytes(), type=dict[str, list[str]])
            ports["nats"][0]  # raises until the file is whole
            written.unlink()
            return ports
        if process.poll() is not None:
            raise _failure(folder, listening)
        time.sleep(0.002)
    raise ServerFailed(f"the server did not answer within {patience:g} seconds: see {_log_file(folder)}")


def _failure(folder: Campaign, listening: Listening) -> ServerFailed | PortInUse:
    lines = _log_file(folder).read_text(errors="replace").splitlines()
    if any("address already in use" in line for line in lines):
        return PortInUse(listening.port)
    if any("no space left" in line for line in lines):
        return ServerFailed(f"the disk of {folder.store} is full: make room, nothing was started")
    reason = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return ServerFailed(f"the server did not start: {reason.strip()} (see {_log_file(folder)})")


def _config_file(folder: Campaign) -> Path:
    return folder.credentials / "server.conf"


def _lock_file(folder: Campaign) -> Path:
    return folder.store / "lock"


def _log_file(folder: Campaign) -> Path:
    return folder.store / "server.log"
