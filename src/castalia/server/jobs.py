"""The queue: what is asked for, sealed for its owner, until the worker has made it.

Rows of the database are the truth; this file adds what cannot lie on a disk: the vaults of owners who have been here
since the server started, and what is going on in the job that runs.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition, Lock
from typing import Any

from castalia.core import language
from castalia.core.errors import CastaliaError, LockedError
from castalia.core.language import say
from castalia.privacy import Vault
from castalia.server.accounts import Accounts, Caller
from castalia.server.errors import Refusal
from castalia.server.quotas import Quotas
from castalia.server.settings import ServerSettings
from castalia.server.store import FINISHED, Job, State, Store

_MOST_ATTEMPTS = 3
"""Starts of a job after which it is thought to be what brings the server down."""

_TELLING = 0.2
"""Share of a job from which on it tells better than others how long it takes."""
Asked = Mapping[str, Any]
"""What a job is to make; JSON."""


@dataclass(frozen=True)
class Sight:
    """What can be seen of a job now."""

    state: State = "waiting"
    message: str = ""
    share: float = 0.0
    """Of it that is done, in [0, 1]."""
    number: int = 0
    """Which of several works is being made, from 0."""
    heard: Mapping[int, str] = field(default_factory=dict[int, str])
    """Text so far of each of them: a preview, of which only what came with a work is one."""
    drawn: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict[int, Sequence[Mapping[str, Any]]])
    """Tokens of each with their log-probabilities, where they were asked for, as `logged` makes them."""
    works: tuple[str, ...] = ()
    """Ids of those that are finished."""
    outcome: Mapping[str, Any] | None = None
    """How it ended."""


def work_id(job: str, number: int) -> str:
    """The id of a job's work: known beforehand, so that a job which starts again sees what it has made."""
    return str(uuid.uuid5(uuid.UUID(job), str(number)))


