# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold after a fault: the names answer, and nothing half-made is left on the host."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.load import probe
from tests.harness import Platform

NAMES = ("example.test", "microservice1.example.test", "microservice2.example.test")

_LEFT = r"""
find /etc /srv /var/lib /var/www /tmp /run/systemd -xdev \
  ( -name ".gatehouse-*" -o -name "*.partial" -o -name ".new-*" -o -name "gatehouse-apache-*" ) \
  ! -name .gatehouse-release.json ! -name .gatehouse-service
find /etc/systemd/system /run/systemd/system -name "*-candidate.*" -o -name "*-task.*"
systemctl list-units --all --plain --no-legend "*-candidate.*" "*-task.*"
systemctl --failed --plain --no-legend
find /var/www/acme-challenge -type f
find /srv -name deploy.lock -size +0
find /srv -mindepth 3 -maxdepth 3 -path "*/releases/*" -type d ! -exec test -e {}/.gatehouse-release.json ; -print
find /srv -mindepth 3 -maxdepth 3 -path "*/environments/*" -type d ! -exec test -e {}/.complete ; -print
find /etc/letsencrypt /var/lib/letsencrypt /var/log/letsencrypt -name .certbot.lock
find /etc/letsencrypt/renewal -name "*-0001.conf"
dpkg --audit
"""


def assert_served(platform: Platform, names: tuple[str, ...] = NAMES) -> None:
    """Every name answers over HTTPS."""
    for name in names:
        answer = platform.ask(name, "/health")
        assert answer.status == 200, f"{name}: {answer}"


@contextmanager
def all_answered(platform: Platform) -> Iterator[None]:
    """No request of a client that goes on asking fails; one on a connection that was just closed is asked again."""
    with probe(platform, rate=50, seconds=300, strict=False) as report:
        yield
    assert report["failed"] == 0, json.dumps(report["failures"], indent=1)


def leftovers(platform: Platform, host: str = "web1") -> list[str]:
    """Everything half-made on a host."""
    script = _LEFT.replace("( ", r"\( ").replace(" )", r" \)").replace(" ;", r" \;").replace("{}", '"{}"')
    lines = platform.on(host, script, check=False).splitlines()
    for service in platform.on(host, "ls /srv").split():
        active = platform.on(host, f"systemctl list-units --plain --no-legend --state=active {service}-*.service")
        if len(active.splitlines()) != 1:
            lines.append(f"{service}: {len(active.splitlines())} deployments are active: {active}")
    return [line for line in lines if line.strip()]


def assert_nothing_left(platform: Platform, host: str = "web1", patience: float = 20) -> None:
    """Nothing half-made is there, once what is being let go has gone."""
    deadline = time.monotonic() + patience
    while found := leftovers(platform, host):
        if time.monotonic() > deadline:
            raise AssertionError(f"left on {host}:\n" + "\n".join(found))
        time.sleep(1)
