"""The doors of many hosts: `myriad worker` where devices are lent, `myriad invite` where the campaign runs."""

from __future__ import annotations

from pathlib import Path

from actors.doors import Home


def worker(
    *,
    connect: str | None = None,
    creds: Path | None = None,
    campaign: str | None = None,
    devices: str | None = None,
    shared: Path | None = None,
    cache: Path | None = None,
    patience: float | None = None,
    headless: bool = False,
) -> int:
    """Lend this machine's devices to a campaign that runs elsewhere, until it is closed or you press Ctrl-C.

    Args:
        connect: the campaign's server, nats://host:port; by default the one that the credential names.
        creds: the credential file that myriad invite wrote.
        campaign: its name, where the server holds several.
        devices: how many, or which: cuda:0,cuda:1; by default every GPU, or one worker for each core.
        shared: the campaign's folder as this machine sees it; files are then taken from there, not from the server.
        cache: where fetched files are kept; by default ~/.cache/myriad/lent.
        patience: seconds without a server or a running campaign after which to give up; by default never.
        headless: the operational log as well as plain lines.
    """
    from actors.errors import CampaignError  # noqa: PLC0415 # heavy
    from actors.hosts.lending import lend, wanted  # noqa: PLC0415 # heavy
    from actors.hosts.sitting import Lent  # noqa: PLC0415 # heavy
    from events.wire import credentials  # noqa: PLC0415 # heavy

    if connect is None and creds is None:
        raise CampaignError(
            "myriad worker needs --creds FILE, which myriad invite wrote, or --connect nats://host:port"
        )
    lent = Lent(
        wanted(devices),
        cache=cache.absolute() if cache is not None else None,
        shared=shared.absolute() if shared is not None else None,
        patience=patience,
    )
    return lend(credentials.at(connect, creds), campaign, lent, headless=headless)


def invite(
    campaign: str,
    machine: str,
    *,
    devices: int = 8,
    address: str | None = None,
    to: Path | None = None,
    home: Home = None,
) -> int:
    """Let a machine lend its devices to a campaign that runs here: write the credential file that it needs.

    Args:
        campaign: the campaign's name; its server must be running here, see myriad run --listen.
        machine: a name for it, such as gpu-box; inviting it again writes the same credential.
        devices: how many it may lend.
        address: the name or address under which it reaches this machine; by default where the server listens.
        to: the file to write, MACHINE.json by default.
    """
    from events.campaigns import find, home_of  # noqa: PLC0415 # heavy
    from events.errors import CampaignUnknown  # noqa: PLC0415 # heavy
    from events.wire.credentials import save  # noqa: PLC0415 # heavy
    from events.wire.inviting import invite as invited  # noqa: PLC0415 # heavy

    if (folder := find(campaign, home_of(home)).folder) is None:
        raise CampaignUnknown(f"campaign {campaign} has no folder on this machine, which is where its server runs")
    file = to or Path(f"{machine}.json")
    save(invited(folder, machine, devices=devices, host=address), file)
    print(f"{file}: for {machine} alone, keep it secret; there, type: myriad worker --creds {file.name}")
    return 0
