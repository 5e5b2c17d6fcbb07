# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a run, with the real ansible-playbook on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PLAYBOOK = """
- name: First act
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Nothing to see
      ansible.builtin.command: "true"
      changed_when: false
    - name: Left out
      ansible.builtin.command: "true"
      when: false
    - name: Take long
      ansible.builtin.command: sleep 5
    - name: Recover
      block:
        - name: Stumble
          ansible.builtin.fail:
            msg: not the last word
      rescue:
        - name: Go on
          ansible.builtin.set_fact:
            fine: true
- name: Last act
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Show the table
      ansible.builtin.debug:
        msg: ["URL  HEALTH", "a    200"]
"""

FAILURE = """
    - name: Break
      ansible.builtin.fail:
        msg: "two things are wrong:\\n- one\\n- two"
"""


def story(tmp_path: Path, text: str, *arguments: str) -> tuple[int, list[str]]:
    path = tmp_path / "play.yml"
    path.write_text(text)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "gatehouse.platform.story",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "GATEHOUSE_STORY_LONG_STEP": "4",
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(path), *arguments]
    result = subprocess.run(
        command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120
    )
    return result.returncode, re.sub(r"\((after )?\d+ s\)", "(N s)", result.stdout).splitlines()


def test_only_changes_and_long_steps_are_told_and_the_last_message_ends_it(tmp_path: Path) -> None:
    status, lines = story(tmp_path, PLAYBOOK)
    assert status == 0
    assert lines[:4] == ["First act", "  … Take long", "  localhost: Take long (N s)", "  localhost: failed: Stumble"]
    assert lines[-3:] == ["URL  HEALTH", "a    200", ""]
    assert any(line.startswith("localhost ") and "changed=1" in line for line in lines[:-3])
    text = "\n".join(lines)
    assert "Nothing to see" not in text
    assert "Left out" not in text
    assert "not the last word" not in text


def test_a_failure_ends_with_its_message_in_lines(tmp_path: Path) -> None:
    status, lines = story(tmp_path, PLAYBOOK + FAILURE)
    assert status == 2
    assert lines[-4:] == ["localhost: Break (failed)", "two things are wrong:", "- one", "- two"]


def test_with_v_the_output_is_ansibles_own(tmp_path: Path) -> None:
    lines = story(tmp_path, PLAYBOOK, "-v")[1]
    assert any(line.startswith("TASK [Nothing to see]") for line in lines)
    assert any(line.startswith("PLAY RECAP") for line in lines)
