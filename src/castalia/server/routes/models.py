"""Language models and networks: what is known, what is installed, and fetching it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from castalia import models
from castalia.core import config
from castalia.core.errors import UsageError
from castalia.server.errors import Refusal
from castalia.server.house import Address, Administrator, InHouse, Reader

router = APIRouter(prefix="/api/models", tags=["models"])
_SPARE = 64 * 2**20
"""Bytes of the disk that are left free."""


class Known(BaseModel):
    """A model or a network of the catalogue."""

    name: str
    what: str
    """What it is, in a few words."""
    bytes: int
    installed: bool
    fits: bool
    """Whether this machine's memory can run it and, where it is not installed, its disk has room."""
    licence: str
    licence_url: str
    languages: list[str]
    sources: list[str]
    """Who hands it out."""
    note: str
    default: bool
    """Whether it writes where no model is named."""


class Catalogue(BaseModel):
    """All of them."""

    models: list[Known]


@router.get("")
def list_models(_: Reader) -> Catalogue:
    """Every model and network that can be fetched, with its size, licence, and whether it fits this machine."""
    free, default = _free(models.folder()), models.default()
    memory = models.machine().memory_total * 0.9
    found: list[Known] = []
    for model in models.catalogue().values():
        installed = models.path_of(model.name).is_file()
        found.append(
            Known(
                name=model.name,
                what=model.title,
                bytes=model.size,
                installed=installed,
                fits=model.memory <= memory and (installed or model.size + _SPARE <= free),
                licence=model.licence,
                licence_url=model.licence_url,
                languages=list(model.languages),
                sources=[models.publisher(each) for each in model.sources],
                note=models.in_either(model.note),
                default=model.name == default,
            )
        )
    for network in models.networks().values():
        installed = models.has_network(network.name)
        found.append(
            Known(
                name=network.name,
                what=network.title,
                bytes=network.size,
                installed=installed,
                fits=installed or network.size + _SPARE <= free,
                licence=network.licence,
                licence_url=network.licence_url,
                languages=[],
                sources=[models.publisher(network.source)],
                note=models.in_either(network.note),
                default=False,
            )
        )
    return Catalogue(models=found)


@router.post("/{name}/pull", status_code=202)
def pull(name: str, house: InHouse, caller: Administrator, address: Address) -> dict[str, Any]:
    """Fetch a model: answers with a job, which runs beside those that make works. Cancelled, it goes on from there."""
    network = _network(name)
    if config.load().config.offline:
        # says that it may not, unless it is there already
        (models.pull_network if network else models.pull)(name)
    job, feed = house.jobs.submit(caller, "pull", {"do": "pull", "model": name})
    house.store.note("model pulled", account=caller.account.id, detail=name, address=address)
    return house.jobs.told(job, feed.sight)


@router.delete("/{name}", status_code=204)
def remove(name: str, house: InHouse, caller: Administrator, address: Address) -> None:
    """Delete a model's files; for everybody on this server."""
    (models.remove_network if _network(name) else models.remove)(name)
    house.store.note("model removed", account=caller.account.id, detail=name, address=address)


def _network(name: str) -> bool:
    """Whether it is a network, not a language model."""
    if name in models.networks():
        return True
    try:
        models.known(name)
    except UsageError as error:
        raise Refusal(404, "no_model", error.message, hint="GET /api/models") from error
    return False


def _free(folder: Path) -> int:
    """Bytes that the disk of a folder has, which may have to be made first."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    return shutil.disk_usage(there).free
