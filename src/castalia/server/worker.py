"""Workers: threads that run the models, each one job after the other, in the studio of the job's owner.

There is one for each two processors, and one more that takes what is usually over at once, so that a picture does not
wait behind a story; language models share weights and processors (see `engines`). Errands, which need no model, have
threads of their own.
"""

from __future__ import annotations

import base64
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from typing import Any, cast

from castalia.core import language
from castalia.core.errors import CastaliaError, RefusedError
from castalia.core.language import say
from castalia.core.ports import DrawnToken
from castalia.engines import processors
from castalia.given import Upload
from castalia.server import errands
from castalia.server.errors import Refusal, refusal_of
from castalia.server.jobs import Feed, Jobs, Taken, work_id
from castalia.server.logged import logged
from castalia.server.sent import base_name
from castalia.server.settings import ServerSettings
from castalia.server.store import State
from castalia.studio import Studio
from castalia.writer import Workshop

_LOOK_UP = 5.0
"""Seconds between looks at the clock while there is nothing to do."""
_QUICK = 5.0
"""Seconds that a job usually takes at most which need not wait for longer ones."""
_ERRANDS = 2
"""Errands at a time."""
_EACH = 2
"""Processors for each worker, where nothing else is set."""


class _Cancelled(BaseException):
    """Nobody wants the job any more; not an `Exception`, so that no stage takes it for a fault of its own."""


class _Stopping(BaseException):
    """The server goes down, or others wait for what can go on later."""


