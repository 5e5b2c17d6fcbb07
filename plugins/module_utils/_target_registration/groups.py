# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups by their names or ARNs, with as few calls as that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetGroup,
    TargetRegistrationError,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.params import group_name

# What the API answers, without saying which, where one of several names is no group's.
MISSING = "TargetGroupNotFound"


def find(elbv2: Any, wanted: Sequence[str]) -> list[TargetGroup]:
    """The groups that are meant, each once, in the order of the input.

    Names and ARNs cannot be asked for in one call, but the name is in the ARN. Raises TargetRegistrationError
    that names every group that does not exist.
    """
    names = list(dict.fromkeys(group_name(group) for group in wanted))
    try:
        there = api.describe_named_groups(elbv2, names)
    except AwsError as error:
        if error.code != MISSING:
            raise
        there = api.describe_all_groups(elbv2)
    by_key = {key: group for group in there for key in (group.name, group.arn)}
    missing = [group for group in wanted if group not in by_key]
    if missing:
        raise TargetRegistrationError(
            "\n".join(f"target_groups: there is no target group {group} in this region" for group in missing)
        )
    return list({by_key[group].arn: by_key[group] for group in wanted}.values())
