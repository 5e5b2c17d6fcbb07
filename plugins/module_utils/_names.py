# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names: what an entry of the service list says, and what the world asks for (RFC 1123, section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class PublicNameError(ValueError):
    """A name that cannot be one of the platform; ``str()`` says why."""


def full_name(host: str, domain: str) -> str:
    """The public name that an entry's host stands for: "@", a label, or a full name below the domain.

    Raises PublicNameError for a name outside the domain and for what is no host name.
    """
    domain = domain.lower().rstrip(".")
    name = str(host).lower().rstrip(".")
    if name == "@":
        name = domain
    elif "." not in name:
        name = f"{name}.{domain}"
    if name != domain and not name.endswith(f".{domain}"):
        raise PublicNameError(f"'{host}' is outside the domain {domain}")
    if not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise PublicNameError(f"'{host}' is not a host name")
    return name


def labels(service: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What an entry says about its names, by key, the main one first; the entry may be wrong in any way."""
    aliases = service.get("aliases")
    others = aliases if isinstance(aliases, list) else []
    main = service.get("host") or service.get("name")
    return [("host", main), *((f"aliases[{index}]", alias) for index, alias in enumerate(others))]


def public_names(service: Mapping[str, Any], domain: str) -> list[str]:
    """All public names of a service, the main one first; raises PublicNameError."""
    return [full_name(label, domain) for _key, label in labels(service)]
