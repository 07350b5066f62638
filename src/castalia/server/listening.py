"""The listening side: uvicorn, told to say nothing of requests and to tell its address once it has one."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from castalia.server.settings import ServerSettings


def listening(app: FastAPI, settings: ServerSettings, told: Callable[[str], None]) -> uvicorn.Server:
    """The server, not yet running.

    Args:
        app: What it serves.
        settings: Where it listens.
        told: Hears the address once it listens.
    """
    chosen = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=32_768,
        limit_concurrency=500,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=5,
    )
    return _Server(chosen, told)


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
