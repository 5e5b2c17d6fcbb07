# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a fleet runs and what is published to what is put into the store; pure.

Objects are put first and the manifest last: whoever reads it finds all that it names. What an instance may just be
fetching stays: only objects that neither the new nor the former manifest names are removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.findings import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import (
    ARCHIVE,
    FORMAT,
    PACKAGE,
    Content,
    Found,
    PublicationError,
    Wish,
    release_key,
)

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """Objects to put, and the manifest's text when it is to be written after them."""

    wish: Wish
    found: Found
    objects: tuple[Content, ...]
    text: str

    @property
    def writes(self) -> bool:
        return self.text != self.found.manifest

    @property
    def changed(self) -> bool:
        return bool(self.objects) or self.writes

    def after(self) -> Found:
        """The store once it is carried out."""
        put = {content.key: content.sha256 for content in self.objects}
        return Found(self.text, {**self.found.stored, **put})

    def sentences(self) -> list[str]:
        fleet = self.wish.fleet
        told = [f"{fleet}: puts {content.key} into the release store" for content in self.objects]
        return told + ([f"{fleet}: publishes what new instances get"] if self.writes else [])


def keys(wish: Wish, published: Manifest) -> list[str]:
    """The objects that the next manifest may name: what is to be looked for in the store."""
    names = [wish.collection.key]
    for name, fingerprint in _fingerprints(wish, published).items():
        candidates = _candidates(wish, name, fingerprint)
        names += [key for key in candidates if key in wish.archives] or candidates
    return names


def plan(wish: Wish, found: Found) -> Plan:
    """What to put; raises PublicationError with all findings."""
    published = read(found.manifest)
    fingerprints = _fingerprints(wish, published)
    chosen = {name: _chosen(wish, found, name, fingerprint) for name, fingerprint in fingerprints.items()}
    told = list(findings(wish, published))
    told += [_lost(wish, name, fingerprints[name]) for name, key in chosen.items() if not key]
    if told:
        raise PublicationError(f"The fleet {wish.fleet} cannot be published: {'; '.join(told)}")
    contents = [wish.collection, *(wish.archives[key] for key in chosen.values() if key in wish.archives)]
    objects = tuple(content for content in contents if not _is_there(content, found))
    stored = {**found.stored, **{content.key: content.sha256 for content in objects}}
    return Plan(wish, found, objects, _text(wish, published, fingerprints, chosen, stored))


def _fingerprints(wish: Wish, published: Manifest) -> dict[str, str]:
    """The release of each service, by name."""
    kept = {} if wish.complete else {name: str(one["fingerprint"]) for name, one in _releases(published).items()}
    ours = {name: wish.running[name][0].fingerprint for name in wish.services if wish.running.get(name)}
    return {name: fingerprint for name, fingerprint in sorted({**kept, **ours}.items()) if fingerprint}


def _lost(wish: Wish, name: str, fingerprint: str) -> str:
    why = f" ({wish.unread[name]})" if name in wish.unread else ""
    return (
        f"service {name}: release {fingerprint[:8]}, which its hosts run, is neither in the release store nor what its "
        f"source holds now{why}: deploy it again from its source"
    )


def _candidates(wish: Wish, name: str, fingerprint: str) -> list[str]:
    return [release_key(wish.fleet, name, fingerprint, suffix) for suffix in (ARCHIVE, PACKAGE)]


def _chosen(wish: Wish, found: Found, name: str, fingerprint: str) -> str:
    """Key of a release that the controller has or the store; empty for none."""
    told, candidates = sums(found.manifest), _candidates(wish, name, fingerprint)
    here = [key for key in candidates if key in wish.archives]
    whole = [
        key for key in candidates if found.stored.get(key) and found.stored[key] == told.get(key, found.stored[key])
    ]
    return next(iter([*here, *whole]), "")


def _is_there(content: Content, found: Found) -> bool:
    """Whether the store has it, as it is or as it was published: other versions of zlib pack to other bytes."""
    stored = found.stored.get(content.key)
    return bool(stored) and stored in (content.sha256, sums(found.manifest).get(content.key))


def _text(
    wish: Wish,
    published: Manifest,
    fingerprints: Mapping[str, str],
    chosen: Mapping[str, str],
    stored: Mapping[str, str],
) -> str:
    entries = {**({} if wish.complete else published.get("services") or {}), **wish.services}
    settings = published.get("settings") if wish.settings is None else wish.settings
    releases = {
        name: {"fingerprint": fingerprint, "key": chosen[name], "sha256": stored[chosen[name]]}
        for name, fingerprint in fingerprints.items()
    }
    manifest = {
        "format": FORMAT,
        "platform": wish.platform,
        "fleet": wish.fleet,
        "ansible_core": wish.ansible_core,
        "collection": {"key": wish.collection.key, "sha256": stored[wish.collection.key]},
        "releases": releases,
        "services": {name: without_source(entries[name]) for name in fingerprints},
        "settings": settings or {},
    }
    # The order of what roles are told is theirs: it may show in the files that they write.
    return json.dumps(manifest, indent=2) + "\n"


def without_source(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An instance has the release's archive instead; a source's URL may hold a password."""
    return {key: value for key, value in entry.items() if key not in ("source", "release")}


def read(text: str | None) -> dict[str, Any]:
    """The manifest; empty for none and for one of another format, which is written anew."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) and value.get("format") == FORMAT else {}


def sums(text: str | None) -> dict[str, str]:
    """The objects that a manifest names, with their SHA-256."""
    published = read(text)
    named = [*_releases(published).values(), *([published["collection"]] if published else [])]
    return {str(one["key"]): str(one["sha256"]) for one in named}


def superfluous(done: Plan, listed: Sequence[tuple[str, Any]]) -> list[str]:
    """Objects that go: beyond the newest ``keep`` of their folder, and named by neither manifest.

    ``listed`` are keys with the time at which they were put.
    """
    used = {done.wish.manifest_key, *sums(done.text), *sums(done.found.manifest)}
    # How many releases of other services stay is not known here.
    ours = () if done.wish.complete else tuple(_folders(done.wish))
    folders: dict[str, list[tuple[Any, str]]] = {}
    for key, when in listed:
        folder = key.rpartition("/")[0]
        if not ours or folder in ours:
            folders.setdefault(folder, []).append((when, key))
    old = [key for folder in folders.values() for _when, key in sorted(folder, reverse=True)[done.wish.keep :]]
    return sorted(key for key in old if key not in used)


def _folders(wish: Wish) -> Iterator[str]:
    """Those of the services that a run is about."""
    for name in wish.services:
        yield release_key(wish.fleet, name, "").rpartition("/")[0]


def _releases(published: Manifest) -> Mapping[str, Mapping[str, Any]]:
    return published.get("releases") or {}
