# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system as it was built from an empty account."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import uuid

from lab.model import ROOT
from tests.region.account import eventually
from tests.system.autoscaled import Autoscaled


def test_two_hosts_answer_through_the_load_balancer(serving: Autoscaled) -> None:
    assert set(serving.targets()) == set(serving.instances())
    answer = serving.visit().json()
    assert answer["status"] == "ok"
    assert answer["release"] in serving.releases().values()
    assert len(serving.codes()) == 1
    # In turn: neither host answers all of twenty requests.
    assert set(serving.web.who_answers(20)) == set(serving.instances())
    with serving.visitors(rate=50) as tally:
        serving.visit()
    assert tally["failed"] == 0


def test_what_is_no_service_s_is_answered_by_the_load_balancer(serving: Autoscaled) -> None:
    answer = serving.visit(headers={"Host": "nobody.example"})
    assert (answer.status, answer.body.strip()) == (404, "Not found")


def test_hosts_are_grouped_by_what_their_tags_and_places_say(serving: Autoscaled) -> None:
    command, environment = serving.command("ansible-inventory", "--list"), serving.account.environment
    shown = subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, text=True).stdout
    groups = {name: set(entry.get("hosts", [])) for name, entry in json.loads(shown).items()}
    zones = serving.web.instances()
    hosts = set(zones)
    assert groups["web"] == groups["fleet_web"] == groups["service_shop"] == hosts
    assert groups["bastion"] == set(serving.bastions())
    for zone in set(zones.values()):
        assert groups[f"zone_{zone.replace('-', '_')}"] & hosts == {host for host in hosts if zones[host] == zone}


def test_hosts_take_the_load_balancer_s_word_for_who_a_visitor_is(serving: Autoscaled) -> None:
    agent = f"visitor-{uuid.uuid4()}"
    serving.visit(headers={"User-Agent": agent, "X-Forwarded-For": "198.51.100.7"})
    logged = [
        serving.on(host, f"grep -s {agent} /var/log/apache2/shop_access.log || true") for host in serving.instances()
    ]
    (line,) = [line for told in logged for line in told.splitlines()]
    visitor = ipaddress.ip_address(line.split()[0])
    assert visitor not in ipaddress.ip_network("10.0.0.0/16")
    assert str(visitor) != "198.51.100.7"


def test_connections_are_kept_for_longer_than_the_load_balancer_keeps_them(serving: Autoscaled) -> None:
    said = {
        serving.on(host, "grep -Rh ^KeepAliveTimeout /etc/apache2/conf-enabled").strip() for host in serving.instances()
    }
    assert said == {"KeepAliveTimeout 75"}


def test_a_run_with_nothing_to_do_changes_nothing_and_leaves_no_lock(serving: Autoscaled) -> None:
    serving.succeed("site")
    before = serving.tags()
    with serving.visitors():
        again = serving.succeed("site")
    assert again.count("changed") == 0
    assert "autoscaled-web: locks the fleet" in again.output
    assert serving.tags() == before
    assert "gatehouse:lock" not in before
    assert not serving.suspended()


def test_a_terminated_bastion_is_rebuilt_by_the_next_run(serving: Autoscaled) -> None:
    (before,) = serving.bastions()
    serving.client("ec2").terminate_instances(InstanceIds=[before])
    assert eventually(lambda: not serving.bastions(), 60)
    run = serving.succeed("site")
    assert "instance autoscaled-bastion: new" in run.output
    (after,) = serving.bastions()
    assert after != before
    # They are asked through it.
    assert len(serving.codes()) == 1
    assert serving.succeed("site").count("changed") == 0
