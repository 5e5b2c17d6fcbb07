# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that tells all that is wrong with its arguments at once, each with its place; Ansible tells one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.errors import RequiredError, UnsupportedError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

Spec = Mapping[str, Any]


def module(spec: Spec, findings: Callable[[Mapping[str, Any], bool], Iterable[str]]) -> Any:
    """amazon.aws's module with this argument spec; it supports check mode.

    ``findings`` tells what is wrong with parameters beyond the spec, given also whether it is check mode; it is
    asked when the spec is violated, so that everything is in one message, and may fail then.
    """

    made: list[Any] = []

    def fail_json(self: Any, msg: str, **result: Any) -> None:
        """While the arguments are being validated, tell all findings instead of the first kind."""
        validated = getattr(self, "validation_result", None)
        if validated is not None and validated.errors and not made:
            msg = "\n".join(dict.fromkeys(_all(self, validated, findings))) or msg
        AnsibleModule.fail_json(self, msg=msg, **result)

    # The one hook that amazon.aws has for another class.
    AnsibleAWSModule.default_settings["module_class"] = type("Module", (AnsibleModule,), {"fail_json": fail_json})
    made.append(AnsibleAWSModule(argument_spec=dict(spec), supports_check_mode=True))
    return made[0]


def _all(self: Any, validated: Any, findings: Callable[[Mapping[str, Any], bool], Iterable[str]]) -> Iterator[str]:
    yield from misplaced(self.argument_spec, self.params)
    for error in validated.errors:
        if not isinstance(error, (RequiredError, UnsupportedError)):
            yield str(error)
    try:
        yield from list(findings(validated.validated_parameters, self.check_mode))
    except (AttributeError, KeyError, TypeError, ValueError):
        # What is of another type than the spec says is told already.
        return


def misplaced(spec: Spec, given: Any, place: str = "") -> Iterator[str]:
    """Unknown keys and missing ones, at every depth: ``groups[2] shop-app ingress[0]: prots is unknown``."""
    here = f"{place}: " if place else ""
    if not isinstance(given, Mapping):
        yield f"{here}is no mapping of {', '.join(sorted(spec))}"
        return
    aliases = {alias: name for name, entry in spec.items() for alias in entry.get("aliases") or ()}
    for name in given:
        if name not in spec and name not in aliases:
            yield f"{here}{name} is unknown; known are {', '.join(sorted(spec))}"
    for name, entry in spec.items():
        spelled = next((key for key in (name, *(entry.get("aliases") or ())) if given.get(key) is not None), None)
        if spelled is None and entry.get("required"):
            yield f"{here}{name} is missing"
        elif spelled is not None and entry.get("options"):
            yield from _deeper(entry, given[spelled], f"{place} {spelled}".strip())


def _deeper(entry: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    if entry.get("type") != "list":
        yield from misplaced(entry["options"], value, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = f" {item['name']}" if isinstance(item, Mapping) and item.get("name") else ""
            yield from misplaced(entry["options"], item, f"{place}[{index}]{name}")
