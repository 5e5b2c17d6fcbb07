# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a fleet from being published, in words; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places
from ansible_collections.gatehouse.platform.plugins.module_utils._release_publication.model import Running, Wish
from ansible_collections.gatehouse.platform.plugins.module_utils._secret_references import is_reference


def findings(wish: Wish, published: Mapping[str, Any]) -> Iterator[str]:
    """All that is wrong with a wish."""
    yield from secrets(wish.platform, wish.services)
    if not published and (wish.settings is None or not wish.complete):
        yield "nothing was published for it before, and this run tells a part of what new instances need: run site.yml"
    for name in wish.services:
        yield from _of_running(name, wish.running.get(name) or ())


def of_declaration(
    services: Sequence[Mapping[str, Any]],
    platform: str,
    fleets: Sequence[Mapping[str, Any]],
    hosts: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """What can be known before anything is done, of all services that run on fleets."""
    places, names = _places.names(fleets, hosts), {str(fleet.get("name")) for fleet in fleets}
    own = {str(service.get("name")): service for service in services if _places.of(service, places) in names}
    yield from secrets(platform, own)


def secrets(platform: str, services: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Secrets that are values: they would lie in the store for everybody who may read it."""
    for name, entry in services.items():
        for key, value in (entry.get("secrets") or {}).items():
            if not is_reference(value):
                where = f"{platform}/{name}/{key}"
                yield (
                    f"service {name}: secrets.{key} is the secret itself, which would lie in the release store for all "
                    "who read it: put it into the Parameter Store or Secrets Manager, where instances read it by their "
                    f"role, and give ssm:/{where} or secretsmanager:{where}"
                )


def _of_running(name: str, running: tuple[Running, ...]) -> Iterator[str]:
    if not running or not all(one.fingerprint for one in running):
        silent = ", ".join(one.host for one in running if not one.fingerprint) or "no host"
        yield f"service {name}: what runs on {silent} is not known"
    elif len({one.fingerprint for one in running}) > 1:
        told = ", ".join(f"{one.host} runs {one.release}" for one in running)
        yield f"service {name}: its hosts run different releases ({told}): deploy it again"
