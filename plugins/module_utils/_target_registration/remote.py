# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All groups of a request read and changed side by side; what AWS refuses is told with the group's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration import api
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.groups import MISSING, find
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.ledger import Ledger
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    Target,
    TargetGroup,
    TargetRegistrationError,
    Targets,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    GroupPlan,
    Plan,
)

# Seconds for what is good to know before a change, but not needed; the change has its own.
LOOKING_AHEAD = 10.0


@dataclass
class Remote:
    """The account. ``connect_ec2`` makes the client that is seldom needed; ``ledger`` says what was changed."""

    elbv2: Any
    connect_ec2: Callable[[], Any]
    retries: Retries
    ledger: Ledger = field(default_factory=Ledger)
    last_error: AwsError | None = None

    @cached_property
    def ec2(self) -> Any:
        """The client for EC2, made when it is needed: that alone takes a while."""
        return self.connect_ec2()

    def groups(self, wanted: Sequence[str]) -> list[TargetGroup]:
        """The groups of these names and ARNs."""
        return self.retries.reading(lambda: find(self.elbv2, wanted))

    def targets(self, groups: Iterable[TargetGroup]) -> dict[str, Targets]:
        """The targets of each group, by its ARN; groups that did not answer are asked again.

        Somebody has said that there are such groups, so that a network that is down now is waited for.
        """
        found: dict[str, Targets] = {}
        missing = list(groups)
        while True:
            with self.retries.patience(), reached():
                found.update(self.glance(missing))
                missing = [group for group in missing if group.arn not in found]
                if not missing:
                    return found
                if self.last_error:
                    raise self.last_error

    def glance(self, groups: Sequence[TargetGroup]) -> dict[str, Targets]:
        """The targets of the groups that answer now; a network that is down for a while does not end a long wait."""
        answers = side_by_side(lambda group: api.describe_targets(self.elbv2, group), groups)
        errors = [(group, error) for group, _found, error in answers if error]
        self.last_error = _named(*errors[-1]) if errors else None
        _raise_final(errors)
        return {group.arn: found for group, found, error in answers if found is not None}

    def subnets(self, vpc: str) -> list[dict[str, Any]]:
        """The subnets of a VPC."""
        return self.retries.reading(lambda: api.describe_subnets(self.ec2, {"vpc-id": [vpc]}))

    def instances(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Those of the instances that exist; raises AwsError where that may not be read, or not soon."""
        return Retries(LOOKING_AHEAD, clock=self.retries.clock).reading(lambda: api.describe_instances(self.ec2, ids))

    def delay(self, group: TargetGroup) -> int | None:
        """Seconds for which targets of a group drain; None where that may not be read."""
        try:
            return self.retries.reading(lambda: api.describe_delay(self.elbv2, group))
        except AwsError:
            return None

    def register(self, planned: Plan, zones: Mapping[str, Mapping[Target, str]]) -> None:
        """Send what the plan registers, the groups side by side; ``zones`` by the group's ARN."""

        def send(item: GroupPlan) -> None:
            api.register(self.elbv2, item.group, item.register, zones.get(item.group.arn, {}))

        self._send([item.only("register") for item in planned.groups], send)

    def deregister(self, planned: Plan, current: Mapping[str, Targets]) -> None:
        """Send what the plan deregisters, with the zones that the targets are registered with."""

        def send(item: GroupPlan) -> None:
            zones = {target: current[item.group.arn][target].zone for target in item.deregister}
            api.deregister(self.elbv2, item.group, item.deregister, zones if item.group.kind == "ip" else {})

        self._send([item.only("deregister") for item in planned.groups], send)

    def _send(self, changes: Sequence[GroupPlan], send: Callable[[GroupPlan], None]) -> None:
        def send_parts(item: GroupPlan) -> None:
            for part in item.parts(api.TARGETS_A_CALL):
                with self.ledger.sending(part):
                    send(part)

        answers = side_by_side(send_parts, [item for item in changes if item.changed])
        errors = [(item.group, error) for item, _nothing, error in answers if error]
        _raise_final(errors)
        for group, error in errors:
            raise _named(group, error)


def _raise_final(errors: Sequence[tuple[TargetGroup, AwsError]]) -> None:
    """Raise what another attempt cannot help, of all groups in one message."""
    final = [_told(group, error) for group, error in errors if not (error.transient or error.unreachable)]
    if final:
        raise TargetRegistrationError("\n".join(final))


def _told(group: TargetGroup, error: AwsError) -> str:
    if error.code == MISSING:
        return f"{group.name}: the target group was deleted while this ran ({error})"
    return f"{group.name}: {error}"


def _named(group: TargetGroup, error: AwsError) -> AwsError:
    """The same error with the name of the group that it is about."""
    return error.but(message=f"{group.name}: {error.message}")
