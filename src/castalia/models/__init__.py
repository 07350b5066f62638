"""The models' front: the catalogue, fetching with digest checks, and which one to use on this machine."""

from castalia.models.adopt import adopt
from castalia.models.catalogue import Model, catalogue
from castalia.models.choose import Endpoint, choose, default, set_default, written_by
from castalia.models.inspect import Header, inspect
from castalia.models.machine import Machine, machine
from castalia.models.sources import publisher
from castalia.models.store import Local, digest, ensure, folder, installed, known, path_of, pull, remove

__all__ = [
    "Endpoint",
    "Header",
    "Local",
    "Machine",
    "Model",
    "adopt",
    "catalogue",
    "choose",
    "default",
    "digest",
    "ensure",
    "folder",
    "inspect",
    "installed",
    "known",
    "machine",
    "path_of",
    "publisher",
    "pull",
    "remove",
    "set_default",
    "written_by",
]
