# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published for a fleet, so that an instance which Auto Scaling launches can bring itself to it. Plain data.

An object of the store has its content's identity in its name. The manifest ``<fleet>/current.json`` names objects with
their SHA-256, and is the only one that is ever written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# An instance that finds another number knows that it cannot read on.
FORMAT = 1
MANIFEST = "current.json"
ARCHIVE, PACKAGE = ".tar.gz", ".json"


class PublicationError(Exception):
    """Findings; ``str()`` has all of them."""


@dataclass(frozen=True)
class Content:
    """What is to be an object."""

    key: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Running:
    """What a host says that it runs of a service."""

    host: str
    release: str
    fingerprint: str


@dataclass(frozen=True)
class Wish:
    """What a fleet's hosts run after a run of Ansible.

    ``services`` are entries of the role web_service by name, ``running`` what runs of each. With ``complete`` these
    are all services; others that were published go then. ``archives`` are the releases that the controller has, by
    key; ``unread`` says by service why it has none. ``settings`` are the roles' variables and the health checks, None
    to leave them as they were published. ``keep`` is how many releases of a service stay.
    """

    platform: str
    fleet: str
    ansible_core: str
    collection: Content
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    running: Mapping[str, tuple[Running, ...]] = field(default_factory=dict)
    complete: bool = True
    archives: Mapping[str, Content] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] | None = None
    keep: int = 6

    @property
    def manifest_key(self) -> str:
        return f"{self.fleet}/{MANIFEST}"


@dataclass(frozen=True)
class Found:
    """What the store has: the manifest's text, and the SHA-256 of objects by key, as S3 has computed it itself.

    An object whose SHA-256 nobody knows was not put by a publication, and counts as missing.
    """

    manifest: str | None = None
    stored: Mapping[str, str] = field(default_factory=dict)


def release_key(fleet: str, service: str, fingerprint: str, suffix: str = ARCHIVE) -> str:
    """Where a release lies, or of a Python package its name and version."""
    return f"{fleet}/releases/{service}/{fingerprint}{suffix}"


def collection_key(fleet: str, fingerprint: str) -> str:
    """Where a state of this collection lies."""
    return f"{fleet}/collection/{fingerprint}{ARCHIVE}"
