# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request about an Auto Scaling group names has to exist, and its figures have to make sense.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
"""

from __future__ import annotations

from lab.cloud.strict.behavior import Request, refuse
from lab.cloud.strict.launch_templates import deleted


def check_sizes(least: int, most: int, desired: int) -> None:
    """The bounds must make sense, and the desired capacity lie within."""
    if most < least:
        raise refuse("ValidationError", f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if not least <= desired <= most:
        text = f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}"
        raise refuse("ValidationError", text)


def check_template(request: Request) -> None:
    """The launch template and its version must exist."""
    asked = request.parameters
    policy = asked.get("MixedInstancesPolicy") or {}
    told = asked.get("LaunchTemplate") or policy.get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
    if not told:
        return
    key, name = next(iter(told.items()))
    for template in request.ec2.launch_templates.values():
        if template.id == told.get("LaunchTemplateId") or template.name == told.get("LaunchTemplateName"):
            version = str(told.get("Version") or "$Default")
            there = {str(known.number) for known in template.versions if known.number not in deleted(template)}
            if version.startswith("$") or version in there:
                return
    text = "You must use a valid fully-formed launch template. The specified launch template"
    raise refuse("ValidationError", f"{text}, with {key} {name}, or its version does not exist.")


def check_target_groups(request: Request, arns: list[str]) -> None:
    """The target groups must exist."""
    if missing := [arn for arn in arns if arn not in request.elbv2.target_groups]:
        text = "Provided Target Groups may not be valid. Please ensure they exist and try again"
        raise refuse("ValidationError", f"{text}: {', '.join(missing)}")
