# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when a platform is torn down, what is lost with it, what is protected, and what stands in the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._network.found import OWNER_TAG, tags_of

Told = Mapping[str, Any]
GONE = frozenset({"deleted", "deleting", "failed", "rejected", "terminated"})


@dataclass(frozen=True)
class Kind:
    """Resources of one kind in the survey: the list's key, the noun, and the keys of id and name in an entry."""

    key: str
    noun: str
    id: str
    name: str = ""
    lost: str = ""


# In the order in which they go. A name is looked for in the tags where an entry has none.
KINDS = (
    Kind("public_names", "public name", "name"),
    Kind("auto_scaling_groups", "Auto Scaling group", "auto_scaling_group_name"),
    Kind("instances", "instance", "instance_id", lost="the disks of the instance {}"),
    Kind("launch_templates", "launch template", "launch_template_name"),
    Kind("key_pairs", "key pair", "key_name"),
    Kind("load_balancers", "load balancer", "load_balancer_name", lost="the DNS name of the load balancer {}"),
    Kind("target_groups", "target group", "name"),
    Kind("certificates", "certificate", "arn", lost="the certificate {}, with its private key"),
    Kind("security_groups", "security group", "group_id", "group_name"),
    Kind("profiles", "instance profile", "instance_profile_name"),
    Kind("roles", "role", "role_name"),
    # What was logged stays in its bucket.
    Kind("stacks", "stack with flow logs", "stack_name"),
    Kind("nat_gateways", "NAT gateway", "nat_gateway_id"),
    Kind("addresses", "Elastic IP", "allocation_id", "public_ip", lost="the public address {}, for good"),
    Kind("endpoints", "endpoint", "vpc_endpoint_id"),
    Kind("tables", "route table", "route_table_id"),
    Kind("subnets", "subnet", "subnet_id"),
    Kind("gateways", "Internet gateway", "internet_gateway_id"),
    Kind("vpcs", "VPC", "vpc_id"),
    Kind("buckets", "bucket", "name", lost="all that is in the bucket {}: releases and logs, in all versions"),
)
# Of these the survey has ids alone, and those of the platform only: they were looked for by owner.
SEPARATED = frozenset({"public_names", "target_groups", "certificates"})
# What may lie in the platform's VPC and be somebody else's: a VPC with any of it cannot go.
INSIDE = frozenset({"instances", "security_groups", "endpoints", "tables", "subnets"})


def teardown_plan(survey: Told, platform: str, delete_data: bool = False) -> dict[str, Any]:
    """The plan, in words but for ``vpcs``: the ids of VPCs with security groups of the platform.

    ``goes``, ``lost``, ``protected`` and ``findings`` are sentences; ``lines`` has all of them under headings. With any
    finding nothing may be removed. Where nothing goes, ``lines`` says so.
    """
    goes, lost, protected = [], [], []
    for kind in KINDS:
        for entry in _unique(kind, survey):
            if not _owned(kind, entry, platform):
                continue
            if kind.key == "buckets" and not delete_data:
                protected.append(f"{_words(kind, entry)}; -e delete_data=true removes it with all that is in it")
                continue
            goes.append(_words(kind, entry))
            if kind.lost:
                lost.append(kind.lost.format(entry.get(kind.name) or entry[kind.id]))
    found = list(dict.fromkeys(_findings(survey, platform)))
    groups = [group for group in survey.get("security_groups") or () if tags_of(group).get(OWNER_TAG) == platform]
    return {
        "goes": goes,
        "lost": lost,
        "protected": protected,
        "findings": found,
        "lines": _lines(platform, goes, lost, protected),
        "vpcs": sorted({str(group["vpc_id"]) for group in groups}),
    }


def _unique(kind: Kind, survey: Told) -> Iterator[Told]:
    """Entries that are not gone yet, each once: some are found by their tag and by their VPC."""
    seen = set()
    for told in survey.get(kind.key) or ():
        entry: Told = {kind.id: told} if isinstance(told, str) else told
        state = entry.get("state")
        named = state.get("name") if isinstance(state, Mapping) else state
        if entry[kind.id] not in seen and named not in GONE:
            seen.add(entry[kind.id])
            yield entry


def _owned(kind: Kind, entry: Told, platform: str) -> bool:
    tags = tags_of({"tags": entry["bucket_tagging"]} if "bucket_tagging" in entry else entry)
    return kind.key in SEPARATED or tags.get(OWNER_TAG) == platform


def _words(kind: Kind, entry: Told) -> str:
    name = entry.get(kind.name) or tags_of(entry).get("Name")
    identity = str(entry[kind.id])
    return f"{kind.noun} {identity}" + (f" ({name})" if name and name != identity else "")


def _findings(survey: Told, platform: str) -> Iterator[str]:
    for balancer in survey.get("load_balancers") or ():
        protection = str(balancer.get("deletion_protection_enabled", "false")).lower()
        if tags_of(balancer).get(OWNER_TAG) == platform and protection == "true":
            yield (
                f"the load balancer {balancer['load_balancer_name']} is protected against deletion; "
                "provision it once with deletion_protection: false"
            )
    own = {vpc["vpc_id"] for vpc in survey.get("vpcs") or () if tags_of(vpc).get(OWNER_TAG) == platform}
    for kind in KINDS:
        for entry in _unique(kind, survey) if kind.key in INSIDE else ():
            if entry.get("vpc_id") in own and not _owned(kind, entry, platform) and not _goes_with_vpc(entry):
                yield (
                    f"{entry['vpc_id']} holds the {_words(kind, entry)}, which does not carry the tag of {platform}; "
                    "remove it first, or move it elsewhere"
                )


def _goes_with_vpc(entry: Told) -> bool:
    """The group called default, and the main route table."""
    return entry.get("group_name") == "default" or any(item.get("main") for item in entry.get("associations") or ())


def _lines(platform: str, goes: Sequence[str], lost: Sequence[str], protected: Sequence[str]) -> list[str]:
    if not goes and not protected:
        return [f"Nothing in the account carries the tag {OWNER_TAG}: {platform}."]
    return [
        *_section(f"Goes ({len(goes)}):", goes),
        *_section("Is lost with it:", lost),
        *_section("Is protected, and stays:", protected),
    ]


def _section(heading: str, lines: Iterable[str]) -> list[str]:
    listed = [f"  {line}" for line in lines]
    return [heading, *listed] if listed else []
