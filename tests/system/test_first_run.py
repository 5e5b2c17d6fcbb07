# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run of all, in an empty account, killed again and again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.killing import Moment, run_and_kill
from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled
from tests.system.releases import handed_back

# Tasks in their order, with the seconds after which a run is killed there. New hosts come into the load balancer by
# themselves, after the run has published what they are to have.
TASKS = {
    "Launch the instances": 0.5,
    "Bring the Auto Scaling groups to their state": 0.5,
    "Read the host keys of new instances from their consoles": 0.3,
    "Wait until the instance answers": 0.3,
    "Wait until cloud-init is through": 0.1,
    "Bastion": 0.0,
    "Lock the fleets": 0.5,
    "Bring the services to their declared state": 1.5,
    "Bring Apache's sites, configuration and modules to their declared state": 0.5,
    "Publish what the fleets run": 0.2,
    "Unlock the fleets": 0.2,
    "Verify the platform from outside": 0.0,
}


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Autoscaled]:
    """The system as declared in the checkout, of which nothing is there yet."""
    made = Autoscaled(f"system-first-{os.getpid()}", tmp_path_factory.mktemp("first") / "platform")
    try:
        made.declare_afresh()
        made.up()
        yield made
    finally:
        made.down()


@pytest.mark.further
def test_a_first_run_that_is_killed_again_and_again_is_finished_by_the_next_one(empty: Autoscaled) -> None:
    for task, delay in TASKS.items():
        hit, output = run_and_kill(empty, "site", Moment(task, delay, "controller"))
        assert hit, (task, output[-3000:])
    run = empty.succeed("site")
    assert eventually(lambda: handed_back(empty), 120, 1), (empty.targets(), empty.suspended(), run.output[-3000:])
    assert len(empty.codes()) == 1
    assert empty.visit().json()["status"] == "ok"
    assert empty.succeed("site").count("changed") == 0
