# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets over HTTP: what users complain about in today's modules, and what is promised instead."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.model import (
    TargetRegistrationError,
)

from lab.cloud import ControlPlane
from tests.cloud.shop import Shop, after

WRITES = {"RegisterTargets", "DeregisterTargets"}


@pytest.fixture
def shop(cloud: ControlPlane) -> Shop:
    return Shop(cloud)


def test_new_targets_are_registered_and_waited_for(shop: Shop) -> None:
    arn = shop.group("web")
    one, other = shop.instances(2)
    shop.settle()
    result = shop.run(["web"], [one, other])
    assert result["changed"]
    assert result["plan"] == [f"web: registers {one}:80", f"web: registers {other}:80"]
    assert shop.states(arn) == {one: "healthy", other: "healthy"} == after(result, "web")
    assert 10 < result["waited"] < 20


def test_fifty_targets_take_three_calls_before_waiting(shop: Shop) -> None:
    """One target per call: 50 targets are 150 to 200 requests."""
    arn = shop.group("web")
    ids = shop.instances(50)
    shop.settle()
    shop.run(["web"], ids, wait=False)
    assert shop.calls() == {"DescribeTargetGroups": 1, "DescribeTargetHealth": 2, "RegisterTargets": 1}
    assert len(shop.states(arn)) == 50


def test_a_look_while_waiting_is_one_call_for_fifty_targets(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(50)
    shop.settle()
    shop.run(["web"], ids)
    assert shop.calls()["DescribeTargetHealth"] == 1 + len(shop.pauses) < 10


def test_a_second_run_changes_nothing_with_two_calls(shop: Shop) -> None:
    """A second run drains healthy targets (community.aws 1194)."""
    ids = shop.instances(3)
    arn = shop.serving("web", ids)
    result = shop.run(["web"], ids)
    assert not result["changed"]
    assert result["plan"] == []
    assert result["diff"] == []
    assert shop.calls() == {"DescribeTargetGroups": 1, "DescribeTargetHealth": 1}
    assert set(shop.states(arn).values()) == {"healthy"}


def test_a_draining_target_is_registered_again(shop: Shop) -> None:
    """A draining target with state: present is left draining (ansible/ansible 44149)."""
    ids = shop.instances(1)
    arn = shop.serving("web", ids)
    shop.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": ids[0]}])
    assert shop.states(arn) == {ids[0]: "draining"}
    result = shop.run(["web"], ids)
    assert result["plan"] == [f"web: registers {ids[0]}:80 again, which is draining"]
    assert shop.states(arn) == {ids[0]: "healthy"}


def test_polling_slows_down_and_is_spread(shop: Shop) -> None:
    """Polls every second: Rate exceeded (community.aws 444)."""
    arn = shop.group("web", HealthCheckIntervalSeconds=60)
    ids = shop.instances(1)
    shop.cloud.health.answers(arn, ids[0], ok=False)
    shop.settle()
    with pytest.raises(TargetRegistrationError):
        shop.run(["web"], ids, wait_timeout=300)
    assert shop.pauses[:-1] == sorted(shop.pauses[:-1])
    assert len(shop.pauses) < 35
    assert sum(shop.pauses) == pytest.approx(300)


def test_throttled_polls_are_only_later_polls(shop: Shop) -> None:
    arn = shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    for number in range(2, 6):
        shop.cloud.faults.add("throttled", number=number, operation="DescribeTargetHealth")
    assert shop.run(["web"], ids)["changed"]
    assert shop.states(arn) == {ids[0]: "healthy"}


def test_deregistering_waits_until_the_target_is_gone(shop: Shop) -> None:
    """Detach does not wait for the drain (terraform-provider-aws 5603)."""
    ids = shop.instances(2)
    arn = shop.serving("web", ids, delay=300)
    result = shop.run(["web"], ids[:1], state="absent")
    assert shop.states(arn) == {ids[1]: "healthy"}
    assert after(result, "web") == {ids[0]: "absent", ids[1]: "healthy"}
    assert 300 <= result["waited"] < 330


def test_the_wait_outlasts_a_long_drain(shop: Shop) -> None:
    """The drain outlasts the script's timeout (aws-codedeploy-samples 68)."""
    ids = shop.instances(2)
    arn = shop.serving("web", ids, delay=3599)
    assert shop.run(["web"], ids[:1], state="absent")["waited"] >= 3599
    assert ids[0] not in shop.states(arn)


def test_a_delay_of_zero_is_waited_for_too(shop: Shop) -> None:
    ids = shop.instances(2)
    arn = shop.serving("web", ids, delay=0)
    assert after(shop.run(["web"], ids[:1], state="absent"), "web")[ids[0]] == "absent"
    assert ids[0] not in shop.states(arn)


def test_a_delay_that_may_not_be_read_is_waited_for_too(shop: Shop) -> None:
    ids = shop.instances(2)
    arn = shop.serving("web", ids, delay=1800)
    shop.cloud.faults.add("refused", number=None, operation="DescribeTargetGroupAttributes")
    assert shop.run(["web"], ids[:1], state="absent")["waited"] >= 1800
    assert ids[0] not in shop.states(arn)


def test_a_drain_that_takes_longer_than_the_wait_is_told_with_its_delay(shop: Shop) -> None:
    ids = shop.instances(2)
    shop.serving("web", ids, delay=300)
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], ids[:1], state="absent", wait_timeout=60)
    assert str(caught.value) == (
        "web: 1 of 1 targets is not gone after 60 seconds:\n"
        f"- {ids[0]}:80 is draining (Target.DeregistrationInProgress: Target deregistration is in progress): "
        "it finishes the requests that it has, until the deregistration delay is over\n"
        "The deregistration delay of web is 300 seconds.\n"
        f"Done before that: web: deregisters {ids[0]}:80."
    )


