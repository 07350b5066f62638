"""Waiting for a job on an open connection: whoever goes away takes the job along."""

from __future__ import annotations

from fastapi import Request

from castalia.core.language import say
from castalia.server.errors import Refusal
from castalia.server.house import House
from castalia.server.jobs import Feed, Sight
from castalia.server.store import Job

_LOOK = 1.0
"""Seconds between looks whether somebody is still there."""


async def finished(house: House, job: Job, feed: Feed, request: Request) -> Sight:
    """What a job made.

    Raises:
        Refusal: it made nothing: refused, failed, or nobody waits any more.
    """
    try:
        async for sight in feed.watch(_LOOK):
            if sight is None and await request.is_disconnected():
                break
            if sight is not None and sight.state == "done":
                return sight
            if sight is not None and sight.outcome is not None:
                raise refusal(sight)
    finally:
        house.jobs.cancel(job)
    raise Refusal(499, "gone", say("Nobody waits any more.", "请求者已离开。"))


def refusal(sight: Sight) -> Refusal:
    """Why a job that is over made nothing."""
    outcome = sight.outcome or {}
    if error := outcome.get("error"):
        return Refusal(
            int(error.get("status", 500)), error.get("code", "failed"), error["message"], hint=error.get("hint", "")
        )
    if refused := outcome.get("refused"):
        first = refused[0]
        broken = [each for each in first["findings"] if not each["ok"] and each["severity"] == "refuse"]
        why = "; ".join(f"{each['rule']} {each['place']}: {each['found']}".strip() for each in broken[:5])
        return Refusal(422, "refused", f"{first['message']} {why}".strip(), hint=first["hint"])
    return Refusal(409, "cancelled", say("The job was cancelled.", "任务已取消。"))
