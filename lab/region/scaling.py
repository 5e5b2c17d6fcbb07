# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling made real: carries the plans for the groups out through the API.

Instances are started, ended and registered by ordinary calls of EC2 and Elastic Load Balancing; what becomes of them
in their group is told to ``cloud.scaling``, where DescribeAutoScalingGroups and the activities have it from. Every
action can be repeated, so that a run that was killed at any of them is continued by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from itertools import takewhile
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.cloud.scaling import Scaling
from lab.cloud.scaling_records import DIFFERENCE, Member
from lab.region.scaling_model import (
    Action,
    Adopt,
    Attached,
    Delete,
    Deregister,
    Launch,
    MarkUnhealthy,
    Move,
    Parted,
    Progress,
    Register,
    Terminate,
)
from lab.region.scaling_plan import Plan, plan
from lab.region.state import Client, State
from lab.region.state_launching import GROUP_TAG, Launching
from lab.region.state_scaling import ScalingGroup, ScalingGroups

# Seconds until what could not be done is tried again.
RETRY = 1.0
TRANSIENT = ("Throttling", "RequestLimitExceeded", "InternalError", "InternalFailure", "RequestExpired", "ExpiredToken")


class AutoScaling:
    """Carries out what the groups need. ``changed`` is told when something was done, so that all is looked at again;
    ``later`` is asked for a look after so many seconds although nothing may have changed. ``exclusively`` is the lock
    of the control plane: what users ask for in between is not overwritten.
    """

    needed = False

    def __init__(
        self,
        scaling: Scaling,
        client: Client,
        changed: Callable[[], None],
        later: Callable[[float], None],
        exclusively: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._scaling, self._changed, self._later = scaling, changed, later
        self._exclusively = exclusively or nullcontext()
        self._client = cache(client)

    def wanted(self, state: State) -> tuple[tuple[ScalingGroup, Plan], ...]:
        """The groups with their plans."""
        now = self._scaling.moment().timestamp()
        return tuple((group, plan(group.group, now)) for group in state.part(ScalingGroups).groups)

    def apply(self, wanted: tuple[tuple[ScalingGroup, Plan], ...]) -> None:
        """Carry the plans out. What depends on an action that fails is planned anew."""
        now, done = self._scaling.moment().timestamp(), 0
        for group, found in wanted:
            expected = {member.id: member.life_cycle for member in group.group.members}
            carried = len(list(takewhile(partial(self._try, group, expected), found.actions)))
            done += carried
            if carried < len(found.actions):
                self._later(RETRY)
            elif found.due is not None:
                self._later(max(found.due - now, 0.0))
        deadline = self._scaling.next_deadline()
        if deadline is not None:
            self._later(max(deadline - self._scaling.now(), 0.0))
        if done:
            self._changed()

    def close(self) -> None:
        """Nothing goes on here between two calls."""

    def _try(self, group: ScalingGroup, expected: dict[str, str], action: Action) -> bool:
        """False when the action failed, or stands on what is not so any more: then the group is planned anew."""
        try:
            self._carry_out(group, action)
        except ClientError as error:
            told = error.response["Error"]
            if not isinstance(action, Launch) or told["Code"] in TRANSIENT:
                return False
            message = f"{told['Message']} Launching EC2 instance failed."
            with self._exclusively:
                if group.arn in self._scaling.groups:
                    self._scaling.launch_failed(group.arn, action.zone, action.cause, message)
        except BotoCoreError:
            return False
        return self._tell(group, expected, action)

    def _carry_out(self, group: ScalingGroup, action: Action) -> None:
        """What goes through the API."""
        match action:
            case Launch(subnet, _zone, cause):
                made = self._client("ec2").run_instances(**launch_request(group.launching, subnet))["Instances"][0]
                self._join(group, made, subnet, cause)
            case Adopt(instance):
                made = self._client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
                self._join(group, made, made["SubnetId"], DIFFERENCE)
            case Move(instance, "Detached"):
                self._client("ec2").delete_tags(Resources=[instance], Tags=[{"Key": GROUP_TAG}])
            case Register(target_group, instance):
                targets = [{"Id": instance}]
                self._client("elbv2").register_targets(TargetGroupArn=target_group, Targets=targets)
            case Deregister(target_group, instance):
                self._deregister(group, target_group, instance)
            case Terminate(instance):
                self._terminate(group, instance)
            case Progress(_refresh, "Successful") if group.update:
                self._client("autoscaling").update_auto_scaling_group(
                    AutoScalingGroupName=group.group.name, **group.update
                )
            case Delete():
                self._client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=group.group.name)

    def _tell(self, group: ScalingGroup, expected: dict[str, str], action: Action) -> bool:
        """What is noted of the group and its instances; False, and nothing, where that is not as it was planned for."""
        known, arn = self._scaling, group.arn
        with self._exclusively:
            record = known.groups.get(arn)
            if record is None:
                return False
            match action:
                case Move(instance, to, cause):
                    member = record.members.get(instance)
                    if member is None or member.life_cycle != expected.get(instance):
                        return False
                    known.move(arn, instance, to, cause, group.hooks.get(to))
                    expected[instance] = member.life_cycle
                case MarkUnhealthy(instance) if instance in record.members:
                    known.unhealthy(arn, instance)
                case Attached(target_group):
                    record.target_groups[target_group] = "Added"
                case Parted(target_group):
                    record.target_groups.pop(target_group, None)
                case Progress(refresh, status, percentage, left, reason):
                    active = record.active_refresh()
                    if group.group.refresh is None or active is None or active.status != group.group.refresh.status:
                        return False
                    known.progress(arn, refresh, status, percentage, left, reason)
        return True

    def _join(self, group: ScalingGroup, made: dict[str, Any], subnet: str, cause: str) -> None:
        """Let an instance join; one whose group is gone meanwhile ends."""
        with self._exclusively:
            there = group.arn in self._scaling.groups
            if there:
                self._scaling.launched(group.arn, member(group, made), subnet, cause)
        if not there:
            self._client("ec2").terminate_instances(InstanceIds=[made["InstanceId"]])

    def _deregister(self, group: ScalingGroup, target_group: str, instance: str) -> None:
        """All ports of the instance that are registered with the target group, whoever registered them."""
        elbv2 = self._client("elbv2")
        told = elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        targets = [one["Target"] for one in told if one["Target"]["Id"] == instance]
        if targets:
            elbv2.deregister_targets(TargetGroupArn=target_group, Targets=targets)
        with self._exclusively:
            if group.arn in self._scaling.groups:
                self._scaling.note(group.arn, instance, "WaitingForELBConnectionDraining", 50)

    def _terminate(self, group: ScalingGroup, instance: str) -> None:
        try:
            self._client("ec2").terminate_instances(InstanceIds=[instance])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceID.NotFound":
                raise
        with self._exclusively:
            if group.arn in self._scaling.groups:
                self._scaling.gone(group.arn, instance)


