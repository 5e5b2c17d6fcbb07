# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What routers of VPCs, NAT gateways and the region translate and let pass, as nftables rules.

Public addresses are translated where an Internet gateway would do it, one to one, between VPC and region:
https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.region.place import API_ADDRESS, Place
from lab.region.state import Interface, Vpc

# Labs and regions of this machine.
NEIGHBORS = "10.201.0.0-10.250.255.255"
METADATA = "169.254.169.254"
RESOLVER = "169.254.169.253"
# The region's end of every link to a VPC.
REGION_END = "169.254.0.1"


def vpc_rules(vpc: Vpc, public: Sequence[Interface]) -> str:
    """Rules of a VPC's router: what an Internet gateway translates for interfaces that are ``public``, and who may ask
    the VPC's own services.
    """
    inward = elements(f"{interface.public} : {interface.private}" for interface in public)
    outward = elements(f"{interface.private} : {interface.public}" for interface in public)
    return f"""\
table ip gatehouse {{}}
delete table ip gatehouse
table ip gatehouse {{
  map inward {{ type ipv4_addr : ipv4_addr; {inward} }}
  map outward {{ type ipv4_addr : ipv4_addr; {outward} }}
  chain arriving {{
    type nat hook prerouting priority dstnat;
    iifname "uplink" dnat to ip daddr map @inward
  }}
  chain leaving {{
    type nat hook postrouting priority srcnat;
    oifname "uplink" snat to ip saddr map @outward
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname "uplink" ct status dnat accept
    iifname "uplink" drop
    oifname "uplink" ip saddr != @senders reject
  }}
  set senders {{ type ipv4_addr; {elements(interface.private for interface in public)} }}
  chain services {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    iifname "uplink" drop
    ip daddr {METADATA} tcp dport 80 accept
    ip daddr {{ {RESOLVER}, {vpc.resolver} }} meta l4proto {{ tcp, udp }} th dport 53 accept
    reject
  }}
}}
"""


# A NAT gateway: out under its own address, and nothing in that was not asked for.
NAT_RULES = """\
table ip gatehouse {}
delete table ip gatehouse
table ip gatehouse {
  chain leaving {
    type nat hook postrouting priority srcnat;
    oifname "eth0" masquerade
  }
  chain services {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
"""


def region_rules(place: Place) -> str:
    """Rules of the region: between its VPCs public addresses only; outside, the package registries and names, and the
    ACME server of a lab.
    """
    machine, router = place.uplink
    return f"""\
table ip gatehouse {{}}
delete table ip gatehouse
table ip gatehouse {{
  chain leaving {{
    type nat hook postrouting priority srcnat;
    oifname "uplink" masquerade
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ip daddr {place.public} iifname "uplink" accept
    ip saddr != {place.public} drop
    ip daddr {place.public} accept
    oifname "uplink" meta l4proto {{ tcp, udp }} th dport 53 accept
    oifname "uplink" tcp dport {{ 80, 443 }} accept
    oifname "uplink" ip daddr {NEIGHBORS} tcp dport {{ 14000, 14001 }} accept
    reject
  }}
  chain services {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto icmp accept
    ip daddr {API_ADDRESS} ip saddr {place.public} tcp dport 80 accept
    ip daddr {REGION_END} ip saddr {place.links} meta l4proto {{ tcp, udp }} th dport 53 accept
    ip daddr {router} ip saddr {machine} meta l4proto {{ tcp, udp }} th dport 53 accept
    meta l4proto tcp reject with tcp reset
    reject
  }}
}}
"""


def elements(found: Iterable[str]) -> str:
    listed = ", ".join(sorted(found))
    return f"elements = {{ {listed} }};" if listed else ""
