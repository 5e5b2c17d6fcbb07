# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers made through the API, asked over real packets: HAProxy and web servers in network namespaces."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cloud import ControlPlane
from tests.region.shop import Shop, Visit, certificate, fixed, forward, on


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with ControlPlane() as cloud:
        made = Shop(cloud)
        try:
            yield made
        finally:
            made.remove()


def test_new_targets_are_healthy_after_one_check_and_take_turns(shop: Shop) -> None:
    one, other = shop.target("one"), shop.target("other", subnet=1)
    one.health = other.health = 503
    arn = shop.group("turns", one, other, HealthyThresholdCount=10)
    assert {found["Reason"] for found in shop.health(arn).values()} == {"Target.NotInUse"}
    shop.listen(8001, forward(arn))
    shop.settle(lambda: {found.get("Reason") for found in shop.health(arn).values()} == {"Elb.InitialHealthChecking"})
    one.health = other.health = 200
    start = time.monotonic()
    shop.settle(lambda: shop.states(arn) == {"one": "healthy", "other": "healthy"}, 8)
    assert time.monotonic() - start < 7
    for node in (0, 1):
        names = [shop.ask(8001, node=node).name for _request in range(6)]
        assert set(map("".join, zip(names[::2], names[1::2], strict=True))) in ({"oneother"}, {"otherone"})


def test_targets_fail_with_reasons_after_their_threshold_and_come_back_after_theirs(shop: Shop) -> None:
    targets = [shop.target(name) for name in ("fine", "refusing", "failing", "hanging")]
    _fine, refusing, failing, hanging = targets
    arn = shop.serving(8002, *targets, UnhealthyThresholdCount=2)
    start = time.monotonic()
    refusing.stop()
    failing.health, hanging.health = 500, None
    bad = {"fine": "healthy", "refusing": "unhealthy", "failing": "unhealthy", "hanging": "unhealthy"}
    shop.settle(lambda: shop.states(arn) == bad, 25)
    # A check that is not answered takes its timeout as well.
    assert 5 <= time.monotonic() - start < 18
    assert {name: found.get("Reason") for name, found in shop.health(arn).items()} == {
        "fine": None,
        "refusing": "Target.FailedHealthChecks",
        "failing": "Target.ResponseCodeMismatch",
        "hanging": "Target.Timeout",
    }
    assert shop.health(arn)["failing"]["Description"] == "Health checks failed with these codes: [500]"
    assert set(shop.names(8002, 8)) == {"fine"}
    start = time.monotonic()
    refusing.start()
    failing.health = 200
    shop.settle(lambda: shop.states(arn) == {**bad, "refusing": "healthy", "failing": "healthy"}, 16)
    assert time.monotonic() - start >= 5
    assert set(shop.names(8002, 9)) == {"fine", "refusing", "failing"}


def test_checks_ask_what_the_group_says(shop: Shop) -> None:
    target = shop.target("checked")
    target.health = 204
    arn = shop.group("matching", target, HealthCheckPath="/health/deep?x=1", Matcher={"HttpCode": "200,204"})
    shop.listen(8003, forward(arn))
    shop.settle(lambda: shop.states(arn) == {"checked": "healthy"})
    mismatch = shop.group("mismatching", target, Matcher={"HttpCode": "200-203"})
    shop.rule(shop.listen(8004, fixed("none")), 1, forward(mismatch), on("path-pattern", "/x"))
    shop.settle(lambda: shop.health(mismatch)["checked"]["State"] == "unhealthy", 12)
    assert shop.health(mismatch)["checked"]["Description"] == "Health checks failed with these codes: [204]"


def test_a_draining_target_finishes_what_it_has_and_gets_nothing_new(shop: Shop) -> None:
    one, other = shop.target("leaving"), shop.target("staying")
    arn = shop.serving(8005, one, other)
    shop.set(arn, deregistration_delay__timeout_seconds="4")
    found: dict[str, str] = {}

    def wait(seconds: float) -> None:
        found[str(seconds)] = shop.ask(8005, f"/wait/{seconds}").name

    # Both targets get one of each.
    requests = [threading.Thread(target=wait, args=(seconds,)) for seconds in (2, 2.01, 20, 20.01)]
    for request in requests:
        request.start()
        time.sleep(0.1)
    start = time.monotonic()
    shop.deregister(arn, one)
    assert shop.states(arn)["leaving"] == "draining"
    shop.settle(lambda: set(shop.names(8005, 2)) == {"staying"}, 3)
    assert set(shop.names(8005, 6)) == {"staying"}
    for request in requests[:2]:
        request.join()
    assert {found["2"], found["2.01"]} == {"leaving", "staying"}
    shop.settle(lambda: shop.states(arn) == {"staying": "healthy"}, 6)
    # What is still under way ends with the delay.
    shop.settle(lambda: "502" in found.values(), 3)
    assert 4 <= time.monotonic() - start < 8
    shop.register(arn, one)
    shop.settle(lambda: shop.states(arn)["leaving"] == "healthy")
    assert set(shop.names(8005, 4)) == {"leaving", "staying"}


