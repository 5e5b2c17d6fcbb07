# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata service says of an instance."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from lab.region import metadata_tree
from lab.region.state import Instance, Interface, MetadataOptions, State, Subnet, Vpc

INSTANCE = Instance(
    id="i-1",
    state="running",
    image="ami-1",
    type="t3.micro",
    zone="eu-central-1a",
    key="operator",
    vpc="vpc-1",
    subnet="subnet-1",
    private="10.5.0.4",
    public=None,
    private_name="ip-10-5-0-4.eu-central-1.compute.internal",
    public_name="",
    profile=None,
    launched="2026-01-01T00:00:00+00:00",
    launch_index=0,
    reservation="r-1",
    owner="123456789012",
    metadata=MetadataOptions(),
    tags=(("Name", "alpha"), ("role", "web")),
    groups=(("sg-1", "web"), ("sg-2", "ssh")),
)
CARD = Interface("eni-1", "vpc-1", "subnet-1", "i-1", 0, "10.5.0.4", None, "02:00:00:00:00:01", ("sg-1",), "")
STATE = State(
    vpcs=(Vpc("vpc-1", (IPv4Network("10.5.0.0/16"),)),),
    subnets=(Subnet("subnet-1", "vpc-1", "eu-central-1a", IPv4Network("10.5.0.0/24")),),
    interfaces=(CARD,),
    instances=(INSTANCE,),
    keys={"operator": "ssh-ed25519 AAAA operator"},
)


def say(path: str, instance: Instance = INSTANCE, role: str | None = None) -> str | None:
    return metadata_tree.find(metadata_tree.tree(STATE, instance, role), iter(path.split("/") if path else ()), {})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("instance-id", "i-1"),
        ("local-hostname", "ip-10-5-0-4.eu-central-1.compute.internal"),
        ("placement/region", "eu-central-1"),
        ("placement", "availability-zone\nregion"),
        ("security-groups", "web\nssh"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAA operator\n"),
        ("network/interfaces/macs", "02:00:00:00:00:01/"),
        ("network/interfaces/macs/02:00:00:00:00:01/subnet-ipv4-cidr-block", "10.5.0.0/24"),
        ("public-ipv4", None),
        ("iam", None),
        ("tags", None),
        ("instance-id/more", None),
    ],
)
def test_an_entry_is_said_or_there_is_none(path: str, said: str | None) -> None:
    assert say(path) == said


def test_folders_are_listed_with_a_slash() -> None:
    listed = (say("") or "").split("\n")
    assert {"instance-id", "placement/", "public-keys/"} <= set(listed)


def test_tags_are_told_only_where_the_options_allow() -> None:
    told = replace(INSTANCE, metadata=MetadataOptions(tags=True))
    assert say("tags/instance", told) == "Name\nrole"
    assert say("tags/instance/Name", told) == "alpha"


def test_the_name_of_the_role_is_listed() -> None:
    assert say("iam/security-credentials", role="reader") == "reader"


def test_the_identity_document_names_account_region_and_instance() -> None:
    document = json.loads(metadata_tree.identity(INSTANCE))
    assert (document["accountId"], document["region"], document["instanceId"]) == (
        "123456789012",
        "eu-central-1",
        "i-1",
    )
