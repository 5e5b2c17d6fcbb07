# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What groups are, as text for a diff."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import Group, Rules, State
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import Plan


def diff(current: State, planned: Plan) -> list[dict[str, str]]:
    """The plan in words, then the groups that it changes, as they are and as it leaves them."""
    if not planned.changed:
        return []
    after = planned.after(current)
    names = sorted({change.key for change in planned.changes})
    texts = [
        "".join(f"{line}\n" for name in names if name in state for line in _lines(state[name]))
        for state in (current, after)
    ]
    words = "".join(f"{sentence}\n" for sentence in planned.sentences())
    head = {"before_header": "security groups", "after_header": "security groups"}
    return [{"prepared": words}, {**head, "before": texts[0], "after": texts[1]}]


def _lines(group: Group) -> Iterator[str]:
    yield f"{group.name}:"
    yield f"  description: {group.description}"
    if group.tags:
        yield "  tags:"
        yield from (f"    {name}: {value}" for name, value in sorted(group.tags.items()))
    yield from _rules("ingress", "from", group.ingress)
    yield from _rules("egress", "to", group.egress)


def _rules(direction: str, way: str, rules: Rules) -> Iterator[str]:
    yield f"  {direction}:" + ("" if rules else " none")
    for rule, text in sorted(rules.items()):
        yield f"    {rule.traffic} {way} {rule.source}" + (f" ({text})" if text else "")
