# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of the modules sees: ansible-playbook itself against the control plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.cloud import ControlPlane
from tests.cloud.shop import Shop
from tests.faults.playbook import play

MODULE = "gatehouse.platform.target_registration"


@pytest.fixture
def shop(cloud: ControlPlane) -> Shop:
    return Shop(cloud)


def shown(shop: Shop, folder: Path, options: dict[str, Any], failing: bool = False, **task: Any) -> str:
    """What a playbook of one task shows."""
    run = play(shop.cloud, folder, {MODULE: options, **task})
    assert (run.returncode != 0) == failing, run.stdout + run.stderr
    return run.stdout


def test_a_run_and_check_mode_show_plan_and_diff(shop: Shop, tmp_path: Path) -> None:
    ids = shop.instances(2)
    arn = shop.serving("web", ids[:1])
    options = {"target_groups": ["web"], "targets": [{"id": ids[1]}], "wait": False}
    foreseen = shown(shop, tmp_path, options, check_mode=True, diff=True)
    assert set(shop.states(arn)) == set(ids[:1])
    done = shown(shop, tmp_path, options, diff=True)
    for text in (f"- web: registers {ids[1]}:80", "targets of web", f"+{ids[1]}:80 registered"):
        assert text in foreseen
        assert text in done
    assert set(shop.states(arn)) == set(ids)


def test_all_that_is_wrong_with_the_input_is_one_message(shop: Shop, tmp_path: Path) -> None:
    shop.settle()
    told = shown(
        shop,
        tmp_path,
        {
            "target_groups": ["shop_web"],
            "targets": [{"id": ""}, {"id": "i-0abc", "prot": 80}, {"port": "http"}, {"id": "i-0abc", "port": 0}],
            "minimum_healthy": "120%",
            "waits": True,
        },
        failing=True,
    )
    for place in (
        "target_groups[0]: 'shop_web'",
        "targets[0].id: is empty",
        "targets[1]: prot is unknown",
        "targets[2]: id is missing",
        "targets[3].port: 0",
        "minimum_healthy: 120%",
        "waits is unknown",
    ):
        assert place in told
    assert not shop.calls()


def test_credentials_that_are_no_longer_valid_are_told_with_aws_words(shop: Shop, tmp_path: Path) -> None:
    ids = shop.instances(1)
    shop.group("web")
    shop.settle()
    shop.cloud.faults.add("expired", number=None)
    told = shown(shop, tmp_path, {"target_groups": ["web"], "targets": [{"id": ids[0]}]}, failing=True)
    assert "DescribeTargetGroups: ExpiredToken" in told
    assert "Look at the credentials" in told


def test_an_endpoint_that_nobody_answers_at_is_told(shop: Shop, tmp_path: Path) -> None:
    options = {"target_groups": ["web"], "targets": [{"id": "i-0123456789abcdef0"}]}
    told = shown(shop, tmp_path, {**options, "endpoint_url": "http://127.0.0.1:9"}, failing=True)
    assert "http://127.0.0.1:9" in told
    assert not shop.cloud.calls.count()["RegisterTargets"]


def test_a_run_that_fails_after_a_lost_answer_says_that_something_changed(shop: Shop, tmp_path: Path) -> None:
    ids = shop.instances(1)
    shop.group("web")
    shop.settle()
    shop.cloud.faults.add("lost", operation="RegisterTargets")
    shop.cloud.faults.add("refused", number=2, operation="DescribeTargetHealth")
    options = {"target_groups": ["web"], "targets": [{"id": ids[0]}]}
    told = shown(shop, tmp_path, options, failing=True, register="result", failed_when="result is changed")
    assert f"Perhaps done: web: registers {ids[0]}:80." in told
