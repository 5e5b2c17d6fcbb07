# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads on the controller what is published: this collection, and the releases of services."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import (
    PACKAGE,
    Content,
    collection_key,
    release_key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import source
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.source import Source

# What of this collection an instance needs to apply the roles to itself.
PARTS = ("meta", "playbooks", "plugins", "roles")
# The one directory that all files of an archive lie in: whoever unpacks it leaves out such a one, and no other.
TOP = "release"


def collection(fleet: str, directory: str) -> Content:
    """This collection as an archive, named by what is in it."""
    parts = {part: source.read({"directory": part}, directory, "").tree for part in PARTS}
    tree = {f"{part}/{path}": entry for part, files in parts.items() for path, entry in files.items()}
    found = Source("collection", tree, "")
    return Content(collection_key(fleet, found.fingerprint), found.archive())


def archives(
    fleet: str, services: Sequence[Mapping[str, Any]], inventory: str, cache: str
) -> tuple[dict[str, Content], dict[str, str]]:
    """The releases that the services' sources hold now, by key; and by service why a source cannot be read.

    That need not matter: after a rollback the release is in the store.
    """
    found: dict[str, Content] = {}
    unread = {}
    for service in services:
        try:
            read = source.read(service["source"], inventory, cache)
        except WebServiceError as error:
            unread[str(service["name"])] = str(error)
            continue
        content = _content(fleet, service, read)
        found[content.key] = content
    return found, unread


def _content(fleet: str, service: Mapping[str, Any], read: Source) -> Content:
    name = str(service["name"])
    if not read.tree:
        told = {key: str(service["source"][key]) for key in ("package", "version")}
        return Content(release_key(fleet, name, read.fingerprint, PACKAGE), json.dumps(told, sort_keys=True).encode())
    inside = Source(read.sentence, {f"{TOP}/{path}": entry for path, entry in read.tree.items()}, read.requirements)
    return Content(release_key(fleet, name, read.fingerprint), inside.archive())
