"""What can go wrong with a campaign that is being run, as opposed to with one of its experiments, which is a fact."""

from __future__ import annotations


class CampaignError(Exception):
    """Root of every error that the room raises; its text is one sentence that a person can act on."""


class CampaignFileInvalid(CampaignError):
    """A campaign file cannot be used.

    Attributes:
        file: its path.
        problems: one sentence each, naming the key, what was found and what is allowed.
    """

    def __init__(self, file: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{file}: " + "; ".join(problems))
        self.file = file
        self.problems = problems


class BenchBroken(CampaignError):
    """The child process that should train ended, or cannot begin."""


class RoleGivenUp(CampaignError):
    """A role died more often than the supervisor allows; the campaign ends and can be resumed."""

    def __init__(self, role: str, error: str) -> None:
        super().__init__(
            f"{role} keeps failing ({error}); the campaign stopped and loses nothing: mend it and run again"
        )
        self.role = role
