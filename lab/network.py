# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's networks: a router in a network namespace of its own, as a VPC has one, and per-host firewalls.

Everything but one link, two routes and one firewall table lives in that namespace and goes with it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lab.machine import RUN, LabError, machine_lock, run
from lab.model import Host, Lab

NUMBERS = range(201, 251)
# Frames between hosts of one network are none of the router's business, where the kernel asks it at all.
ROUTER_SETTINGS = """
echo 1 > /proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi
"""


def allocate_number(key: str, wanted: int | None) -> int:
    """A free 10.<number>.0.0/16 for this lab, the one it had before when that is still free."""
    with machine_lock("numbers"):
        path = RUN / "numbers.json"
        taken: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if key not in taken:
            routes = run("ip", "-4", "route", "show", "table", "all")
            used = {*taken.values(), *(number for number in NUMBERS if f"10.{number}." in routes)}
            candidates = [*([wanted] if wanted else []), *NUMBERS]
            free = [number for number in candidates if number not in used]
            if not free:
                raise LabError("No free range below 10.201.0.0/16 … 10.250.0.0/16 on this machine.")
            taken[key] = free[0]
            path.write_text(json.dumps(taken), encoding="utf-8")
        return taken[key]


def known_number(key: str) -> int | None:
    """The number that a lab has on this machine since it was last brought up, even when its folder is gone."""
    path = RUN / "numbers.json"
    numbers: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return numbers.get(key)


def release_number(key: str) -> None:
    """Give the lab's range back."""
    with machine_lock("numbers"):
        path = RUN / "numbers.json"
        if path.exists():
            taken = json.loads(path.read_text(encoding="utf-8"))
            taken.pop(key, None)
            path.write_text(json.dumps(taken), encoding="utf-8")


def ensure_router(lab: Lab) -> None:
    """Bring up the router and the machine's link to it; rules are loaded anew every time."""
    namespace, link = _names(lab)
    # Refused here until the lab's own routes are there, so that nothing leaves by the default route.
    run("ip", "route", "replace", "unreachable", lab.range, "metric", "4096")
    if not Path(f"/run/netns/{namespace}").exists() or not Path(f"/sys/class/net/{link}").exists():
        remove_router(lab, keep_route=True)
        run("ip", "netns", "add", namespace)
        _create_links(lab, namespace, link)
    run("ip", "netns", "exec", namespace, "nft", "-f", "-", text=router_rules(lab))
    run("nft", "-f", "-", text=machine_rules(lab))
    private = str(lab.networks["priv0"])
    if lab.direct:
        run("ip", "route", "replace", private, "via", lab.uplink[1])
    else:
        run("ip", "route", "delete", private, "via", lab.uplink[1], check=False)


def _create_links(lab: Lab, namespace: str, link: str) -> None:
    machine, router = lab.uplink
    inside = ["link set lo up"]
    for name, network in lab.networks.items():
        # Else it has that of one of its ports, and another one when that port goes.
        fixed = f"address {lab.router_hardware_address(name)} type bridge forward_delay 0"
        inside += [f"link add {name} {fixed}", f"link set {name} up"]
        inside.append(f"address add {network[1]}/{network.prefixlen} dev {name}")
    run("ip", "link", "add", link, "type", "veth", "peer", "name", "uplink", "netns", namespace)
    inside += [f"address add {router}/30 dev uplink", "link set uplink up", f"route add default via {machine}"]
    run("ip", "-netns", namespace, "-batch", "-", text="\n".join(inside) + "\n")
    run("ip", "netns", "exec", namespace, "sh", "-c", ROUTER_SETTINGS)
    outside = [f"address add {machine}/30 dev {link}", f"link set {link} up"]
    outside.append(f"route add {lab.networks['pub0']} via {router}")
    run("ip", "-batch", "-", text="\n".join(outside) + "\n")


def remove_router(lab: Lab, keep_route: bool = False) -> None:
    """Remove the namespace, the link, the routes and the firewall table of this lab."""
    namespace, link = _names(lab)
    run("ip", "link", "delete", link, check=False)
    run("ip", "netns", "delete", namespace, check=False)
    run("nft", "delete", "table", "ip", f"gatehouse_{lab.key}", check=False)
    if not keep_route:
        run("ip", "route", "delete", "unreachable", lab.range, "metric", "4096", check=False)
        shutil.rmtree(RUN / lab.key, ignore_errors=True)


