# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that follow from what services declare, and what is found wrong with a declaration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity.account import (
    leftovers,
    result,
    survey,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity.findings import FOR_ALL, findings
from ansible_collections.gatehouse.platform.plugins.module_utils._platform_identity.policies import (
    IdentityError,
    Place,
    policies,
    profiles,
    trust,
)
from hypothesis import given
from hypothesis import strategies as st

BARE = Place("shop", "123456789012", "eu-central-1")
PLACE = Place("shop", "123456789012", "eu-central-1", bucket="store", prefix="r/", logs="logs/")
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:orders"
ROOT = "arn:aws:ssm:eu-central-1:123456789012:parameter"
VAULT = "arn:aws:secretsmanager:eu-central-1:123456789012:secret"


def entry(**more: Any) -> dict[str, Any]:
    return {"name": "web", "auto_scaling": False, "permissions": [], "secrets": [], **more}


def statements(place: Place = BARE, **more: Any) -> list[tuple[list[str], list[str]]]:
    documents = policies([entry(**more)], place)
    return [(item["Action"], item["Resource"]) for item in documents.get("web", {"Statement": []})["Statement"]]


def test_services_of_one_fleet_share_a_role() -> None:
    read = {"actions": ["sqs:ReceiveMessage"], "resources": [QUEUE]}
    services = [
        {"name": "a", "fleet": "web", "permissions": [read], "secrets": ["ssm:/a/*"]},
        {"name": "b", "fleet": "web", "permissions": [read], "secrets": ["ssm:/a/*", "secretsmanager:b"]},
        {"name": "c", "fleet": "own"},
    ]
    assert profiles(services, [{"name": "web"}], [{"name": "own"}]) == [
        {"name": "web", "auto_scaling": True, "permissions": [read], "secrets": ["ssm:/a/*", "secretsmanager:b"]},
        {"name": "own", "auto_scaling": False, "permissions": [], "secrets": []},
    ]
    with pytest.raises(IdentityError, match="service c runs on 'own', which is not declared"):
        profiles(services, [{"name": "web"}], [])


def test_values_that_are_secrets_themselves_stay_where_they_are() -> None:
    secrets = {"TOKEN": "ssm:/shop/token", "KEY": "hunter2", "ODD": "ssm:x", "LOGIN": "secretsmanager:shop/login"}
    (web,) = profiles([{"name": "a", "secrets": secrets}], [], [])
    assert web["secrets"] == ["ssm:/shop/token", "secretsmanager:shop/login"]


def test_a_machine_reads_its_own_part_of_the_release_store_and_writes_logs() -> None:
    reading, listing, writing = policies([entry()], PLACE)["web"]["Statement"]
    assert (reading["Action"], reading["Resource"]) == (["s3:GetObject"], ["arn:aws:s3:::store/r/web/*"])
    assert (listing["Action"], listing["Resource"]) == (["s3:ListBucket"], ["arn:aws:s3:::store"])
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["r/web/", "r/web/*"]}}
    assert (writing["Action"], writing["Resource"]) == (["s3:PutObject"], ["arn:aws:s3:::store/logs/web/*"])


def test_a_fleet_tells_its_own_group_how_a_launch_goes() -> None:
    group = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/shop-web"
    actions = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
    assert statements(auto_scaling=True) == [(actions, [group])]
    assert statements() == []
    assert policies([entry()], BARE) == {}


def test_secrets_are_opened_one_by_one_or_below_a_path() -> None:
    assert statements(secrets=["ssm:/shop/*", "ssm:/other/token"]) == [
        (["ssm:GetParameter", "ssm:GetParameters"], [f"{ROOT}/other/token", f"{ROOT}/shop/*"]),
        (["ssm:GetParametersByPath"], [f"{ROOT}/shop", f"{ROOT}/shop/*"]),
    ]
    assert statements(
        secrets=["secretsmanager:shop/db", "secretsmanager:shop/api*", f"secretsmanager:{VAULT}:x-AbCdEf"]
    ) == [(["secretsmanager:GetSecretValue"], [f"{VAULT}:shop/api*", f"{VAULT}:shop/db-??????", f"{VAULT}:x-AbCdEf"])]


