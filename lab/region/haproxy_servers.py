# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HAProxy knows of its servers: read as target health, and written down for the process that follows.

Formats: "show stat" and "show servers state" of https://docs.haproxy.org/2.6/management.html#9.3
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.cloud.strict import lifecycle
from lab.cloud.strict.lifecycle import Health, Outcome
from lab.region.haproxy_targets import OPEN

FIELDS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state"
    " bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr"
    " srv_agent_addr srv_agent_port"
)
# Bits of srv_admin_state: maintenance, by command or by configuration.
MAINTENANCE = 0x01 | 0x04
TIMEOUTS = ("L4TOUT", "L6TOUT", "L7TOUT")


@dataclass(frozen=True)
class Server:
    """A server of a backend as "backend/server", with its health; passed: new, and has just passed its first check."""

    name: str
    health: Health | None
    passed: bool = False


def observed(statistics: str) -> Iterator[Server]:
    """All servers that are checked, from "show stat"."""
    for row in csv.DictReader(statistics.lstrip("# ").splitlines()):
        if row["svname"] not in ("FRONTEND", "BACKEND") and not row["pxname"].endswith(OPEN):
            status, check = row["status"].split()[0], row["check_status"].removeprefix("* ")
            passed = status == "DRAIN" and check == "L7OK"
            yield Server(f"{row['pxname']}/{row['svname']}", health(status, check, row["check_code"]), passed)


def health(status: str, check: str, code: str) -> Health | None:
    """None where nothing is known: in maintenance, and of a process too new to know what failed before it."""
    if status == "UP" or (status == "DRAIN" and check == "L7OK"):
        return lifecycle.HEALTHY
    if status == "DRAIN":
        return lifecycle.CHECKING
    if status == "DOWN" and not check.startswith("INI"):
        return lifecycle.unhealthy(outcome(check, code))
    return None


def outcome(check: str, code: str) -> Outcome:
    if check in TIMEOUTS:
        return lifecycle.TIMEOUT
    return int(code) if check == "L7STS" and code else lifecycle.REFUSED


def states(dump: str) -> dict[str, str]:
    """The lines of "show servers state" by "backend/server"."""
    rows = [line.split() for line in dump.splitlines() if not line.startswith("#")]
    return {f"{row[1]}/{row[3]}": " ".join(row) for row in rows if len(row) == len(FIELDS.split())}


def remembered(dump: str, servers: Iterable[str]) -> str:
    """The file for the process that follows: servers keep their state; those that were not in use begin anew."""
    known = {name: line for name, line in states(dump).items() if not int(line.split()[6]) & MAINTENANCE}
    lines = [known.get(name) or beginning(name) for name in servers]
    return "\n".join(["1", f"# {FIELDS}", *lines, ""])


def beginning(name: str) -> str:
    """A server that is up in forced drain (8): it is checked, and gets nothing."""
    backend, _, server = name.partition("/")
    address, _, port = server.partition("_")[2].rpartition(":")
    return f"0 {backend} 0 {server} {address} 2 8 1 1 0 1 0 1 6 0 0 0 - {port} - 0 0 - - 0"
