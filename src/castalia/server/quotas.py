"""What an account may have: works, bytes, jobs a day; and how often anybody may ask, and how much at once."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from castalia.core.errors import StorageError
from castalia.core.language import say
from castalia.library import Library
from castalia.server.accounts import Accounts
from castalia.server.errors import Refusal
from castalia.server.store import Account, Store

DAY = 86_400


class Quotas:
    """What accounts have of what the administrator lets them have.

    Looked at when a job is asked for and when it begins: two that run at the same moment may pass a limit by what one
    of them makes.
    """

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store, self._accounts = store, accounts

    def begin(self, account: Account, library_key: bytes, *, works: int) -> None:
        """Count one more job, which makes so many works.

        Raises:
            StorageError: there is no room for them.
            Refusal: today's jobs are used up.
        """
        self.room(account, library_key, works=works)
        most = account.quota.jobs_a_day
        if not self._store.begin_job(account.id, int(time.time() // DAY), most):
            raise Refusal(
                429,
                "quota_jobs",
                say("Today's {n} jobs are used up.", "今天的 {n} 个任务已用完。", n=most),
                hint=say(
                    "The day ends at midnight, UTC. The administrator can raise it.",
                    "世界时午夜重新计数。管理员可以提高限额。",
                ),
                retry_after=DAY - time.time() % DAY,
            )

    def room(self, account: Account, library_key: bytes, *, works: int) -> None:
        """Whether there is room for so many works more.

        Raises:
            StorageError: there is not.
        """
        quota = account.quota
        if quota.works is not None and self._works(account, library_key) + works > quota.works:
            raise _full(say("{n} works", "{n} 件作品", n=quota.works))
        if quota.bytes is not None and self.bytes(account) >= quota.bytes:
            raise _full(say("{n:,.0f} MB", "{n:,.0f} MB", n=quota.bytes / 1e6))

    def bytes(self, account: Account) -> int:
        """What an account takes of the disk: its folder, and what its jobs brought."""
        home = self._accounts.home(account.id)
        return self._store.job_bytes(account.id) + sum(
            path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.name.endswith(".lock")
        )

    def seen(self, account: Account, library_key: bytes) -> Mapping[str, Any]:
        """What an account has, and may have at most; JSON."""
        quota, today = account.quota, self._store.jobs_of_day(account.id, int(time.time() // DAY))
        return {
            "works": {"used": self._works(account, library_key), "most": quota.works},
            "bytes": {"used": self.bytes(account), "most": quota.bytes},
            "jobs_a_day": {"used": today, "most": quota.jobs_a_day},
        }

    def _works(self, account: Account, library_key: bytes) -> int:
        path: Path = self._accounts.home(account.id) / "library.db"
        if not path.exists():
            return 0
        library = Library(path, library_key)
        try:
            return library.count()
        finally:
            library.close()


class Rates:
    """Requests of each who asks, in memory: so many at once, and a minute (a token bucket, which refills evenly)."""

    def __init__(self, clock: Any = time.monotonic) -> None:  # noqa: ANN401 - a function without arguments
        self._clock = clock
        self._lock = Lock()
        self._inside: Counter[str] = Counter()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """(requests left, when) of those who asked, whoever was here last in the end."""

    @contextmanager
    def inside(self, who: str, most: int) -> Generator[None]:
        """A request that is being answered.

        Args:
            who: An account; of nobody none are counted.
            most: Of them at a time.

        Raises:
            Refusal: there are as many already.
        """
        with self._lock:
            if who and self._inside[who] >= most:
                raise Refusal(
                    429,
                    "too_many_at_once",
                    say("You have {n} requests open.", "您有 {n} 个请求尚未结束。", n=most),
                    hint=say("Close one.", "请关闭其中之一。"),
                    retry_after=1,
                )
            self._inside[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[who] -= 1
                if not self._inside[who]:
                    del self._inside[who]

    def check(self, who: str, most: int) -> None:
        """Count one request.

        Args:
            who: An account, or an address.
            most: Requests a minute; 0 is any number.

        Raises:
            Refusal: there were too many.
        """
        if not most:
            return
        now = self._clock()
        with self._lock:
            left, before = self._left.pop(who, (float(most), now))
            left = min(left + (now - before) * most / 60, float(most))
            self._left[who] = (left - 1 if left >= 1 else left, now)
            while len(self._left) > 10_000 or now - next(iter(self._left.values()))[1] > 60:
                self._left.popitem(last=False)
        if left < 1:
            raise Refusal(
                429,
                "too_many_requests",
                say("More than {n} requests a minute.", "每分钟请求超过 {n} 次。", n=most),
                hint=say("Wait a moment.", "请稍候。"),
                retry_after=(1 - left) * 60 / most,
            )


def _full(what: str) -> StorageError:
    return StorageError(
        say("Your library may hold {what}.", "您的作品库最多 {what}。", what=what),
        hint=say(
            "Delete works, or ask the administrator for more.",
            "请删除一些作品，或请管理员提高限额。",
        ),
    )
