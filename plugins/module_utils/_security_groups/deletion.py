# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds a deletion back, or is left behind by it: network interfaces, and references of other VPCs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Group,
    SecurityGroupsError,
    State,
)


def users(ec2: Any, retries: Retries, doomed: Mapping[str, Group]) -> list[str]:
    """Which interfaces still use groups that are to go, in words."""
    names = {group.id: group.name for group in doomed.values() if group.id}
    if not names:
        return []
    found = retries.reading(lambda: api.interfaces(ec2, names))
    return sorted(f"{_names_of(item, names)}: {_words(item)}" for item in found)


def _names_of(interface: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names[group["GroupId"]] for group in interface["Groups"] if group["GroupId"] in names))


def _words(interface: Mapping[str, Any]) -> str:
    """An interface and whose it is: eni-1 of instance i-2 (10.0.0.3)."""
    attachment = interface.get("Attachment") or {}
    whose = f"instance {attachment['InstanceId']}" if attachment.get("InstanceId") else interface.get("Description")
    address = f" ({interface['PrivateIpAddress']})" if interface.get("PrivateIpAddress") else ""
    return str(interface["NetworkInterfaceId"]) + (f" of {whose}" if whose else "") + address


def wait_until_unused(ec2: Any, retries: Retries, doomed: Mapping[str, Group], waiting: Waiting) -> None:
    """Wait until no interface uses the groups any more; raises SecurityGroupsError that names those that do."""
    while left := users(ec2, retries, doomed):
        if not waiting.pause():
            raise SecurityGroupsError(_still(waiting, left))
        retries.renew()


def held_back(ec2: Any, retries: Retries, state: State, doomed: Mapping[str, Group], waiting: Waiting) -> str:
    """What holds groups back that AWS does not delete although nothing used them, as far as that can be seen."""
    references = [
        f"{rule.source}: {group.name} ({group.id}) refers to it in its {direction} rule for {rule.traffic}"
        for group in state.values()
        for direction, rule in group.references()
        if rule.source.value in doomed and rule.source.value != group.key
    ]
    left = [*users(ec2, retries, doomed), *references]
    if left:
        return _still(waiting, left)
    return (
        f"Still in use after {waiting.seconds:g} seconds, and not deleted; neither an interface nor a reference that "
        "uses them is to be seen. Run again later, or give a longer wait_timeout."
    )


def _still(waiting: Waiting, left: Iterable[str]) -> str:
    return (
        f"Still in use after {waiting.seconds:g} seconds, and not deleted:\n" + "\n".join(left) + "\n"
        "Remove these, or give them other groups, and run again; or give a longer wait_timeout."
    )


def left_stale(ec2: Any, retries: Retries, doomed: Iterable[Group]) -> list[str]:
    """Warnings about rules in other VPCs that refer to groups that go; AWS deletes these all the same.

    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html#vpc-peering-stale-groups
    """
    names = {group.id: group.name for group in doomed if group.id}
    if not names:
        return []
    try:
        found = retries.brief().reading(lambda: api.references(ec2, names))
    except AwsError as error:
        return [f"Whether other VPCs refer to {', '.join(sorted(names.values()))} could not be read: {error}"]
    return [
        f"{names.get(item['GroupId'], item['GroupId'])}: {item['ReferencingVpcId']} refers to it over "
        f"{item.get('VpcPeeringConnectionId') or item.get('TransitGatewayId')}; these rules become stale when it goes"
        for item in found
    ]
