# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the tree as it is to the tree as it should be, as a list of changes; pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._virtual_hosts.model import (
    Desired,
    Entry,
    File,
    Link,
    Site,
    Surroundings,
    Tree,
    VirtualHostsError,
    marker,
)

TEMPORARY = ".gatehouse-"  # how the files begin that a killed run leaves behind
DIRECTORIES = ("mods-enabled", "conf-available", "sites-available", "conf-enabled", "sites-enabled")


@dataclass(frozen=True)
class Change:
    """One path that gets another content, appears (``before`` is None) or goes (``after`` is None)."""

    path: str
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class Waiting:
    """A site that is not enabled, or enabled as its interim version, for want of these files."""

    site: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they are made: what is added before what is removed."""

    changes: tuple[Change, ...] = ()
    new_directories: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.changes or self.new_directories)

    @property
    def needs_restart(self) -> bool:
        """Whether a reload is not enough: only another multi-processing module asks for that."""
        return any(change.path.startswith("mods-enabled/mpm_") and change.before for change in self.changes)

    def after(self, current: Tree) -> dict[str, Entry]:
        """The tree once the changes are made."""
        tree = dict(current)
        for change in self.changes:
            if change.after is None:
                tree.pop(change.path, None)
            else:
                tree[change.path] = change.after
        return tree

    def sentences(self) -> list[str]:
        """The changes in words."""
        paths = {change.path for change in self.changes}
        lines = [f"{path}: new directory" for path in self.new_directories]
        lines += [sentence for change in self.changes if (sentence := _sentence(change, paths))]
        if self.needs_restart:
            lines.append("restarts Apache: another multi-processing module cannot be loaded otherwise")
        return lines + [f"{item.site}.conf: waits for {' and '.join(item.missing)}" for item in self.waiting]


def _sentence(change: Change, paths: set[str]) -> str | None:
    directory, name = change.path.split("/", 1)
    if name.startswith(TEMPORARY):
        return f"{change.path}: removes what a killed run left"
    if directory == "mods-enabled":
        if name.endswith(".conf") and change.path[: -len("conf")] + "load" in paths:
            return None
        return f"{'enables' if change.after else 'disables'} module {name.rpartition('.')[0]}"
    if directory.endswith("-enabled"):
        if directory.replace("enabled", "available") + "/" + name in paths:
            return None
        return f"{name}: {'enabled' if change.after else 'disabled'}"
    return f"{name}: {'removed' if change.after is None else 'changed' if change.before else 'new'}"


def plan(current: Tree, desired: Desired, around: Surroundings) -> Plan:
    """What turns the current tree into the desired one.

    Raises VirtualHostsError, with all findings at once, where that would overwrite what somebody
    else has written or needs a module that is not installed.
    """
    wanted = {**_modules(current, desired, around), **_files(current, desired, around)}
    removed = list(_removed(current, desired, set(wanted), around))
    findings = [*_foreign(current, desired, wanted), *_unknown_modules(desired, around)]
    if findings:
        raise VirtualHostsError("; ".join(findings))
    added = [
        Change(path, current.get(path), entry)
        for path, entry in wanted.items()
        if not _same(path, current.get(path), entry)
    ]
    return Plan(
        changes=(
            *sorted(added, key=lambda change: (_rank(change.path), change.path)),
            *sorted(
                (Change(path, current[path], None) for path in removed),
                key=lambda change: (-_rank(change.path), change.path),
            ),
        ),
        new_directories=tuple(path for path in dict.fromkeys(desired.directories) if path not in around.existing),
        waiting=tuple(
            Waiting(site.name, missing)
            for site in desired.sites
            if (missing := tuple(path for path in site.requires if path not in around.existing))
            and (site.interim is None or _serves_interim(current, desired, site, around))
        ),
    )


def _rank(path: str) -> int:
    return DIRECTORIES.index(path.partition("/")[0])


def _same(path: str, entry: Entry | None, wanted: Entry) -> bool:
    """Whether the entry is the wanted one; a link may name its target relatively or absolutely."""
    if isinstance(entry, Link) and isinstance(wanted, Link):
        return _resolved(path, entry) == _resolved(path, wanted)
    return entry == wanted


def _resolved(path: str, link: Link) -> str:
    return posixpath.normpath(posixpath.join("/etc/apache2", posixpath.dirname(path), link.target))


def _files(current: Tree, desired: Desired, around: Surroundings) -> dict[str, Entry]:
    first = marker(desired.owner)
    tree: dict[str, Entry] = {}
    for item in desired.configurations:
        tree[f"conf-available/{item.name}.conf"] = File(first + item.content)
        tree[f"conf-enabled/{item.name}.conf"] = Link(f"../conf-available/{item.name}.conf")
    for site in desired.sites:
        ready = around.existing.issuperset(site.requires)
        content = site.interim if _serves_interim(current, desired, site, around) else site.content
        tree[f"sites-available/{site.name}.conf"] = File(f"{first}{content}")
        if ready or site.interim is not None:
            tree[f"sites-enabled/{site.name}.conf"] = Link(f"../sites-available/{site.name}.conf")
    return tree


def _serves_interim(current: Tree, desired: Desired, site: Site, around: Surroundings) -> bool:
    if site.interim is None or around.existing.issuperset(site.requires):
        return False
    there = current.get(f"sites-available/{site.name}.conf")
    first = marker(desired.owner)
    served = isinstance(there, File) and there.content.startswith(first) and there.content != first + site.content
    return served or site.interim_for_new


def _with_dependencies(names: tuple[str, ...], available: Mapping[str, str]) -> list[str]:
    """The modules with those that they depend on, as Debian's files tell (``# Depends: setenvif mime``)."""
    found: list[str] = []
    queue = list(names)
    while queue:
        name = queue.pop(0)
        if name not in found:
            found.append(name)
            queue.extend(_told(available.get(f"{name}.load", ""), "Depends"))
    return found


