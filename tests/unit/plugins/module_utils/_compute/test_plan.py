# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for machines, carried out on an account of plain data."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._compute import removal, standing
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import METADATA
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.plan import plan
from hypothesis import given
from hypothesis import strategies as st

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsr5uAxG2C+/RJsEI0TxAIQ3eIGn4Wa7sgzmRUJNh6U ada"
IMAGE = {"name": "debian-13-amd64-*", "owner": "136693071363"}
FLEET = {
    "name": "web",
    "min": 1,
    "desired": 2,
    "max": 4,
    "subnets": ["subnet-a", "subnet-b"],
    "security_groups": ["sg-web"],
    "target_groups": ["arn:tg"],
    "profile": "arn:aws:iam::1:instance-profile/shop-web",
    "user_data": "#!/bin/sh\n",
    "hooks": [{"name": "ready", "transition": "launching"}],
    "policies": [{"name": "cpu", "metric": "ASGAverageCPUUtilization", "target": 60}],
}
BASTION = {
    "name": "bastion",
    "role": "bastion",
    "subnet": "subnet-p",
    "security_groups": ["sg-bastion"],
    "elastic_address": True,
}
DECLARED = {
    "platform": "shop",
    "key": {"name": "operator", "public_key": KEY},
    "image": IMAGE,
    "instances": [BASTION],
    "fleets": [FLEET],
    "template_versions": 2,
}
STATES = {"name": "running"}


def image(number: int = 1) -> dict[str, Any]:
    return {"image_id": f"ami-{number}", "name": f"debian-13-{number}", "root_device_name": "/dev/xvda"}


def empty(number: int = 1) -> dict[str, Any]:
    """What is found in an account without machines, but with images."""
    looked = {"__compute_item": IMAGE, "images": [{**image(one), "creation_date": str(one)} for one in range(number)]}
    looked["images"].append({**image(number), "creation_date": str(number)})
    kinds = ("keys", "instances", "addresses", "templates", "groups")
    return {"images": [looked], **{kind: [] for kind in kinds}, "policies": {}}


def carried_out(planned: dict[str, Any], account: dict[str, Any]) -> dict[str, Any]:
    """The account after a run of the role; instances of fleets are not launched."""
    after = copy.deepcopy(account)
    if planned["key"]:
        after["keys"] = [key for key in after["keys"] if key["key_name"] != planned["key"]["name"]]
        key = planned["key"]
        after["keys"].append({"key_name": key["name"], "public_key": key["public_key"], "tags": key["tags"]})
    for item in planned["instances"]["launch"]:
        after["instances"].append(launched(item, f"i-{len(after['instances'])}"))
    for item in planned["instances"]["correct"]:
        (one,) = [one for one in after["instances"] if one["instance_id"] == item["id"]]
        fresh = launched({**item, "image": "", "type": ""}, item["id"])
        kept = {key: one[key] for key in ("image_id", "instance_type", "subnet_id", "key_name", "launch_time")}
        tags = {**one["tags"], **fresh["tags"]}
        profile = fresh["iam_instance_profile"] or one["iam_instance_profile"]
        one.update({**fresh, **kept, "tags": tags, "iam_instance_profile": profile})
    for item in planned["instances"]["addresses"]:
        address = next((one for one in after["addresses"] if one["tags"]["Name"] == item["name"]), None)
        if address is None:
            address = {"public_ip": "198.51.100.1", "tags": item["tags"]}
            after["addresses"].append(address)
        address["instance_id"] = [
            one["instance_id"] for one in after["instances"] if one["tags"]["Name"] == item["name"]
        ][-1]
    gone = {*planned["instances"]["surplus"], *planned["removal"]["instances"]}
    after["instances"] = [one for one in after["instances"] if one["instance_id"] not in gone]
    fleets(planned, after)
    for kind, name in (("groups", "auto_scaling_group_name"), ("templates", "launch_template_name")):
        after[kind] = [one for one in after[kind] if one[name] not in planned["removal"][kind]]
    after["addresses"] = [a for a in after["addresses"] if a["public_ip"] not in planned["removal"]["addresses"]]
    after["keys"] = [key for key in after["keys"] if key["key_name"] not in planned["removal"]["key_pairs"]]
    return after


