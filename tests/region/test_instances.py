# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: from pending to terminated, reached over SSH as on AWS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import botocore.exceptions
import pytest

from lab.region.hosts import containers
from tests.region.account import Account, eventually


def test_the_first_is_reached_by_ssh_and_through_it_the_second(account: Account) -> None:
    vpc, key = account.vpc(), account.key_pair()
    first = account.launch(vpc.public, vpc.group, public=True, KeyName=key, ImageId=account.image(12))
    second = account.launch(vpc.private, vpc.group, KeyName=key, ImageId=account.image(13))
    assert account.state(second) == "pending"
    assert account.becomes(first, "running")
    assert account.becomes(second, "running")
    public, private = account.instance(first)["PublicIpAddress"], account.instance(second)["PrivateIpAddress"]
    assert "PublicIpAddress" not in account.instance(second)

    account.trust(first, public)
    account.trust(second, private)
    seen = account.ssh(public, "hostname; cat /etc/debian_version")
    name = account.instance(first)["PrivateDnsName"].partition(".")[0]
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.splitlines()[0] == name
    assert seen.stdout.splitlines()[1].startswith("12.")
    through = account.ssh(private, "sudo cat /etc/debian_version", through=public)
    assert through.returncode == 0, through.stderr
    assert through.stdout.startswith("13.")
    assert account.ssh(private, "true").returncode == 255


def test_a_stopped_instance_keeps_its_disk_and_loses_its_public_address(account: Account) -> None:
    vpc, key = account.vpc(), account.key_pair()
    instance = account.launch(vpc.public, vpc.group, public=True, KeyName=key)
    before = account.instance(instance)["PublicIpAddress"]
    account.trust(instance, before)
    account.ssh(before, "echo kept > note; sync")
    account.ec2.stop_instances(InstanceIds=[instance])
    assert account.state(instance) == "stopping"
    assert account.becomes(instance, "stopped")
    assert "PublicIpAddress" not in account.instance(instance)
    assert not containers(account.region.place)[instance].running

    account.ec2.start_instances(InstanceIds=[instance])
    assert account.state(instance) == "pending"
    assert account.becomes(instance, "running")
    after = account.instance(instance)["PublicIpAddress"]
    account.trust(instance, after)
    assert eventually(lambda: account.ssh(after, "cat note").stdout == "kept\n", 30)

    address = account.ec2.allocate_address(Domain="vpc")
    account.ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    account.trust(instance, address["PublicIp"])
    assert eventually(lambda: account.ssh(address["PublicIp"], "cat note").stdout == "kept\n", 10)
    assert account.ssh(after, "true").returncode == 255


def test_what_an_instance_does_to_itself_shows_in_the_api(account: Account) -> None:
    vpc, key = account.vpc(), account.key_pair()
    instance = account.launch(vpc.public, vpc.group, public=True, KeyName=key)
    gone = account.launch(
        vpc.public, vpc.group, public=True, KeyName=key, InstanceInitiatedShutdownBehavior="terminate"
    )
    address, other = account.instance(instance)["PublicIpAddress"], account.instance(gone)["PublicIpAddress"]
    account.trust(instance, address)
    account.trust(gone, other)

    def started() -> str:
        """When its first process did, once it answers."""
        return str(eventually(lambda: account.ssh(address, "stat --format %Z /proc/1").stdout, 30))

    first = started()
    account.ssh(address, "sudo systemctl reboot")
    assert eventually(lambda: started() != first, 30)
    assert account.state(instance) == "running"
    second = started()
    account.ec2.reboot_instances(InstanceIds=[instance])
    assert eventually(lambda: started() != second, 30)

    account.ssh(address, "sudo systemctl poweroff")
    assert account.becomes(instance, "stopped")
    assert account.instance(instance)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    account.ssh(other, "sudo systemctl poweroff")
    assert account.becomes(gone, "terminated")


def test_termination_leaves_nothing_but_the_console_output(account: Account) -> None:
    vpc = account.vpc()
    instance = account.launch(vpc.private, vpc.group)
    assert account.becomes(instance, "running")
    keys = account.host_keys(instance)
    account.ec2.terminate_instances(InstanceIds=[instance])
    assert account.state(instance) == "shutting-down"
    assert account.becomes(instance, "terminated")
    assert instance not in containers(account.region.place)
    assert not Path("/run/netns", account.region.place.namespace_of(instance)).exists()
    assert account.host_keys(instance) == keys


def test_an_unknown_image_is_refused(account: Account) -> None:
    vpc = account.vpc()
    with pytest.raises(botocore.exceptions.ClientError, match=r"InvalidAMIID\.NotFound"):
        account.launch(vpc.public, vpc.group, ImageId="ami-0123456789abcdef0")


def test_a_container_that_is_lost_is_a_terminated_instance(account: Account) -> None:
    vpc = account.vpc()
    instance = account.launch(vpc.private, vpc.group)
    assert account.becomes(instance, "running")
    subprocess.run(["podman", "rm", "--force", "--time=0", instance], check=True, capture_output=True)
    assert account.becomes(instance, "terminated")


def test_what_is_asked_while_nobody_listens_is_done_afterwards(account: Account) -> None:
    vpc = account.vpc()
    kept, ended = (account.launch(vpc.private, vpc.group) for _time in range(2))
    assert account.becomes(kept, "running")
    assert account.becomes(ended, "running")
    process = containers(account.region.place)[kept].process
    account.region.stop()
    account.ec2.terminate_instances(InstanceIds=[ended])
    late = account.launch(vpc.private, vpc.group)
    account.region.start()
    assert account.becomes(late, "running")
    assert account.becomes(ended, "terminated")
    assert containers(account.region.place)[kept].process == process
