# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get a release that was published back from the store, as a source that a service can be deployed from."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication import api
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import (
    PACKAGE,
    PublicationError,
    release_key,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import source
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import WebServiceError, short

# Characters of a fingerprint that the name of a release ends with.
CODE = 8


@dataclass(frozen=True)
class Wanted:
    """A release of a fleet's service by its name or the code that it ends with; none to see only what there is.

    ``directory`` is where archives are put, under names that depend on their content alone.
    """

    fleet: str
    service: str
    release: str
    directory: Path


def fetch(wanted: Wanted, bucket: str, client: Any, retries: Retries) -> dict[str, Any]:
    """The module's result; raises PublicationError for an object that is not what its name says, and AwsError."""
    folder = release_key(wanted.fleet, wanted.service, "", "")
    listed = retries.reading(lambda: api.listed(client, bucket, folder))
    keys = [key for key, _when in sorted(listed, key=lambda one: one[1], reverse=True)]
    code = short(wanted.release)
    matching = [key for key in keys if code and _fingerprint(key)[:CODE] == code]
    if len(matching) > 1:
        # Who may write into the store can find another content whose fingerprint begins like this.
        raise PublicationError(
            f"{' and '.join(matching)} in the release store have the same code; remove the wrong one"
        )
    key = next(iter(matching), "")
    available = list(dict.fromkeys(_fingerprint(key)[:CODE] for key in keys))
    if not key:
        return {"source": {}, "release": "", "available": available}
    put = dict(listed)[key].astimezone(timezone.utc)
    found = _source(wanted, key, lambda: retries.reading(lambda: api.content(client, bucket, key)) or b"")
    return {"source": found, "release": f"{put:%Y%m%dT%H%M%SZ}-{code}", "available": available}


def _fingerprint(key: str) -> str:
    return os.path.basename(key).partition(".")[0]


def _source(wanted: Wanted, key: str, read: Callable[[], bytes]) -> dict[str, str]:
    if key.endswith(PACKAGE):
        return _verified(key, _package(read()))
    path = wanted.directory / os.path.basename(key)
    here = {"archive": str(path)}
    with contextlib.suppress(PublicationError):
        return _verified(key, here)
    _write(path, read())
    return _verified(key, here)


def _package(content: bytes) -> dict[str, str]:
    try:
        told = json.loads(content)
        return {key: str(told[key]) for key in ("package", "version")}
    except (ValueError, TypeError, KeyError):
        return {"package": "", "version": ""}


def _verified(key: str, found: dict[str, str]) -> dict[str, str]:
    try:
        if source.read(found, "", "").fingerprint == _fingerprint(key):
            return found
    except (WebServiceError, KeyError):
        pass
    raise PublicationError(
        f"{key} in the release store is not what its name says; remove it there, and deploy the release from its source"
    )


def _write(path: Path, content: bytes) -> None:
    """Only for this user, and whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(prefix=".gatehouse-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise PublicationError(f"a release cannot be kept in {path.parent}: {error}") from error