def launched(item: dict[str, Any], identifier: str) -> dict[str, Any]:
    return {
        "instance_id": identifier,
        "launch_time": identifier,
        "image_id": item["image"],
        "instance_type": item["type"],
        "subnet_id": item["subnet"],
        "key_name": item.get("key_name"),
        "security_groups": [{"group_id": group} for group in item["security_groups"]],
        "iam_instance_profile": {"arn": item["profile"]} if item.get("profile") else None,
        "metadata_options": {**METADATA, "state": "applied"},
        "tags": item["tags"],
        "state": STATES,
    }


def fleets(planned: dict[str, Any], after: dict[str, Any]) -> None:
    templates = {one["launch_template_name"]: one for one in after["templates"]}
    for item in planned["templates"]:
        template = templates.setdefault(
            item["name"], {"launch_template_name": item["name"], "versions": [], "tags": {}}
        )
        number = template.get("latest_version_number", 0) + 1
        data = {key: value for key, value in item.items() if key not in ("name", "tags")}
        data["tag_specifications"] = [
            {**one, "tags": [{"Key": key, "Value": value} for key, value in one["tags"].items()]}
            for one in data["tag_specifications"]
        ]
        if "iam_instance_profile" in data:
            data["iam_instance_profile"] = {"arn": data["iam_instance_profile"]}
        template["versions"].append({"version_number": number, "launch_template_data": data})
        template.update({"tags": item["tags"], "latest_version_number": number, "launch_template_id": "lt-1"})
    after["templates"] = list(templates.values())
    for item in planned["old_versions"]:
        template = templates[item["name"]]
        template["versions"] = [v for v in template["versions"] if v["version_number"] not in item["versions"]]
    groups = {one["auto_scaling_group_name"]: one for one in after["groups"]}
    for item in (*planned["groups"]["make"], *planned["groups"]["set"]):
        group = groups.setdefault(item["name"], {"auto_scaling_group_name": item["name"], "lifecycle_hooks": []})
        group.update(
            {
                "launch_template": {"version": str(templates[item["name"]]["latest_version_number"])},
                "min_size": item["min"],
                "max_size": item["max"],
                "desired_capacity": item["desired"],
                "vpc_zone_identifier": ",".join(item["subnets"]),
                "target_group_arns": item["target_groups"],
                "health_check_type": item["health_kind"],
                "health_check_grace_period": item["grace"],
                "suspended_processes": [{"process_name": name} for name in item["suspended"]],
                "tags": [
                    {"key": key, "value": value, "propagate_at_launch": tag["propagate_at_launch"]}
                    for tag in item["tags"]
                    for key, value in tag.items()
                    if key != "propagate_at_launch"
                ],
            }
        )
    after["groups"] = list(groups.values())
    for item in planned["hooks"]:
        hooks = groups[item["group"]]["lifecycle_hooks"]
        hooks[:] = [hook for hook in hooks if hook["LifecycleHookName"] != item["name"]]
        if item["state"] == "present":
            told = {"LifecycleTransition": item["transition"], "HeartbeatTimeout": item["timeout"]}
            hooks.append({"LifecycleHookName": item["name"], "DefaultResult": item["default"], **told})
    for item in planned["policies"]:
        policies = after["policies"].setdefault(item["group"], [])
        policies[:] = [policy for policy in policies if policy["name"] != item["name"]]
        if item["state"] == "present":
            policies.append({key: value for key, value in item.items() if key not in ("group", "state")})


def settled(declared: dict[str, Any] | None = None, account: dict[str, Any] | None = None) -> dict[str, Any]:
    """The account after a run with nothing left to do."""
    declared, account = declared or DECLARED, account or empty()
    after = carried_out(plan(declared, account), account)
    assert plan(declared, after)["sentences"] == []
    return after


