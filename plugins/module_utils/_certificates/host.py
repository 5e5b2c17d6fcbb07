# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on one host: files are read; nothing is changed, and neither certbot nor the server is asked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import (
    apache,
    certbot,
    leftovers,
    lineages,
    renewal,
    state,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.lineages import Lineage
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError, Settings
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.plan import Plan, Present, make_plan

ROOT = "/etc/letsencrypt"


@dataclass
class Host:
    """Everything read from one host before anything is changed."""

    settings: Settings
    owned: state.State
    lineages: dict[str, Lineage]
    current: dict[str, Present]
    plan: Plan
    renewal: renewal.Renewal
    leftovers: list[str]
    busy: bool = False
    account: str = ""
    stale: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        return [
            *(f"{lineage.name}: {lineage.defect}" for lineage in self.lineages.values() if lineage.defect),
            *(f"removes {path}, left by an interrupted run" for path in self.leftovers),
            *([self.account] if self.account else []),
            *self.plan.sentences(),
            *self.renewal.sentences(),
            *(f"{name}: {sentence}" for name, sentence in self.stale.items()),
        ]


def read_host(settings: Settings, check_mode: bool) -> Host:
    """Read files alone: neither certbot nor the ACME server is asked."""
    owned = state.read_state()
    wanted = [certificate.name for certificate in settings.certificates]
    names = sorted({*wanted, *owned.certificates})
    found = {name: lineages.find_lineage(name, ROOT, name in owned.certificates) for name in names}
    current = {name: present for name, lineage in found.items() if (present := lineages.read_present(lineage))}
    mine = [name for name in owned.certificates if name in current]
    plan = make_plan(current, settings.certificates, mine, time.time(), settings.purge)
    if not settings.purge:
        found = {name: lineage for name, lineage in found.items() if name in wanted}
    used = _still_used(plan.removing())
    if used and not check_mode:
        raise CertificatesError(used)
    busy = leftovers.certbot_is_running()
    obstacles = [f"{name}: {found[name].obstacle}" for name in wanted if found[name].obstacle]
    if obstacles and not busy:  # what a certbot is writing now is not complete yet
        raise CertificatesError("\n".join([*obstacles, "Nothing was changed."]))
    return Host(
        settings=settings,
        owned=owned,
        lineages={} if busy else found,
        current=current,
        plan=plan,
        renewal=renewal.plan_renewal(bool(wanted), settings.deploy_hook, settings.ca_file, check_mode),
        leftovers=[] if busy else leftovers.find_leftovers(settings.challenge_directory),
        busy=busy,
        account=_account_sentence(settings, owned),
        stale=_stale(found, current, plan),
        # In check mode the virtual hosts are still there even where the run removes them first.
        warnings=[used] if used else [],
    )


def _still_used(names: list[str]) -> str:
    """Why certificates cannot be removed yet, or an empty text."""
    used = {name: files for name in names if (files := apache.references(name, ROOT))}
    if not used:
        return ""
    findings = [f"- {name}: {', '.join(files)}" for name, files in sorted(used.items())]
    return (
        "Certificates that are not declared any more stay, because Apache still refers to them "
        "and would not start without; remove these virtual hosts first:\n" + "\n".join(findings)
    )


def _account_sentence(settings: Settings, owned: state.State) -> str:
    if not settings.certificates:
        return ""
    contact = settings.email or "no e-mail address"
    if not certbot.has_account(settings.server, ROOT):
        return f"account: registers with {settings.server} ({contact})"
    known = owned.emails.get(settings.server)
    return "" if known in (None, settings.email) else f"account: sets the contact to {contact}"


def _stale(found: Mapping[str, Lineage], current: Mapping[str, Present], plan: Plan) -> dict[str, str]:
    """Certificates that are in place and not in use yet, because a run or a hook ended too early."""
    stepped = {step.name for step in plan.steps}
    stale = {}
    for name, present in current.items():
        if name in stepped or name not in found:
            continue
        if apache.references(name, ROOT) and apache.is_served(present.names, present.fingerprint) is False:
            stale[name] = "reloads Apache, which serves another certificate than the one on disk"
        elif not renewal.is_deployed(name, found[name].in_use):
            stale[name] = "runs the deploy hook, which has not been run for this certificate"
    return stale
