# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the values of secrets and variables out of what services say. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service

MASK = "********"
# Shorter values are words and numbers that any text has.
SHORTEST = 4

Censor = Callable[[str], str]


def of_service(service: Service) -> Censor:
    """What to do with a text before any of it is cut off or shown, by what is declared."""
    return _censor((*service.secrets.values(), *service.environment.values()))


def of_files(files: Mapping[str, str]) -> Censor:
    """The same by the files of a deployment (path to text), whose declaration nobody has at hand."""
    secrets = [text for path, text in files.items() if "/secrets/" in path]
    variables = [text for path, text in files.items() if path.endswith("/environment")]
    return _censor((*secrets, *(value for text in variables for value in _values(text))))


def _censor(values: Iterable[str]) -> Censor:
    forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST}
    if not forms:
        return lambda text: text
    # The longest first: a value may be part of another.
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(MASK, text)


def _forms(value: str) -> set[str]:
    """A value as it may turn up: without the space around it, and line by line as journals have it."""
    return {value.strip(), *(line.strip() for line in value.splitlines())}


def _values(environment: str) -> list[str]:
    """Values of the variables in a file that ``units.environment_file`` wrote."""
    quoted = re.findall(r'^\w+="((?:[^"\\]|\\.)*)"$', environment, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) for text in quoted]