def _told(text: str, key: str) -> list[str]:
    return [word for line in re.findall(rf"^# {key}:(.*)$", text, re.MULTILINE) for word in line.split()]


def _modules(current: Tree, desired: Desired, around: Surroundings) -> dict[str, Entry]:
    available = around.modules or {}
    tree: dict[str, Entry] = {}
    for name in _with_dependencies(desired.modules, available):
        for file in (f"{name}.load", f"{name}.conf"):
            path = f"mods-enabled/{file}"
            if file in available or (around.modules is None and file.endswith(".load")):
                tree[path] = current.get(path, Link(f"../mods-available/{file}"))
    return tree


def _unknown_modules(desired: Desired, around: Surroundings) -> Iterator[str]:
    if around.modules is not None:
        for name in sorted(set(desired.modules)):
            if f"{name}.load" not in around.modules:
                yield f"Apache's module {name} is not installed: there is no mods-available/{name}.load"


def _removed(current: Tree, desired: Desired, wanted: set[str], around: Surroundings) -> Iterator[str]:
    """Paths that go: the owner's own that nobody wants any more, conflicting modules, disabled sites, leftovers."""
    links = {path for path, entry in current.items() if isinstance(entry, Link)}
    gone = {f"sites-enabled/{name}.conf" for name in desired.disabled_sites} & links
    gone |= {f"sites-enabled/{site.name}.conf" for site in desired.sites}
    for name in desired.modules:
        for other in _told((around.modules or {}).get(f"{name}.load", ""), "Conflicts"):
            gone |= {f"mods-enabled/{other}.load", f"mods-enabled/{other}.conf"}
    for path, entry in current.items():
        directory, name = path.split("/", 1)
        if name.startswith(TEMPORARY):
            gone.add(path)
        if desired.purge and isinstance(entry, File) and entry.content.startswith(marker(desired.owner)):
            gone |= {path, directory.replace("available", "enabled") + "/" + name}
    return (path for path in current if path in gone - wanted)


def _foreign(current: Tree, desired: Desired, wanted: Mapping[str, Entry]) -> Iterator[str]:
    """Wanted paths that somebody else has taken."""
    for path, entry in wanted.items():
        there = current.get(path)
        if there is None or path.startswith("mods-enabled/"):
            continue
        if isinstance(entry, Link):
            foreign = isinstance(there, File) or not _same(path, there, entry)
        else:
            foreign = not (isinstance(there, File) and there.content.startswith(marker(desired.owner)))
        if foreign:
            yield (
                f"/etc/apache2/{path} is there already and was not written by {desired.owner}: "
                "move it away, or give the virtual host another name"
            )
