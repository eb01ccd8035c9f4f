"""Facts about the campaign as a whole, and about the roles that carry it."""

from __future__ import annotations

import msgspec

from events.envelope import Fact, Text
from events.space import Space, Value


class CampaignOpened(Fact, frozen=True, kw_only=True, tag="CampaignOpened"):
    """A campaign began: its whole file as it was read, the space after narrowing, the seed of everything drawn.

    Attributes:
        repeats: other seeds under which the campaign runs its leaders before one is champion; 0 where it leaves that to
            a person, None in logs from before it was told.
    """

    campaign: str
    file: Text
    space: Space
    seed: int
    repeats: int | None = None


class CampaignClosed(Fact, frozen=True, kw_only=True, tag="CampaignClosed"):
    """The scheduler ended the search: the rule that did it, in words."""

    reason: str


class CampaignPaused(Fact, frozen=True, kw_only=True, tag="CampaignPaused"):
    """A person asked that nothing new be started; what runs goes on."""

    reason: str


class CampaignResumed(Fact, frozen=True, kw_only=True, tag="CampaignResumed"):
    """A person ended a pause."""

    reason: str


class CampaignReopened(Fact, frozen=True, kw_only=True, tag="CampaignReopened"):
    """A closed search goes on.

    Attributes:
        file: the campaign file as it says now, where its budget is another than before; None where it is not.
    """

    reason: str
    file: Text | None = None


class SpaceWidened(Fact, frozen=True, kw_only=True, tag="SpaceWidened"):
    """A dimension has a new value, as the campaign's rules allow; `proposer` is the agent whose idea brought it."""

    dimension: str
    value: Value
    proposer: str
    reason: str


class FeaturesExtracted(Fact, frozen=True, kw_only=True, tag="FeaturesExtracted"):
    """A backbone's features lie in the cache: their digest, clips and width, and whether they were there before."""

    backbone: str
    digest: str
    clips: int
    width: int
    reused: bool
    seconds: float


class SharedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the campaign's bucket of the object store: the sha256 of its bytes, which is its name, and how many."""

    digest: str
    size: int


class FilesShared(Fact, frozen=True, kw_only=True, tag="FilesShared"):
    """All that a machine elsewhere needs to train for the campaign lies in its object store.

    Attributes:
        instrument: under which the campaign trains; what trains under another gets no work.
        files: by their paths in the campaign's folder.
    """

    instrument: str
    files: dict[str, SharedFile]


class RoleFailed(Fact, frozen=True, kw_only=True, tag="RoleFailed"):
    """A role raised; the supervisor saw it."""

    role: str
    error: str
    trace: Text


class RoleRestarted(Fact, frozen=True, kw_only=True, tag="RoleRestarted"):
    """A dead role was refolded and runs again; `restart` counts from 1 within the supervisor's window."""

    role: str
    restart: int
