# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a host's certificates to the declared state; the only file that changes anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import (
    acme,
    apache,
    certbot,
    challenge,
    leftovers,
    lineages,
    renewal,
    state,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.host import ROOT, Host, read_host
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import (
    Certificate,
    CertificatesError,
    Settings,
    settings_from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.plan import Step, day, describe
from ansible_collections.gatehouse.platform.plugins.module_utils._files import remove_file


def bring(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Plan and, unless in check mode, apply; returns the module's result. Raises CertificatesError."""
    settings = settings_from_params(params)
    host = read_host(settings, check_mode)
    if host.busy and host.sentences() and not check_mode:
        leftovers.wait_for_certbot()  # it may have done what was missing
        host = read_host(settings, check_mode)
    sentences = host.sentences()
    before = describe(host.current.values())
    after = host.plan.after(host.current.values())
    warnings = [*host.warnings]
    warnings += [f"{path} renews certificates too; certbot.timer is enough" for path in renewal.other_mechanisms()]
    if sentences and not check_mode:
        warnings += apply(host)
    return {
        "changed": bool(sentences),
        "plan": sentences,
        "certificates": results(host, check_mode),
        "warnings": warnings,
        "diff": {"before": _as_text(before), "after": _as_text(after)},
    }


def apply(host: Host) -> list[str]:
    """Do what the plan says; returns warnings."""
    settings = host.settings
    with leftovers.hold_locks():
        for path in host.leftovers:
            remove_file(path)
    _ask_first(host)
    wanted = {certificate.name for certificate in settings.certificates}
    owned = dataclasses.replace(host.owned, certificates=host.owned.certificates | wanted)
    if owned != host.owned:
        state.write_state(owned)
    if defective := [lineage for lineage in host.lineages.values() if lineage.defect]:
        with leftovers.hold_locks():
            for lineage in defective:
                lineages.mend(lineage)
    if wanted:
        renewal.apply_renewal(host.renewal)
    if host.account:
        owned = _account(host, owned)
    _issue_all(host)
    _remove_all(host, owned, wanted)
    if not wanted:
        renewal.apply_renewal(host.renewal)
    return _deploy_stale(host)


def _ask_first(host: Host) -> None:
    """Everything that can be known before something is changed: the names' way here, and the ACME server."""
    certificates = host.plan.issuing
    proven = [certificate for certificate in certificates if certificate.authenticator == "webroot"]
    for directory in sorted({certificate.challenge_directory for certificate in proven}):
        challenge.prepare_directory(directory)
        names = [n for c in proven if c.challenge_directory == directory for n in c.names]
        if host.settings.self_check:
            challenge.check_names(list(dict.fromkeys(names)), directory)
    if not certificates and not host.account:
        return
    server = host.settings.server
    try:
        needed = acme.needs_external_account(server, host.settings.ca_file)
    except CertificatesError as error:
        raise CertificatesError(
            "; ".join([str(error), *_validity(host, certificates), "nothing was changed"])
        ) from error
    if needed and not host.settings.external_account and not certbot.has_account(server, ROOT):
        raise CertificatesError(
            f"{server} makes accounts only for its customers: declare external_account (key_id, hmac_key); "
            "nothing was changed"
        )


def _validity(host: Host, certificates: list[Certificate]) -> list[str]:
    return [
        f"the present certificate for {name} is valid until {day(host.current[name].expires)}"
        if name in host.current
        else f"there is no certificate for {name} yet"
        for name in (certificate.name for certificate in certificates)
    ]


def _account(host: Host, owned: state.State) -> state.State:
    settings = host.settings
    update = certbot.account_command("update_account", settings.server, settings.email)
    try:
        if certbot.has_account(settings.server, ROOT):
            _with_account(settings, update)
        else:
            _register(settings)
    except certbot.RefusedError as error:
        raise CertificatesError(f"account at {settings.server}: {error}") from error
    owned = dataclasses.replace(owned, emails={**owned.emails, settings.server: settings.email})
    state.write_state(owned)
    return owned


def _issue_all(host: Host) -> None:
    """Ask for every certificate, the others too when one fails; a failure leaves the present one as it is."""
    failures = [failure for certificate in host.plan.issuing if (failure := _failure(host, certificate))]
    if failures:
        raise CertificatesError("\n".join(failures))


def _failure(host: Host, certificate: Certificate) -> str:
    try:
        _with_account(host.settings, certbot.issue_command(certificate))
    except certbot.RefusedError as error:
        return f"{certificate.name}: {error}\n{_validity(host, [certificate])[0]}"
    try:
        renewal.run_hook(certificate.name, certificate.names)
    except CertificatesError as error:
        return str(error)
    return ""


def _register(settings: Settings) -> None:
    certbot.register(settings.server, settings.email, settings.external_account, settings.ca_file)


def _with_account(settings: Settings, command: list[str]) -> None:
    """Run certbot, a second time with a new account when the ACME server does not know the present one any more."""
    try:
        certbot.certbot(command, settings.ca_file)
    except certbot.RefusedError as error:
        if error.kind != "accountDoesNotExist":
            raise
        lost = certbot.set_account_aside(settings.server, ROOT)
        _register(settings)
        certbot.use_new_account(lost, settings.server, ROOT)
        certbot.certbot(command, settings.ca_file)


def _remove_all(host: Host, owned: state.State, wanted: set[str]) -> None:
    for name in host.plan.removing():
        _remove(host, name)
    if host.settings.purge and owned.certificates != wanted:
        state.write_state(dataclasses.replace(owned, certificates=frozenset(wanted)))


def _remove(host: Host, name: str) -> None:
    try:
        for command in certbot.remove_commands(name, host.current[name].server, host.settings.revoke):
            certbot.certbot(command, host.settings.ca_file)
    except certbot.RefusedError as error:
        raise CertificatesError(f"{name} could not be removed: {error}") from error
    renewal.forget(name)


def _deploy_stale(host: Host) -> list[str]:
    warnings = []
    for name in host.stale:
        present = host.current[name]
        renewal.run_hook(name, tuple(sorted(present.names)))
        if apache.references(name, ROOT) and not apache.wait_until_served(present.names, present.fingerprint):
            warnings.append(
                f"Apache was reloaded, but answers no name of {name} with the certificate in {ROOT}/live/{name}"
            )
    return warnings


def results(host: Host, check_mode: bool) -> dict[str, dict[str, Any]]:
    """Every declared certificate as it is now, or would be."""
    touched = {step.name: step for step in host.plan.steps}
    return {
        certificate.name: _result(host, certificate, touched.get(certificate.name), check_mode)
        for certificate in host.settings.certificates
    }


def _result(host: Host, certificate: Certificate, step: Step | None, check_mode: bool) -> dict[str, Any]:
    present = host.current.get(certificate.name)
    if step:
        present = None if check_mode else lineages.read_present(lineages.find_lineage(certificate.name, ROOT))
    return {
        "names": sorted(present.names if present else certificate.names),
        "expires": day(present.expires) if present else None,
        "issuer": present.issuer if present else None,
        "serial": present.serial if present else None,
        "fingerprint": present.fingerprint if present else None,
        "path": f"{ROOT}/live/{certificate.name}",
        "changed": step is not None,
    }


def _as_text(names: Mapping[str, list[str]]) -> str:
    lines = [line for name in sorted(names) for line in (f"{name}:", *(f"  - {host}" for host in names[name]))]
    return "".join(f"{line}\n" for line in lines)
