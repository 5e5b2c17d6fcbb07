# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS control plane for tests: moto's server in this process, as strict as AWS where moto is lax."""

from lab.cloud.calls import Call, CallLog
from lab.cloud.clock import Clock
from lab.cloud.faults import Faults
from lab.cloud.server import ControlPlane

__all__ = ["Call", "CallLog", "Clock", "ControlPlane", "Faults"]
