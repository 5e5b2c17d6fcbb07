# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bad input gets: one message with everything that is wrong, and what served goes on serving."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import Platform

NAMES = ("example.test", "microservice1.example.test", "microservice2.example.test")
FOLDERS = "/etc/apache2 /etc/systemd/system /etc/gatehouse /etc/letsencrypt /srv /var/www"
UNITS = "apache2.service homepage.service orders.service payments.service"


@pytest.fixture(scope="module")
def served(platform: Platform) -> Platform:
    """The platform as the checkout declares it."""
    platform.declare_afresh()
    if platform.run("web").status != 0:
        platform.succeed("site")
    return platform


@pytest.fixture
def serving(served: Platform) -> Iterator[Platform]:
    """Declared anew for each test; whatever is tried, every name goes on answering."""
    served.declare_afresh()
    yield served
    for name in NAMES:
        assert served.ask(name, "/health").status == 200


@pytest.fixture
def untouched(serving: Platform) -> Iterator[Platform]:
    """Nothing on the web host may change."""
    before = state(serving)
    yield serving
    assert state(serving) == before


def state(platform: Platform) -> str:
    """When each file was changed last, and which processes the units run."""
    files = platform.on("web1", f'find {FOLDERS} -printf "%p %C@ %s\\n" | sort | sha256sum')
    return files + platform.on("web1", f"systemctl show --property=Id,InvocationID,ExecMainPID {UNITS}")


def refuse(platform: Platform, playbook: str, *words: str, arguments: tuple[str, ...] = ()) -> None:
    """The run fails, and its last message says all of this."""
    run = platform.fail(playbook, *arguments)
    message = run.output.rpartition("PLAY RECAP")[2]
    missing = [word for word in words if word not in message]
    assert not missing, f"not said: {missing} in\n{message}"


def entry(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "source": {"directory": "../../applications/orders"}, **values}


def test_everything_wrong_in_the_list_is_told_at_once(untouched: Platform) -> None:
    def spoil(variables: dict[str, Any]) -> None:
        _homepage, orders, payments = variables["platform_services"]
        orders["prot"] = 5001
        payments["port"] = 5001
        payments["kind"] = "cgi"
        orders["health"] = {"timeout": "long"}
        payments["virtual_host"] = {"hsst": True}
        variables["platform_services"] += [
            entry("orders", port=5010, host="orders"),
            {"name": "bare", "port": 5011},
            entry("double", port=5012, source={"directory": "../../applications/orders", "archive": "a.tar.gz"}),
            entry("missing", port=5013, source={"directory": "../../applications/missing"}),
            entry("outside", port=5014, host="www.example.com"),
            entry("again", port=5015, host="microservice1"),
            entry("nowhere", port=5016),
            entry("elsewhere", port=5017),
        ]

    untouched.change(spoil)
    refuse(
        untouched,
        "site",
        "things stand in the way; no host was touched",
        "platform_services[1].prot is not known; known are",
        "port 5001",
        "platform_services[2].kind is 'cgi', but has to be one of wsgi, asgi, command",
        "platform_services[1].health.timeout is 'long'",
        "virtual_host has no option 'hsst'",
        "name orders",
        "platform_services[4].source is missing",
        "platform_services[5].source has directory and archive",
        f"{untouched.folder}/applications/missing is not there",
        "'www.example.com' is outside the domain example.test",
        "microservice1.example.test",
        "nowhere.example.test does not resolve",
        f"elsewhere.example.test leads to 10.{untouched.hosts['range'].split('.')[1]}.0.250",
    )


def test_sources_that_cannot_be_read_are_told_before_the_host_is_touched(untouched: Platform, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    for command in (
        ["init", "--quiet", str(repository)],
        ["-C", str(repository), "config", "user.name", "tests"],
        ["-C", str(repository), "config", "user.email", "tests@example.test"],
        ["-C", str(repository), "commit", "--quiet", "--allow-empty", "--message", "Begin"],
    ):
        subprocess.run(["git", *command], check=True)
    archive = tmp_path / "source.tar.gz"
    archive.write_bytes(b"no archive")

    def spoil(variables: dict[str, Any]) -> None:
        homepage, orders, payments = variables["platform_services"]
        homepage["source"] = {"archive": str(archive)}
        orders["source"] = {"git": str(repository), "revision": "v9.9"}
        payments["source"] = {"git": str(tmp_path / "none"), "revision": "v1.0"}

    untouched.change(spoil)
    refuse(untouched, "deploy", str(archive), "v9.9", str(repository), str(tmp_path / "none"))


def test_releases_that_do_not_come_up_are_shown_with_their_answer_and_journal(serving: Platform) -> None:
    applications = serving.folder / "applications"
    (applications / "homepage/app.py").write_text("raise RuntimeError('no settings today')\n", encoding="utf-8")
    (applications / "orders/app.py").write_text("import time\n\ntime.sleep(600)\n", encoding="utf-8")
    sick = "def app(environ, start):\n    print('database is away', flush=True)\n"
    sick += "    start('500 Sick', [('Content-Type', 'text/plain')])\n    return [b'no database']\n"
    (applications / "payments/app.py").write_text(sick, encoding="utf-8")
    (applications / "returns").mkdir()
    (applications / "returns/app.py").write_text(sick, encoding="utf-8")
    (applications / "returns/requirements.txt").write_text("flask==0.0.99\n", encoding="utf-8")

    def spoil(variables: dict[str, Any]) -> None:
        for service in variables["platform_services"]:
            service["health"] = {"timeout": 4}
        returns = entry("returns", port=5003, source={"directory": "../../applications/returns"})
        variables["platform_services"].append(returns)

    before = serving.on("web1", "readlink /srv/*/current")
    serving.change(spoil)
    refuse(
        serving,
        "deploy",
        "homepage: release",
        "no settings today",
        "orders: release",
        "4 seconds",
        "payments: release",
        "500",
        "no database",
        "database is away",
        "is not healthy and was not put live",
        "returns: ",
        "flask==0.0.99",
    )
    assert serving.on("web1", "readlink /srv/*/current") == before
    leftovers = 'find /srv /etc/systemd /run/systemd -name "*-candidate*" -o -name ".new-*"; ls /srv/returns/*'
    assert "candidate" not in serving.on("web1", leftovers, check=False)
    serving.declare_afresh()
    serving.succeed("web")
    assert "returns" not in serving.on("web1", "ls /srv /etc/systemd/system /etc/gatehouse/services")
    assert serving.succeed("web").count("changed") == 0


def test_virtual_host_that_apache_refuses_changes_nothing(untouched: Platform) -> None:
    def spoil(variables: dict[str, Any]) -> None:
        variables["platform_services"][1]["virtual_host"] = {"extra_directives": "Nonsense on"}

    untouched.change(spoil)
    refuse(untouched, "web", "Apache refuses the configuration, nothing was changed", "Nonsense")


def test_host_key_that_is_not_the_pinned_one_is_refused(untouched: Platform, tmp_path: Path) -> None:
    keys = untouched.hosts["hosts"]
    stale = {"platform_host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvJXw1HZ1vYlCMhPZQpOAJD8TWGz8m9lLHTHyDDf5d2"]}
    assert "web1" in keys
    inventory = tmp_path / "stale.yml"
    inventory.write_text(yaml.safe_dump({"web": {"hosts": {"web1": stale}}}), encoding="utf-8")
    try:
        message = ("web1", "cannot be reached through the bastion", "Host key verification failed")
        refuse(untouched, "site", *message, arguments=("--inventory", str(inventory)))
    finally:
        untouched.succeed("connect")
