"""The server, put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

import castalia
from castalia.server import errors
from castalia.server.accounts import Accounts
from castalia.server.gate import Gate
from castalia.server.house import House
from castalia.server.jobs import Jobs
from castalia.server.metrics import Metrics
from castalia.server.routes import accounts, openai, status, works
from castalia.server.settings import ServerSettings
from castalia.server.store import Store
from castalia.server.worker import Worker


def build(settings: ServerSettings) -> FastAPI:
    """The application; its worker runs between start-up and shutdown.

    Raises:
        UsageError: the settings do not go together.
        StorageError: the database cannot be opened.
    """
    settings.check()
    store = Store(settings.data / "server.db")
    people = Accounts(store, settings.data / "accounts")
    jobs = Jobs(store, people, settings)
    house = House(settings, store, people, jobs, Worker(jobs, settings), Metrics())

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncGenerator[None]:
        house.worker.start()
        try:
            yield
        finally:
            house.worker.stop()
            store.close()

    app = FastAPI(title="Castalia", version=castalia.__version__, docs_url=None, redoc_url=None, lifespan=running)
    app.state.house = house
    errors.answer_errors(app)
    for each in (status, accounts, works, openai):
        app.include_router(each.router)
    app.mount("/", StaticFiles(directory=settings.page, html=True))
    app.add_middleware(Gate, settings=settings, accounts=people, jobs=jobs, metrics=house.metrics)
    return app
