# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates: versions that are deleted, what is their data, and disks that come with the image."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import refused

IMAGE = "ami-0deb1300000000001"
DATA = {"ImageId": IMAGE, "InstanceType": "t3.micro"}


def create(ec2: Any, versions: int = 1, data: dict[str, Any] | None = None, **more: Any) -> str:
    """A template with so many versions, all of the same."""
    data = {**DATA, **(data or {})}
    template = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data, **more)["LaunchTemplate"]
    for _number in range(versions - 1):
        ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=data)
    return str(template["LaunchTemplateId"])


def numbers(ec2: Any, template: str) -> list[int]:
    found = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    return sorted(version["VersionNumber"] for version in found)


def test_versions_are_deleted_and_their_numbers_do_not_come_again(cloud: ControlPlane) -> None:
    """ "Launch template versions are numbered in the order in which they are created. You can't specify, change, or
    replace the numbering of launch template versions."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    ec2 = cloud.client("ec2")
    template = create(ec2, 3)
    answer = ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["2", "7"])
    assert [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [2]
    (failed,) = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert failed["ResponseError"]["Code"] == "launchTemplateVersionDoesNotExist"
    assert numbers(ec2, template) == [1, 3]
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=DATA)
    assert numbers(ec2, template) == [1, 3, 4]
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["2"])
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        told = {"LaunchTemplateId": template, "Version": "2"}
        ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate=told)


def test_the_default_version_is_not_deleted(cloud: ControlPlane) -> None:
    """ "You can't delete the default version of a launch template; you must first assign a different version as the
    default."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    """
    ec2 = cloud.client("ec2")
    template = create(ec2, 2)
    answer = ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1"])
    assert answer["SuccessfullyDeletedLaunchTemplateVersions"] == []
    ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1"])
    assert numbers(ec2, template) == [2]


def test_tags_of_the_template_are_not_tags_of_what_it_launches(cloud: ControlPlane) -> None:
    """TagSpecifications: "The tags to apply to the launch template on creation. [...] To specify the tags for the
    resources that are created when an instance is launched, you must use the TagSpecifications parameter in the launch
    template data structure."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
    """
    ec2 = cloud.client("ec2")
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "shop"}]}]
    template = create(ec2, TagSpecifications=tags)
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    assert "TagSpecifications" not in version["LaunchTemplateData"]


def test_the_root_disk_is_as_large_as_the_image_unless_something_else_is_said(cloud: ControlPlane) -> None:
    """VolumeSize: "You must specify either a snapshot ID or a volume size. If you specify a snapshot, the default is
    the snapshot size." The device that an image starts from has the image's snapshot.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    """
    ec2 = cloud.client("ec2")
    device = ec2.describe_images(ImageIds=[IMAGE])["Images"][0]["RootDeviceName"]
    create(ec2, data={"BlockDeviceMappings": [{"DeviceName": device, "Ebs": {"Encrypted": True}}]})
    ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "web"})
    (volume,) = ec2.describe_volumes()["Volumes"]
    assert (volume["Encrypted"], volume["Size"]) == (True, 8)
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["BlockDeviceMappings"] == [{"DeviceName": device, "Ebs": {"Encrypted": True}}]


def test_a_version_that_is_made_of_another_differs_in_what_is_told(cloud: ControlPlane) -> None:
    """SourceVersion: "The new version inherits the same launch parameters as the source version, except for parameters
    that you specify in LaunchTemplateData."

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    ec2 = cloud.client("ec2")
    template = create(ec2, data={"InstanceType": "t3.micro", "KeyName": "operator"})
    told = {"InstanceType": "t3.small"}
    ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData=told)
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=told)
    found = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    data = {version["VersionNumber"]: version["LaunchTemplateData"] for version in found}
    assert (data[2].get("KeyName"), data[2]["InstanceType"]) == ("operator", "t3.small")
    assert data[3] == told
