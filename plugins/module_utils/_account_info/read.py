# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose account it is, and whether it can be asked in this region; only reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import CREDENTIALS, AwsError, call
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries

# What botocore says by itself, without asking anybody.
NONE = "Unable to locate credentials"


class AccountError(Exception):
    """Why the account cannot be asked, and what to do; ``str()`` is the whole message."""


def read(connect: Callable[[str], Any], region: str, retries: Retries) -> dict[str, Any]:
    """The module's result; raises AccountError. ``connect`` gives a client for the name of a service."""
    try:
        caller = retries.reading(lambda: call(connect("sts").get_caller_identity))
        told = retries.reading(lambda: call(connect("ec2").describe_availability_zones))
    except AwsError as error:
        raise AccountError(f"AWS cannot be asked in the region {region}: {error}; {advice(error, region)}") from error
    zones = sorted(zone["ZoneName"] for zone in told["AvailabilityZones"] if zone.get("State") == "available")
    return {"account": str(caller["Account"]), "arn": str(caller["Arn"]), "region": region, "zones": zones}


def advice(error: AwsError, region: str) -> str:
    """What to do about it."""
    if NONE in error.message:
        return "give credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if error.code in CREDENTIALS:
        return f"look at the credentials, and whether the account has the region {region} turned on"
    if error.unreachable or error.uncertain:
        return f"is there a region {region} (platform_region), and does this machine reach AWS?"
    return "may these credentials do that?"
