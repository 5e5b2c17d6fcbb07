# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task as users run it, against a control plane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.cloud import ControlPlane
from lab.model import ROOT


def play(cloud: ControlPlane, folder: Path, task: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a playbook of one task on this machine; nobody is asked but the control plane."""
    playbook = folder / "play.json"
    tasks = [{"name": "Bring it to the declared state", **task}]
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook)]
    environment = {**os.environ, **cloud.environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