def test_a_kept_connection_does_not_lead_to_a_draining_target(shop: Shop) -> None:
    one, other = shop.target("first"), shop.target("second")
    arn = shop.serving(8006, one, other)
    with Visit(shop, 8006) as visit:
        assert {visit.ask().name for _request in range(2)} == {"first", "second"}
        shop.deregister(arn, one)
        shop.settle(lambda: set(shop.names(8006, 4)) == {"second"})
        assert visit.ask().name == "second"


def test_without_a_healthy_target_all_get_requests(shop: Shop) -> None:
    targets = [shop.target("sick"), shop.target("ill")]
    arn = shop.serving(8007, *targets)
    for target in targets:
        target.health = 500
    shop.settle(lambda: set(shop.states(arn).values()) == {"unhealthy"}, 14)
    assert set(shop.names(8007, 4)) == {"sick", "ill"}


def test_what_the_load_balancer_answers_when_no_target_can(shop: Shop) -> None:
    empty = shop.group("empty")
    shop.listen(8008, forward(empty))
    target = shop.target("dead")
    arn = shop.serving(8009, target)
    shop.settle(lambda: shop.visitor.reaches(shop.nodes[0].address, 8008))
    answer = shop.ask(8008)
    assert (answer.status, answer.headers["server"]) == (503, "awselb/2.0")
    target.stop()
    assert shop.ask(8009).status == 502
    assert arn


def test_rules_go_by_priority_host_and_path(shop: Shop) -> None:
    listener = shop.listen(8010, fixed("default"))
    shop.rule(listener, 30, fixed("images"), on("path-pattern", "/img/*"))
    shop.rule(listener, 20, fixed("api"), on("host-header", "api.shop.test", "*.api.test"))
    shop.rule(listener, 10, fixed("both", 404), on("host-header", "api.shop.test"), on("path-pattern", "/img/?.png"))
    shop.settle(lambda: shop.ask(8010).body == "default")
    asked = {
        ("shop.test", "/"): "default",
        ("shop.test", "/IMG/a"): "default",
        ("shop.test", "/img/a"): "images",
        ("shop.test", "/img/a.png?x=/y"): "images",
        ("API.shop.test:8010", "/"): "api",
        ("eu.api.test", "/img/ab.png"): "api",
        ("api.shop.test", "/img/a.png"): "both",
    }
    assert {key: shop.ask(8010, key[1], host=key[0]).body for key in asked} == asked
    assert shop.ask(8010, "/img/a.png", host="api.shop.test").status == 404


def test_redirects_keep_host_path_and_query(shop: Shop) -> None:
    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    listener = shop.listen(8011, {"Type": "redirect", "RedirectConfig": config})
    elsewhere = {"Host": "new.#{host}", "Path": "/old/#{path}", "Query": "from=#{port}", "StatusCode": "HTTP_302"}
    shop.rule(listener, 1, {"Type": "redirect", "RedirectConfig": elsewhere}, on("path-pattern", "/a/*"))
    shop.settle(lambda: shop.ask(8011, "/a/b").status == 302)
    answers = [shop.ask(8011, path) for path in ("/x/y?a=1&b=%20", "/x", "/a/b?c=d")]
    assert [(answer.status, answer.headers["location"]) for answer in answers] == [
        (301, "https://shop.test:443/x/y?a=1&b=%20"),
        (301, "https://shop.test:443/x"),
        (302, "http://new.shop.test:8011/old/a/b?from=8011"),
    ]


def test_requests_are_spread_by_weight(shop: Shop) -> None:
    blue, green = shop.target("blue"), shop.target("green")
    arns = [shop.group(target.name, target) for target in (blue, green)]
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(arns, (20, 80), strict=True)]
    shop.listen(8012, {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})
    shop.settle(lambda: all(set(shop.states(arn).values()) == {"healthy"} for arn in arns))
    found = Counter(shop.names(8012, 150))
    assert 12 <= found["blue"] <= 50
    assert found["blue"] + found["green"] == 150


def test_targets_learn_who_asked_how(shop: Shop) -> None:
    shop.serving(8013, shop.target("told"))
    seen = shop.ask(8013, headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "gopher"}).seen
    assert seen["x-forwarded-for"] == "203.0.113.9, 198.51.100.7"
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"], seen["host"]) == ("http", "8013", "shop.test")
    assert seen["x-amzn-trace-id"].startswith("Root=1-")
    assert shop.ask(8013).seen["x-forwarded-for"] == "198.51.100.7"


