# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are only referred to: ``ssm:/shop/token``, ``secretsmanager:shop/db``, ``secretsmanager:ARN``; pure."""

from __future__ import annotations

from typing import Any

# Where a secret lies, as the beginning of a reference.
PARAMETER, SECRET = "ssm:", "secretsmanager:"


def is_reference(value: Any) -> bool:
    """Whether a value says where a secret lies, instead of being one."""
    return isinstance(value, str) and value.startswith((f"{PARAMETER}/", SECRET))
