# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the instances of Auto Scaling groups, put in by whoever makes groups real. Knows no moto.

Times are seconds on the clock; ``moment`` makes dates of them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone

from lab.cloud.clock import Clock
from lab.cloud.scaling_records import (
    DIFFERENCE,
    LAUNCHING,
    LONGEST_WAIT,
    TERMINATING,
    Activity,
    Hook,
    Member,
    Record,
    Wait,
    capacity,
    of_instance,
    zone_of,
)


class Scaling:
    """All groups, by their ARN."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self.groups: dict[str, Record] = {}
        self.past: list[Activity] = []
        self._began = datetime.now(timezone.utc) - timedelta(seconds=self._clock.now())

    def now(self) -> float:
        return self._clock.now()

    def moment(self, time: float | None = None) -> datetime:
        """A time of the clock as a date; the present by default."""
        return self._began + timedelta(seconds=self.now() if time is None else time)

    def launched(self, arn: str, member: Member, subnet: str, cause: str) -> None:
        """An instance was started for a group."""
        record = self.groups[arn]
        size = len(capacity(record))
        grown = f", increasing the capacity from {size} to {size + 1}"
        text = self._because(record, f"an instance was started in response to {cause}", cause, grown)
        record.members[member.id] = member
        place = {"Subnet ID": subnet, "Availability Zone": member.zone}
        self.begin(record, f"{LAUNCHING}: {member.id}", text, place)

    def launch_failed(self, arn: str, zone: str, cause: str, message: str) -> None:
        """An instance could not be started."""
        record = self.groups[arn]
        text = f"At {self._stamp()} an instance was started in response to {cause}."
        activity = self.begin(record, LAUNCHING, text, {"Availability Zone": zone})
        activity.message = message
        self._end(activity, "Failed")

    def move(self, arn: str, instance: str, to: str, cause: str = "", hooks: list[Hook] | None = None) -> None:
        """Another life-cycle state; ``hooks`` are what a state of waiting waits for."""
        record = self.groups[arn]
        member = record.members[instance]
        member.waits = []
        if to.endswith(":Wait"):
            now = self.now()
            member.waits = [
                Wait(hook, str(uuid.uuid4()), now + hook.heartbeat, now + min(LONGEST_WAIT, 100 * hook.heartbeat))
                for hook in hooks or []
            ]
            self.note(arn, instance, "MidLifecycleAction", 60)
            to = to if member.waits else to.replace(":Wait", ":Proceed")
        elif to == "Terminating":
            self._take_out(record, member, cause)
        elif to == "InService":
            member.since, member.healthy = self.now(), True
        member.life_cycle = to
        if to in ("InService", "Standby", "Detached"):
            self._end_all(record, instance, "Successful")
        if to == "Detached":
            del record.members[instance]

    def _take_out(self, record: Record, member: Member, cause: str) -> None:
        size = len(capacity(record))
        shrunk = f", shrinking the capacity from {size} to {size - 1}" if cause == DIFFERENCE else ""
        did = f"an instance was taken out of service in response to {cause}"
        self._end_all(record, member.id, "Cancelled")
        self.begin(record, f"{TERMINATING}: {member.id}", self._because(record, did, cause, shrunk), zone_of(member))

    def gone(self, arn: str, instance: str) -> None:
        """The instance was terminated."""
        record = self.groups[arn]
        record.members.pop(instance, None)
        self._end_all(record, instance, "Successful")

    def unhealthy(self, arn: str, instance: str) -> None:
        self.groups[arn].members[instance].healthy = False

    def note(self, arn: str, instance: str, status: str, progress: int) -> None:
        """How far the activity of an instance is."""
        for activity in of_instance(self.groups[arn], instance):
            if activity.end is None:
                activity.status, activity.progress = status, progress

    def progress(self, arn: str, refresh_id: str, status: str, percentage: int, left: int, reason: str) -> None:
        """How far a refresh is; any status but Pending, InProgress and Cancelling ends it."""
        for refresh in self.groups[arn].refreshes:
            if refresh.id == refresh_id:
                refresh.status, refresh.percentage, refresh.left = status, percentage, left
                refresh.reason = reason
                refresh.end = None if status in ("Pending", "InProgress", "Cancelling") else self.now()

    def forget(self, arn: str) -> None:
        """The group is no more; its activities can still be asked for."""
        self.past += self.groups.pop(arn).activities

    def observe(self) -> None:
        """End the life-cycle actions whose time is over."""
        for arn, record in list(self.groups.items()):
            for member in list(record.members.values()):
                for wait in list(member.waits):
                    if wait in member.waits and min(wait.deadline, wait.longest) <= self.now():
                        self.complete(arn, member, wait, wait.hook.result)

    def next_deadline(self) -> float | None:
        """When the next life-cycle action ends by itself."""
        members = [member for record in list(self.groups.values()) for member in list(record.members.values())]
        return min((min(wait.deadline, wait.longest) for m in members for wait in m.waits), default=None)

    def complete(self, arn: str, member: Member, wait: Wait, result: str) -> None:
        """ "If the instance is terminating, both ABANDON and CONTINUE allow the instance to terminate. However,
        ABANDON stops any remaining actions". A launching instance that is abandoned is terminated.
        """
        member.waits.remove(wait)
        if result == "ABANDON":
            member.waits = []
            if member.life_cycle.startswith("Pending"):
                self.move(arn, member.id, "Terminating", "a lifecycle action that was abandoned")
                return
        if not member.waits:
            member.life_cycle = member.life_cycle.replace(":Wait", ":Proceed")

    def begin(self, record: Record, description: str, cause: str, details: dict[str, str]) -> Activity:
        """Note that something begins."""
        activity = Activity(str(uuid.uuid4()), record.name, description, cause, self.now(), json.dumps(details))
        record.activities.append(activity)
        return activity

    def requested(self, record: Record, text: str, before: int, desired: int) -> None:
        """Somebody changed the desired capacity."""
        if desired != before:
            said = f"At {self._stamp()} a user request {text} changing the desired capacity from {before} to {desired}."
            record.request = (said, abs(desired - before))

    def _because(self, record: Record, did: str, cause: str, size: str) -> str:
        asked, times = record.request
        if cause != DIFFERENCE:
            return f"At {self._stamp()} {did}."
        record.request = (asked, times - 1) if times > 1 else ("", 0)
        return f"{asked}  At {self._stamp()} {did}{size}.".lstrip()

    def _stamp(self) -> str:
        return self.moment().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _end(self, activity: Activity, status: str) -> None:
        activity.end, activity.status, activity.progress = self.now(), status, 100

    def _end_all(self, record: Record, instance: str, status: str) -> None:
        for activity in of_instance(record, instance):
            if activity.end is None:
                self._end(activity, status)
