# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change so that public names lead where they should."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.derive import records
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.model import (
    Record,
    Records,
    Wish,
    from_api,
    marker,
    to_api,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._public_names.plan import Plan, owned, plan
from hypothesis import given
from hypothesis import strategies as st

ZONE = "shop.example"
BALANCER = ("shop-lb-1.elb.example", "Z1")
WWW = Wish("www.shop.example", ("203.0.113.20",))
APEX = Wish(ZONE, alias=BALANCER)


def planned(current: Records, *wanted: Wish) -> Plan:
    return plan(current, wanted, "shop", ZONE, 60)


def having(*found: Record) -> dict[tuple[str, str], Record]:
    return {(record.name, record.type): record for record in found}


def owning(*wishes: Wish, platform: str = "shop") -> dict[tuple[str, str], Record]:
    return having(*(record for wish in wishes for record in (wish.record(60), marker(wish.name, platform, 60))))


def test_new_names_come_with_what_says_whose_they_are() -> None:
    found = planned({}, WWW, APEX)
    assert found.sentences() == [
        "shop.example: leads to shop-lb-1.elb.example",
        "www.shop.example: leads to 203.0.113.20",
    ]
    assert [(record.name, record.type) for record in found.put] == [
        ("_gatehouse.www.shop.example", "TXT"),
        ("www.shop.example", "A"),
        ("_gatehouse.shop.example", "TXT"),
        ("shop.example", "A"),
    ]


def test_an_address_that_has_changed_is_changed_and_what_is_not_declared_goes() -> None:
    before = owning(Wish(WWW.name, ("203.0.113.9",)), APEX)
    found = planned(before, WWW)
    assert found.sentences() == ["shop.example: goes", "www.shop.example: leads to 203.0.113.20 instead of 203.0.113.9"]
    assert found.after(before) == owning(WWW)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (having(Record(WWW.name, "A", ("192.0.2.1",), ttl=60)), "www.shop.example leads to 192.0.2.1 (A) and does not"),
        (having(Record(WWW.name, "CNAME", ("x.example",), ttl=60)), "www.shop.example leads to x.example (CNAME)"),
        (owning(WWW, platform="other"), "www.shop.example belongs to the platform other"),
        (having(Record(WWW.name, "A", ("192.0.2.1",), routing="blue")), "routing policy blue"),
    ],
)
def test_what_is_another_s_is_an_error_before_anything_changes(there: Records, words: str) -> None:
    found = planned(there, WWW, APEX)
    (finding,) = found.findings
    assert words in finding
    assert not found.changed


def test_a_name_outside_the_zone_is_an_error() -> None:
    assert planned({}, Wish("shop.other", ("192.0.2.1",))).findings == ("shop.other is not in the zone shop.example",)


def test_a_name_that_leads_here_already_stays_its_owner_s() -> None:
    before = having(WWW.record(60))
    assert not planned(before, WWW).changed
    assert not planned(before).changed


def test_what_a_name_leads_to_may_not_exist_yet() -> None:
    for wish in (Wish(ZONE, ("",)), Wish(ZONE), Wish(ZONE, alias=("", ""))):
        found = planned({}, wish)
        assert (found.unknown, found.put, found.changed) == ((ZONE,), (), True)


NAMES = st.sampled_from([f"{label}.{ZONE}" for label in "abcd"])
TARGETS = st.one_of(
    st.sampled_from([("192.0.2.1",), ("192.0.2.1", "192.0.2.2")]).map(lambda found: (found, None)),
    st.just(((), BALANCER)),
)
WISHES = st.dictionaries(NAMES, TARGETS).map(
    lambda found: [Wish(name, addresses, alias) for name, (addresses, alias) in sorted(found.items())]
)


@given(before=WISHES, wanted=WISHES)
def test_a_platform_has_what_it_declares_and_the_next_plan_is_empty(before: list[Wish], wanted: list[Wish]) -> None:
    foreign = Record("mail.shop.example", "MX", ("10 mx.example",), ttl=60)
    there = {**owning(*before), **having(foreign)}
    after = planned(there, *wanted).after(there)
    assert after == {**owning(*wanted), **having(foreign)}
    assert owned(after, "shop") == [wish.name for wish in wanted]
    assert not planned(after, *wanted).changed


@given(wishes=WISHES)
def test_records_are_read_as_they_were_written(wishes: list[Wish]) -> None:
    there = owning(*wishes)
    assert from_api(to_api(record) for record in there.values()) == there


def test_names_lead_to_the_load_balancer_or_to_the_hosts_of_their_services() -> None:
    services = [
        {"name": "shop", "host": "@", "aliases": ["www"], "listen": 8000, "fleet": "fleet"},
        {"name": "admin", "fleet": "office"},
        {"name": "jobs", "fleet": "other"},
    ]
    fleets, hosts = [{"name": "fleet"}, {"name": "other"}], [{"name": "office"}]
    balancer = {"dns_name": "lb.example", "zone_id": "Z1", "arn": "arn:…"}
    instances = {"office": {"public_address": "203.0.113.20"}}
    alias = {"dns_name": "lb.example", "zone_id": "Z1"}
    assert records(services, ZONE, hosts, fleets, balancer, instances) == [
        {"name": "shop.example", "load_balancer": alias},
        {"name": "www.shop.example", "load_balancer": alias},
        {"name": "admin.shop.example", "addresses": ["203.0.113.20"]},
    ]
    assert records([{"name": "one", "host": "@"}], ZONE, [{"name": "web"}]) == [{"name": ZONE, "addresses": [""]}]
