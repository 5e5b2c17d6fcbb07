# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform owns on this host, so that nobody else's certificate is ever removed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, write_file

PATH = "/etc/gatehouse/certificates.json"


@dataclass(frozen=True)
class State:
    """Names of owned certificates, and the e-mail address given to each ACME server."""

    certificates: frozenset[str] = frozenset()
    emails: Mapping[str, str] = field(default_factory=dict)


def read_state(path: str = PATH) -> State:
    text = read_text(path)
    if text is None:
        return State()
    try:
        data = json.loads(text)
        return State(frozenset(data["certificates"]), dict(data.get("emails", {})))
    except (ValueError, KeyError, TypeError) as error:
        raise CertificatesError(
            f"{path} is damaged, so that it is not known which certificates are the platform's ({error}). "
            'Write {"certificates": ["NAME", …]} with the names that are.'
        ) from error


def write_state(state: State, path: str = PATH) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    data = {"certificates": sorted(state.certificates), "emails": dict(sorted(state.emails.items()))}
    write_file(path, json.dumps(data, indent=2) + "\n")
