# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and descriptions of security groups: their characters, their length, and which are taken.

"Names are case-insensitive and must be unique within the VPC. Constraints: Up to 255 characters in length. Can't
start with sg-. Valid characters: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from __future__ import annotations

import re
from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict

TEXT = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


@strict("ec2", "CreateSecurityGroup")
def create_security_group(request: Request) -> Any:
    """Check what moto takes as it comes."""
    name = checked("GroupName", request.parameters.get("GroupName"))
    checked("GroupDescription", request.parameters.get("Description"))
    if name.lower().startswith("sg-"):
        reason = "Group names may not be in the format sg-*."
        raise refuse("InvalidParameterValue", f"Value ({name}) for parameter GroupName is invalid. {reason}")
    if name.lower() == "default":
        raise refuse("InvalidGroup.Reserved", "The security group 'default' is reserved")
    vpc = request.parameters.get("VpcId") or request.ec2.default_vpc.id
    if vpc not in request.ec2.vpcs:
        raise refuse("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    if name.lower() in {group.name.lower() for group in request.ec2.groups[vpc].values()}:
        raise refuse("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc}'")
    return request.proceed()


def checked(parameter: str, text: str | None) -> str:
    """The text; one that is missing, too long or has other characters is refused."""
    if not text:
        raise refuse("MissingParameter", f"The request must contain the parameter {parameter}")
    if not text.isascii():
        reason = "Character sets beyond ASCII are not supported."
    elif len(text) > 255:
        reason = "It may be up to 255 characters long."
    elif not TEXT.fullmatch(text):
        reason = "Valid characters are a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{}!$*"
    else:
        return text
    raise refuse("InvalidParameterValue", f"Value ({text}) for parameter {parameter} is invalid. {reason}")
