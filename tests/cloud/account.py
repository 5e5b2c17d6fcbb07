# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the control plane put into an account, and what they expect of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, text: str = "") -> Iterator[None]:
    """What is done inside is answered with this error code, and a message with this text in it."""
    with pytest.raises(ClientError) as error:
        yield
    answer = error.value.response["Error"]
    assert answer["Code"] == code, answer
    assert text in answer["Message"]


def vpc(ec2: Any, cidr: str = "10.0.0.0/16") -> str:
    """A VPC that is not the default one."""
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def group(ec2: Any, name: str = "app", vpc_id: str = "", description: str = "d") -> str:
    """A security group; in the default VPC unless told otherwise."""
    where = {"VpcId": vpc_id} if vpc_id else {}
    return str(ec2.create_security_group(GroupName=name, Description=description, **where)["GroupId"])


def permission(*cidrs: str, port: int = 80, **more: Any) -> dict[str, Any]:
    """One IpPermission of TCP; ``more`` are further keys."""
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs],
        **more,
    }


def allow(ec2: Any, group_id: str, *permissions: dict[str, Any]) -> list[dict[str, Any]]:
    """Authorize ingress; the rules that were added."""
    answer = ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(permissions))
    rules: list[dict[str, Any]] = answer["SecurityGroupRules"]
    return rules


def ingress(ec2: Any, group_id: str) -> list[dict[str, Any]]:
    """IpPermissions of a group."""
    found: list[dict[str, Any]] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0][
        "IpPermissions"
    ]
    return found


def rules(ec2: Any, group_id: str, egress: bool = False) -> list[dict[str, Any]]:
    """The rules of a group in one direction."""
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
    return [rule for rule in found["SecurityGroupRules"] if rule["IsEgress"] is egress]


def prefix_list(ec2: Any, entries: int, family: str = "IPv4") -> str:
    """A prefix list with room for a number of entries."""
    made = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=entries, AddressFamily=family)
    return str(made["PrefixList"]["PrefixListId"])