def connect_host(lab: Lab, host: Host, process: int) -> None:
    """Give a running container its interfaces, addresses, default route and security group."""
    namespace, _link = _names(lab)
    marker = RUN / lab.key / host.name
    mark = f"{process} {_started(process)} {lab.number}"
    # With a router that has gone, the interfaces that it was linked to have gone as well.
    present = Path(f"/proc/{process}/net/dev").read_text(encoding="ascii")
    wired = all(f"{interface}:" in present for interface in host.interfaces)
    if not wired or not marker.exists() or marker.read_text(encoding="ascii") != mark:
        for interface in host.interfaces:
            _plug(lab, host, interface, namespace, process)
        gateway = lab.gateway(host.interfaces[0])
        _inside(process, "ip", "route", "replace", "default", "via", gateway)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(mark, encoding="ascii")
    _inside(process, "nft", "-f", "-", text=host_rules(lab, host))
    if host.group == "web":
        elastic = f"{lab.elastic_address(host)}/32"
        run("ip", "-netns", namespace, "address", "replace", elastic, "dev", "pub0")


def _plug(lab: Lab, host: Host, interface: str, namespace: str, process: int) -> None:
    outer = f"{host.name}-{interface}"
    run("ip", "-netns", namespace, "link", "delete", outer, check=False)
    peer = ["peer", "name", interface, "netns", str(process)]
    run("ip", "-netns", namespace, "link", "add", outer, "type", "veth", *peer)
    run("ip", "-netns", namespace, "link", "set", outer, "master", interface, "up")
    address = f"{lab.address(host, interface)}/{lab.networks[interface].prefixlen}"
    _inside(process, "ip", "address", "add", address, "dev", interface)
    _inside(process, "ip", "link", "set", interface, "address", lab.hardware_address(host, interface), "up")


def _inside(process: int, *arguments: str, text: str | None = None) -> None:
    run("nsenter", "--target", str(process), "--net", *arguments, text=text)


def _started(process: int) -> str:
    """Start of a process in clock ticks, which tells it from a later one of the same number."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]


def _names(lab: Lab) -> tuple[str, str]:
    return f"gatehouse-{lab.key}", f"gh-{lab.key}"


def machine_rules(lab: Lab) -> str:
    """Rules of the machine: its address for what the router sends out; in from other labs and regions, no others."""
    table = f"gatehouse_{lab.key}"
    _machine, router = lab.uplink
    return f"""\
table ip {table} {{}}
flush table ip {table}
table ip {table} {{
  chain outgoing {{
    type nat hook postrouting priority srcnat;
    ip saddr {router} oifname != "gh-{lab.key}" masquerade
  }}
  chain forwarding {{
    type filter hook forward priority filter;
    iifname != "gh-*" oifname "gh-{lab.key}" ct state new drop
  }}
}}
"""


def router_rules(lab: Lab) -> str:
    """Rules of the router: Elastic IPs for the web hosts, address translation outward, nothing else inward."""
    webs = [host for host in lab.hosts if host.group == "web"]
    elastic = "\n".join(
        f"    ip daddr {lab.elastic_address(host)} tcp dport {{ 80, 443 }} dnat to {lab.address(host, 'priv0')}"
        for host in webs
    )
    private = lab.networks["priv0"]
    direct = 'iifname "uplink" oifname "priv0" tcp dport 22 accept' if lab.direct else ""
    return f"""\
table ip gatehouse {{}}
flush table ip gatehouse
table ip gatehouse {{
  chain elastic_addresses {{
    type nat hook prerouting priority dstnat;
{elastic}
  }}
  chain outgoing {{
    type nat hook postrouting priority srcnat;
    oifname "uplink" masquerade
    ip saddr {private} ip daddr {private} masquerade
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct status dnat accept
    iifname "uplink" oifname "pub0" accept
    {direct}
    iifname "priv0" oifname "pub0" accept
    iifname {{ "pub0", "priv0" }} oifname "uplink" tcp dport {{ 53, 80, 443 }} accept
    iifname {{ "pub0", "priv0" }} oifname "uplink" udp dport 53 accept
    reject
  }}
  chain arriving {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto icmp accept
    meta l4proto tcp reject with tcp reset
    reject
  }}
}}
"""


def host_rules(lab: Lab, host: Host) -> str:
    """Ingress rules of a host, as its security group would have them, in a table of their own."""
    operators = [lab.address(other, "priv0") for other in lab.hosts if other.group == "bastion"]
    operators += [lab.uplink[0]] if lab.direct else []
    allowed = {
        "acme": f"ip saddr {lab.range} tcp dport {{ 22, 53, 14000, 14001, 15000 }} accept\n    udp dport 53 accept",
        "bastion": "tcp dport 22 accept",
        "web": "tcp dport { 80, 443 } accept",
    }[host.group]
    if host.group == "web" and operators:
        allowed += f"\n    ip saddr {{ {', '.join(operators)} }} tcp dport 22 accept"
    return f"""\
table inet gatehouse_lab {{}}
flush table inet gatehouse_lab
table inet gatehouse_lab {{
  chain ingress {{
    type filter hook input priority filter - 10; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto {{ icmp, icmpv6 }} accept
    {allowed}
  }}
}}
"""
