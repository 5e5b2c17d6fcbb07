# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as lines for people."""

from __future__ import annotations

from ansible_collections.gatehouse.platform.plugins.module_utils._story.text import (
    change_lines,
    debug_lines,
    failure_lines,
    recap_line,
)


def test_messages_keep_their_line_breaks() -> None:
    assert debug_lines({"msg": ["a  b", "", "c\nd"]}) == ["a  b", "", "c", "d"]
    assert debug_lines({"msg": "x\ny", "changed": False}) == ["x", "y"]
    assert debug_lines({"some": {"a": 1}, "changed": False}) == ["some: {", '  "a": 1', "}"]


def test_a_plan_is_told_in_its_sentences() -> None:
    assert change_lines({"plan": ["orders: starts"]}) == ["    - orders: starts"]
    assert change_lines({}) == []


def test_a_failure_shows_its_message_and_what_the_program_said_last() -> None:
    said = "\n".join(str(number) for number in range(100))
    lines = failure_lines({"msg": "non-zero return code", "stderr": said, "stdout": "x"})
    assert lines == ["non-zero return code", *(f"  {number}" for number in range(70, 100))]
    assert failure_lines({"msg": "a\nb", "stderr": "b"}) == ["a", "b"]


def test_failed_items_are_told_and_the_others_not() -> None:
    items = [{"msg": "good"}, {"failed": True, "msg": "bad"}]
    assert failure_lines({"msg": "One or more items failed", "results": items}) == ["bad"]


def test_a_failure_without_a_message_shows_its_data() -> None:
    assert failure_lines({"rc": 1, "changed": False, "failed": True}) == ["{", '  "rc": 1', "}"]


def test_the_recap_can_be_read_by_the_programs_that_read_ansibles() -> None:
    keys = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
    expected = ["ok=0", "changed=1", "unreachable=2", "failed=3", "skipped=4", "rescued=5", "ignored=6"]
    line = recap_line("web1", {key: number for number, key in enumerate(keys)})
    assert line.split() == ["web1", ":", *expected]
