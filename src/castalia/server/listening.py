"""The listening side: uvicorn, told to say nothing of requests, to wait for no slow ones, and to tell its address."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from castalia.server.settings import ServerSettings

_SLOWEST = 8_000
"""Bytes a second that a request comes at, on average, once the first patience is over."""


def listening(app: FastAPI, settings: ServerSettings, told: Callable[[str], None]) -> uvicorn.Server:
    """The server, not yet running.

    Args:
        app: What it serves.
        settings: Where it listens, and how long it waits.
        told: Hears the address once it listens.
    """
    chosen = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        http=functools.partial(_Patient, patience=settings.patience_seconds),  # pyright: ignore[reportArgumentType]
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=32_768,
        limit_concurrency=settings.most_connections,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=5,
    )
    return _Server(chosen, told)


class _Patient(H11Protocol):
    """A connection that is cut when the other side sends a request, or takes an answer, too slowly.

    uvicorn waits for ever for both, so that a few hundred connections that do nothing would shut everybody else out.

    Args:
        patience: Seconds.
        given: See `H11Protocol`.
    """

    def __init__(self, *given: Any, patience: float, **more: Any) -> None:  # noqa: ANN401 - handed on as they come
        super().__init__(*given, **more)
        self._patience = patience
        self._since: float | None = None
        """When the request that comes in began; None while none does."""
        self._came = 0
        """Bytes of it."""
        self._full_since: float | None = None
        """Since when the other side takes nothing of an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """See asyncio."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._since is None:
            self._since, self._came = self.loop.time(), 0
        self._came += len(data)
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._since = None

    def pause_writing(self) -> None:
        """See asyncio."""
        super().pause_writing()
        self._full_since = self.loop.time()

    def resume_writing(self) -> None:
        """See asyncio."""
        super().resume_writing()
        self._full_since = None

    def _look(self) -> None:
        """Cut the connection if it is time to, else look again later."""
        if self.transport.is_closing() and self._full_since is None:
            return
        now = self.loop.time()
        answered = bool(self.cycle) and self.cycle.response_complete  # what still comes, nobody reads
        patience = self._patience + (0 if answered else self._came / _SLOWEST)
        slow = self._since is not None and now - self._since > patience
        stuck = self._full_since is not None and now - self._full_since > self._patience
        if slow or stuck:
            self.transport.abort()
        else:
            self.loop.call_later(self._patience / 4, self._look)


class _Server(uvicorn.Server):
    def __init__(self, chosen: uvicorn.Config, told: Callable[[str], None]) -> None:
        super().__init__(chosen)
        self._told = told

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; then tells the address."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.ssl_certfile else "http"
            self._told(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
