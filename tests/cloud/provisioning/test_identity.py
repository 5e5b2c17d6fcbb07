# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role identity against an account: roles and profiles are made, kept and removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.provisioning.playbook import Run, run

PATH = "/gatehouse/shop/"
NOTHING = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [NOTHING]})
MAIL = {"actions": ["sqs:SendMessage"], "resources": ["arn:aws:sqs:eu-central-1:1:mail"]}
ROLE = {
    "services": [
        {"name": "shop", "fleet": "web", "secrets": ["ssm:/shop/*"]},
        {"name": "mail", "fleet": "web", "permissions": [MAIL]},
    ],
    "identity_platform": "shop",
    "identity_profiles": "{{ services | gatehouse.platform.platform_profiles([{'name': 'web'}]) }}",
    "identity_settle_time": 0,
    "identity_tags": {"Team": "shop"},
}


def play(cloud: ControlPlane, folder: Path, *options: str, succeeds: bool = True, **more: Any) -> Run:
    return run(cloud, folder, "identity", {**ROLE, **more}, *options, succeeds=succeeds)


def roles(iam: Any) -> list[str]:
    return sorted(role["RoleName"] for role in iam.list_roles()["Roles"])


def profiles(iam: Any) -> dict[str, list[str]]:
    """Instance profiles with their roles."""
    return {
        profile["InstanceProfileName"]: [role["RoleName"] for role in profile["Roles"]]
        for profile in iam.list_instance_profiles()["InstanceProfiles"]
    }


def actions(iam: Any, role: str) -> set[str]:
    document = iam.get_role_policy(RoleName=role, PolicyName="gatehouse")["PolicyDocument"]
    return {action for statement in document["Statement"] for action in statement["Action"]}


def foreign_role(iam: Any, name: str) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=DOCUMENT)


def test_roles_are_made_kept_and_removed_with_foreign_ones_left_alone(cloud: ControlPlane, tmp_path: Path) -> None:
    iam = cloud.client("iam")
    foreign_role(iam, "foreign")
    policy = iam.create_policy(PolicyName="wide", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    empty = play(cloud, tmp_path, "--check")
    assert empty.words == ["policy gatehouse of the role shop-web"]
    assert empty.facts["identity_result"]["profiles"] == {"web": {"name": "shop-web", "arn": "", "role_arn": ""}}
    assert (roles(iam), profiles(iam)) == (["foreign"], {})

    made = play(cloud, tmp_path, identity_permissions_boundary=policy)
    role = iam.get_role(RoleName="shop-web")["Role"]
    profile = iam.get_instance_profile(InstanceProfileName="shop-web")["InstanceProfile"]
    for one in (role, profile):
        assert (one["Path"], {tag["Key"]: tag["Value"] for tag in one["Tags"]}) == (
            PATH,
            {"Name": "shop-web", "Team": "shop", "gatehouse:platform": "shop"},
        )
    assert made.facts["identity_result"]["profiles"] == {
        "web": {"name": "shop-web", "arn": profile["Arn"], "role_arn": role["Arn"]}
    }
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    assert profiles(iam) == {"shop-web": ["shop-web"]}
    assert {"s3:GetObject", "autoscaling:CompleteLifecycleAction", "ssm:GetParameter"} < actions(iam, "shop-web")

    iam.attach_role_policy(RoleName="shop-web", PolicyArn=policy)
    iam.put_role_policy(RoleName="shop-web", PolicyName="mine", PolicyDocument=DOCUMENT)
    iam.put_role_policy(RoleName="shop-web", PolicyName="gatehouse", PolicyDocument=DOCUMENT)
    iam.remove_role_from_instance_profile(InstanceProfileName="shop-web", RoleName="shop-web")
    foreseen = play(cloud, tmp_path, "--check").changed
    assert play(cloud, tmp_path).changed == foreseen == 4
    assert iam.list_attached_role_policies(RoleName="shop-web")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="shop-web")["PolicyNames"] == ["gatehouse"]
    assert {"ssm:GetParameter", "sqs:SendMessage"} < actions(iam, "shop-web")
    assert profiles(iam) == {"shop-web": ["shop-web"]}
    assert "PermissionsBoundary" not in iam.get_role(RoleName="shop-web")["Role"]
    for options in ((), ("--check",)):
        again = play(cloud, tmp_path, *options)
        assert (again.changed, again.facts) == (0, made.facts)

    # What is not declared any more goes as well.
    foreseen = play(cloud, tmp_path, "--check", identity_state="absent", identity_profiles=[]).changed
    gone = play(cloud, tmp_path, identity_state="absent", identity_profiles=[])
    assert gone.changed == foreseen == 2
    assert gone.facts["identity_result"] == {"profiles": {}}
    assert (roles(iam), profiles(iam)) == (["foreign"], {})


def test_all_findings_are_told_before_anything_is_changed(cloud: ControlPlane, tmp_path: Path) -> None:
    iam = cloud.client("iam")
    foreign_role(iam, "shop-web")
    iam.create_instance_profile(InstanceProfileName="shop-web")
    wide = [{"name": "shop", "fleet": "web", "permissions": [{"actions": ["s3:*"], "resources": ["*"]}]}]
    told = play(cloud, tmp_path, "--check", succeeds=False, services=wide, identity_managed_policies=["Reader"]).stdout
    for words in (
        "the action 's3:*' permits everything",
        "the resource '*' is everybody's: name what s3:* is for",
        "identity_managed_policies: 'Reader' is no ARN",
        "the role shop-web exists and does not carry the tag gatehouse:platform: shop",
        "the instance profile shop-web exists and does not carry the tag",
    ):
        assert words in told
    assert (roles(iam), profiles(iam)) == (["shop-web"], {"shop-web": []})
    assert play(cloud, tmp_path, identity_state="absent").changed == 0
    assert (roles(iam), profiles(iam)) == (["shop-web"], {"shop-web": []})


def test_a_run_that_broke_off_is_continued(cloud: ControlPlane, tmp_path: Path) -> None:
    iam = cloud.client("iam")
    cloud.faults.add("refused", number=1, operation="AddRoleToInstanceProfile")
    assert "not authorized" in play(cloud, tmp_path, succeeds=False).stdout
    assert (roles(iam), profiles(iam)) == (["shop-web"], {"shop-web": []})
    half = play(cloud, tmp_path, "--check")
    assert (half.words, half.changed) == ([], 1)
    assert play(cloud, tmp_path).changed
    assert profiles(iam) == {"shop-web": ["shop-web"]}
    cloud.faults.add("refused", number=1, operation="DeleteRole")
    assert "not authorized" in play(cloud, tmp_path, succeeds=False, identity_state="absent").stdout
    assert (roles(iam), profiles(iam)) == (["shop-web"], {})
    assert play(cloud, tmp_path, identity_state="absent").changed == 1
    assert (roles(iam), profiles(iam)) == ([], {})
