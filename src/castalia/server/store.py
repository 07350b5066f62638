"""The server's tables: accounts, ways in, jobs, audit log. All SQL of the server stands in this one file.

What it lies in, SQLite or PostgreSQL, is `database`'s. Calls are short.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from castalia.server.database import opened

State = Literal["waiting", "running", "done", "refused", "failed", "cancelled"]
FINISHED: tuple[State, ...] = ("done", "refused", "failed", "cancelled")
ERRANDS = ("pull", "collection")
"""Kinds of jobs that need no model in memory, and must not wait for one."""
_KEPT_DAYS = 90
"""How long the audit log and finished jobs are kept."""
_JOB = "id, account, kind, live, state, attempts, created, started, finished, asked, outcome"
_USUAL = (
    "SELECT avg(took) FROM (SELECT finished - started AS took FROM jobs AS past "
    "WHERE past.kind = {kind} AND past.state = 'done' ORDER BY past.finished DESC LIMIT 10) AS latest"
)
_ACCOUNT = "id, name, admin, enabled, created, most_works, most_bytes, most_jobs"
_WAY_IN = "id, account, kind, name, sealed, scopes, created, expires, used"


@dataclass(frozen=True)
class Quota:
    """What an account may have; None: as much as there is room for."""

    works: int | None = None
    bytes: int | None = None
    """On the disk: its folder, and its jobs."""
    jobs_a_day: int | None = None


@dataclass(frozen=True)
class Account:
    """Somebody who may use the server."""

    id: str
    name: str
    admin: bool
    enabled: bool
    created: float
    quota: Quota = Quota()


@dataclass(frozen=True)
class Token:
    """A way in: a session or an API key, without the token itself."""

    id: str
    account: str
    kind: Literal["session", "key"]
    name: str
    sealed: bytes
    scopes: tuple[str, ...]
    created: float
    expires: float | None
    used: float | None


@dataclass(frozen=True)
class Job:
    """One row of the queue."""

    id: str
    account: str
    kind: str
    live: bool
    state: State
    attempts: int
    created: float
    started: float | None
    finished: float | None
    asked: bytes
    outcome: bytes | None


class Store:
    """See the module.

    Args:
        at: An SQLite file, which is made when it is not there, or the URL of a PostgreSQL database.

    Raises:
        StorageError: it cannot be opened, was written by a newer version, or another server uses it.
        MissingError: what talks to PostgreSQL is not installed.
    """

    def __init__(self, at: Path | str) -> None:
        self._database = opened(at)
        self._run, self._writing = self._database.run, self._database.writing
        old = time.time() - _KEPT_DAYS * 86_400
        with self._writing():
            self._run("DELETE FROM audit WHERE at < ?", old)
            self._run("DELETE FROM jobs WHERE finished < ? OR (live = 1 AND finished < ?)", old, time.time() - 86_400)
            self._run("DELETE FROM tokens WHERE expires < ?", time.time())
            self._run("DELETE FROM invitations WHERE expires < ?", time.time())
            self._run("DELETE FROM days WHERE day < ?", old // 86_400)

    # ------------------------------------------------------------ accounts

    def accounts(self) -> Sequence[Account]:
        """All, in the order in which they were made."""
        return [_account(row) for row in self._run(f"SELECT {_ACCOUNT} FROM accounts ORDER BY created")]

    def account(self, id_or_name: str) -> Account | None:
        """By id, or by name in any case."""
        rows = self._run(f"SELECT {_ACCOUNT} FROM accounts WHERE id = ?1 OR name = ?1", id_or_name)
        return _account(rows[0]) if rows else None

    def add_account(self, id_: str, name: str, invitation: bytes | None) -> Account | None:
        """Make an account: the very first, who becomes administrator, or one who brings an invitation's digest.

        Returns:
            It, or None where the name is taken or the invitation does not hold.
        """
        with self._writing():
            first = not self.accounts()
            if not first and not (
                invitation and self._run("DELETE FROM invitations WHERE digest = ? RETURNING expires", invitation)
            ):
                return None
            made = self._run(
                "INSERT INTO accounts (id, name, admin, created) VALUES (?, ?, ?, ?) "
                f"ON CONFLICT DO NOTHING RETURNING {_ACCOUNT}",
                id_,
                name,
                first,
                time.time(),
            )
            return _account(made[0]) if made else None

    def enable_account(self, id_: str, *, enabled: bool) -> None:
        """Let somebody in again, or shut them out at once; sessions of theirs end."""
        with self._writing():
            self._run("UPDATE accounts SET enabled = ? WHERE id = ?", enabled, id_)
            if not enabled:
                self._run("DELETE FROM tokens WHERE account = ? AND kind = 'session'", id_)

    def limit_account(self, id_: str, quota: Quota) -> None:
        """Let somebody have so much."""
        with self._writing():
            self._run(
                "UPDATE accounts SET most_works = ?, most_bytes = ?, most_jobs = ? WHERE id = ?",
                quota.works,
                quota.bytes,
                quota.jobs_a_day,
                id_,
            )

    def remove_account(self, id_: str) -> None:
        """Forget an account with its keys and jobs."""
        with self._writing():
            self._run("DELETE FROM accounts WHERE id = ?", id_)

    def invite(self, digest: bytes, seconds: float) -> None:
        """Remember an invitation for so long."""
        with self._writing():
            self._run("INSERT INTO invitations VALUES (?, ?, ?)", digest, time.time(), time.time() + seconds)

    # ------------------------------------------------------------ ways in

    def add_token(self, token: Token, digest: bytes) -> None:
        """Remember a session or key."""
        with self._writing():
            self._run(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                token.id,
                token.account,
                token.kind,
                token.name,
                digest,
                token.sealed,
                " ".join(token.scopes),
                token.created,
                token.expires,
            )

    def find_token(self, digest: bytes) -> tuple[Token, Account] | None:
        """The valid token with this digest and its account, if that is enabled."""
        rows = self._run(f"SELECT {_WAY_IN} FROM tokens WHERE digest = ?", digest)
        if not rows:
            return None
        token = _token(rows[0])
        account = self.account(token.account)
        late = token.expires is not None and token.expires < time.time()
        return None if late or account is None or not account.enabled else (token, account)

    def touch_token(self, id_: str) -> None:
        """Note that it was used; once a minute is enough."""
        now = time.time()
        with self._writing():
            self._run("UPDATE tokens SET used = ?2 WHERE id = ?1 AND coalesce(used, 0) < ?2 - 60", id_, now)

    def tokens(self, account: str, kind: str) -> Sequence[Token]:
        """Somebody's sessions or keys, newest first."""
        found = self._run(
            f"SELECT {_WAY_IN} FROM tokens WHERE account = ? AND kind = ? ORDER BY created DESC", account, kind
        )
        return [_token(row) for row in found]

    def remove_token(self, account: str, id_: str) -> bool:
        """Revoke one of somebody's; whether there was one."""
        with self._writing():
            return bool(self._run("DELETE FROM tokens WHERE account = ? AND id = ? RETURNING id", account, id_))

    def remove_sessions(self, account: str, but: str = "") -> None:
        """End all of somebody's sessions, but one."""
        with self._writing():
            self._run("DELETE FROM tokens WHERE account = ? AND kind = 'session' AND id <> ?", account, but)

    # ------------------------------------------------------------ jobs

    def add_job(self, id_: str, account: str, kind: str, asked: bytes, *, live: bool) -> Job:
        """Put a job into the queue."""
        with self._writing():
            made = self._run(
                f"INSERT INTO jobs VALUES (?, ?, ?, ?, 'waiting', 0, ?, NULL, NULL, ?, NULL) RETURNING {_JOB}",
                id_,
                account,
                kind,
                live,
                time.time(),
                asked,
            )
        return _job(made[0])

    def take_job(self, accounts: Sequence[str], *, within: float | None = None, errands: bool = False) -> Job | None:
        """The next job of one of these accounts, now running: whoever was served longest ago comes first.

        Args:
            accounts: Those whose jobs may run.
            within: Seconds; only jobs of kinds that usually take no longer are taken.
            errands: Whether those of `ERRANDS` are taken, else all others.
        """
        marks = ", ".join("?" * len(accounts))
        kinds = f"AND kind {'IN' if errands else 'NOT IN'} ({', '.join('?' * len(ERRANDS))}) "
        # how long a batch takes says its size, and it would keep others from what is quick
        quick = f"AND kind <> 'batch' AND ({_USUAL.format(kind='next.kind')}) <= ? " if within is not None else ""
        with self._writing():
            taken = self._run(
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ("
                f"SELECT id FROM jobs AS next WHERE state = 'waiting' AND account IN ({marks}) {kinds}{quick}ORDER BY "
                "(SELECT max(started) FROM jobs WHERE account = next.account) NULLS FIRST, live DESC, created "
                f"LIMIT 1) RETURNING {_JOB}",
                time.time(),
                *accounts,
                *ERRANDS,
                *([] if within is None else [within]),
            )
        return _job(taken[0]) if taken else None

    def end_job(self, id_: str, state: State, outcome: bytes | None) -> bool:
        """Write down how a job that waits or runs ended; whether it did just now."""
        with self._writing():
            return bool(
                self._run(
                    "UPDATE jobs SET state = ?1, finished = ?2, outcome = ?3, "
                    "asked = CASE WHEN live = 1 OR ?1 = 'done' THEN ?5 ELSE asked END "
                    "WHERE id = ?4 AND state IN ('waiting', 'running') RETURNING id",
                    state,
                    time.time(),
                    outcome,
                    id_,
                    b"",
                )
            )

    def return_job(self, id_: str) -> None:
        """Put a job that runs back where it was, because the server stops."""
        with self._writing():
            self._run(
                "UPDATE jobs SET state = 'waiting', attempts = attempts - 1 WHERE id = ? AND state = 'running'", id_
            )

    def cancel_waiting(self, id_: str) -> bool:
        """Cancel a job that has not begun; whether it had not."""
        with self._writing():
            return bool(
                self._run(
                    "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'waiting' RETURNING id",
                    time.time(),
                    id_,
                )
            )

    def repeat_job(self, id_: str) -> bool:
        """Put a job that ended without success into the queue again; whether it had."""
        with self._writing():
            return bool(
                self._run(
                    "UPDATE jobs SET state = 'waiting', attempts = 0, finished = NULL, outcome = NULL "
                    "WHERE id = ? AND state IN ('refused', 'failed', 'cancelled') RETURNING id",
                    id_,
                )
            )

    def restart_jobs(self) -> None:
        """After a start: what ran waits again, and what somebody waited for on a connection is over."""
        with self._writing():
            self._run(
                "UPDATE jobs SET state = 'cancelled', finished = ? WHERE live = 1 AND state IN ('waiting', 'running')",
                time.time(),
            )
            self._run("UPDATE jobs SET state = 'waiting' WHERE state = 'running'")

    def remove_job(self, id_: str) -> bool:
        """Forget a job that is over; whether it is."""
        with self._writing():
            return bool(
                self._run("DELETE FROM jobs WHERE id = ? AND state NOT IN ('waiting', 'running') RETURNING id", id_)
            )

    def job(self, id_: str) -> Job | None:
        """By id."""
        rows = self._run(f"SELECT {_JOB} FROM jobs WHERE id = ?", id_)
        return _job(rows[0]) if rows else None

    def jobs(self, account: str, *, limit: int, offset: int) -> Sequence[Job]:
        """Somebody's jobs, newest first, those on open connections left out."""
        rows = self._run(
            f"SELECT {_JOB} FROM jobs WHERE account = ? AND live = 0 ORDER BY created DESC LIMIT ? OFFSET ?",
            account,
            limit,
            offset,
        )
        return [_job(row) for row in rows]

    def waiting(self, account: str = "") -> int:
        """How many jobs wait or run, of all accounts or of one."""
        rows = self._run(
            "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND (account = ?1 OR ?1 = '')", account
        )
        return int(rows[0][0])

    def any_waits(self, accounts: Sequence[str]) -> bool:
        """Whether a job of one of these waits for a model."""
        marks, errands = ", ".join("?" * len(accounts)), ", ".join("?" * len(ERRANDS))
        found = self._run(
            f"SELECT 1 FROM jobs WHERE state = 'waiting' AND account IN ({marks}) AND kind NOT IN ({errands}) LIMIT 1",
            *accounts,
            *ERRANDS,
        )
        return bool(found)

    def ahead(self, job: Job) -> int:
        """How many jobs were in the queue before this one."""
        return int(
            self._run("SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND created < ?", job.created)[
                0
            ][0]
        )

    def counts(self) -> dict[str, int]:
        """How many jobs there are, by state."""
        return {str(state): int(n) for state, n in self._run("SELECT state, count(*) FROM jobs GROUP BY state")}

    def usual_seconds(self, kind: str) -> float | None:
        """How long the last ten jobs of a kind took on average; None where there were none."""
        rows = self._run(_USUAL.format(kind="?"), kind)
        return None if rows[0][0] is None else float(rows[0][0])

    def begin_job(self, account: str, day: int, most: int | None) -> bool:
        """Count one more job of a day; whether that makes no more than `most`."""
        with self._writing():
            return bool(
                self._run(
                    "INSERT INTO days SELECT CAST(?1 AS TEXT), CAST(?2 AS INTEGER), 1 "
                    "WHERE coalesce(CAST(?3 AS INTEGER), 1) > 0 ON CONFLICT (account, day) DO UPDATE "
                    "SET jobs = days.jobs + 1 WHERE days.jobs < coalesce(CAST(?3 AS INTEGER), days.jobs + 1) "
                    "RETURNING jobs",
                    account,
                    day,
                    most,
                )
            )

    def jobs_of_day(self, account: str, day: int) -> int:
        """How many jobs of somebody's began on a day."""
        rows = self._run("SELECT jobs FROM days WHERE account = ? AND day = ?", account, day)
        return int(rows[0][0]) if rows else 0

    def job_bytes(self, account: str) -> int:
        """What somebody's jobs take, with the files that they brought."""
        rows = self._run(
            "SELECT coalesce(sum(length(asked) + coalesce(length(outcome), 0)), 0) FROM jobs WHERE account = ?", account
        )
        return int(rows[0][0])

    # ------------------------------------------------------------ audit

    def note(self, event: str, *, account: str | None = None, detail: str = "", address: str = "") -> None:
        """Write a line of the audit log; never a secret, never what somebody wrote."""
        with self._writing():
            self._run("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", time.time(), account, event, detail[:200], address)

    def noted(self, *, limit: int, offset: int = 0) -> Sequence[dict[str, Any]]:
        """Lines of the audit log, newest first."""
        names = ("at", "account", "event", "detail", "address")
        rows = self._run(f"SELECT {', '.join(names)} FROM audit ORDER BY at DESC LIMIT ? OFFSET ?", limit, offset)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def failures(self, since: float, *, name: str, address: str) -> tuple[int, int, int]:
        """Failed logins since then: of this name from this address, of this address, of this name."""
        row = self._run(
            "SELECT count(*) FILTER (WHERE detail = ?2 AND address = ?3), count(*) FILTER (WHERE address = ?3), "
            "count(*) FILTER (WHERE detail = ?2) FROM audit WHERE event = 'login failed' AND at > ?1",
            since,
            name[:200],
            address,
        )[0]
        return int(row[0]), int(row[1]), int(row[2])

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def _account(row: Sequence[Any]) -> Account:
    return Account(row[0], row[1], bool(row[2]), bool(row[3]), row[4], Quota(*row[5:]))


def _token(row: Sequence[Any]) -> Token:
    return Token(row[0], row[1], row[2], row[3], row[4], tuple(row[5].split()), *row[6:])


def _job(row: Sequence[Any]) -> Job:
    return Job(row[0], row[1], row[2], bool(row[3]), *row[4:])
