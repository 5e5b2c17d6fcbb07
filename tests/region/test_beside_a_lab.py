# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A region beside a static lab: one ACME server, and the names of each in the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from lab.hosts import process_of
from lab.machine import inside
from lab.model import ROOT, Host, Lab
from tests.region.account import Account, eventually

SERVER = """#!/bin/sh
mkdir /srv/web && cd /srv/web && echo proof > index.html
exec systemd-run --working-directory=/srv/web python3 -m http.server 80
"""


@pytest.fixture
def acme(account: Account) -> Iterator[int]:
    """The process of the host with the ACME server, in a lab that belongs to the region."""
    name = account.region.place.lab

    def lab(*words: str) -> None:
        command = [sys.executable, "-m", "lab", *words, "--name", name]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)

    lab("up", "--hosts", "acme", "--direct")
    account.cloud.changes.add()
    found = Host.named("acme")
    yield process_of(Lab(name, 0, (found,)), found)
    lab("down")


def test_an_instance_reaches_the_acme_server_and_that_reaches_the_instance(account: Account, acme: int) -> None:
    vpc = account.vpc()
    key = account.key_pair()
    instance = account.launch(vpc.public, vpc.group, public=True, KeyName=key, UserData=SERVER)
    assert account.becomes(instance, "running")
    told = account.instance(instance)
    address, name = told["PublicIpAddress"], told["PublicDnsName"]
    account.trust(instance, address)
    directory = "curl --silent --show-error --max-time 5 https://acme.example.test:14000/dir"
    assert eventually(lambda: "newOrder" in account.ssh(address, directory).stdout, 20), account.ssh(address, directory)
    ask = ("curl", "--silent", "--max-time", "5", f"http://{name}/")
    assert eventually(lambda: inside(acme, *ask, check=False) == "proof\n", 30)