class Workers:
    """All of a server."""

    def __init__(self, jobs: Jobs, settings: ServerSettings) -> None:
        self._jobs = jobs
        self._each = [Worker(jobs, settings) for _ in range(settings.workers or max(1, processors() // _EACH))]
        self._each.append(Worker(jobs, settings, within=_QUICK))
        self._each += [Worker(jobs, settings, errands=True) for _ in range(_ERRANDS)]

    @property
    def loaded(self) -> bool:
        """Whether a language model is in memory."""
        return any(each.loaded for each in self._each)

    @property
    def alive(self) -> bool:
        """Whether all work or wait for work."""
        return all(each.alive for each in self._each)

    def start(self) -> None:
        """Begin; they run until `stop`."""
        for each in self._each:
            each.start()

    def stop(self) -> None:
        """Give the jobs that run back at their next step, and end."""
        for each in self._each:
            each.leave()
        self._jobs.wake()
        for each in self._each:
            each.join()


class Worker:
    """One thread with models of its own.

    Args:
        jobs: Where work comes from.
        settings: Of the server.
        within: Seconds that the jobs which it takes usually take at most; None takes any.
        errands: Whether it takes errands, else all others.
    """

    def __init__(
        self,
        jobs: Jobs,
        settings: ServerSettings,
        *,
        within: float | None = None,
        errands: bool = False,
    ) -> None:
        self._thread = Thread(target=self._work, name="castalia-worker", daemon=True)
        self._jobs, self._settings = jobs, settings
        self._within, self._errands = within, errands
        self._stopping = Event()
        self._workshop = Workshop(fetch=False)

    @property
    def loaded(self) -> bool:
        """Whether a language model is in memory."""
        return self._workshop.loaded is not None

    @property
    def alive(self) -> bool:
        """Whether it works or waits for work."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; runs until `stop`."""
        self._thread.start()

    def leave(self) -> None:
        """Give the job that runs back at its next step."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until it has left."""
        self._thread.join(20)

    def _work(self) -> None:
        idle_since = time.monotonic()
        while not self._stopping.is_set():
            taken = self._jobs.take(_LOOK_UP, within=self._within, errands=self._errands)
            if taken is not None:
                self._do(taken)
                idle_since = time.monotonic()
            elif self.loaded and time.monotonic() - idle_since > self._settings.idle_seconds:
                self._workshop.rest()
        self._workshop.close()

    def _do(self, taken: Taken) -> None:
        state: State
        try:
            language.use(str(taken.asked.get("lang", "")))
            state, outcome = self._made(taken)
        except _Stopping:
            taken.feed.show(state="waiting")
            self._jobs.give_back(taken)
            return
        except _Cancelled:
            state, outcome = "cancelled", {"works": list(taken.feed.sight.works)}
        except (CastaliaError, Refusal) as error:
            state, outcome = "failed", {"works": list(taken.feed.sight.works), **_error(error)}
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            sys.stderr.write(f"castalia: job {taken.job.id}: {type(error).__name__}\n{where}")
            broken = CastaliaError(say("Internal error: {kind}.", "内部错误：{kind}。", kind=type(error).__name__))
            state, outcome = "failed", {"works": list(taken.feed.sight.works), **_error(broken)}
        self._jobs.end(taken, state, outcome)

    def _made(self, taken: Taken) -> tuple[State, Mapping[str, Any]]:
        """What a job makes."""
        if taken.asked["do"] == "batch":
            return self._batch(taken)
        return self._one(taken, taken.feed)

    def _batch(self, taken: Taken) -> tuple[State, Mapping[str, Any]]:
        """What a batch makes, line by line; between two of them whoever waits goes first."""
        from castalia.server import batches  # it knows how answers look, which the queue need not

        def rest() -> None:
            if self._jobs.others_wait() or self._stopping.is_set():
                raise _Stopping

        def make(line: Taken) -> tuple[State, Mapping[str, Any]]:
            self._jobs.room(line)
            return self._one(line, taken.feed)

        return batches.run(taken, make, rest)

    def _one(self, taken: Taken, whole: Feed) -> tuple[State, Mapping[str, Any]]:
        """What one request makes.

        Args:
            taken: The request.
            whole: Of the job that it is part of: cancelled, it stops.
        """
        asked, feed = taken.asked, taken.feed

        def check() -> None:
            if whole.cancelled:
                raise _Cancelled
            if self._stopping.is_set():
                raise _Stopping

        def progress(message: str, share: float) -> None:
            check()
            number, total = feed.sight.number, int(asked.get("n", 1))
            feed.show(message=message, share=(number + min(max(share, 0.0), 1.0)) / total)

        def heard(_: str, text: str) -> None:
            check()
            feed.show(heard={**feed.sight.heard, feed.sight.number: text})

        def drawn(_: str, before: int, tokens: Sequence[DrawnToken]) -> None:
            kept = [each for each in feed.sight.drawn.get(feed.sight.number, ()) if each["at"] < before]
            feed.show(drawn={**feed.sight.drawn, feed.sight.number: [*kept, *logged(tokens, before)]})

        check()
        if self._errands:
            return "done", errands.run(taken, progress)
        studio = Studio(
            data=taken.home,
            vault=taken.vault,
            workshop=self._workshop,
            read_files=False,
            progress=progress,
            heard=heard,
            drawn=drawn if asked.get("logprobs") else None,
            lang=str(asked["lang"]),
            **asked.get("settings", {}),
        )
        try:
            match asked["do"]:
                case "create":
                    return _create(studio, taken)
                case "remake":
                    work, changes = studio.remake(asked["work"])
                    return "done", {"work": work.as_json(), "changes": list(changes)}
                case "embed":
                    vectors = studio.engine.embed(asked["texts"])
                    tokens = sum(map(len, studio.engine.tokenize_each(asked["texts"])))
                    return "done", {"vectors": vectors.tolist(), "model": studio.engine.name, "tokens": tokens}
                case other:
                    raise AssertionError(other)
        finally:
            studio.close()


def _create(studio: Studio, taken: Taken) -> tuple[State, Mapping[str, Any]]:
    """Works of one brief; those that an earlier start finished are not made twice."""
    asked, feed = taken.asked, taken.feed
    works: list[str] = []
    refused: list[Mapping[str, Any]] = []
    for number, seed in enumerate(studio.seeds(int(asked["n"]), asked["seed"])):
        id_ = work_id(taken.job.id, number)
        feed.show(number=number, works=tuple(works))
        if not studio.library.has(id_):
            try:
                studio.create(
                    asked["genre"],
                    asked["words"],
                    seed=seed,
                    faces=asked.get("faces", ()),
                    parents=asked.get("parents", ()),
                    work_id=id_,
                    **_fields(asked.get("fields", {})),
                )
            except RefusedError as error:
                refused.append(_refused(error))
                continue
        works.append(id_)
        feed.show(works=tuple(works))
    return ("done" if works else "refused"), {"works": works, "refused": refused}


def _fields(given: Mapping[str, Any]) -> dict[str, object]:
    """Fields as the genre takes them; files that were sent are bytes again."""
    return {name: _field(value) for name, value in given.items()}


def _field(value: object) -> object:
    match value:
        case {"name": str(name), "base64": str(content)}:
            return Upload(base_name(name), base64.b64decode(content))
        case list():
            return tuple(_field(each) for each in cast("list[object]", value))
        case _:
            return value


def _refused(error: RefusedError) -> Mapping[str, Any]:
    best = error.best
    return {
        "message": error.message,
        "hint": error.hint,
        "tries": error.tries,
        "text": best.draft.content.text,
        "findings": [finding.model_dump() for finding in best.findings],
    }


def _error(error: CastaliaError | Refusal) -> Mapping[str, Any]:
    refusal = error if isinstance(error, Refusal) else refusal_of(error)
    return {"error": {**refusal.as_json()["error"], "status": refusal.status}}
