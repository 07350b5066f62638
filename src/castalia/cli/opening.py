"""What several commands share: opening the studio (asking for the password) and the line of progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from castalia.core.errors import LockedError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.ports import Progress
    from castalia.studio import Studio


def open_studio(progress: Progress | None = None, **overrides: Any) -> Studio:  # noqa: ANN401 - handed on to `Studio`, which types them
    """The user's studio; a vault with a password asks for it on a terminal.

    Raises:
        LockedError: there is no terminal to ask on, or the password is wrong.
    """
    from castalia.studio import Studio

    studio = Studio(progress=progress, **overrides)
    try:
        _ = studio.vault
    except LockedError:
        if os.environ.get("CASTALIA_PASSWORD") or not sys.stdin.isatty():
            raise
        password = click.prompt(say("Password of the studio", "工作室密码"), hide_input=True, err=True)
        studio = Studio(password=password, progress=progress, **overrides)
    return studio


@contextmanager
def progress_line(*, quiet: bool) -> Generator[Progress]:
    """A progress reporter: one line that is overwritten on a terminal, nothing elsewhere."""
    shown = ""
    live = sys.stderr.isatty() and not quiet

    def report(message: str, share: float) -> None:
        nonlocal shown
        if live:
            click.echo("\r" + " " * len(shown.encode()) + "\r", nl=False, err=True)
            shown = f"{message} {share:4.0%}" if message else ""
            click.echo(shown, nl=False, err=True)

    try:
        yield report
    finally:
        report("", 1)
