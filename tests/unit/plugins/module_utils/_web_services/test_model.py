# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server a service gets, and which it cannot have."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    Service,
    State,
    WebServiceError,
    gunicorn_problem,
    requirement_lines,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import plan


@pytest.mark.parametrize(
    ("requirements", "own"),
    [
        ("flask", False),
        ("flask\ngunicorn==27.0.1", True),
        ("Gunicorn [gthread] >= 27", True),
        ("gunicorn", True),
        ("gunicorn-foo==1", False),
        ("gunicorn_foo==1", False),
        ("gunicorn.foo==1", False),
        ("# gunicorn", False),
    ],
)
def test_an_applications_own_pin_wins(requirements: str, own: bool) -> None:
    wanted = [] if own else ["gunicorn==27.0.1"]
    assert requirement_lines(Service("orders", 5001), requirements) == wanted


@pytest.mark.parametrize(
    ("requirement", "old"),
    [
        ("gunicorn==23.0.0", True),
        ("gunicorn == 27.0", True),
        ("gunicorn==27.0.1", False),
        ("gunicorn==27.*", False),
        ("gunicorn==26.*", True),
        ("gunicorn~=26.1", True),
        ("gunicorn~=27.0", False),
        ("gunicorn>=20,<24", True),
        ("gunicorn>=20,<28", False),
        ("gunicorn<=27.0.0", True),
        ("gunicorn>=20.1", False),
        ("gunicorn", False),
        ("gunicorn==27.0.1 ; python_version < '3.9'", False),
        ("gunicorn==28.0.0 --hash=sha256:aa", False),
        ("gunicorn @ https://example.test/gunicorn-20.tar.gz", False),
    ],
)
def test_a_gunicorn_that_is_too_old_is_told(requirement: str, old: bool) -> None:
    pinned = Service("orders", 5001, requirements=f"flask\n{requirement}\n")
    assert bool(gunicorn_problem(pinned)) is old
    assert bool(gunicorn_problem(Service("orders", 5001, gunicorn=requirement))) is old
    assert gunicorn_problem(Service("orders", 5001, kind="command", requirements=requirement)) == ""


def test_a_pin_that_is_too_old_is_refused_before_anything_is_planned() -> None:
    service = Service("orders", 5001, requirements="gunicorn==23.0.0\n")
    with pytest.raises(WebServiceError, match=r"^gunicorn==23\.0\.0 is too old: .* gunicorn 27\.0\.1 or newer"):
        plan(service, State(), "3.11", "20261120T131800Z")
