"""The embedded server's settings: what it listens on, how it keeps frames, and what each of its users may do."""

from __future__ import annotations

import json

from events import subjects
from events.folder import Campaign

USERS = ("owner", "service", "reader")


def config(folder: Campaign, passwords: dict[str, str], *, port: int, room: int, sync: str) -> str:
    """Return the server's configuration file; every string in it is quoted as JSON, which the server reads."""
    users = "\n".join(_user(folder.name, user, password) for user, password in passwords.items())
    return f"""
server_name: {json.dumps(f"myriad-{folder.name}")}
listen: "127.0.0.1:{port or -1}"
ports_file_dir: {json.dumps(str(folder.store))}
log_file: {json.dumps(str(folder.store / "server.log"))}
max_payload: 1048576
write_deadline: "20s"
jetstream {{
  store_dir: {json.dumps(str(folder.store))}
  max_file_store: {room}
  sync_interval: {sync}
}}
authorization {{
  users = [
{users}
  ]
}}
"""


def _user(campaign: str, user: str, password: str) -> str:
    publish, subscribe = _allowed(campaign)[user]
    rights = f"publish: {{ allow: {json.dumps(publish)} }}, subscribe: {{ allow: {json.dumps(subscribe)} }}"
    return f"    {{ user: {user}, password: {json.dumps(password)}, permissions: {{ {rights} }} }}"


def _allowed(campaign: str) -> dict[str, tuple[list[str], list[str]]]:
    stream = f"myriad-{campaign}"
    pulses = subjects.pulse(campaign, "*")
    read = [
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.>",
    ]
    heard = ["_INBOX.>", pulses]
    return {
        "owner": ([">"], [">"]),
        "service": ([subjects.everything(campaign), pulses, *read], heard),
        "reader": (read, heard),
    }
