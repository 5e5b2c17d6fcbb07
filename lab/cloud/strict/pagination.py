# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages: as many items as asked for, and a token for the rest.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination
"MaxResults [...] This value can be between 5 and 1000. If this parameter is not specified, then all items are
returned." https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
"PageSize: Valid Range: Minimum value of 1. Maximum value of 400."
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html

A test that sets ``cloud.page_size`` gets pages without asking, so that callers that ignore tokens are found out.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from lab.cloud.strict.behavior import Behavior, Request, refuse, strict


@dataclass(frozen=True)
class Style:
    """How a service names what belongs to pages."""

    size: str
    token: str
    next_token: str
    wrong_size: str
    wrong_token: str
    default: int | None


EC2 = Style("MaxResults", "NextToken", "NextToken", "InvalidParameterValue", "InvalidNextToken", None)
ELB = Style("PageSize", "Marker", "NextMarker", "ValidationError", "ValidationError", 400)
# Operations with the key of their items and the sizes that they take.
EC2_PAGED = {
    "DescribeSecurityGroups": ("SecurityGroups", 5, 1000),
    "DescribeSecurityGroupRules": ("SecurityGroupRules", 5, 1000),
    "DescribeStaleSecurityGroups": ("StaleSecurityGroupSet", 5, 255),
    "DescribeNetworkInterfaces": ("NetworkInterfaces", 5, 1000),
    "DescribeManagedPrefixLists": ("PrefixLists", 1, 100),
    "DescribeVpcs": ("Vpcs", 5, 1000),
    "DescribeSubnets": ("Subnets", 5, 1000),
}
ELB_PAGED = {
    "DescribeTargetGroups": ("TargetGroups", 1, 400),
    "DescribeLoadBalancers": ("LoadBalancers", 1, 400),
    "DescribeListeners": ("Listeners", 1, 400),
    "DescribeRules": ("Rules", 1, 400),
}


def paged(style: Style, key: str, least: int, most: int) -> Behavior:
    """A behavior that cuts the items under a key into pages."""

    def page(request: Request) -> Any:
        size, token = request.parameters.pop(style.size, None), request.parameters.pop(style.token, None)
        if size is not None and not least <= size <= most:
            limit = f"greater than or equal to {least}" if size < least else f"less than or equal to {most}"
            text = f"Value ( {size} ) for parameter {style.size} is invalid. Expecting a value {limit}."
            raise refuse(style.wrong_size, text)
        if size is not None and style is EC2 and request.parameters.get("NetworkInterfaceIds"):
            text = "The parameter NetworkInterfaceIds cannot be used with the parameter MaxResults"
            raise refuse("InvalidParameterCombination", text)
        start = position(style, token)
        result = request.proceed()
        items = list(result[key])
        end = start + (size or request.cloud.page_size or style.default or len(items))
        rest = {style.next_token: written(end)} if end < len(items) else {style.next_token: None}
        return {**result, key: items[start:end], **rest}

    return page


def written(position: int) -> str:
    """A token that nobody is tempted to read."""
    return base64.urlsafe_b64encode(f"gatehouse:{position}".encode()).decode()


def position(style: Style, token: str | None) -> int:
    """Where a token says that the page begins."""
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("gatehouse:"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refuse(style.wrong_token, f"The {style.token} '{token}' is not valid") from None


for _operation, _sizes in EC2_PAGED.items():
    strict("ec2", _operation, outermost=True)(paged(EC2, *_sizes))
for _operation, _sizes in ELB_PAGED.items():
    strict("elbv2", _operation, outermost=True)(paged(ELB, *_sizes))