def launch_request(launching: Launching, subnet: str) -> dict[str, Any]:
    """The parameters of RunInstances for one instance; interfaces of a template get the subnet, else the request."""
    tags = [{"Key": key, "Value": value} for key, value in sorted(launching.tags.items())]
    interfaces = [
        {**interface, **({"SubnetId": subnet} if "NetworkInterfaceId" not in interface else {})}
        for interface in launching.interfaces
    ]
    without = "LaunchTemplateName" if "LaunchTemplateId" in launching.template else ""
    return {
        "LaunchTemplate": {key: launching.template[key] for key in launching.template if key != without},
        "MinCount": 1,
        "MaxCount": 1,
        "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
        **({"NetworkInterfaces": interfaces} if interfaces else {"SubnetId": subnet}),
        **({"InstanceType": launching.instance_type} if launching.instance_type else {}),
    }


def member(group: ScalingGroup, made: dict[str, Any]) -> Member:
    """A new instance as a member of its group; its template is what it was really started with."""
    tags = {tag["Key"]: tag["Value"] for tag in made.get("Tags", [])}
    template = dict(group.launching.template)
    template["Version"] = tags.get("aws:ec2launchtemplate:version", template["Version"])
    return Member(
        made["InstanceId"],
        made["Placement"]["AvailabilityZone"],
        made["InstanceType"],
        template,
        protected=group.launching.protected,
    )
