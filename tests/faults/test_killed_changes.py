# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A serving platform is changed by a run that is killed: it goes on serving, and the next run ends right."""

from __future__ import annotations

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.checks import all_answered, assert_nothing_left, assert_served
from tests.faults.killing import Moment, run_and_kill
from tests.faults.results import Results
from tests.harness import Platform

VICTIMS = ("controller", "host")


def go_through(platform: Platform, case: Case, victim: str, delay: float) -> bool:
    """Kill one run and look at what comes of it; False when its task was over before."""
    arguments = case.prepare(platform)
    with all_answered(platform):
        hit, output = run_and_kill(platform, case.playbook, Moment(case.task, delay, victim), *arguments)
        assert_served(platform)
        if hit:
            platform.succeed(case.playbook, *arguments)
            assert_served(platform)
            again = platform.succeed(case.playbook, *arguments)
            assert again.count("changed") == 0, again.output[-3000:]
    assert case.task in output, output[-3000:]
    assert_nothing_left(platform)
    return hit


def test_change_survives_a_killed_run(
    serving: Platform, results: Results, every_position: bool, case: Case, victim: str
) -> None:
    if every_position:
        _every_position(serving, results, case, victim)
    else:
        _one_position(serving, results, case, victim)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both victims of each change, or where one position of a kind has to do, of a deploy alone."""
    if "victim" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-position")
        victims = {case.name: VICTIMS if every or case.name == "deploy" else (case.victim,) for case in CASES}
        pairs = [(case, victim) for case in CASES for victim in victims[case.name]]
        metafunc.parametrize(("case", "victim"), pairs, ids=[f"{case.name}-{victim}" for case, victim in pairs])


def _one_position(platform: Platform, results: Results, case: Case, victim: str) -> None:
    delay = case.middle
    with results.position(f"{case.name}, {victim} killed/{delay:.2f}"):
        while not go_through(platform, case, victim, delay):
            delay /= 2


def _every_position(platform: Platform, results: Results, case: Case, victim: str) -> None:
    failures = []
    number = 0
    while True:
        delay = number * case.step
        number += 1
        position = f"{case.name}, {victim} killed/{delay:.2f}"
        outcome = results.known(position)
        if outcome is None:
            try:
                with results.position(position) as said:
                    if not go_through(platform, case, victim, delay):
                        said["outcome"] = "beyond"
                outcome = said["outcome"]
            except AssertionError as error:
                failures.append(f"{position}: {error}")
                _start_over(platform)
        if outcome == "beyond":
            break
    assert not failures, "\n\n".join(failures)


def _start_over(platform: Platform) -> None:
    platform.declare_afresh()
    platform.up(bare=True)
    platform.succeed("web")
