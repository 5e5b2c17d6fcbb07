# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish what a fleet runs: read the sources and the store, plan, put the objects, write the manifest last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication import api, describe
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import (
    Content,
    Found,
    Running,
    Wish,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.plan import (
    Plan,
    keys,
    plan,
    read,
    superfluous,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.sources import (
    archives,
    collection,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._release_store.plan import bucket_name

# At least so many releases of a service stay in the store, whatever the hosts keep.
KEEP = 6


def wish_from(params: Mapping[str, Any], prepared: Mapping[str, Any]) -> Wish:
    """What is to be published."""
    running = {
        name: tuple(
            Running(host, str(one.get("release")), str(one.get("fingerprint") or "")) for host, one in by.items()
        )
        for name, by in params["running"].items()
    }
    only = params["only"]
    entries = [one for one in prepared["services"] if one["name"] in running and (not only or one["name"] in only)]
    here, unread = archives(params["fleet"], entries, params["inventory"], params["cache"])
    return Wish(
        platform=params["platform"],
        fleet=params["fleet"],
        ansible_core=params["ansible_core"],
        collection=collection(params["fleet"], params["collection"]),
        services={str(entry["name"]): entry for entry in entries},
        running=running,
        complete=not only,
        archives=here,
        unread=unread,
        settings=prepared.get("settings"),
        keep=max([KEEP, *(int(entry.get("keep_releases") or 0) + 1 for entry in entries)]),
    )


def bucket(params: Mapping[str, Any], client: Any, region: str, retries: Retries) -> str:
    """The release store: the one that is named, or the one that the role makes in the account of ``client`` (STS)."""
    if params["bucket"]:
        return str(params["bucket"])
    return bucket_name(params["platform"], retries.reading(lambda: api.account(client)), region)


def publish(wish: Wish, bucket: str, client: Any, retries: Retries, check: bool) -> dict[str, Any]:
    """The module's result; raises PublicationError before anything is put, and AwsError."""
    found = look(wish, bucket, client, retries, check)
    course = plan(wish, found)
    told = course.sentences()
    if not check and course.changed:
        _put(course, bucket, client, retries)
        gone = superfluous(course, retries.reading(lambda: api.listed(client, bucket, f"{wish.fleet}/")))
        if gone:
            retries.reading(lambda: api.delete(client, bucket, gone))
            told += [f"{wish.fleet}: removes {key} from the release store" for key in gone]
    manifest = json.loads(course.text)
    return {
        "changed": course.changed,
        "plan": told,
        "diff": describe.difference(read(found.manifest), manifest),
        "bucket": bucket,
        "releases": {name: one["fingerprint"] for name, one in manifest["releases"].items()},
    }


def look(wish: Wish, bucket: str, client: Any, retries: Retries, check: bool) -> Found:
    """What the store has of what is to be named. In check mode the bucket may be missing yet."""
    try:
        manifest = retries.reading(lambda: api.content(client, bucket, wish.manifest_key))
    except AwsError as error:
        if check and error.code == "NoSuchBucket":
            return Found()
        raise
    text = None if manifest is None else manifest.decode("utf-8", "replace")
    wanted = keys(wish, read(text))
    read_one = side_by_side(lambda key: retries.reading(lambda: api.digest(client, bucket, key)), wanted)
    _raise_first([error for _key, _sum, error in read_one])
    return Found(text, {key: total for key, total, _error in read_one if total})


def _put(course: Plan, bucket: str, client: Any, retries: Retries) -> None:
    """Putting the same object twice does no harm, so it is tried again where that can help."""

    def put(content: Content) -> None:
        retries.reading(lambda: api.put(client, bucket, content))

    _raise_first([error for _content, _none, error in side_by_side(put, course.objects)])
    if course.writes:
        put(Content(course.wish.manifest_key, course.text.encode()))


def _raise_first(errors: Sequence[AwsError | None]) -> None:
    for error in errors:
        if error is not None:
            raise error