def test_keys_are_used_by_way_of_the_services_alone() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    place = Place("shop", "123456789012", "eu-central-1", keys=(key,))
    (one,) = policies([entry()], place)["web"]["Statement"]
    assert (one["Action"], one["Resource"]) == (["kms:Decrypt"], [key])
    assert one["Condition"]["StringLike"]["kms:ViaService"][0] == "s3.eu-central-1.amazonaws.com*"
    logging = policies([entry()], Place("shop", "1", "x", bucket="b", logs="logs/", keys=(key,)))["web"]["Statement"]
    assert ["kms:Decrypt", "kms:GenerateDataKey"] in [one["Action"] for one in logging]
    assert findings([entry()], Place("shop", "1", "x", keys=("alias/shop",)))[0].startswith(
        "identity_kms_keys: 'alias/shop'"
    )


def test_instances_alone_take_the_role() -> None:
    assert trust("aws")["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert trust("aws-cn")["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com.cn"}


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ({"actions": ["*"], "resources": [QUEUE]}, "the action '*' permits everything"),
        ({"actions": ["sqs:*"], "resources": [QUEUE]}, "the action 'sqs:*' permits everything"),
        ({"actions": ["sqs:??*"], "resources": [QUEUE]}, "the action 'sqs:??*' permits everything"),
        ({"actions": ["SendMessage"], "resources": [QUEUE]}, "'SendMessage' is no action"),
        ({"actions": ["sqs:SendMessage"], "resources": ["*"]}, "name what sqs:SendMessage is for, as ARNs"),
        (
            {"actions": ["ec2:DescribeTags", "ec2:StopInstances"], "resources": ["*"]},
            "name what ec2:StopInstances is for",
        ),
        ({"actions": ["sqs:SendMessage"], "resources": ["orders"]}, "'orders' is no ARN"),
        ({"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::*"]}, "names everything"),
        ({"actions": ["s3:GetObject"], "resources": ["arn:*:*:*:*:*"]}, "names everything"),
        ({"actions": [], "resources": [QUEUE]}, "actions is missing"),
        ({"actions": ["sqs:SendMessage"]}, "resources is missing"),
        ({"actions": "sqs:SendMessage", "resources": [QUEUE]}, "are lists"),
        ({"actions": ["a:B"], "resources": [QUEUE], "effect": "Deny"}, "effect is unknown"),
        ("sqs:SendMessage", "give actions and resources"),
    ],
)
def test_permissions_that_open_too_much_are_refused(permission: Any, words: str) -> None:
    told = findings([entry(permissions=[permission])], PLACE)
    assert [line for line in told if line.startswith("web permissions[0]: ") and words in line], told


def test_what_the_api_permits_for_all_or_not_at_all_is_accepted() -> None:
    needed = {"actions": ["ec2:DescribeInstances", "cloudwatch:PutMetricData", "ec2:Describe*"], "resources": ["*"]}
    assert findings([entry(permissions=[needed])], PLACE) == []


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("hunter2", "this is no reference: give ssm:/path/name"),
        ("ssm:/*", "opens every secret"),
        ("ssm:*", "opens every secret"),
        ("secretsmanager:*", "opens every secret"),
        (f"secretsmanager:{VAULT}:*", "opens every secret"),
        ("ssm:arn:aws:ssm:eu-central-1:123456789012:parameter/x", "is no ARN of a secret"),
        (f"secretsmanager:{QUEUE}", "is no ARN of a secret"),
    ],
)
def test_references_that_open_everything_or_are_none_are_refused(secret: str, words: str) -> None:
    (told,) = findings([entry(secrets=[secret])], PLACE)
    assert words in told
    assert "hunter2" not in told


