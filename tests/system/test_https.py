# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS at the load balancer, with a certificate of Amazon's that is proven in a zone of the account."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import Any

import pytest

from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled


def curl(system: Autoscaled, url: str, *options: str) -> str:
    """Status, redirect and how the certificate's verification ended, of the first node that the name leads to."""
    command = ["curl", "--silent", "--max-time", "10", "--cacert", str(system.account.roots)]
    for port in (80, 443):
        command += ["--resolve", f"{system.domain}:{port}:{system.nodes[0]}"]
    told = "%{http_code} %{redirect_url} %{ssl_verify_result}"
    done = subprocess.run(
        [*command, "--output", os.devnull, "--write-out", told, *options, url],
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def encrypted(variables: dict[str, Any]) -> None:
    zone = variables["platform_domain"]
    variables["platform_zone"] = zone
    variables["platform_load_balancer"].pop("https")
    variables["platform_load_balancer"]["certificate"] = {"request": True, "zone": zone, "wait": 120}


@pytest.mark.further
def test_the_load_balancer_has_a_certificate_and_port_80_leads_to_it(serving: Autoscaled) -> None:
    serving.client("route53").create_hosted_zone(Name=serving.domain, CallerReference=str(uuid.uuid4()))
    serving.change(encrypted)
    run = serving.succeed("site")
    https, http = f"https://{serving.domain}", f"http://{serving.domain}"
    assert f"{https}/health" in run.output
    assert eventually(lambda: curl(serving, f"{https}/health") == "200  0", 10), curl(serving, f"{https}/health")
    assert curl(serving, f"{http}/health?a=b") == f"301 {https}:443/health?a=b 0"
    assert curl(serving, f"{https}/", "--tlsv1.0", "--tls-max", "1.1").startswith("000")
    records = serving.client("route53")
    (zone,) = records.list_hosted_zones_by_name(DNSName=serving.domain)["HostedZones"]
    found = records.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    assert any(one["Type"] == "A" and "AliasTarget" in one for one in found)
    assert serving.succeed("site").count("changed") == 0
    # The names stay where they lead: only the port goes.
    serving.declare_afresh()
    serving.succeed("site")
    assert curl(serving, f"{http}/health") == "200  0"
    assert curl(serving, f"{https}/health").startswith("000")
