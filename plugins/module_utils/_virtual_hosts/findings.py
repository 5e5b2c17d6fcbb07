# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with virtual hosts that an argument specification cannot say: sentences with their host. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# An asterisk alone stands for all names that no other virtual host of the port has.
HOST_NAME = re.compile(r"\*|(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
BACKEND = re.compile(r"(unix:/[^|\"\s]+\|)?https?://[^/\"\s]+")


def findings(hosts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about virtual hosts that have all their options; an empty list when nothing is wrong."""
    return [
        f"{host['name']}: {problem}"
        for index, host in enumerate(hosts)
        for problem in (*_own(host), *_claimed(host, hosts[:index]))
    ]


def _own(host: Mapping[str, Any]) -> Iterator[str]:
    for name in _names(host):
        if not HOST_NAME.fullmatch(name):
            yield f"'{name}' is not a host name"
    if host["https"] and not (host["certificate"] and host["certificate_key"]):
        yield "HTTPS needs certificate and certificate_key"
    if not any(host[key] for key in ("backends", "static", "maintenance", "extra_directives")):
        yield "there is nothing to serve, neither backends nor static paths"
    for backend in host["backends"]:
        if not BACKEND.fullmatch(backend):
            yield f"the backend '{backend}' is not like http://127.0.0.1:5001"
    if host["port"] == 443:
        yield "port 443 cannot be a plain one"


def _claimed(host: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Names that an earlier host has on the same port; an HTTPS host has its names on port 80 as well."""
    taken = {(name.lower(), _plain_port(other)) for other in earlier for name in _names(other)}
    for name in _names(host):
        if (name.lower(), _plain_port(host)) in taken:
            yield f"the name {name} belongs to another virtual host already"


def _names(host: Mapping[str, Any]) -> list[str]:
    return [host["server_name"], *host["aliases"]]


def _plain_port(host: Mapping[str, Any]) -> int:
    return 80 if host["https"] else int(host["port"])