def test_what_drains_already_is_waited_for_without_another_call(shop: Shop) -> None:
    ids = shop.instances(2)
    arn = shop.serving("web", ids)
    shop.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": ids[0]}])
    shop.cloud.calls.clear()
    result = shop.run(["web"], ids[:1], state="absent")
    assert not result["changed"]
    assert result["waited"] > 15
    assert "DeregisterTargets" not in shop.calls()


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_writes_nothing_and_says_what_the_run_then_does(shop: Shop, state: str) -> None:
    """No check mode."""
    ids = shop.instances(3)
    shop.serving("web", ids[:2])
    shop.group("api", Port=8080)
    shop.cloud.calls.clear()
    wanted = ids[1:] if state == "present" else ids[:1]
    params: dict[str, Any] = {"state": state, "exclusive": state == "present"}
    foreseen = shop.run(["web", "api"], wanted, check=True, **params)
    assert not WRITES & shop.calls().keys()
    done = shop.run(["web", "api"], wanted, **params)
    for key in ("changed", "plan", "diff"):
        assert foreseen[key] == done[key]
    assert [after(foreseen, name) for name in ("web", "api")] == [after(done, name) for name in ("web", "api")]
    assert not shop.run(["web", "api"], wanted, check=True, **params)["changed"]


def test_the_diff_shows_who_is_registered(shop: Shop) -> None:
    ids = shop.instances(2)
    shop.serving("web", ids[:1])
    assert shop.run(["web"], ids, check=True)["diff"] == [
        {
            "before_header": "targets of web",
            "after_header": "targets of web",
            "before": f"{ids[0]}:80 registered\n",
            "after": f"{ids[0]}:80 registered\n{ids[1]}:80 registered\n",
        }
    ]


def test_missing_target_groups_are_all_named_at_once(shop: Shop) -> None:
    """A missing target group is retried for minutes."""
    arn = shop.group("web")
    ids = shop.instances(1)
    shop.settle()
    gone = arn.replace("/web/", "/api/")
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web", "nowhere", gone], ids)
    assert str(caught.value) == (
        "target_groups: there is no target group nowhere in this region\n"
        f"target_groups: there is no target group {gone} in this region"
    )
    assert shop.calls() == {"DescribeTargetGroups": 2}
    assert not shop.pauses


