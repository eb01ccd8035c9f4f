"""The door `myriad list`: the campaigns under a home."""

from __future__ import annotations

import sys

from replay.doors.asking import Home


def list_(*, home: Home = None, json: bool = False) -> None:
    """Print the campaigns under the home: state, best, spend, frames, size, time of the last fact.

    Parameters
    ----------
    json: bool
        One JSON object a line.
    """
    import msgspec  # noqa: PLC0415 # help must not wait for it

    from events import campaigns  # noqa: PLC0415 # likewise
    from replay.standing import page, standing  # noqa: PLC0415 # likewise

    found = [standing(place) for place in campaigns.listing(home)]
    if json:
        lines = [msgspec.json.encode(one).decode() for one in found]
    else:
        lines = [page(found)] if found else [f"no campaign in {campaigns.home_of(home)}"]
    sys.stdout.writelines(f"{line}\n" for line in lines)
