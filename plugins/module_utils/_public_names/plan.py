# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change so that public names lead where they should; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.model import (
    MARKER,
    OWNER,
    Record,
    Records,
    Wish,
    marker,
)

# Whatever of these a name has, it leads somewhere.
LEADING = ("A", "AAAA", "CNAME")


@dataclass(frozen=True)
class Plan:
    """``put`` are records that are to be so, ``remove`` such that go; ``unknown`` names cannot lead anywhere yet."""

    put: tuple[Record, ...] = ()
    remove: tuple[Record, ...] = ()
    unknown: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.put or self.remove or self.unknown)

    def after(self, current: Records) -> dict[tuple[str, str], Record]:
        """All records once it is carried out."""
        gone = {(record.name, record.type) for record in self.remove}
        kept = {key: record for key, record in current.items() if key not in gone}
        return {**kept, **{(record.name, record.type): record for record in self.put}}

    def sentences(self) -> list[str]:
        return [f"{name}: {words}" for name, words in sorted(self.words.items())]


def plan(current: Records, wanted: Sequence[Wish], platform: str, zone: str, ttl: int) -> Plan:
    """Names of the platform that are not wanted any more go; nobody else's are ever changed."""
    put: list[Record] = []
    remove: list[Record] = []
    words: dict[str, str] = {}
    unknown = [wish.name for wish in wanted if not wish.known]
    findings = [finding for wish in wanted for finding in _findings(current, wish, platform, zone)]
    for wish in wanted if not findings else ():
        mark = marker(wish.name, platform, ttl)
        there = current.get((wish.name, "A"))
        own = _is(current, wish.name, platform)
        if not wish.known:
            words[wish.name] = "will lead to what does not exist yet"
        elif not own and there and _same(there, wish.record(ttl)):
            continue  # somebody else has led it here already
        elif not there or not _same(there, wish.record(ttl)):
            instead = f" instead of {there.leads_to}" if there else ""
            words[wish.name] = f"leads to {wish.record(ttl).leads_to}{instead}"
            put += [record for record in (mark, wish.record(ttl)) if record is not mark or not own]
    for name in _left(current, wanted, platform):
        remove += [current[key] for key in ((name, "A"), (f"{MARKER}{name}", "TXT")) if key in current]
        words[name] = "goes"
    return Plan(tuple(put), tuple(remove), tuple(unknown), tuple(findings), {} if findings else words)


def owned(current: Records, platform: str) -> list[str]:
    """The names that are the platform's."""
    names = [name.removeprefix(MARKER) for name, kind in current if kind == "TXT" and name.startswith(MARKER)]
    return sorted(name for name in names if _is(current, name, platform))


def _is(current: Records, name: str, platform: str) -> bool:
    return _owner(current, name) == platform


def _owner(current: Records, name: str) -> str:
    record = current.get((f"{MARKER}{name}", "TXT"))
    values = [value.strip('"').partition("=") for value in record.values] if record else []
    return next((owner for key, _sign, owner in values if key == OWNER), "")


def _same(one: Record, other: Record) -> bool:
    return (one.values, one.alias) == (other.values, other.alias) and (one.alias is not None or one.ttl == other.ttl)


def _left(current: Records, wanted: Sequence[Wish], platform: str) -> list[str]:
    names = {wish.name for wish in wanted}
    return [name for name in owned(current, platform) if name not in names]


def _findings(current: Records, wish: Wish, platform: str, zone: str) -> Iterator[str]:
    name, owner = wish.name, _owner(current, wish.name)
    if name != zone and not name.endswith(f".{zone}"):
        yield f"{name} is not in the zone {zone}"
    there = [current[name, kind] for kind in LEADING if (name, kind) in current]
    if owner and owner != platform:
        yield f"{name} belongs to the platform {owner}, as {MARKER}{name} says: remove it there first"
        return
    for record in there:
        if record.routing:
            yield f"{name} has records of the routing policy {record.routing}: this platform needs a name for itself"
        elif not owner and not (wish.known and (record.values, record.alias) == (wish.addresses, wish.alias)):
            yield (
                f"{name} leads to {record.leads_to} ({record.type}) and does not belong to the platform, as "
                f"{MARKER}{name} would say: remove the record, or take the name out of the services"
            )
