# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output that reads like the deployment: plays, changes, long steps, and at the end what matters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: story
type: stdout
short_description: Calm output that ends with what matters
version_added: 0.1.0
author:
  - gatehouse.platform maintainers (!UNKNOWN)
description:
  - Names the plays, what was changed and in words what that was, and a step that takes long while it runs.
    What was skipped or as it should be already is not mentioned.
  - After the recap comes the last message of the playbook, or when it failed, the error with real line breaks.
  - With C(-v) the output is that of P(ansible.builtin.default#callback).
requirements:
  - set as stdout in configuration
extends_documentation_fragment:
  - default_callback
  - result_format_callback
options:
  long_step:
    description: Seconds after which a running step is named.
    type: float
    default: 4
    env:
      - name: GATEHOUSE_STORY_LONG_STEP
    ini:
      - section: callback_story
        key: long_step
"""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.gatehouse.platform.plugins.module_utils._story.text import (
    change_lines,
    debug_lines,
    failure_lines,
    recap_line,
)

DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")


class CallbackModule(Default):
    """The default output with -v, the story without."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gatehouse.platform.story"

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._task_began = self._began
        self._timer: threading.Timer | None = None
        self._held: list[str] = []
        self._failures: dict[str, list[str]] = {}
        self._named = ""
        self._heading = ""

    @property
    def _plain(self) -> bool:
        return bool(self._display.verbosity > 0)

    def _say(self, lines: list[str] | str, color: str | None = None) -> None:
        for line in [lines] if isinstance(lines, str) else lines:
            self._display.display(line, color=color)

    def _tell_held(self) -> None:
        held, self._held = self._held, []
        self._say(["", *held, ""] if held else [])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin_task(self, task: Any) -> None:
        self._stop_timer()
        self._tell_held()
        # A play that has no hosts has no heading either.
        if self._heading:
            self._say(self._heading, constants.COLOR_HIGHLIGHT)
            self._heading = ""
        self._task_began = time.monotonic()
        self._named = task.get_name().rpartition(" : ")[2]
        # Written past every lock of Python and Ansible, which a process forked meanwhile would inherit.
        line = f"  … {self._named}\n".encode()
        self._timer = threading.Timer(self.get_option("long_step"), os.write, (1, line))
        self._timer.daemon = True
        self._timer.start()

    def _took(self) -> str:
        seconds = time.monotonic() - self._task_began
        return f" ({seconds:.0f} s)" if seconds >= 2 else ""

    def _where(self, result: Any) -> str:
        """The host, except where the task runs once for all."""
        return "" if result.task.run_once else f"{result.host.get_name()}: "

    def v2_playbook_on_play_start(self, play: Any) -> None:
        if self._plain:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        self._stop_timer()
        self._tell_held()
        mode = " (check mode)" if play.check_mode else ""
        self._heading = f"{play.get_name().strip()}{mode}"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if self._plain:
            super().v2_playbook_on_task_start(task, is_conditional)
        else:
            self._begin_task(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        if self._plain:
            super().v2_playbook_on_handler_task_start(task)
        else:
            self._begin_task(task)

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_on_ok(result)
            return
        data = result.result
        self._handle_warnings(data)
        if result.task.action in DEBUG:
            self._held += debug_lines(data)
        elif data.get("changed"):
            would = "would change: " if result.task.check_mode else ""
            lines = [f"  {self._where(result)}{would}{self._named}{self._took()}", *change_lines(data)]
            self._say(lines, constants.COLOR_CHANGED)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if self._plain:
            super().v2_runner_on_failed(result, ignore_errors)
        elif not ignore_errors:
            self._handle_warnings(result.result)
            self._remember(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_on_unreachable(result)
        elif not result.task.ignore_unreachable:
            self._remember(result, "unreachable")

    def _remember(self, result: Any, word: str) -> None:
        self._say(f"  {self._where(result)}{word}: {self._named}{self._took()}", constants.COLOR_ERROR)
        headline = f"{self._where(result)}{self._named}"
        self._failures[result.host.get_name()] = [f"{headline} ({word})", *failure_lines(result.result)]

    def v2_runner_on_skipped(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_on_skipped(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_item_on_ok(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_item_on_failed(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_item_on_skipped(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self._plain:
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        if self._plain:
            super().v2_playbook_on_no_hosts_matched()

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if self._plain:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_notify(self, handler: Any, host: Any) -> None:
        if self._plain:
            super().v2_playbook_on_notify(handler, host)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._plain:
            super().v2_playbook_on_stats(stats)
            return
        self._stop_timer()
        self._say(["", f"PLAY RECAP (after {time.monotonic() - self._began:.0f} s)"])
        for host in sorted(stats.processed):
            summary = stats.summarize(host)
            bad = summary["failures"] or summary["unreachable"]
            color = (
                constants.COLOR_ERROR if bad else constants.COLOR_CHANGED if summary["changed"] else constants.COLOR_OK
            )
            self._say(recap_line(host, summary), color)
        self._tell_held()
        for lines in self._final_failures(stats):
            self._say(["", *lines], constants.COLOR_ERROR)

    def _final_failures(self, stats: Any) -> Iterator[list[str]]:
        """The last failure of every host that did not recover from it."""
        for host, lines in self._failures.items():
            summary = stats.summarize(host)
            if summary["failures"] or summary["unreachable"]:
                yield lines
