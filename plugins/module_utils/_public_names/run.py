# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the public names of a platform to the declared state: the one place that sees plan and API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names import api
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.model import (
    PublicNamesError,
    Record,
    Records,
    from_api,
    from_params,
    plain,
    to_api,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.plan import Plan, owned, plan

# Seconds between two looks at a change that is under way.
PAUSE = 2.0


def bring_to_state(params: Mapping[str, Any], route53: Any, retries: Retries, check_mode: bool) -> dict[str, Any]:
    """Read, plan and change; where a call's fate is unknown, once more from the reading.

    Raises PublicNamesError, before anything was changed, and AwsError.
    """
    wanted = from_params(params)
    first: tuple[Records, Plan] | None = None
    zone = retries.reading(lambda: _zone(route53, params))
    while True:
        current = from_api(retries.reading(lambda: api.list_records(route53, zone)) if zone else ())
        planned = plan(current, wanted, params["platform"], plain(params["zone"]), params["ttl"])
        _refuse(planned, check_mode)
        first = first or (current, planned)
        with retries.patience(), reached():
            if zone and not check_mode:
                _carry_out(planned, route53, zone, params["wait_timeout"], retries)
            return _result(*first, params["platform"])


def _zone(route53: Any, params: Mapping[str, Any]) -> str:
    """The zone's id. Where names go and there is no zone, there are none."""
    name = plain(params["zone"])
    zones = api.list_zones(route53, name)
    if len(zones) > 1:
        raise PublicNamesError(f"there are several public zones {name} ({', '.join(zones)}): remove all but one")
    if not zones and params["state"] == "present":
        raise PublicNamesError(
            f"there is no public zone {name} in Route 53: make it, and have the domain led to its name servers, or "
            "leave platform_zone out and lead the names to the platform yourself"
        )
    return zones[0] if zones else ""


def _refuse(planned: Plan, check_mode: bool) -> None:
    found = list(planned.findings)
    if not check_mode:
        found += [f"{name} has nothing to lead to: no host of it has a public address" for name in planned.unknown]
    if found:
        raise PublicNamesError("\n".join(found))


def _carry_out(planned: Plan, route53: Any, zone: str, timeout: float, retries: Retries) -> None:
    changes = [{"Action": "DELETE", "ResourceRecordSet": to_api(record)} for record in planned.remove]
    changes += [{"Action": "UPSERT", "ResourceRecordSet": to_api(record)} for record in planned.put]
    if not changes:
        return
    change = api.change_records(route53, zone, changes)
    clock = retries.clock
    deadline = clock.now() + timeout
    while not retries.reading(lambda: api.is_done(route53, change)):
        if clock.now() >= deadline:
            raise PublicNamesError(
                f"the name servers of the zone do not all have the change {change} after {timeout:.0f} seconds; "
                "it goes on, so run this again"
            )
        clock.sleep(PAUSE)
        retries.renew()


def _result(before: Records, planned: Plan, platform: str) -> dict[str, Any]:
    """What a plan did, or would do."""
    after = planned.after(before)
    own = {*owned(before, platform), *owned(after, platform)}
    return {
        "changed": planned.changed,
        "plan": planned.sentences(),
        "names": owned(after, platform),
        "diff": {"before": _text(before.values(), own), "after": _text(after.values(), own, planned.unknown)},
    }


def _text(records: Iterable[Record], own: set[str], unknown: Iterable[str] = ()) -> str:
    lines = [record.line for record in records if record.name in own and record.type == "A"]
    lines += [f"{name} A (not there yet)" for name in unknown]
    return "".join(f"{line}\n" for line in sorted(lines))
