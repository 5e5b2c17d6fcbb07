# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the region's DNS is configured to answer, and which certificates it makes due."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from lab.region.certificates import Pending, issuable
from lab.region.names import answers
from lab.region.state import Instance, Interface, MetadataOptions, State
from lab.region.state_names import Balancer, Names, Record, Zone, plain

WEB = Balancer("web-1.eu-central-1.elb.amazonaws.com", "ELB app/web/1")


def node(number: int, public: str | None = None, description: str = WEB.interfaces) -> Interface:
    private = str(IPv4Address("10.0.0.10") + number)
    return Interface(f"eni-{number}", "vpc-1", "subnet-1", None, 0, private, public, "", (), description)


def lines(names: Names, vpc: str | None = None, **state: Any) -> list[str]:
    found = answers(State(parts={Names: names}, **state), vpc)
    return [*found.configuration, *found.hosts]


def test_records_become_lines() -> None:
    records = (
        Record("example.org", "A", ("192.0.2.1", "192.0.2.2"), ttl=300),
        Record("www.example.org", "CNAME", ("example.org.",)),
        Record("mail.example.org", "AAAA", ("2001:db8::1",)),
        Record("example.org", "MX", ("10 mail.example.org.",)),
        Record("example.org", "TXT", ('"v=spf1 -all" "second"',)),
        Record("_sip._tcp.example.org", "SRV", ("1 2 5060 sip.example.org.",)),
        Record("example.org", "CAA", ('0 issue "letsencrypt.org"',)),
        Record("example.org", "NS", ("ns-1.awsdns.com.",)),
    )
    found = lines(Names((Zone("example.org", records=records),)))
    assert found == [
        "no-resolv",
        "no-hosts",
        "local-ttl=60",
        "local=/elb.amazonaws.com/",
        "local=/example.org/",
        "host-record=example.org,192.0.2.1,300",
        "host-record=example.org,192.0.2.2,300",
        "cname=www.example.org,example.org,60",
        "host-record=mail.example.org,2001:db8::1,60",
        "mx-host=example.org,mail.example.org,10",
        'txt-record=example.org,"v=spf1 -all","second"',
        "srv-host=_sip._tcp.example.org,sip.example.org,5060,1,2",
        "caa-record=example.org,0,issue,letsencrypt.org",
    ]


def test_an_alias_leads_to_the_nodes_of_a_load_balancer() -> None:
    records = (
        Record("example.org", "A", alias=WEB.name),
        Record("www.example.org", "A", alias="example.org"),
        Record("*.example.org", "A", alias=WEB.name),
        Record("example.org", "AAAA", alias=WEB.name),
    )
    nodes = (node(1, "192.0.2.1"), node(2, "192.0.2.2"), node(3, "192.0.2.3", "ELB app/other/2"))
    found = lines(Names((Zone("example.org", records=records),), (WEB,)), interfaces=nodes)
    for name in (WEB.name, "example.org", "www.example.org"):
        assert [f"192.0.2.{number} {name}" for number in (1, 2)] == [
            line for line in found if line.endswith(f" {name}")
        ]
    assert [line for line in found if line.startswith("address=")] == [
        "address=/*.example.org/192.0.2.1",
        "address=/*.example.org/192.0.2.2",
    ]


def test_an_internal_load_balancer_has_private_addresses() -> None:
    assert f"10.0.0.11 {WEB.name}" in lines(Names((), (WEB,)), interfaces=(node(1),))


def test_aliases_in_a_circle_end() -> None:
    records = (Record("a.example.org", "A", alias="b.example.org"), Record("b.example.org", "A", alias="a.example.org"))
    assert answers(State(parts={Names: Names((Zone("example.org", records=records),))})).hosts == ()


def test_a_private_zone_hides_the_public_one_inside_its_vpc() -> None:
    public = Zone("example.org", records=(Record("example.org", "A", ("192.0.2.1",)),))
    private = Zone("example.org", frozenset({"vpc-1"}), (Record("example.org", "A", ("10.0.0.1",)),))
    names = Names((public, private))
    assert "host-record=example.org,10.0.0.1,60" in lines(names, "vpc-1")
    assert "host-record=example.org,192.0.2.1,60" not in lines(names, "vpc-1")
    for elsewhere in ("vpc-2", None):
        assert "host-record=example.org,192.0.2.1,60" in lines(names, elsewhere)
        assert "host-record=example.org,10.0.0.1,60" not in lines(names, elsewhere)


def test_an_alias_of_a_name_elsewhere_is_given_bare() -> None:
    record = Record("_x.example.org", "CNAME", ("_y.acm-validations.aws.",))
    wire = b"\x02_y\x0facm-validations\x03aws\x00".hex()
    assert f"dns-rr=_x.example.org,5,{wire}" in lines(Names((Zone("example.org", records=(record,)),)))


def test_instances_have_their_names() -> None:
    one = Instance(
        id="i-1",
        state="running",
        image="",
        type="",
        zone="",
        key=None,
        vpc="vpc-1",
        subnet="",
        private="10.0.0.4",
        public="192.0.2.4",
        private_name="ip-10-0-0-4.eu-central-1.compute.internal",
        public_name="ec2-192-0-2-4.eu-central-1.compute.amazonaws.com",
        profile=None,
        launched="",
        launch_index=0,
        reservation="",
        owner="",
        metadata=MetadataOptions(),
    )
    inside, outside = (lines(Names(), vpc, instances=(one,)) for vpc in ("vpc-1", None))
    assert f"10.0.0.4 {one.private_name}" in inside
    assert f"10.0.0.4 {one.public_name}" in inside
    assert f"192.0.2.4 {one.public_name}" in outside
    assert not any(one.private_name in line for line in outside)


def test_names_are_unescaped() -> None:
    assert plain("\\052.Example.org.") == "*.example.org"
    assert plain("dualstack.web-1.elb.amazonaws.com.") == "web-1.elb.amazonaws.com"


def test_a_certificate_is_due_when_all_its_proofs_are_in_public_zones() -> None:
    pending = Pending("arn", ("a.org", "b.org"), frozenset({("_1.a.org", "_v.aws"), ("_1.b.org", "_v.aws")}))
    first = Zone("a.org", records=(Record("_1.a.org", "CNAME", ("_v.aws.",)),))
    second = Record("_1.b.org", "CNAME", ("_V.aws",))
    assert issuable((pending,), (first,)) == ()
    assert issuable((pending,), (first, Zone("b.org", frozenset({"vpc-1"}), (second,)))) == ()
    assert issuable((pending,), (first, Zone("b.org", records=(second,)))) == (pending,)