MACHINES = st.fixed_dictionaries(
    {"type": st.sampled_from(["t3.micro", "t3.small"])},
    optional={
        "user_data": st.sampled_from(["", "#!/bin/sh\n"]),
        "profile": st.sampled_from(["shop-web", "arn:aws:iam::1:instance-profile/shop-web"]),
        "tags": st.dictionaries(st.sampled_from(["a", "b"]), st.text("xyz", max_size=3)),
        "volume_size": st.integers(8, 20),
        "public_address": st.booleans(),
        "services": st.lists(st.sampled_from(["shop", "api"]), unique=True),
    },
)
FLEETS = st.builds(
    lambda machine, sizes, hooks, target: {
        **FLEET,
        **machine,
        **dict(zip(("min", "desired", "max"), sorted(sizes), strict=True)),
        "hooks": FLEET["hooks"] if hooks else [],
        "policies": [{**FLEET["policies"][0], "target": target}] if target else [],
    },
    MACHINES,
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 5)),
    st.booleans(),
    st.sampled_from([0, 50, 60.5]),
)
DECLARATIONS = st.builds(
    lambda machine, fleet, elastic, key: {
        **DECLARED,
        "key": {"name": "operator", "public_key": KEY} if key else {},
        "instances": [{**BASTION, **machine, "elastic_address": elastic}],
        "fleets": [fleet],
        "replace": ["bastion"],
        "purge": True,
    },
    MACHINES,
    FLEETS,
    st.booleans(),
    st.booleans(),
)


@given(DECLARATIONS, DECLARATIONS)
def test_after_a_run_nothing_is_left_to_do_whatever_was_there_before(
    before: dict[str, Any], declared: dict[str, Any]
) -> None:
    account = settled(declared, settled(before))
    fleet = declared["fleets"][0]
    assert account["groups"][0]["max_size"] == fleet["max"]
    assert len(account["templates"][0]["versions"]) <= declared["template_versions"]


@given(DECLARATIONS)
def test_what_is_removed_is_all_of_it(declared: dict[str, Any]) -> None:
    gone = removal.everything({"platform": "shop"}, settled(declared))
    assert (gone["groups"], gone["templates"], len(gone["instances"])) == (["shop-web"], ["shop-web"], 1)
    assert len(gone["addresses"]) == int(declared["instances"][0]["elastic_address"])
    other = removal.everything({"platform": "other"}, {**settled(declared), "addresses": []})
    assert other == removal.NOTHING


def test_a_first_run_says_all_that_it_makes() -> None:
    planned = plan(DECLARED, empty())
    assert planned["sentences"] == [
        "key pair shop-operator: new",
        "instance shop-bastion: new, t3.micro of debian-13-1",
        "Elastic IP shop-bastion: new",
        "launch template shop-web: new, t3.micro of debian-13-1",
        "Auto Scaling group shop-web: new, 1 to 4, 2 at first",
        "life-cycle hook shop-web-ready: new",
        "scaling policy shop-web-cpu: new, ASGAverageCPUUtilization at 60",
    ]
    (made,), (opened,) = planned["groups"]["make"], planned["groups"]["set"]
    assert (made["max"], made["desired"], opened["max"], opened["desired"]) == (0, 0, 4, 2)


def test_a_group_that_a_killed_run_left_closed_is_opened_as_a_new_one() -> None:
    account = settled()
    account["groups"][0].update({"min_size": 0, "max_size": 0, "desired_capacity": 0})
    planned = plan(DECLARED, account)
    assert planned["sentences"] == ["Auto Scaling group shop-web: opens with 2 instances"]
    assert planned["groups"]["set"][0]["desired"] == 2


@pytest.mark.parametrize(("current", "bounds", "desired"), [(3, (1, 4), 3), (1, (2, 4), 2), (4, (1, 3), 3)])
def test_the_desired_capacity_is_left_to_others_within_the_bounds(
    current: int, bounds: tuple[int, int], desired: int
) -> None:
    account = settled()
    account["groups"][0]["desired_capacity"] = current
    fleet = {**FLEET, "min": bounds[0], "max": bounds[1], "health_check": {"grace_period": 60}}
    planned = plan({**DECLARED, "fleets": [fleet]}, account)
    assert planned["groups"]["set"][0]["desired"] == desired


