# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook against an account, as a user of the provisioning roles makes them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.cloud import ControlPlane
from lab.model import ROOT

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@dataclass(frozen=True)
class Run:
    """A run that is over. ``facts`` are those whose names end with ``_result``; ``words`` is what was said to be
    created besides what modules report.
    """

    returncode: int
    stdout: str
    facts: dict[str, Any]
    words: list[str]

    @property
    def changed(self) -> int:
        """Number of changed tasks, as the recap has it."""
        found = re.search(r"^localhost .*changed=(\d+)", self.stdout, re.MULTILINE)
        return int(found[1]) if found else 0


# A task that keeps the facts that roles leave behind.
KEEP = {
    "name": "Keep the results",
    "ansible.builtin.copy": {
        "content": "{{ dict(names | zip(q('ansible.builtin.vars', *names))) | to_json }}",
        "dest": "{{ playbook_dir }}/facts.json",
        "mode": "0600",
    },
    "vars": {"names": "{{ q('ansible.builtin.varnames', '^[a-z_]+_result$') }}"},
    "check_mode": False,
    "changed_when": False,
    "diff": False,
}


def run(
    cloud: ControlPlane,
    folder: Path,
    role_or_tasks: str | list[dict[str, Any]],
    variables: Mapping[str, Any],
    *options: str,
    succeeds: bool = True,
) -> Run:
    """Play a role by its short name, or tasks. ``options`` are those of ansible-playbook; diffs are always shown."""
    facts = folder / "facts.json"
    facts.unlink(missing_ok=True)
    tasks = role_or_tasks
    if isinstance(tasks, str):
        tasks = [{"name": "Play the role", "ansible.builtin.import_role": {"name": f"gatehouse.platform.{tasks}"}}]
    play = {
        "name": "Provision",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable, **variables},
        "tasks": [*tasks, KEEP],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    command = [str(PLAYBOOK), "--inventory", "localhost,", "--diff", *options, str(folder / "play.yml")]
    done = subprocess.run(
        command, env=environment(cloud), cwd=folder, check=False, capture_output=True, text=True, timeout=300
    )
    assert succeeds == (done.returncode == 0), done.stdout + done.stderr
    found = json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
    return Run(done.returncode, done.stdout + done.stderr, found, words(done.stdout))


def environment(cloud: ControlPlane) -> dict[str, str]:
    """Leads AWS clients to the control plane."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **cloud.environment,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
    }


def words(stdout: str) -> list[str]:
    """The lines of the diffs of to_be_created."""
    found: list[str] = []
    for diff in stdout.split("+++ after: to be created")[1:]:
        for line in diff.splitlines()[1:]:
            if line.startswith("+"):
                found.append(line[1:])
            elif not line.startswith("@@"):
                break
    return found
