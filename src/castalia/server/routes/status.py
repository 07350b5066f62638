"""Whether the server is there, works, and how much it has to do; and what its API is."""

from __future__ import annotations

import ipaddress

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

import castalia
from castalia.core.language import say
from castalia.server import reference
from castalia.server.errors import Refusal
from castalia.server.house import Address, InHouse, known

router = APIRouter(tags=["status"])


@router.get("/healthz")
def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok", "version": castalia.__version__}


@router.get("/readyz")
def readiness(house: InHouse) -> JSONResponse:
    """Whether database and workers do their work; 503 where not."""
    house.store.counts()
    alive = house.workers.alive
    return JSONResponse({"status": "ok" if alive else "no worker"}, 200 if alive else 503)


def _may_count(request: Request, house: InHouse, address: Address) -> None:
    """This machine may, and the administrator."""
    try:
        local = ipaddress.ip_address(address).is_loopback and not house.settings.url
    except ValueError:
        local = False
    if not local and not known(request).account.admin:
        raise Refusal(403, "not_administrator", say("Only the administrator may.", "仅管理员可以。"))


@router.get("/metrics", dependencies=[Depends(_may_count)], response_class=PlainTextResponse)
def metrics(house: InHouse) -> PlainTextResponse:
    """Counts in Prometheus' text format: for this machine, and for the administrator."""
    text = house.metrics.text(house.store.counts(), loaded=house.workers.loaded)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """The API for people, from the same description as /openapi.json; nothing is loaded from outside."""
    return HTMLResponse(reference.page(request.app.openapi()))