def test_names_and_arns_are_looked_up_in_one_call(shop: Shop) -> None:
    arns = [shop.group(name) for name in ("web", "api")]
    ids = shop.instances(1)
    shop.settle()
    result = shop.run(["web", arns[1], arns[0]], ids, wait=False)
    assert list(result["target_groups"]) == ["web", "api"]
    assert shop.calls()["DescribeTargetGroups"] == 1
    assert shop.calls()["RegisterTargets"] == 2


def test_groups_that_come_on_several_pages_are_all_found(shop: Shop) -> None:
    for name in ("web", "api"):
        shop.group(name)
    ids = shop.instances(1)
    shop.settle()
    shop.cloud.page_size = 1
    assert list(shop.run(["web", "api"], ids, check=True)["target_groups"]) == ["web", "api"]


def test_more_than_twenty_groups_and_two_hundred_targets_go_in_parts(shop: Shop) -> None:
    names = [f"group{number}" for number in range(21)]
    for name in names:
        shop.group(name, kind="ip", attached=False)
    addresses = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(201)]
    shop.settle()
    shop.run(names[:1], addresses, wait=False)
    assert shop.calls()["RegisterTargets"] == 2
    shop.settle()
    shop.run(names, [], wait=False)
    assert shop.calls() == {"DescribeTargetGroups": 2, "DescribeTargetHealth": 21}


def test_an_instance_is_registered_with_several_ports(shop: Shop) -> None:
    ids = shop.instances(1)
    shop.group("web")
    targets = [{"id": ids[0], "port": port} for port in (8000, 8001)]
    result = shop.run(["web"], targets)
    assert [target["port"] for target in result["target_groups"]["web"]["targets"]] == [8000, 8001]
    result = shop.run(["web"], ids, state="absent", minimum_healthy="0")
    assert result["plan"] == [f"web: deregisters {ids[0]}:8000", f"web: deregisters {ids[0]}:8001"]


def test_exclusive_takes_the_old_targets_out_when_the_new_ones_are_healthy(shop: Shop) -> None:
    old, new = shop.instances(2)[:1], shop.instances(2)
    arn = shop.serving("web", old)
    shop.run(["web"], new, exclusive=True)
    assert shop.states(arn) == dict.fromkeys(new, "healthy")
    operations = [call.operation for call in shop.cloud.calls.entries]
    looks = operations[operations.index("RegisterTargets") + 1 : operations.index("DeregisterTargets")]
    assert looks
    assert set(looks) == {"DescribeTargetHealth"}


def test_exclusive_keeps_the_old_targets_everywhere_when_the_new_ones_do_not_answer(shop: Shop) -> None:
    old, new = shop.instances(1), shop.instances(1)
    arns = [shop.serving(name, old) for name in ("web", "api")]
    shop.cloud.health.answers(arns[1], new[0], ok=False)
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web", "api"], new, exclusive=True)
    assert all(shop.states(arn)[old[0]] == "healthy" for arn in arns)
    message = str(caught.value)
    assert message.startswith("api: 1 of 1 targets is not healthy after 150 seconds:\n")
    assert (
        f"- {new[0]}:80 is unhealthy (Target.ResponseCodeMismatch: Health checks failed with these codes: [500])"
        in (message)
    )
    assert f"Done before that: web: registers {new[0]}:80; api: registers {new[0]}:80." in message
    assert f"Not done: web: deregisters {old[0]}:80; api: deregisters {old[0]}:80." in message


def test_exclusive_without_waiting_counts_only_what_is_healthy_now(shop: Shop) -> None:
    old, new = shop.instances(1), shop.instances(1)
    arn = shop.serving("web", old)
    with pytest.raises(TargetRegistrationError, match="would leave 0 healthy targets"):
        shop.run(["web"], new, exclusive=True, wait=False)
    assert not WRITES & shop.calls().keys()
    shop.run(["web"], new, exclusive=True, wait=False, minimum_healthy="0")
    assert shop.states(arn) == {old[0]: "draining", new[0]: "initial"}