class Feed:
    """What goes on in a job, for whoever watches: they see the latest, and may miss what lay between."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watchers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.sight = Sight()
        self.cancelled = False
        self.token = ""
        """Id of the way in on whose open connection somebody waits for it."""

    def show(self, **changed: Any) -> None:  # noqa: ANN401 - fields of `Sight`, which types them
        """Change what is seen."""
        with self._lock:
            self.sight = replace(self.sight, **changed)
            for loop, event in self._watchers:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    async def watch(self, beat: float) -> AsyncIterator[Sight | None]:
        """Each sight until the job is over; None every `beat` seconds without one."""
        event = asyncio.Event()
        watcher = (asyncio.get_running_loop(), event)
        with self._lock:
            self._watchers.add(watcher)
        event.set()
        try:
            while True:
                try:
                    await asyncio.wait_for(event.wait(), beat)
                except TimeoutError:
                    yield None
                    continue
                event.clear()
                sight = self.sight
                yield sight
                if sight.state in FINISHED:
                    return
        finally:
            with self._lock:
                self._watchers.discard(watcher)


@dataclass(frozen=True)
class Taken:
    """A job that the worker has to do."""

    job: Job
    asked: Asked
    vault: Vault
    home: Path
    feed: Feed


class Jobs:
    """See the module."""

    def __init__(self, store: Store, accounts: Accounts, settings: ServerSettings) -> None:
        self._store, self._accounts, self._settings = store, accounts, settings
        self.quotas = Quotas(store, accounts)
        self._awake = Condition()
        self._vaults: dict[str, Vault] = {}
        self._feeds: dict[str, Feed] = {}
        self._wanted: set[str] = set()
        """Accounts whose jobs wait for them since the start."""
        store.restart_jobs()
        self._wanted = {each.id for each in store.accounts() if store.waiting(each.id)}

    # ------------------------------------------------------------ for the routes

    def present(self, caller: Caller) -> None:
        """Somebody is here: jobs of theirs that waited for that can go on."""
        if caller.account.id in self._wanted and caller.may("write"):
            with self._awake:
                self._wanted.discard(caller.account.id)
                self._vaults[caller.account.id] = caller.vault
                self._awake.notify_all()

    def submit(self, caller: Caller, kind: str, asked: Asked, *, live: bool = False) -> tuple[Job, Feed]:
        """Put a job into the queue.

        Args:
            caller: Whose it is.
            kind: A genre, or what the worker calls it.
            asked: What to make.
            live: Whether the caller waits on an open connection, without which nobody wants it.

        Raises:
            Refusal: the queue is full, or today's jobs are used up.
            StorageError: the library holds as much as it may.
        """
        if self._store.waiting(caller.account.id) >= self._settings.most_waiting_each:
            raise Refusal(
                429,
                "too_many_jobs",
                say("You have {n} jobs in the queue.", "您已有 {n} 个任务在排队。", n=self._settings.most_waiting_each),
                hint=say("Wait for one, or cancel one.", "请等待或取消其中之一。"),
                retry_after=self._store.usual_seconds(kind) or 10,
            )
        if self._store.waiting() >= self._settings.most_waiting:
            raise Refusal(
                503,
                "busy",
                say("The studio is busy: {n} jobs wait.", "工作室繁忙：{n} 个任务在排队。", n=self._store.waiting()),
                retry_after=self._store.usual_seconds(kind) or 10,
            )
        self.quotas.begin(caller.account, caller.vault.library_key, works=_works(asked))
        id_, feed = str(uuid.uuid4()), Feed()
        feed.token = caller.token.id if live else ""
        asked = {"lang": language.current(), **asked}
        sealed = caller.vault.seal(json.dumps(asked, ensure_ascii=False).encode(), f"job/{id_}/asked")
        with self._awake:
            self._feeds[id_] = feed
            self._vaults[caller.account.id] = caller.vault
            job = self._store.add_job(id_, caller.account.id, kind, sealed, live=live)
            self._awake.notify_all()
        return job, feed

    def find(self, caller: Caller, id_: str) -> Job:
        """One of the caller's jobs.

        Raises:
            Refusal: there is none.
        """
        job = self._store.job(id_)
        if job is None or job.account != caller.account.id:
            raise Refusal(404, "no_job", say("There is no job {id!r}.", "没有任务 {id!r}。", id=id_[:50]))
        return job

    def feed(self, job: Job, caller: Caller) -> Feed:
        """Where to watch a job: the live one, or one that shows how it ended."""
        feed = self._feeds.setdefault(job.id, Feed())
        # Looked up after the feed is there: a job that ends from now on shows it there, one that has ended is found.
        now = self._store.job(job.id)
        if now is None or now.state in FINISHED:
            self._feeds.pop(job.id, None)
            if now is not None and feed.sight.state not in FINISHED:
                feed.show(**vars(self._ended(now, caller.vault)))
        return feed

    def asked(self, job: Job, caller: Caller) -> Asked:
        """What one of the caller's jobs is to make, as long as it is not done."""
        return json.loads(caller.vault.unseal(job.asked, f"job/{job.id}/asked")) if job.asked else {}

    def others_wait(self) -> bool:
        """Whether a job waits whose owner is here."""
        with self._awake:
            return self._store.any_waits(list(self._vaults))

    def seen(self, job: Job, caller: Caller) -> dict[str, Any]:
        """What a caller is told of a job."""
        return self.told(job, self.feed(job, caller).sight)

    def told(self, job: Job, sight: Sight) -> dict[str, Any]:
        """A job with what is seen of it, as JSON."""
        shown: dict[str, Any] = {
            "id": job.id,
            "kind": job.kind,
            "state": sight.state,
            "created": job.created,
            "message": sight.message,
            "share": round(sight.share, 4),
            "preview": dict(sight.heard),
            "works": list(sight.works),
        }
        if sight.state == "waiting":
            shown |= {"ahead": self._store.ahead(job), "waits_for_owner": job.account not in self._vaults}
        if sight.state not in FINISHED:
            shown["estimate_seconds"] = self._estimate(job, sight)
        return shown | ({"outcome": dict(sight.outcome)} if sight.outcome is not None else {})

    def cancel(self, job: Job) -> None:
        """Stop a job, before it begins or at its next sentence or step."""
        feed = self._feeds.get(job.id)
        if feed:
            feed.cancelled = True
        if self._store.cancel_waiting(job.id):
            self._over(job.id, "cancelled", {})

    def leave(self, token: str) -> None:
        """Stop what is written on connections of a way in that ends."""
        with self._awake:
            left = [id_ for id_, feed in self._feeds.items() if feed.token == token]
        for job in filter(None, map(self._store.job, left)):
            self.cancel(job)

    def forget(self, account: str) -> None:
        """Drop what an account that is removed or shut out has going on."""
        with self._awake:
            self._vaults.pop(account, None)
            for id_, feed in list(self._feeds.items()):
                job = self._store.job(id_)
                feed.cancelled = feed.cancelled or job is None or job.account == account

    def retry(self, job: Job, caller: Caller) -> Job:
        """Try a job again that ended without success.

        Raises:
            Refusal: it did not, or today's jobs are used up.
        """
        if job.state in FINISHED and job.state != "done":
            self.quotas.begin(caller.account, caller.vault.library_key, works=1)
        with self._awake:
            if not self._store.repeat_job(job.id):
                raise Refusal(
                    409,
                    "not_ended",
                    say("The job is {state}.", "任务状态为 {state}。", state=job.state),
                    hint=say("Refused, failed and cancelled jobs can be retried.", "被拒、失败或取消的任务可重试。"),
                )
            self._vaults[job.account] = caller.vault
            self._awake.notify_all()
        return self.find(caller, job.id)

    # ------------------------------------------------------------ for the worker

    def take(self, seconds: float, *, within: float | None = None, errands: bool = False) -> Taken | None:
        """The next job; None after so long without one.

        Args:
            seconds: To wait for one.
            within: Seconds that its kind usually takes at most; None takes any.
            errands: Whether it is one that needs no model.
        """
        with self._awake:
            job = self._next(within, errands)
            if job is None:
                self._awake.wait(seconds)
                job = self._next(within, errands)
            if job is None:
                return None
            vault, feed = self._vaults[job.account], self._feeds.setdefault(job.id, Feed())
        try:
            asked = json.loads(vault.unseal(job.asked, f"job/{job.id}/asked"))
        except (LockedError, ValueError):
            self.end(Taken(job, {}, vault, Path(), feed), "failed", _failure(say("damaged", "已损坏")))
            return None
        taken = Taken(job, asked, vault, self._accounts.home(job.account), feed)
        if job.attempts > _MOST_ATTEMPTS:
            why = say("The server went down {n} times with it.", "服务器曾 {n} 次随之中断。", n=_MOST_ATTEMPTS)
            self.end(taken, "failed", _failure(why))
            return None
        if job.attempts == 1 and (why := self._no_room(taken)):
            self.end(taken, "failed", _failure(why))
            return None
        feed.show(state="running")
        return taken

    def end(self, taken: Taken, state: State, outcome: Mapping[str, Any]) -> None:
        """Write down how a job ended, and tell whoever watches."""
        job = taken.job
        sealed = None
        if not job.live:
            sealed = taken.vault.seal(json.dumps(outcome, ensure_ascii=False).encode(), f"job/{job.id}/outcome")
        self._store.end_job(job.id, state, sealed)
        self._over(job.id, state, outcome)
        with self._awake:
            if not self._store.waiting(job.account):
                self._vaults.pop(job.account, None)

    def room(self, taken: Taken) -> None:
        """Whether there is room for what a job makes.

        Raises:
            StorageError: there is not.
        """
        account = self._store.account(taken.job.account)
        if account is not None:
            self.quotas.room(account, taken.vault.library_key, works=_works(taken.asked))

    def give_back(self, taken: Taken) -> None:
        """The server stops: the job waits for the next start."""
        self._store.return_job(taken.job.id)

    def wake(self) -> None:
        """Let the worker look up."""
        with self._awake:
            self._awake.notify_all()

    # ------------------------------------------------------------ within

    def _next(self, within: float | None, errands: bool) -> Job | None:  # noqa: FBT001 - as `take` got it
        if not self._vaults:
            return None
        return self._store.take_job(list(self._vaults), within=within, errands=errands)

    def _no_room(self, taken: Taken) -> str:
        """Why a library has no room for what a job makes: since it was asked for, others may have made theirs."""
        try:
            self.room(taken)
        except CastaliaError as error:
            return error.message
        return ""

    def _over(self, id_: str, state: State, outcome: Mapping[str, Any]) -> None:
        feed = self._feeds.pop(id_, None)
        if feed:
            works: Sequence[str] = outcome.get("works", ())
            feed.show(state=state, outcome=outcome, works=tuple(works), share=1.0 if state == "done" else 0.0)

    def _ended(self, job: Job, vault: Vault) -> Sight:
        outcome: dict[str, Any] = {}
        if job.outcome:
            outcome = json.loads(vault.unseal(job.outcome, f"job/{job.id}/outcome"))
        share = 1.0 if job.state == "done" else 0.0
        return Sight(state=job.state, share=share, works=tuple(outcome.get("works", ())), outcome=outcome)

    def _estimate(self, job: Job, sight: Sight) -> float | None:
        """Seconds that are left, by how far this one is, else by what such jobs took."""
        gone = time.time() - job.started if job.started and sight.state == "running" else 0.0
        whole = gone / sight.share if sight.share > _TELLING else self._store.usual_seconds(job.kind)
        return None if whole is None else round(max(whole - gone, 0.0), 1)


def _works(asked: Asked) -> int:
    """How many works a job makes."""
    return int(asked.get("n", 1)) if asked.get("do") == "create" else 0


def _failure(why: str) -> Mapping[str, Any]:
    return {"error": {"message": why, "code": "failed", "hint": say("Send it again.", "请重新提交。")}}
