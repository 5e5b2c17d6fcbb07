# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs Ansible: the owner of locks and the name in the history, the same in every action."""

from __future__ import annotations

import getpass
import socket


def operator() -> str:
    """The user and the machine that Ansible runs on."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
