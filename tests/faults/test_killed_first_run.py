# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run on bare hosts is killed in each of its phases, and started again after each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.faults.cases import CERTIFICATES, SERVICES, VIRTUAL_HOSTS
from tests.faults.checks import assert_nothing_left, assert_served
from tests.faults.killing import Moment, run_and_kill
from tests.faults.results import Results
from tests.harness import Platform

# Moments of a phase, as shares of the time that it takes: so many chains go through every position.
CHAINS = 3


@dataclass(frozen=True)
class Phase:
    """A part of a task of the first run, and about how many seconds it takes on bare hosts."""

    name: str
    seconds: float
    moment: Moment


PHASES = (
    Phase("bastion", 0.8, Moment("Bring the bastion to its declared state", 0, "", host="bastion1")),
    Phase("packages of the services", 6.0, Moment(SERVICES, 0, "", process="apt-get")),
    Phase("services", 12.0, Moment(SERVICES, 0, "", package="python3-venv")),
    Phase("packages of Apache", 5.0, Moment(VIRTUAL_HOSTS, 0, "", process="apt-get")),
    Phase("virtual hosts", 0.9, Moment(VIRTUAL_HOSTS, 0, "", package="apache2")),
    Phase("packages of certbot", 4.0, Moment(CERTIFICATES, 0, "", process="apt-get")),
    Phase("certificate", 2.5, Moment(CERTIFICATES, 0, "", package="certbot")),
    Phase("virtual hosts with the certificate", 0.8, Moment(VIRTUAL_HOSTS, 0, "", after=CERTIFICATES)),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both kinds, or the one that leaves most behind."""
    if "kind" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-position")
        metafunc.parametrize("kind", ["host killed", "controller killed"] if every else ["host killed"])


def test_first_run_ends_right_however_often_it_is_killed(
    platform: Platform, results: Results, every_position: bool, kind: str
) -> None:
    shares = [(number + 0.5) / CHAINS for number in range(CHAINS)] if every_position else [0.55]
    failures = []
    for share in shares:
        position = f"first run, {kind} in every phase/{share:.2f}"
        if results.known(position) is None:
            try:
                with results.position(position):
                    _kill_in_every_phase(platform, share, kind)
            except AssertionError as error:
                failures.append(f"{position}: {error}")
    assert not failures, "\n\n".join(failures)


def _kill_in_every_phase(platform: Platform, share: float, kind: str) -> None:
    platform.declare_afresh()
    platform.up(bare=True)
    for phase in PHASES:
        _kill_in(platform, phase, share * phase.seconds, kind.partition(" ")[0])
    platform.succeed("site")
    assert_served(platform)
    again = platform.succeed("site")
    assert again.count("changed") == 0, again.output[-3000:]
    for host in ("web1", "bastion1"):
        assert_nothing_left(platform, host)


def _kill_in(platform: Platform, phase: Phase, delay: float, victim: str) -> None:
    """Kill a run in a phase, on bare hosts once more when it was too quick for the delay."""
    for attempt in range(4):
        moment = replace(phase.moment, delay=delay / 2**attempt, victim=victim)
        hit, output = run_and_kill(platform, "site", moment)
        if hit:
            return
        # What is not killed has to end well: what was left half made is mended on the way.
        assert "unreachable=0    failed=0" in output, f"{phase.name}: {output[-5000:]}"
        platform.up(bare=True)
    raise AssertionError(f"{phase.name}: not to be caught within {delay} seconds: {output[-5000:]}")
