# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Auto Scaling groups launch, and where, read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

GROUP_TAG = "aws:autoscaling:groupName"


@dataclass(frozen=True)
class Launching:
    """What instances of a group are started with."""

    template: dict[str, str]
    interfaces: tuple[dict[str, Any], ...]
    instance_type: str | None
    tags: dict[str, str]
    protected: bool


def read_launching(ec2: Any, told: dict[str, Any]) -> tuple[Launching, tuple[str, str]]:
    """What is launched, with the launch template's id and the number that its version means now."""
    policy = (told.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {})
    named = dict(told.get("LaunchTemplate") or policy["LaunchTemplateSpecification"])
    template, data = read_template(ec2, named)
    tags = {tag["Key"]: tag["Value"] for tag in told["Tags"] if tag["PropagateAtLaunch"]}
    types = [one["InstanceType"] for one in policy.get("Overrides") or [] if "InstanceType" in one]
    launching = Launching(
        template,
        tuple(data.get("NetworkInterfaces") or ()),
        types[0] if types else None,
        {**tags, GROUP_TAG: told["AutoScalingGroupName"]},
        told["NewInstancesProtectedFromScaleIn"],
    )
    return launching, (template.get("LaunchTemplateId", ""), template["Version"])


def read_template(ec2: Any, named: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """A launch template by id, name and number of its version, and what it says. One that is no more stays as it was
    named: what launches with it fails, and the group's activities say why.
    """
    key = "LaunchTemplateId" if "LaunchTemplateId" in named else "LaunchTemplateName"
    version = named.get("Version") or "$Default"
    try:
        told = ec2.describe_launch_template_versions(**{key: named[key]}, Versions=[version])["LaunchTemplateVersions"]
    except ClientError:
        return {key: named[key], "Version": version}, {}
    found = told[0]
    template = {name: str(found[name]) for name in ("LaunchTemplateId", "LaunchTemplateName")}
    return {**template, "Version": str(found["VersionNumber"])}, found["LaunchTemplateData"]


def read_subnets(ec2: Any, told: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Pairs of subnet and zone; of a group that names zones alone the default subnets."""
    names = [name.strip() for name in (told.get("VPCZoneIdentifier") or "").split(",") if name]
    if names:
        found = ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": names}])["Subnets"]
    else:
        zones = {"Name": "availability-zone", "Values": told["AvailabilityZones"]}
        found = ec2.describe_subnets(Filters=[zones, {"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    found = sorted(found, key=lambda subnet: (subnet["AvailabilityZone"], subnet["SubnetId"]))
    return tuple((subnet["SubnetId"], subnet["AvailabilityZone"]) for subnet in found)
