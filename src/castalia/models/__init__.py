"""The models' front: the catalogue, fetching with digest checks, and which one to use on this machine."""

from castalia.models.adopt import adopt
from castalia.models.catalogue import Model, catalogue, in_either
from castalia.models.choose import Endpoint, choose, default, here, set_default, written_by
from castalia.models.inspect import Header, inspect
from castalia.models.machine import Machine, machine
from castalia.models.networks import (
    Network,
    NetworkFile,
    has_network,
    network_files,
    network_folder,
    networks,
    pull_network,
    remove_network,
)
from castalia.models.sources import publisher
from castalia.models.store import Local, digest, ensure, folder, installed, known, path_of, pull, remove

__all__ = [
    "Endpoint",
    "Header",
    "Local",
    "Machine",
    "Model",
    "Network",
    "NetworkFile",
    "adopt",
    "catalogue",
    "choose",
    "default",
    "digest",
    "ensure",
    "folder",
    "has_network",
    "here",
    "in_either",
    "inspect",
    "installed",
    "known",
    "machine",
    "network_files",
    "network_folder",
    "networks",
    "path_of",
    "publisher",
    "pull",
    "pull_network",
    "remove",
    "remove_network",
    "set_default",
    "written_by",
]