def test_a_newer_image_is_another_version_of_the_template_and_only_reported_of_instances() -> None:
    account = settled()
    account["images"] = empty(2)["images"]
    planned = plan(DECLARED, account)
    assert planned["sentences"] == [
        "launch template shop-web: version 2 (image)",
        "Auto Scaling group shop-web: launches from the newest version",
    ]
    assert planned["notes"] == [
        "instance shop-bastion (i-0) has image ami-1, newest is ami-2 (debian-13-2): it stays; name bastion in "
        "compute_replace to replace it"
    ]
    replaced = plan({**DECLARED, "replace": ["bastion"]}, account)
    assert replaced["instances"]["surplus"] == ["i-0"]
    assert "instance shop-bastion: another, t3.micro of debian-13-2" in replaced["sentences"]
    assert "Elastic IP shop-bastion: moves to the instance" in replaced["sentences"]


def test_a_replacement_that_was_interrupted_is_ended_when_it_is_asked_for_again() -> None:
    account = settled()
    newer = {**account["instances"][0], "instance_id": "i-9", "launch_time": "i-9", "instance_type": "t3.small"}
    account["instances"].append(newer)
    declared = {**DECLARED, "instances": [{**BASTION, "type": "t3.small"}]}
    (problem,) = plan(declared, account)["problems"]
    assert problem.startswith("instance shop-bastion is there more than once (i-0, i-9): a replacement was interrupted")
    planned = plan({**declared, "replace": ["bastion"]}, account)
    assert (planned["instances"]["launch"], planned["instances"]["surplus"]) == ([], ["i-0"])
    assert [item["id"] for item in planned["instances"]["addresses"]] == ["i-9"]


def test_versions_that_instances_were_launched_from_stay() -> None:
    declared = {**DECLARED, "template_versions": 1}
    account = settled(declared)
    account["images"] = empty(2)["images"]
    member = {"instance_id": "i-5", "lifecycle_state": "InService", "health_status": "Healthy"}
    account["groups"][0]["instances"] = [{**member, "launch_template": {"version": "1"}}]
    assert plan(declared, account)["old_versions"] == []
    account["groups"][0]["instances"][0]["launch_template"]["version"] = "2"
    assert plan(declared, account)["old_versions"] == [{"name": "shop-web", "versions": [1], "unsure": True}]


def test_a_refresh_is_for_instances_of_another_version_whoever_made_it() -> None:
    account = settled()
    member = {"instance_id": "i-5", "lifecycle_state": "InService", "health_status": "Healthy"}
    account["groups"][0]["instances"] = [
        {**member, "launch_template": {"version": "1"}},
        {**member, "launch_template": {"version": "0"}},
        {**member, "launch_template": {"version": "0"}, "lifecycle_state": "Terminating:Wait"},
    ]
    asked = {**DECLARED, "fleets": [{**FLEET, "refresh": {"enabled": True}}]}
    assert plan(DECLARED, account)["refreshes"] == []
    planned = plan(asked, account)
    assert planned["sentences"] == ["instance refresh of shop-web: 1 of 2 instances are of an older version"]
    assert planned["refreshes"][0]["preferences"] == {"min_healthy_percentage": 90, "skip_matching": True}


def test_processes_and_tags_of_others_are_handed_on_and_their_hooks_and_policies_stay() -> None:
    account = settled()
    group = account["groups"][0]
    group["suspended_processes"] = [{"process_name": "AZRebalance"}]
    group["tags"].append({"key": "lock", "value": "ada", "propagate_at_launch": False})
    group["lifecycle_hooks"].append({"LifecycleHookName": "theirs"})
    account["policies"]["shop-web"].append({"name": "theirs"})
    assert plan(DECLARED, account)["sentences"] == []
    planned = plan({**DECLARED, "fleets": [{**FLEET, "max": 5}]}, account)
    (item,) = planned["groups"]["set"]
    assert item["suspended"] == ["AZRebalance"]
    assert {"lock": "ada", "propagate_at_launch": False} in item["tags"]


def test_what_is_not_the_platforms_is_a_problem() -> None:
    account = settled()
    for kind in ("keys", "instances", "templates"):
        account[kind][0]["tags"] = {"Name": "shop-bastion"}
    account["groups"][0]["tags"] = []
    told = plan(DECLARED, account)["problems"]
    assert [problem.partition(" is there")[0] for problem in told] == [
        "key pair shop-operator",
        "instance shop-bastion (i-0)",
        "launch template shop-web",
        "Auto Scaling group shop-web",
    ]


