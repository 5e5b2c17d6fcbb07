# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a run is to do, out of what is declared and what was found; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._compute import fleets, instances, removal
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.model import Declared, declared
from ansible_collections.gatehouse.platform.plugins.module_utils._compute.survey import Found, foreign, found


def plan(params: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Items for the tasks, and words.

    ``problems`` stop the run; ``sentences`` say what changes; ``notes`` what is left as it is; ``missing`` waits for
    something that does not exist yet; ``unsure`` is what the modules do not tell in check mode;
    ``contested`` are the Auto Scaling groups that change and are there already, so that another run may hold them.
    """
    wanted, here = declared(params), found(told)
    key, key_words = _key(wanted, here)
    single, fleet = instances.plan(wanted, here), fleets.plan(wanted, here)
    left = removal.plan(wanted, here, only_undeclared=True)
    gone = left if wanted.purge else removal.NOTHING
    notes = [] if wanted.purge else [f"{what}; it stays; compute_purge removes it" for what in left["sentences"]]
    problems = [*foreign(wanted, here), *_no_key(wanted, here), *single.problems, *fleet.problems]
    sentences = [*key_words, *single.sentences, *fleet.sentences, *gone["sentences"]]
    return {
        "problems": problems,
        "sentences": sentences,
        "changed": bool(sentences),
        "notes": [*single.notes, *fleet.notes, *notes],
        "missing": [*single.missing, *fleet.missing],
        "unsure": [*_moving(single), *fleet.unsure],
        "key": key,
        "instances": {
            "launch": single.launch,
            "correct": single.correct,
            "surplus": single.surplus,
            "addresses": single.addresses,
        },
        "templates": fleet.templates,
        "old_versions": fleet.old_versions,
        "groups": {"make": fleet.make, "set": fleet.set},
        "hooks": fleet.hooks,
        "policies": fleet.policies,
        "refreshes": fleet.refreshes,
        "removal": gone,
        "contested": _contested(fleet, gone["groups"], here),
    }


def _contested(fleet: fleets.FleetPlan, gone: Sequence[str], here: Found) -> list[str]:
    named = {str(item["name"]) for item in [*fleet.set, *fleet.refreshes]}
    named |= {str(item["group"]) for item in [*fleet.hooks, *fleet.policies]}
    return sorted((named | set(gone)) & set(here.groups))


def _moving(single: instances.InstancePlan) -> list[str]:
    """Elastic IPs are associated once there is something to associate them with."""
    return [f"association of the Elastic IP {item['name']}" for item in single.addresses]


def _key(wanted: Declared, here: Found) -> tuple[dict[str, Any], list[str]]:
    """The key pair to import, or nothing."""
    known = here.key(wanted.key_name)
    if not wanted.public_key or (known and _material(known.get("public_key")) == _material(wanted.public_key)):
        return {}, []
    item = {
        "name": wanted.key_name,
        "public_key": wanted.public_key,
        "tags": wanted.tags_named(wanted.key_name),
        "known": bool(known),
    }
    words = "another public key, for what is launched from now on" if known else "new"
    return item, [f"key pair {wanted.key_name}: {words}"]


def _material(line: Any) -> list[str]:
    """A public key without its comment."""
    return str(line or "").split()[:2]


def _no_key(wanted: Declared, here: Found) -> list[str]:
    if wanted.key_name and not wanted.public_key and not here.key(wanted.key_name):
        return [f"key pair {wanted.key_name} is not there: give compute_key.public_key, or the name of one that is"]
    return []
