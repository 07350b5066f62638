"""The error tree. Every error names the rule, the value that broke it and the next step.

CastaliaError            exit 4  something inside went wrong
├── UsageError           exit 2  the brief, a field or an option is wrong
│   └── TooLongError     exit 2  what the model would have to read does not fit its context
├── RefusedError         exit 1  no draft passed the checks; carries the best one
├── MissingError         exit 3  an engine, model or extra is not installed
│   └── OfflineError     exit 3  it could be fetched, but the network is switched off
├── EngineError          exit 3  an engine failed; `retryable` says whether to try again
├── DigestError          exit 3  a downloaded file is not the file that was promised
├── StorageError         exit 4  the disk is full, read-only, locked or damaged
├── LockedError          exit 2  the library or a key needs a password
└── MarkError            exit 4  a mark could not be embedded or read back
    └── SignatureError   exit 4  there is no signature or time stamp to be had; another draft would not help
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from castalia.core.values import Judged


class CastaliaError(Exception):
    """Root of the tree.

    Args:
        message: What went wrong: the rule and the value that broke it.
        hint: The next step, a command where there is one.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class UsageError(CastaliaError):
    """The caller asked for something that cannot be; nothing was changed."""

    exit_code = 2


class TooLongError(UsageError):
    """What the model would have to read does not fit its context."""


class RefusedError(CastaliaError):
    """No draft passed the checks within the tries; `best` is the nearest one.

    Attributes:
        best: The draft with the fewest broken rules, with all findings.
        tries: How many drafts were written.
    """

    exit_code = 1

    def __init__(self, message: str, *, best: Judged, tries: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.best = best
        self.tries = tries


class MissingError(CastaliaError):
    """An engine, model or optional part is not installed; the hint has the command."""

    exit_code = 3


class OfflineError(MissingError):
    """The part could be fetched, but `CASTALIA_OFFLINE=1` forbids it."""


class EngineError(CastaliaError):
    """An engine failed while loading or running weights.

    Attributes:
        retryable: Whether the same call may succeed later.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class DigestError(CastaliaError):
    """A file's SHA-256 is not the one in the catalogue; the file has been deleted."""

    exit_code = 3


class StorageError(CastaliaError):
    """Reading or writing the disk failed; nothing is left half written.

    Attributes:
        retryable: Whether the same call may succeed later: somebody else was writing.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class LockedError(CastaliaError):
    """The library or a key is locked and the password given does not open it."""

    exit_code = 2


class MarkError(CastaliaError):
    """A mark could not be embedded, or did not read back as it was written."""

    exit_code = 1


class SignatureError(MarkError):
    """Signing failed, or the time stamp authority did not answer; the work has no fault."""
