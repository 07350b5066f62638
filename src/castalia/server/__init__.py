"""The studio over HTTP: its own interface, OpenAI's, accounts, jobs and a folder for the web page.

`serve` is the front; the rest is reached through the address.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress

from castalia.core.errors import StorageError, UsageError
from castalia.core.language import say
from castalia.server.settings import PORT, ServerSettings

__all__ = ["PORT", "ServerSettings", "serve"]

_ARENA_MAX = -8
"""glibc's `M_ARENA_MAX`."""
_ARENAS = 2
"""Pools of memory: by default each thread may get one of its own, which keeps what it once had."""


def serve(settings: ServerSettings, told: Callable[[str], None]) -> None:
    """Run until the process is asked to stop.

    Args:
        settings: How.
        told: Hears the address once it listens.

    Raises:
        UsageError: the settings do not go together, or it would be reached from elsewhere without an account.
        StorageError: the database or the address cannot be had.
    """
    with suppress(AttributeError, TypeError, OSError):  # another C library has no such setting, or no such pools
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
    from castalia.server.app import build
    from castalia.server.listening import listening

    app = build(settings)
    if not settings.local and not app.state.house.store.accounts():
        raise UsageError(
            say(
                "Nobody has an account, so it does not listen on {host}: whoever came first would be administrator.",
                "尚无账户，因此不会监听 {host}：否则最先访问者将成为管理员。",
                host=settings.host,
            ),
            hint=say(
                "Start it with --host 127.0.0.1 first, and make the first account.",
                "请先以 --host 127.0.0.1 启动，并创建第一个账户。",
            ),
        )
    running = listening(app, settings, told)
    running.run()
    if not running.started:
        raise StorageError(
            say("{host}:{port} cannot be had.", "无法使用 {host}:{port}。", host=settings.host, port=settings.port),
            hint=say("Is it taken? Try --port 0.", "是否已被占用？可用 --port 0。"),
        )
