# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances get all that their launch template says; moto takes image, type, key, user data, groups and tags of it.
Versions of a template can be deleted, and their numbers do not come again.

"Any parameters that you specify [in the request] override the same parameters in the launch template."
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
"""

from __future__ import annotations

import copy
from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict

# moto merges tags by itself; interfaces replace what would contradict them.
NOT_HERE = ("TagSpecifications", "UserData")
OF_INTERFACES = ("SubnetId", "SecurityGroupIds", "SecurityGroups")
# GiB of the root disk in the snapshot of every image.
ROOT_SIZE = 8


@strict("ec2", "RunInstances")
def run_instances(request: Request) -> Any:
    """Take from the template what the request does not say, then give the profile to every instance, not only one."""
    asked = request.parameters
    if told := asked.get("LaunchTemplate"):
        version = request.ec2._get_template_from_args(told)
        check(version.template, version.number)
        data = version.data
        skipped = (*NOT_HERE, *(OF_INTERFACES if asked.get("NetworkInterfaces") else ()))
        for key, value in data.items():
            if key not in asked and key not in skipped:
                # A copy: what is made of it for this instance is not the template's.
                asked[key] = copy.deepcopy(value)
    add_snapshot(request, asked)
    result = request.proceed()
    profile = asked.get("IamInstanceProfile") or {}
    names = {"iam_instance_profile_name": profile.get("Name"), "iam_instance_profile_arn": profile.get("Arn")}
    for instance in result.instances[1:] if profile else ():
        request.ec2.associate_iam_instance_profile(instance_id=instance.id, **names)
    return result


def add_snapshot(request: Request, asked: dict[str, Any]) -> None:
    """The disk that an image starts from is of the image's snapshot and as large, unless something else is said.

    "If you specify a snapshot, the default is the snapshot size."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html
    """
    image = request.ec2.amis.get(asked.get("ImageId"))
    for mapping in asked.get("BlockDeviceMappings") or ():
        disk = mapping.get("Ebs")
        if disk is not None and image and mapping.get("DeviceName") == image.root_device_name:
            disk.setdefault("VolumeSize", ROOT_SIZE)


@strict("ec2", "CreateLaunchTemplate")
def create(request: Request) -> Any:
    """The template's own tags are no part of its data."""
    result = request.proceed()
    template = request.ec2.launch_templates[result["LaunchTemplate"]["LaunchTemplateId"]]
    data = template.versions[0].data
    data["TagSpecifications"] = [
        tags for tags in data.get("TagSpecifications") or () if tags["ResourceType"] != "launch-template"
    ]
    if not data["TagSpecifications"]:
        del data["TagSpecifications"]
    return result


@strict("ec2", "CreateLaunchTemplateVersion")
def create_version(request: Request) -> Any:
    """SourceVersion: "The new version inherits the same launch parameters as the source version, except for parameters
    that you specify in LaunchTemplateData."
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    template, source = template_of(request), request.parameters.get("SourceVersion")
    inherited = copy.deepcopy(template.get_version(source).data) if source else {}
    result = request.proceed()
    version = template.versions[-1]
    version.data = {**inherited, **version.data}
    result["LaunchTemplateVersion"]["LaunchTemplateData"] = version.data
    return result


def deleted(template: Any) -> set[int]:
    """Numbers of the versions that moto keeps, by their places in its list, and that are no more."""
    found: set[int] = vars(template).setdefault("deleted_versions", set())
    return found


def check(template: Any, number: Any) -> None:
    """A version that was deleted is not there."""
    if str(number) in {str(gone) for gone in deleted(template)}:
        text = f"Could not find the specified version {number} for the launch template with ID {template.id}."
        raise refuse("InvalidLaunchTemplateId.VersionNotFound", text)


def template_of(request: Request) -> Any:
    """The template that a request names by id or name."""
    asked = request.parameters
    if asked.get("LaunchTemplateId"):
        return request.ec2.get_launch_template(asked["LaunchTemplateId"])
    return request.ec2.get_launch_template_by_name(asked["LaunchTemplateName"])


@strict("ec2", "DeleteLaunchTemplateVersions")
def delete_versions(request: Request) -> Any:
    """ "You can't delete the default version of a launch template; you must first assign a different version as the
    default."
    """
    template, done, undone = template_of(request), [], []
    for number in request.parameters["Versions"]:
        said = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        if error := refusal(template, int(number)):
            undone.append({**said, "ResponseError": error})
        else:
            deleted(template).add(int(number))
            done.append(said)
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": done,
        "UnsuccessfullyDeletedLaunchTemplateVersions": undone,
    }


def refusal(template: Any, number: int) -> dict[str, str] | None:
    """Why a version is not deleted."""
    if number in deleted(template) or not 1 <= number <= len(template.versions):
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": f"The version {number} does not exist."}
    if number == template.default_version_number:
        return {"Code": "unexpectedError", "Message": "The default version of a launch template cannot be deleted."}
    if number == template.latest_version_number:
        return {"Code": "unexpectedError", "Message": "Deleting the latest version is not part of this control plane."}
    return None


@strict("ec2", "DescribeLaunchTemplateVersions")
def describe_versions(request: Request) -> Any:
    asked, result = request.parameters, request.proceed()
    templates = request.ec2.launch_templates
    if asked.get("LaunchTemplateId") or asked.get("LaunchTemplateName"):
        for number in asked.get("Versions") or ():
            check(template_of(request), number)
    shown = result["LaunchTemplateVersions"]
    result["LaunchTemplateVersions"] = [
        version for version in shown if version["VersionNumber"] not in deleted(templates[version["LaunchTemplateId"]])
    ]
    return result


@strict("ec2", "ModifyLaunchTemplate")
def modify(request: Request) -> Any:
    check(template_of(request), request.parameters.get("DefaultVersion"))
    return request.proceed()