def test_the_minimum_is_counted_anew_with_every_batch(shop: Shop) -> None:
    ids = shop.instances(4)
    arn = shop.serving("web", ids)
    shop.run(["web"], ids[:2], state="absent", minimum_healthy="50%")
    shop.cloud.health.answers(arn, ids[3], ok=False)
    shop.settle()
    with pytest.raises(TargetRegistrationError, match=r"would leave 0 healthy targets, fewer than the minimum of 1 "):
        shop.run(["web"], ids[2:3], state="absent", minimum_healthy="50%")
    shop.run(["web"], ids[3:], state="absent", minimum_healthy="100%")
    assert shop.states(arn) == {ids[2]: "healthy"}


def test_a_percentage_is_of_the_targets_before_the_change_until_its_end(shop: Shop) -> None:
    old, new = shop.instances(2), shop.instances(2)
    arn = shop.serving("web", old)
    shop.run(["web"], new, exclusive=True, minimum_healthy="100%")
    assert shop.states(arn) == dict.fromkeys(new, "healthy")


@pytest.mark.parametrize("operation", ["RegisterTargets", "DeregisterTargets"])
def test_after_a_lost_answer_the_state_is_read_before_anything_is_sent_again(shop: Shop, operation: str) -> None:
    old, new = shop.instances(1), shop.instances(1)
    arn = shop.serving("web", old)
    shop.cloud.faults.add("lost", operation=operation)
    assert shop.run(["web"], new, exclusive=True)["changed"]
    assert shop.calls()[operation] == 1
    assert shop.states(arn) == {new[0]: "healthy"}


def test_all_groups_are_refused_before_anything_changes(shop: Shop) -> None:
    ids = shop.instances(1)
    for name in ("web", "api"):
        shop.serving(name, ids)
    with pytest.raises(TargetRegistrationError, match=r"(?s)web: .*\napi: .*"):
        shop.run(["web", "api"], ids, state="absent")
    assert not WRITES & shop.calls().keys()


def test_a_group_without_a_listener_is_an_error_before_anything_changes(shop: Shop) -> None:
    arn = shop.group("web", attached=False)
    ids = shop.instances(1)
    shop.settle()
    with pytest.raises(TargetRegistrationError, match="web: no listener or rule of a load balancer forwards to"):
        shop.run(["web"], ids)
    assert shop.states(arn) == {}
    assert shop.run(["web"], ids, wait=False)["changed"]


