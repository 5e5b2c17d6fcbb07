# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of buckets are kept and not looked at, as all permissions are here.

moto evaluates them without their conditions: a policy that denies everything without TLS denies everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def leave_unevaluated(application: Any) -> None:
    """Let one application of S3 answer so. Calls are carried out one at a time."""
    views = application.view_functions
    for endpoint in views:
        views[endpoint] = _neutral(views[endpoint])


def _neutral(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def answer(*arguments: Any, **named: Any) -> Any:
        with mock.patch.object(FakeBucket, "get_permission", return_value=PermissionResult.NEUTRAL):
            return view(*arguments, **named)

    return answer