def test_what_is_no_longer_declared_is_told_and_goes_when_it_is_asked_for() -> None:
    account = settled()
    member = {
        "instance_id": "i-7",
        "tags": {"Name": "shop-web", "gatehouse:platform": "shop", "gatehouse:fleet": "web"},
    }
    account["instances"].append({**account["instances"][0], **member})
    account["groups"][0]["instances"] = [{"instance_id": "i-7", "lifecycle_state": "InService"}]
    less = {**DECLARED, "instances": [], "fleets": [], "key": {}}
    planned = plan(less, account)
    assert planned["sentences"] == []
    assert planned["notes"][0] == (
        "Auto Scaling group shop-web goes, with 1 instances; it stays; compute_purge removes it"
    )
    gone = plan({**less, "purge": True}, account)["removal"]
    assert {kind: gone[kind] for kind in removal.KINDS} == {
        "groups": ["shop-web"],
        "templates": ["shop-web"],
        "instances": ["i-0"],
        "addresses": ["198.51.100.1"],
        "key_pairs": ["shop-operator"],
    }


def test_what_does_not_exist_yet_is_waited_for() -> None:
    planned = plan({**DECLARED, "fleets": [{**FLEET, "target_groups": [""]}]}, empty())
    assert planned["missing"] == ["Auto Scaling group shop-web, new; it waits for its target groups"]
    assert [item["name"] for item in planned["templates"]] == ["shop-web"]
    requests = [{"name": "r", "metric": "ALBRequestCountPerTarget", "target": 5, "label": ""}]
    planned = plan({**DECLARED, "fleets": [{**FLEET, "policies": requests}]}, empty())
    assert planned["missing"] == ["scaling policy shop-web-r; it waits for the load balancer"]


def test_without_an_image_nothing_is_launched_and_what_runs_stays() -> None:
    none = {**empty(), "images": []}
    assert len(plan(DECLARED, none)["problems"]) == 2
    planned = plan(DECLARED, {**settled(), "images": []})
    assert (planned["problems"], planned["sentences"], len(planned["notes"])) == ([], [], 2)


def test_an_instance_is_corrected_in_place() -> None:
    account = settled()
    machine = account["instances"][0]
    machine["state"] = {"name": "stopped"}
    machine["metadata_options"] = {**METADATA, "http_tokens": "optional"}
    machine["security_groups"] = [{"group_id": "sg-other"}]
    del machine["tags"]["gatehouse:role"]
    (words,) = plan(DECLARED, account)["sentences"]
    assert words == (
        "instance shop-bastion: is started, security groups sg-bastion instead of sg-other, IMDSv2 alone, "
        "tags gatehouse:role"
    )


def test_a_fleet_stands_when_as_many_are_in_service_as_are_desired() -> None:
    ready = {"instance_id": "i-1", "lifecycle_state": "InService", "health_status": "Healthy"}
    group = {"auto_scaling_group_name": "shop-web", "desired_capacity": 2, "instances": [ready, ready]}
    assert standing.standing([group], ["shop-web"]) == []
    group["instances"] = [ready, {**ready, "instance_id": "i-2", "lifecycle_state": "Pending:Wait"}]
    assert standing.standing([group], ["shop-web"], {"shop-web": "no capacity"}) == [
        "shop-web: 1 of 2 instances in service (i-2 is Pending:Wait); last failed activity: no capacity"
    ]
    assert standing.standing([group], ["shop-web"], held=True) == []
    group["instances"][1]["health_status"] = "Unhealthy"
    assert len(standing.standing([group], ["shop-web"], held=True)) == 1
    assert standing.standing([], ["shop-web"]) == ["shop-web: there is no such Auto Scaling group"]


def test_a_refresh_tells_where_it_stands() -> None:
    going = {"status": "InProgress", "percentage_complete": 50, "instances_to_update": 1, "status_reason": "waiting"}
    assert standing.refresh_going_on([going])
    assert standing.refresh_words([going]) == "InProgress, 50 % done, 1 instances left: waiting"
    assert standing.refresh_words([{"status": "Successful"}]) == ""
    assert not standing.refresh_going_on([])
    assert standing.refresh_words([]) == "none was started"
