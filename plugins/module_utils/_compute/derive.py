# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of a platform out of its declaration and of what network, security and the others have made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places

TOPOLOGIES = ("bastion", "direct")
Entry = Mapping[str, Any]
# What an entry of the declaration hands on as it is.
HANDED_ON = ("image", "user_data", "tags", "volume_size", "volume_type", "role")
OF_FLEETS = ("min", "desired", "max", "health_check", "hooks", "refresh", "warm_up")
REQUESTS = "ALBRequestCountPerTarget"


class ComputeError(Exception):
    """Findings; ``str()`` has all of them."""


def machines(
    services: Sequence[Entry],
    platform: str,
    topology: str,
    fleets: Sequence[Entry],
    hosts: Sequence[Entry],
    bastion: Entry,
    made: Mapping[str, Any],
) -> dict[str, list[dict[str, Any]]]:
    """The role's ``compute_instances`` and ``compute_fleets`` as ``instances`` and ``fleets``.

    ``made`` has the results of the roles network, security, identity and load_balancer by these names. Raises
    ComputeError.
    """
    found = _findings(services, topology, fleets, hosts, made)
    if found:
        raise ComputeError("; ".join(found))
    places = _places.names(fleets, hosts)
    runs = {place: [str(s["name"]) for s in services if _places.of(s, places) == place] for place in places}
    own = [_bastion(platform, bastion, made)] if topology == "bastion" else []
    own += [_host(platform, entry, index, runs, made) for index, entry in enumerate(hosts)]
    return {"instances": own, "fleets": [_fleet(platform, topology, entry, runs, made) for entry in fleets]}


def _findings(
    services: Sequence[Entry], topology: str, fleets: Sequence[Entry], hosts: Sequence[Entry], made: Mapping[str, Any]
) -> list[str]:
    told = _places.findings(services, fleets, hosts, ("bastion",))
    if topology not in TOPOLOGIES:
        told.append(f"platform_topology '{topology}' is none of {', '.join(TOPOLOGIES)}")
    if (hosts or topology == "bastion") and not _subnets(made, "public"):
        told.append("there is no public subnet for the bastion and for hosts of their own: look at the network")
    if fleets and not (_subnets(made, "public") or _subnets(made, "private")):
        told.append("there is no subnet for the fleets: look at the network")
    return told


def _bastion(platform: str, entry: Entry, made: Mapping[str, Any]) -> dict[str, Any]:
    """In the first public subnet, with a public address."""
    return {
        **_machine(platform, {"role": "bastion", **entry, "name": "bastion"}, [], made),
        "subnet": _subnets(made, "public")[0],
        "public_address": True,
        "elastic_address": bool(entry.get("elastic_address")),
    }


def _host(
    platform: str, entry: Entry, index: int, runs: Mapping[str, list[str]], made: Mapping[str, Any]
) -> dict[str, Any]:
    """In the public subnets in turn: visitors come to it directly."""
    public = _subnets(made, "public")
    return {
        **_machine(platform, entry, runs.get(str(entry["name"]), []), made),
        "subnet": public[index % len(public)],
        "public_address": True,
        "elastic_address": bool(entry.get("elastic_address")),
    }


def _fleet(
    platform: str, topology: str, entry: Entry, runs: Mapping[str, list[str]], made: Mapping[str, Any]
) -> dict[str, Any]:
    """In the private subnets; with the topology direct, or without any, in the public ones."""
    private = [] if topology == "direct" else _subnets(made, "private")
    served = runs.get(str(entry["name"]), [])
    groups = (made.get("load_balancer") or {}).get("target_groups") or {}
    policies = [_policy(policy, served, made) for policy in entry.get("policies") or ()]
    return {
        **_machine(platform, entry, served, made),
        **{key: entry[key] for key in OF_FLEETS if key in entry},
        "subnets": private or _subnets(made, "public"),
        "public_address": not private,
        "target_groups": [str(groups[name] or "") for name in served if name in groups],
        "policies": policies,
    }


def _machine(platform: str, entry: Entry, served: list[str], made: Mapping[str, Any]) -> dict[str, Any]:
    name = str(entry["name"])
    groups = (made.get("security") or {}).get("groups") or {}
    profiles = (made.get("identity") or {}).get("profiles") or {}
    found: dict[str, Any] = {
        **{key: entry[key] for key in HANDED_ON if key in entry},
        "name": name,
        "services": served,
        "security_groups": [str(groups.get(f"{platform}-{name}") or "")],
    }
    if entry.get("instance_type"):
        found["type"] = entry["instance_type"]
    if name in profiles:
        found["profile"] = str(profiles[name].get("arn") or "")
    return found


def _policy(policy: Entry, served: Sequence[str], made: Mapping[str, Any]) -> dict[str, Any]:
    """With the label that requests per target are counted by, for the service that it names, or the only one."""
    found = {key: value for key, value in policy.items() if key != "service"}
    if policy.get("metric") == REQUESTS and "label" not in policy:
        balancer = made.get("load_balancer") or {}
        service = str(policy.get("service") or (served[0] if len(served) == 1 else ""))
        found["label"] = _label(balancer.get("arn"), (balancer.get("target_groups") or {}).get(service))
    return found


def _label(balancer: Any, group: Any) -> str:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html"""
    if not balancer or not group:
        return ""
    return f"{str(balancer).partition(':loadbalancer/')[2]}/{str(group).rpartition(':')[2]}"


def _subnets(made: Mapping[str, Any], tier: str) -> list[str]:
    subnets = (made.get("network") or {}).get("subnets") or {}
    return [str(subnet.get("id") or "") for subnet in subnets.get(tier) or ()]
