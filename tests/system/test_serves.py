# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system as it was built from an empty account."""

from __future__ import annotations

from tests.system.autoscaled import Autoscaled


def test_two_hosts_answer_through_the_load_balancer(serving: Autoscaled) -> None:
    assert set(serving.targets()) == set(serving.instances())
    answer = serving.visit().json()
    assert answer["status"] == "ok"
    assert set(serving.releases().values()) == {answer["release"]}
    with serving.visitors(rate=50) as tally:
        serving.visit()
    assert tally["failed"] == 0
