"""The server, put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from filelock import FileLock, Timeout
from starlette.staticfiles import StaticFiles

import castalia
from castalia.core.errors import StorageError
from castalia.core.files import make_folder
from castalia.core.language import say
from castalia.server import errors
from castalia.server.accounts import Accounts
from castalia.server.described import describe
from castalia.server.gate import Gate
from castalia.server.house import House
from castalia.server.jobs import Jobs
from castalia.server.metrics import Metrics
from castalia.server.routes import accounts, collections, files, media, models, openai, responses, status, works
from castalia.server.settings import ServerSettings
from castalia.server.store import Store
from castalia.server.worker import Workers


def build(settings: ServerSettings) -> FastAPI:
    """The application; its workers run between start-up and shutdown.

    Raises:
        UsageError: the settings do not go together.
        StorageError: the database cannot be opened, or another server runs over it.
    """
    settings.check()
    alone = _alone(settings.data)
    store = Store(settings.database or settings.data / "server.db")
    people = Accounts(store, settings.data / "accounts")
    jobs = Jobs(store, people, settings)
    workers = Workers(jobs, settings)
    house = House(settings, store, people, jobs, workers, Metrics())

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncGenerator[None]:
        workers.start()
        try:
            yield
        finally:
            workers.stop()
            store.close()
            alone.release()

    app = FastAPI(title="Castalia", version=castalia.__version__, docs_url=None, redoc_url=None, lifespan=running)
    app.state.house = house
    errors.answer_errors(app)
    for each in (status, accounts, works, models, collections, openai, responses, media, files):
        app.include_router(each.router)
    describe(app)
    app.mount("/", StaticFiles(directory=settings.page, html=True))
    app.add_middleware(Gate, settings=settings, accounts=people, jobs=jobs, metrics=house.metrics)
    return app


def _alone(data: Path) -> FileLock:
    """Keep a second server off the folder, which would take the first one's jobs for its own; ends with the process."""
    make_folder(data, private=True)
    lock = FileLock(data / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StorageError(
            say("Another server runs over {folder}.", "另一个服务器正在使用 {folder}。", folder=data),
            hint=say("Stop it, or choose another folder with --data.", "请先停止它，或用 --data 选择其他文件夹。"),
        ) from error
    return lock
