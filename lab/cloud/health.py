# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets answer their health checks, as a test or the lab says."""

from __future__ import annotations

from collections.abc import Callable

from lab.cloud.clock import Clock
from lab.cloud.strict.lifecycle import Answers, Health, Outcome

Key = tuple[str, str, int | None]


class HealthChecks:
    """What health checks meet. Whoever is not named here passes.

    Where real load balancers check real targets, ``measured`` says what they found instead, by the ARN of the group,
    id and port; None of a target that they do not know yet.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.measured: Callable[[str, str, int | None], Health | None] | None = None
        self._answers: dict[Key, Answers] = {}

    def answers(self, target_group_arn: str, target_id: str, port: int | None = None, ok: Outcome = True) -> None:
        """From now on the target answers so: True, a status code, "timeout", or "refused" (no connection).

        False is the status code 500. Without a port all ports of the target are meant.
        """
        outcome: Outcome = 500 if ok is False else ok
        self._answers.setdefault((target_group_arn, target_id, port), Answers()).said.append(
            (self._clock.now(), outcome)
        )

    def of(self, target_group_arn: str, target_id: str, port: int | None) -> Answers:
        """What was said of a target, of all its ports and of this one, by time."""
        keys = ((target_group_arn, target_id, None), (target_group_arn, target_id, port))
        said = [entry for key in dict.fromkeys(keys) if key in self._answers for entry in self._answers[key].said]
        return Answers(sorted(said, key=lambda entry: entry[0]))

    def clear(self) -> None:
        self._answers.clear()
