# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have one certificate of a platform in ACM, proven and issued, or none: the one place that sees the others."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries, reached
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate import api
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.model import (
    DIGEST,
    ISSUED,
    OWNER,
    PENDING,
    Certificate,
    CertificateError,
    Wanted,
    from_params,
)

# What ACM answers about a certificate that a load balancer had until a moment ago.
IN_USE = "ResourceInUseException"
GONE = "ResourceNotFoundException"
# Seconds until a requested certificate has the records that prove it; AWS says "several".
UNTIL_RECORDS = 60.0


@dataclass
class Remote:
    """The account."""

    acm: Any
    retries: Retries

    def own(self, platform: str) -> dict[str, dict[str, str]]:
        """The platform's certificates: tags by ARN."""
        answers = side_by_side(lambda arn: api.list_tags(self.acm, arn), api.list_arns(self.acm))
        for _arn, _tags, error in answers:
            if error and error.code != GONE:
                raise error
        return {arn: tags for arn, tags, _error in answers if tags and tags.get(OWNER) == platform}

    def look(self, arn: str, tags: Mapping[str, str]) -> Certificate:
        return self.retries.reading(lambda: api.describe(self.acm, arn, tags))


def bring_to_state(params: Mapping[str, Any], remote: Remote, check_mode: bool) -> dict[str, Any]:
    """Returns the module's result; raises CertificateError and AwsError."""
    if params["state"] == "absent":
        return _remove(params["platform"], params["keep"], remote, check_mode)
    wanted = from_params(params)
    own = remote.retries.reading(lambda: remote.own(wanted.platform))
    found = _find(wanted, own, remote)
    foreseen = [] if found else [wanted.sentence()]
    if found is None and not check_mode:
        found = _make(wanted, remote)
    if found is None:
        found = Certificate("", "", wanted.digest)
    else:
        found = _settled(found, wanted, remote, 0 if check_mode else params["wait_timeout"])
    others = sorted(own.keys() - {found.arn})
    return {**_told(found), "changed": bool(foreseen), "plan": foreseen, "obsolete": others}


def _find(wanted: Wanted, own: Mapping[str, Mapping[str, str]], remote: Remote) -> Certificate | None:
    """The platform's certificate that is as wanted."""
    alike = [arn for arn, tags in sorted(own.items()) if tags.get(DIGEST) == wanted.digest]
    usable = [one for one in (remote.look(arn, own[arn]) for arn in alike) if one.usable]
    return min(usable, key=lambda one: (one.status != ISSUED, one.arn), default=None)


def _make(wanted: Wanted, remote: Remote) -> Certificate:
    """After an answer that was lost the account is looked at again: there is no telling otherwise."""
    token = secrets.token_hex(16)
    while True:
        with remote.retries.patience(), reached():
            if wanted.certificate:
                arn = api.import_certificate(remote.acm, wanted)
            else:
                arn = api.request_certificate(remote.acm, wanted, token)
            return remote.look(arn, wanted.tags)
        found = _find(wanted, remote.retries.reading(lambda: remote.own(wanted.platform)), remote)
        if found:
            return found


def _settled(found: Certificate, wanted: Wanted, remote: Remote, timeout: float) -> Certificate:
    """The certificate as it is once its records are told, and once it is issued where that is to be waited for."""
    first = Waiting(UNTIL_RECORDS, remote.retries.clock)
    while found.status == PENDING and len(found.records) < len(found.names) and first.pause():
        found = remote.look(found.arn, wanted.tags)
    waiting = Waiting(timeout, remote.retries.clock)
    while timeout and found.status == PENDING and waiting.pause():
        found = remote.look(found.arn, wanted.tags)
    if found.status not in (ISSUED, PENDING):
        raise CertificateError(f"ACM has not issued {found.arn}: {found.status} {found.reason}".rstrip())
    if timeout and found.status == PENDING:
        raise CertificateError(_unproven(found, timeout))
    return found


def _unproven(found: Certificate, timeout: float) -> str:
    missing = [record for record in found.records if not record.proven] or list(found.records)
    lines = "\n".join(record.sentence() for record in missing)
    return (
        f"ACM has not issued the certificate within {timeout:g} seconds, because it does not see these records:\n"
        f"{lines}\nPut them into the public zone of the domain (its registrar has to delegate to that zone), "
        "and run again: the request stays open for 72 hours."
    )


def _remove(platform: str, keep: Sequence[str], remote: Remote, check_mode: bool) -> dict[str, Any]:
    own = remote.retries.reading(lambda: remote.own(platform))
    going = [arn for arn in sorted(own) if arn not in keep]
    for arn in () if check_mode else going:
        _delete(arn, remote)
    return {"changed": bool(going), "plan": [f"removes the certificate {arn}" for arn in going]}


def _delete(arn: str, remote: Remote) -> None:
    while True:
        with remote.retries.patience(), reached():
            try:
                return api.delete(remote.acm, arn)
            except AwsError as error:
                if error.code == GONE:
                    return None
                raise error.but(passing=error.code == IN_USE) from error


def _told(found: Certificate) -> dict[str, Any]:
    records = [{"domain": one.domain, "name": one.name, "type": "CNAME", "value": one.value} for one in found.records]
    return {"arn": found.arn, "status": found.status, "records": records}
