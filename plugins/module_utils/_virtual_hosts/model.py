# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tree of Apache's configuration should hold, and what it holds.

Paths are relative to Apache's configuration directory; the layout is Debian's:
``sites-available``, ``conf-available`` and ``mods-available`` with a directory
``*-enabled`` of links beside each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


class VirtualHostsError(Exception):
    """Something that the user has to know; ``str()`` is the whole message."""


class Entry:
    """What is found at a path."""


@dataclass(frozen=True)
class File(Entry):
    """A file with its content."""

    content: str


@dataclass(frozen=True)
class Link(Entry):
    """A symbolic link with its target."""

    target: str


Tree = Mapping[str, Entry]


@dataclass(frozen=True)
class Site:
    """A file of sites-available that is enabled once every required file exists.

    Where ``interim`` is given the site does not wait. While a required file is missing, a site that
    served something else before gets the interim text and so goes on serving, and a new one gets its
    content at once, unless ``interim_for_new`` says otherwise.
    """

    name: str
    content: str
    requires: tuple[str, ...] = ()
    interim: str | None = None
    interim_for_new: bool = False


@dataclass(frozen=True)
class Configuration:
    """A file of conf-available that is always enabled."""

    name: str
    content: str


@dataclass(frozen=True)
class Desired:
    """Everything that one owner wants to see in the tree."""

    owner: str
    sites: tuple[Site, ...] = ()
    configurations: tuple[Configuration, ...] = ()
    modules: tuple[str, ...] = ()
    disabled_sites: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    purge: bool = True


@dataclass(frozen=True)
class Surroundings:
    """What the plan has to know beside the tree.

    ``modules`` maps the files of mods-available to their text, and is None where Apache is not
    installed; ``existing`` are those of the required files and wanted directories that exist.
    """

    modules: Mapping[str, str] | None = None
    existing: frozenset[str] = field(default_factory=frozenset)


def marker(owner: str) -> str:
    """First line of every file that belongs to this owner."""
    return f"# Managed by gatehouse.platform ({owner}): changes made here are overwritten\n"


def from_params(params: Mapping[str, Any]) -> Desired:
    """Make the desired state from a module's parameters; raises VirtualHostsError with all findings at once."""
    desired = Desired(
        owner=params["owner"],
        sites=tuple(
            Site(site["name"], site["content"], tuple(site["requires"] or ()), site["interim"], site["interim_for_new"])
            for site in params["sites"]
        ),
        configurations=tuple(Configuration(item["name"], item["content"]) for item in params["configurations"]),
        modules=tuple(params["modules"]),
        disabled_sites=tuple(params["disabled_sites"]),
        directories=tuple(params["directories"]),
        purge=params["purge"],
    )
    findings = list(problems(desired))
    if findings:
        raise VirtualHostsError("; ".join(findings))
    return desired


def problems(desired: Desired) -> Iterator[str]:
    """Findings about the names and paths, in words."""
    yield from _name_problems("site", [site.name for site in desired.sites])
    yield from _name_problems("configuration", [item.name for item in desired.configurations])
    yield from _name_problems("module", sorted(set(desired.modules)))
    yield from _name_problems("disabled site", sorted(set(desired.disabled_sites)))
    for path in [*desired.directories, *(path for site in desired.sites for path in site.requires)]:
        if not path.startswith("/"):
            yield f"'{path}' is not an absolute path"


def _name_problems(kind: str, names: Sequence[str]) -> Iterator[str]:
    for name in sorted(set(names)):
        if not NAME.match(name):
            yield f"{kind} '{name}' is not a file name of letters, digits, '.', '_' and '-'"
        if names.count(name) > 1:
            yield f"{kind} '{name}' is there {names.count(name)} times"