def test_a_zone_that_is_not_enabled_is_explained_at_once(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(1, subnet=2)
    shop.settle()
    with pytest.raises(
        TargetRegistrationError, match=r"unused \(Target.NotInUse: .*not enabled for the load balancer shop"
    ):
        shop.run(["web"], ids)
    assert sum(shop.pauses) < 5


def test_a_stopped_instance_is_explained_before_anything_changes(shop: Shop) -> None:
    ids = shop.instances(2)
    arn = shop.serving("web", ids[:1])
    shop.ec2.stop_instances(InstanceIds=ids[:1])
    shop.cloud.calls.clear()
    with pytest.raises(TargetRegistrationError, match=r"unused \(Target.InvalidState: .*start it, or take it off"):
        shop.run(["web"], ids)
    assert not WRITES & shop.calls().keys()
    assert not shop.pauses
    shop.ec2.stop_instances(InstanceIds=ids[1:])
    with pytest.raises(TargetRegistrationError, match=r"web: RegisterTargets: InvalidTarget: .*not in a running state"):
        shop.run(["web"], ids[1:])
    assert shop.states(arn) == {ids[0]: "unused"}


def test_check_mode_refuses_instances_that_a_run_could_not_register(shop: Shop) -> None:
    shop.group("web")
    running, stopped = shop.instances(2)
    shop.ec2.stop_instances(InstanceIds=[stopped])
    shop.settle()
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web"], [running, stopped, "i-0123456789abcdef0"], check=True)
    assert sorted(str(caught.value).split("\n")) == sorted(
        [
            f"web: {stopped} cannot be registered: it is stopped, and AWS takes running instances only",
            "web: i-0123456789abcdef0 cannot be registered: there is no such instance in this region",
        ]
    )
    shop.cloud.faults.add("refused", operation="DescribeInstances")
    assert shop.run(["web"], [running], check=True)["changed"]


def test_an_instance_that_one_of_several_groups_cannot_have_is_refused_before_any_changes(shop: Shop) -> None:
    other = shop.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    arns = [shop.group("web"), shop.group("far", attached=False, VpcId=other)]
    ids = shop.instances(1)
    shop.settle()
    expected = f"far: {ids[0]} cannot be registered: it is in {shop.vpc}, and the target group in {other}"
    with pytest.raises(TargetRegistrationError) as caught:
        shop.run(["web", "far"], ids, wait=False)
    assert str(caught.value) == expected
    assert all(shop.states(arn) == {} for arn in arns)


def test_more_instances_than_a_call_takes_are_looked_at_before_any_is_registered(shop: Shop) -> None:
    shop.group("web")
    ids = [*shop.instances(1), *(f"i-{number:017x}" for number in range(200))]
    shop.settle()
    with pytest.raises(TargetRegistrationError, match="web: i-00000000000000000 cannot be registered: there is no"):
        shop.run(["web"], ids, wait=False)
    assert not WRITES & shop.calls().keys()


def test_instances_that_nobody_may_look_at_are_sent_to_all_groups(shop: Shop) -> None:
    arns = [shop.group(name) for name in ("web", "api")]
    ids = shop.instances(1)
    shop.settle()
    shop.cloud.faults.add("throttled", number=None, operation="DescribeInstances")
    shop.run(["web", "api"], ids, wait=False)
    assert sum(shop.pauses) <= 10
    assert all(shop.states(arn) == {ids[0]: "initial"} for arn in arns)
    assert shop.calls()["DescribeInstances"] > 1


def test_instances_of_a_single_call_are_left_to_aws_to_look_at(shop: Shop) -> None:
    shop.group("web")
    ids = shop.instances(2)
    shop.settle()
    shop.run(["web"], ids, wait=False)
    assert "DescribeInstances" not in shop.calls()


def test_an_instance_that_stops_while_it_is_waited_for_ends_the_wait(shop: Shop) -> None:
    ids = shop.instances(1)
    arn = shop.serving("web", ids)
    shop.cloud.health.answers(arn, ids[0], ok=False)
    shop.settle()
    sleep, pauses = shop.clock.sleep, shop.pauses

    def stopping(seconds: float) -> None:
        sleep(seconds)
        if len(pauses) == 3:
            shop.ec2.stop_instances(InstanceIds=ids)

    shop.clock.sleep = stopping
    with pytest.raises(TargetRegistrationError, match=r"targets is not healthy:\n- .*Target.InvalidState"):
        shop.run(["web"], ids)
    assert len(pauses) == 3


def test_a_target_group_that_disappears_meanwhile_is_named(shop: Shop) -> None:
    ids = shop.instances(1)
    arn = shop.group("web")
    shop.cloud.health.answers(arn, ids[0], ok=False)
    shop.settle()
    sleep = shop.clock.sleep

    def deleting(seconds: float) -> None:
        sleep(seconds)
        if len(shop.pauses) == 2:
            for listener in shop.elbv2.describe_listeners(LoadBalancerArn=shop.balancer)["Listeners"]:
                shop.elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
            shop.elbv2.delete_target_group(TargetGroupArn=arn)

    shop.clock.sleep = deleting
    with pytest.raises(TargetRegistrationError, match="web: the target group was deleted while this ran"):
        shop.run(["web"], ids)