@pytest.mark.parametrize(
    ("port", "settings", "cookie"),
    [
        (8014, {"stickiness__type": "lb_cookie"}, "AWSALB"),
        (8015, {"stickiness__type": "app_cookie", "stickiness__app_cookie__cookie_name": "session"}, "AWSALBAPP-0"),
    ],
)
def test_a_cookie_keeps_a_visitor_with_a_target(shop: Shop, port: int, settings: dict[str, str], cookie: str) -> None:
    targets = [shop.target(f"sticky-{port}-{number}") for number in (1, 2)]
    arn = shop.serving(port, *targets)
    shop.set(arn, stickiness__enabled="true", **settings)
    for target in targets:
        target.headers = {"Set-Cookie": "session=1"} if cookie == "AWSALBAPP-0" else {}
    shop.settle(lambda: all(cookie in shop.ask(port, node=node).headers.get("set-cookie", "") for node in (0, 1)))
    answers = [shop.ask(port) for _request in range(2)]
    assert {answer.name for answer in answers} == {target.name for target in targets}
    for answer in answers:
        value = answer.headers["set-cookie"].partition(f"{cookie}=")[2].partition(";")[0]
        again = [shop.ask(port, node=node, headers={"Cookie": f"{cookie}={value}"}).name for node in (0, 0, 1, 1)]
        assert set(again) == {answer.name}


def test_certificates_imported_into_acm_are_served_by_name(shop: Shop, tmp_path: Path) -> None:
    first, chain = certificate(shop.cloud, tmp_path, "shop.test")
    second, other_chain = certificate(shop.cloud, tmp_path, "api.test", "*.api.test")
    arn = shop.group("secure", shop.target("secure"))
    listener = shop.listen(
        8443,
        forward(arn),
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": first}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    )
    shop.elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    shop.settle(lambda: shop.states(arn) == {"secure": "healthy"})
    answer = shop.ask(8443, authority=chain)
    assert (answer.seen["x-forwarded-proto"], answer.seen["x-forwarded-port"]) == ("https", "8443")
    assert shop.ask(8443, host="eu.api.test", authority=other_chain).status == 200


def test_no_request_is_lost_while_everything_changes(shop: Shop) -> None:
    arn = shop.serving(8016, shop.target("steady"))
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def visit(kept: bool) -> None:
        while not done.is_set():
            with Visit(shop, 8016) as connection:
                for _request in range(5 if kept else 1):
                    answer = connection.ask()
                    statuses[answer.status] += 1
                    if answer.headers.get("connection") == "close":
                        break

    visitors = [threading.Thread(target=visit, args=(kept,)) for kept in (True, False)]
    for visitor in visitors:
        visitor.start()
    versions: set[str | None] = {None}
    for priority in range(1, 6):
        listener = shop.elbv2.describe_listeners(LoadBalancerArn=shop.balancer)["Listeners"]
        mine = next(found["ListenerArn"] for found in listener if found["Port"] == 8016)
        shop.rule(mine, priority, fixed(f"{priority}"), on("path-pattern", f"/{priority}"))
        shop.settle(lambda expected=f"{priority}": shop.ask(8016, f"/{expected}").body == expected)  # type: ignore[misc]
        versions.add(shop.process().version(5))
    done.set()
    for visitor in visitors:
        visitor.join()
    assert len(versions) == 6
    assert statuses[200] > 50
    assert set(statuses) == {200}
    assert shop.states(arn) == {"steady": "healthy"}


def test_a_new_start_goes_on_where_the_last_one_ended(shop: Shop) -> None:
    target = shop.target("lasting")
    arn = shop.serving(8017, target)
    shop.end()
    before = (shop.process().folder / "pid").read_text(), shop.process().version()
    assert shop.ask(8017).name == "lasting"
    shop.begin()
    shop.settle(lambda: shop.states(arn) == {"lasting": "healthy"})
    assert before == ((shop.process().folder / "pid").read_text(), shop.process().version())
    shop.end()
    shop.process().stop()
    shop.begin()
    shop.settle(lambda: shop.ask(8017).name == "lasting")
    shop.settle(lambda: shop.states(arn) == {"lasting": "healthy"})


def test_a_load_balancer_that_was_deleted_answers_nobody(shop: Shop) -> None:
    made = shop.elbv2.create_load_balancer(Name="short", Subnets=shop.subnets[:1])["LoadBalancers"][0]
    interfaces = shop.ec2.describe_network_interfaces()["NetworkInterfaces"]
    mine = next(found for found in interfaces if found["Description"].startswith("ELB app/short/"))
    place = shop.network.host(mine["PrivateIpAddress"])
    shop.places[mine["NetworkInterfaceId"]] = place
    shop.listen(80, fixed("here"), LoadBalancerArn=made["LoadBalancerArn"])
    shop.settle(lambda: shop.visitor.reaches(place.address, 80))
    folders = len(list(shop.folder.iterdir()))
    shop.elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    shop.settle(lambda: not shop.visitor.reaches(place.address, 80) and len(list(shop.folder.iterdir())) < folders)
