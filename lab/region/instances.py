# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of instances, told to the control plane: the only way back from the machine for this concern."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import StateReason

# "GetConsoleOutput returns up to 64 KB of console output":
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
CONSOLE_LIMIT = 64 * 1024
# "the most recent 64 KB … which is available for at least one hour after the most recent post", in seconds.
CONSOLE_KEPT = 3600
# The states that a machine's own doing leads to, and from where.
LEADS_TO = {
    "running": ("pending",),
    "stopped": ("running", "stopping"),
    "terminated": ("pending", "running", "stopping", "stopped", "shutting-down"),
}
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html
FAILED = "Server.InternalError: Internal error on launch"
LOST = "Server.InternalError: The host of the instance is gone"
SHUT_DOWN = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"


class Instances:
    """moto's instances by id. ``exclusively`` is a lock of the control plane's; ``changed`` is told of changes."""

    def __init__(self, exclusively: Any, changed: Callable[[], None]) -> None:
        self._exclusively, self._changed = exclusively, changed
        # Id → the console's output, now; who runs the machines puts it here.
        self.console: Callable[[str], str] = lambda _instance: ""
        self._last_words: dict[str, tuple[float, str]] = {}
        self._asked = threading.local()

    def became(self, instance_id: str, state: str, reason: str = "") -> None:
        """The machine of an instance runs, has stopped or is gone; ``reason`` when nobody asked for it."""
        with self._exclusively:
            found = self._find(instance_id)
            if found is None or found.state not in LEADS_TO[state]:
                return
            if state == "stopped":
                found.stop()
            elif state == "terminated":
                found.terminate()
            if reason:
                found.state_reason = StateReason(reason, reason.partition(":")[0])
            found.become(state)
        self._changed()

    def shut_down_behavior(self, instance_id: str) -> str:
        """What a shutdown from inside means: "stopped" or "terminated"."""
        with self._exclusively:
            found = self._find(instance_id)
            terminates = found is not None and found.instance_initiated_shutdown_behavior == "terminate"
            return "terminated" if terminates else "stopped"

    def leaving(self) -> set[str]:
        """Instances that are shutting down for good."""
        with self._exclusively:
            return {found.id for found in self._all() if found.state == "shutting-down"}

    def take_reboots(self, besides: Collection[str]) -> list[str]:
        """Instances that RebootInstances named since the last time; those ``besides`` are kept for the next time."""
        with self._exclusively:
            asked = [found for found in self._all() if found.reboots and found.id not in besides]
            for found in asked:
                found.reboots = 0
            return [found.id for found in asked]

    def say(self, instance_id: str, text: str) -> None:
        """The last words of an instance, whose machine is about to go."""
        now = time.monotonic()
        kept = {name: said for name, said in self._last_words.items() if now - said[0] < CONSOLE_KEPT}
        self._last_words = {**kept, instance_id: (now, text[-CONSOLE_LIMIT:])}

    def forget(self) -> None:
        """Nothing is left of any instance."""
        self._last_words = {}

    def look(self, instance_id: str) -> None:
        """Read the console that this thread is about to be asked for: it takes a while, and no call should wait."""
        with self._exclusively:
            known = self._find(instance_id) is not None
        said = self._last_words.get(instance_id)
        self._asked.text = "" if not known else said[1] if said else self.console(instance_id)

    def console_output(self, response: Any) -> ActionResult:
        """In place of moto's answer to GetConsoleOutput."""
        instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
        output = base64.b64encode(self._asked.text.encode()[-CONSOLE_LIMIT:]).decode()
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": output})

    def _find(self, instance_id: str) -> Any | None:
        return next((found for found in self._all() if found.id == instance_id), None)

    def _all(self) -> list[Any]:
        backends = [ec2 for regions in ec2_backends.values() for ec2 in regions.values()]
        return [found for ec2 in backends for found in ec2.all_instances()]
