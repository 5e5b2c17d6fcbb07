# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a group that is there from being brought to its declared state; pure."""

from __future__ import annotations

from collections.abc import Container, Iterator

from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.model import (
    OWNER_TAG,
    Desired,
    Group,
    State,
    Wanted,
)


def refused(current: State, desired: Desired, changing: Container[str]) -> Iterator[str]:
    """What the declared names may not be used for, given the keys of those that would be changed."""
    for wanted in desired.groups:
        there = current.get(wanted.key)
        if there and (desired.absent or wanted.key in changing):
            yield from _not_the_owners(there, wanted, desired)
        if there and not desired.absent:
            yield from _described_otherwise(there, wanted, desired)


def _not_the_owners(there: Group, wanted: Wanted, desired: Desired) -> Iterator[str]:
    """What another owner has is left alone; what nobody has may be adopted, but is never deleted."""
    adoptable = not there.owner and not desired.absent
    if there.owner == desired.owner or (adoptable and desired.adopt):
        return
    whose = f"belongs to '{there.owner}'" if there.owner else f"has no tag {OWNER_TAG}"
    help_ = "it is not deleted" if desired.absent else "give another name"
    if adoptable:
        help_ += ", or adopt: true to take it over"
    elif not desired.absent:
        help_ += f", or that owner, or remove its tag {OWNER_TAG} first if that platform is gone"
    yield f"{wanted.name}: {there.id} of that name is there already and {whose}: {help_}"


def _described_otherwise(there: Group, wanted: Wanted, desired: Desired) -> Iterator[str]:
    if not desired.accept_description and wanted.description not in (None, there.description):
        yield (
            f"{wanted.name}: its description is '{there.description}', and AWS cannot change it to "
            f"'{wanted.description}': declare that one, or accept_description: true to leave it"
        )
