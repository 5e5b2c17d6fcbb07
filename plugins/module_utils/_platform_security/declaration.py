# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a platform declares about its ways in, checked as a whole; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils import _places, _public
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups import rules

TOPOLOGIES = ("bastion", "direct")
ANYWHERE = ("0.0.0.0/0", "::/0")
SSH = 22
# Apache's ports, on hosts that are public themselves.
WEB = (80, 443)
# A health check that asks the port to which requests go.
TRAFFIC = "traffic-port"
# Parts of the platform that have a group of their own.
RESERVED = ("alb", "bastion", "db")


class PlatformSecurityError(Exception):
    """Findings; ``str()`` has all of them."""


@dataclass(frozen=True)
class Service:
    """``ports`` are those that it has for itself. ``checked`` is the one that the load balancer asks for its health;
    None for a service that is public itself, by the ports that Apache has for all. ``said_by``: what declares it.
    """

    name: str
    place: str
    ports: tuple[int, ...]
    checked: int | None
    said_by: str = ""


@dataclass(frozen=True)
class Declaration:
    """``access`` is None without a load balancer: hosts are public themselves."""

    platform: str
    topology: str
    operators: tuple[str, ...]
    places: tuple[str, ...]
    services: tuple[Service, ...] = ()
    access: tuple[str, ...] | None = None
    balancer_ports: tuple[int, ...] = WEB

    def group(self, name: str) -> str:
        """Name of the group of one part of the platform."""
        return f"{self.platform}-{name}"


def read(services: Sequence[Mapping[str, Any]], platform: str, **options: Any) -> Declaration:
    """The declaration of ``platform_…``; raises PlatformSecurityError with all findings at once.

    ``options`` are topology, operators, load_balancer, fleets and hosts; each may be missing or None.
    """
    fleets, hosts = options.get("fleets") or [], options.get("hosts") or []
    topology = options.get("topology") or "bastion"
    operators = [str(item) for item in options.get("operators") or []]
    balancer = options.get("load_balancer") or {}
    access = [str(item) for item in balancer.get("access") or ANYWHERE]
    told = [] if platform else ["platform_name is empty"]
    if topology not in TOPOLOGIES:
        told.append(f"platform_topology '{topology}' is none: give {' or '.join(TOPOLOGIES)}")
    if not operators:
        told.append("platform_operators is empty, so nobody would get in: give the ranges that operators come from")
    told += _of_ranges("platform_operators", operators)
    told += _of_ranges("platform_load_balancer.access", access)
    told += _places.findings(services, fleets, hosts, RESERVED)
    places = _places.names(fleets, hosts)
    named = [str(entry.get("name")) for entry in fleets]
    common = balancer.get("health_check")
    read_services = [_service(service, places, named, bool(balancer), common, told) for service in services]
    told += _unanswered(read_services)
    if told:
        raise PlatformSecurityError("; ".join(told))
    return Declaration(
        platform,
        topology,
        tuple(operators),
        tuple(places),
        tuple(read_services),
        tuple(access) if balancer else None,
        WEB if _public.https(balancer) else WEB[:1],
    )


def _unanswered(services: Sequence[Service]) -> Iterator[str]:
    """Health checks of ports on which Apache does not listen: their targets would never be healthy."""
    for service in services:
        answered = sorted({port for other in services if other.place == service.place for port in other.ports})
        if service.checked and service.checked not in answered:
            yield (
                f"{service.said_by}.port {service.checked}, where nothing answers on {service.place}: "
                f"give a port on which a service listens there ({', '.join(map(str, answered))})"
            )


def _of_ranges(place: str, ranges: Iterable[str]) -> Iterator[str]:
    for index, text in enumerate(ranges):
        wrong = _wrong_range(text)
        if wrong:
            yield f"{place}[{index}]: {wrong}"


def _wrong_range(text: str) -> str:
    try:
        rules.cidr(text)
    except ValueError as error:
        return str(error)
    return ""


def _service(
    service: Mapping[str, Any],
    places: Sequence[str],
    fleets: Sequence[str],
    balanced: bool,
    common: Any,
    told: list[str],
) -> Service:
    """One entry, as far as it can be read."""
    name, place = str(service.get("name") or ""), _places.of(service, places)
    listen = _port(f"service {name}: listen", service.get("listen"), told)
    if not balanced:
        return Service(name, place, (listen,) if listen else (), None)
    if listen is None:
        if place in fleets and service.get("listen") is None:
            told.append(f"service {name} runs on {place} behind the load balancer: give listen, the port for it alone")
        return Service(name, place, (), None)
    said_by, asked = f"service {name}: health_check", _asked(service.get("health_check"))
    if asked is None:
        said_by, asked = f"service {name}: platform_load_balancer.health_check", _asked(common)
    checked = _port(f"{said_by}.port", None if asked == TRAFFIC else asked, told) or listen
    return Service(name, place, (listen,), checked, said_by)


def _asked(check: Any) -> Any:
    return check.get("port") if isinstance(check, Mapping) else None


def _port(place: str, value: Any, told: list[str]) -> int | None:
    """None for one that is not given, and for one that is none."""
    text = str(value)
    if value is None:
        return None
    if isinstance(value, bool) or not text.isdecimal() or not 0 < int(text) < 65536:
        told.append(f"{place} '{value}' is no port: give a number from 1 to 65535")
        return None
    return int(text)
