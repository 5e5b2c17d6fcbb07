# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of one VPC, read as often as somebody has to know; what does not change is asked for once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import api
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    Group,
    SecurityGroupsError,
)


@dataclass
class Reading:
    """One VPC. Whose groups are this account's has to be asked for in a shared VPC alone."""

    connect: Callable[[str], Any]
    ec2: Any
    retries: Retries
    vpc_id: str
    _account: str = ""
    _there: bool = False

    def groups(self) -> dict[str, Group]:
        """This account's groups by their keys; raises AwsError, and SecurityGroupsError where there is no VPC."""
        found = self.retries.reading(lambda: api.groups(self.ec2, self.vpc_id, self.account))
        # Who shares a VPC of another account does not see its default group.
        self._there = self._there or bool(found) or self.retries.reading(lambda: api.exists(self.ec2, self.vpc_id))
        if not self._there:
            raise SecurityGroupsError(f"vpc_id {self.vpc_id}: there is no such VPC in this account and region")
        return found

    def account(self) -> str:
        """The id of this account."""
        self._account = self._account or self.retries.reading(lambda: api.account(self.connect("sts")))
        return self._account
