# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata service says of an instance: pure, from the API's state to a tree of texts.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html#instancedata-data-categories
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lab.region.state import Instance, Interface, State

# A folder of the service has entries, anything else a text. None: there is no such thing.
Tree = Mapping[str, "Tree | str"]


def tree(state: State, instance: Instance, role: str | None) -> Tree:
    """Everything below ``meta-data/`` but the credentials of the role."""
    interfaces = [found for found in state.interfaces if found.owner == instance.id]
    primary = next((found for found in interfaces if found.index == 0), None)
    found: dict[str, Tree | str | None] = {
        "ami-id": instance.image,
        "ami-launch-index": str(instance.launch_index),
        "ami-manifest-path": "(unknown)",
        "hostname": instance.private_name,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "on-demand",
        "instance-type": instance.type,
        "local-hostname": instance.private_name,
        "local-ipv4": instance.private,
        "mac": primary.mac if primary else None,
        "public-hostname": instance.public_name if instance.public else None,
        "public-ipv4": instance.public,
        "reservation-id": instance.reservation,
        "security-groups": "\n".join(name for _group, name in instance.groups),
        "iam": {"info": "", "security-credentials": {role: ""}} if role else None,
        "network": {"interfaces": {"macs": {card.mac: network(state, instance, card) for card in interfaces}}},
        "placement": {"availability-zone": instance.zone, "region": instance.zone[:-1]},
        "public-keys": public_keys(state, instance),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "tags": {"instance": dict(instance.tags)} if instance.metadata.tags else None,
    }
    return {name: entry for name, entry in found.items() if entry is not None}


def network(state: State, instance: Instance, interface: Interface) -> Tree:
    """An interface, below its hardware address."""
    subnet = next(found for found in state.subnets if found.id == interface.subnet)
    ranges = next(found.ranges for found in state.vpcs if found.id == interface.vpc)
    found = {
        "device-number": str(interface.index),
        "interface-id": interface.id,
        "local-hostname": instance.private_name,
        "local-ipv4s": interface.private,
        "mac": interface.mac,
        "owner-id": instance.owner,
        "public-ipv4s": interface.public or "",
        "security-group-ids": "\n".join(interface.groups),
        "subnet-id": interface.subnet,
        "subnet-ipv4-cidr-block": str(subnet.range),
        "vpc-id": interface.vpc,
        "vpc-ipv4-cidr-block": str(ranges[0]),
        "vpc-ipv4-cidr-blocks": "\n".join(str(network) for network in ranges),
    }
    return {name: text for name, text in found.items() if text}


def public_keys(state: State, instance: Instance) -> Tree | None:
    if instance.key is None or not state.keys.get(instance.key):
        return None
    return {"0": {"openssh-key": f"{state.keys[instance.key]}\n"}}


def identity(instance: Instance) -> str:
    """The instance identity document.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
    """
    document: dict[str, Any] = {
        "accountId": instance.owner,
        "architecture": "x86_64",
        "availabilityZone": instance.zone,
        "imageId": instance.image,
        "instanceId": instance.id,
        "instanceType": instance.type,
        "pendingTime": instance.launched,
        "privateIp": instance.private,
        "region": instance.zone[:-1],
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def find(root: Tree, names: Iterator[str], keys: Mapping[str, str]) -> str | None:
    """The text at a path: of a folder its entries, a line each, folders with a slash. None: not found.

    keys: what stands before an entry's name in the list, as the name of a key pair does.
    """
    here: Tree | str = root
    for name in names:
        if isinstance(here, str) or name not in here:
            return None
        here = here[name]
    if isinstance(here, str):
        return here
    return "\n".join(keys.get(name, name + ("" if isinstance(entry, str) else "/")) for name, entry in here.items())
