# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty instances at once, and what an idle region costs."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from tests.region.account import Account, eventually

NUMBER = 20
# Seconds that are measured.
IDLE = 10


def test_twenty_instances_start_within_a_minute_and_then_it_is_quiet(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    vpc = account.vpc()
    began = time.monotonic()
    account.launch(vpc.private, vpc.group, MinCount=NUMBER, MaxCount=NUMBER)
    filters = [{"Name": "instance-state-name", "Values": ["running"]}]

    def running() -> list[str]:
        found = account.ec2.describe_instances(Filters=filters)["Reservations"]
        return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]

    assert eventually(lambda: len(running()) == NUMBER, 60)
    seconds = time.monotonic() - began
    for instance in running():
        account.host_keys(instance, 240)

    # A look at everything that is under way is no idleness; it takes half a second of a core.
    assert eventually(lambda: account.cloud.changes.quiet_for(IDLE), 60)
    before, own, used = time.monotonic(), time.process_time(), seconds_used(account)
    time.sleep(IDLE)
    passed = time.monotonic() - before
    share, whole = (time.process_time() - own) / passed, (seconds_used(account) - used) / passed
    with capsys.disabled():
        print(
            f"\n{NUMBER} instances ran after {seconds:.1f} s; idle, the region takes {share:.2%} of a core, "
            f"{whole:.2%} with all that it runs"
        )
    assert max(share, whole) < 0.05


def seconds_used(account: Account) -> float:
    """Of processors, by the region: this process, what it has run, and the name servers that it has started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for path in (account.region.place.directory / "names").glob("*/pid"):
        fields = Path(f"/proc/{path.read_text(encoding='ascii').strip()}/stat").read_text(encoding="ascii")
        ticks += sum(int(field) for field in fields.rpartition(")")[2].split()[11:13])
    return time.process_time() + children.ru_utime + children.ru_stime + ticks / os.sysconf("SC_CLK_TCK")
