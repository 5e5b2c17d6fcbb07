# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of the system, with a fleet that serves: the last of the tests that share it."""

from __future__ import annotations

from typing import Any

from tests.system.autoscaled import Autoscaled

OWNED: Any = [{"Name": "tag:gatehouse:platform", "Values": ["autoscaled"]}]
LIVING: Any = [*OWNED, {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]


def test_teardown_of_a_fleet_that_serves_leaves_nothing(serving: Autoscaled) -> None:
    ec2, before = serving.client("ec2"), serving.instances()
    refused = serving.fail("teardown")
    assert "Nothing was removed. Confirm it with -e confirm=autoscaled" in refused.output
    assert serving.instances() == before
    run = serving.succeed("teardown", "-e", "confirm=autoscaled", "-e", "delete_data=true")
    for words in ("Auto Scaling group autoscaled-web", "load balancer autoscaled-lb", "bucket autoscaled-releases-"):
        assert words in run.output
    assert ec2.describe_instances(Filters=LIVING)["Reservations"] == []
    assert ec2.describe_vpcs(Filters=OWNED)["Vpcs"] == []
    assert ec2.describe_addresses(Filters=OWNED)["Addresses"] == []
    assert serving.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert serving.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert serving.client("s3").list_buckets()["Buckets"] == []
    again = serving.succeed("teardown", "-e", "confirm=autoscaled", "-e", "delete_data=true")
    assert again.count("changed") == 0