def test_names_policies_and_sizes_are_checked() -> None:
    told = findings([entry(), entry(name="Web"), entry(name="x" * 64)], PLACE, boundary="b", managed=["ReadOnlyAccess"])
    assert [line.split(" ")[0] for line in told] == [
        "identity_profiles",
        f"shop-{'x' * 64}",
        "identity_permissions_boundary",
        "identity_managed_policies:",
    ]
    many = [{"actions": ["sqs:SendMessage"], "resources": [f"{QUEUE}{number}" for number in range(300)]}]
    assert "and AWS takes 10240" in findings([entry(permissions=many)], PLACE)[0]
    own = "arn:aws:iam::123456789012:policy/bound"
    assert findings([entry()], PLACE, own, [own, "arn:aws:iam::aws:policy/X"]) == []


def test_what_does_not_carry_the_tag_is_somebody_elses() -> None:
    def role(name: str, tag: str, **more: Any) -> dict[str, Any]:
        return {"iam_roles": [{"role_name": name, "tags": {"gatehouse:platform": tag}, "inline_policies": [], **more}]}

    other = {"instance_profile_name": "other"}
    roles = [
        role("shop-a", "shop", inline_policies=["gatehouse", "mine"], permissions_boundary={"x": 1}),
        role("shop-b", "blog", inline_policies=["theirs"]),
        role("shop-c", "shop", inline_policies=["gatehouse"], instance_profiles=[other]),
        {"iam_roles": []},
    ]
    found = survey("shop", roles, [{"iam_instance_profiles": [{"instance_profile_name": "shop-a", "tags": {}}]}])
    assert found["roles"] == ["shop-a", "shop-b", "shop-c"]
    assert found["owned"] == {"roles": ["shop-a", "shop-c"], "profiles": []}
    assert found["foreign"] == ["the role shop-b", "the instance profile shop-a"]
    assert found["bounded"] == ["shop-a"]
    assert found["elsewhere"] == ["the instance profile other holds the role shop-c"]
    assert leftovers({"shop-a": {}}, found) == [
        {"role": "shop-a", "policy": "mine"},
        {"role": "shop-c", "policy": "gatehouse"},
    ]


def test_the_result_has_no_ids_of_what_is_new_in_check_mode() -> None:
    made = [{"changed": True, "iam_instance_profile": {"instance_profile_name": "shop-web"}}]
    assert result("shop", ["web"], [{"changed": True}], made) == {
        "web": {"name": "shop-web", "arn": "", "role_arn": ""}
    }


def items(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in document["Statement"]:
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield action, resource


WORD = st.text("abc*?:/-", min_size=1, max_size=6)
ACTIONS = st.sampled_from(["*", "sqs:*", "s3:Get*", "ec2:Describe*", "sqs:SendMessage", "ec2:DescribeTags"]) | WORD
RESOURCES = (
    st.sampled_from(["*", QUEUE, "arn:aws:s3:::*", "arn:aws:s3:::b/*"]) | WORD | WORD.map("arn:aws:s3:::{}".format)
)
PERMISSION = st.fixed_dictionaries(
    {"actions": st.lists(ACTIONS, max_size=3), "resources": st.lists(RESOURCES, max_size=3)}
)
REFERENCES = st.builds(str.__add__, st.sampled_from(["ssm:", "ssm:/", "secretsmanager:"]), WORD)


@given(
    permissions=st.lists(PERMISSION, max_size=3),
    secrets=st.lists(REFERENCES, max_size=3),
    scaled=st.booleans(),
    place=st.sampled_from([BARE, PLACE]),
)
def test_what_is_accepted_never_permits_everything(
    permissions: list[dict[str, Any]], secrets: list[str], scaled: bool, place: Place
) -> None:
    one = entry(permissions=permissions, secrets=secrets, auto_scaling=scaled)
    if findings([one], place):
        return
    for document in policies([one], place).values():
        json.dumps(document)
        for action, resource in items(document):
            assert action.split(":", 1)[1].strip("*?")
            if resource == "*":
                assert any(fnmatchcase(action.lower(), known) for known in FOR_ALL)
            else:
                assert resource.split(":", 5)[5].strip("*?/:")
