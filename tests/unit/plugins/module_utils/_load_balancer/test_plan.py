# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From listeners that there are to those that should be: what amazon.aws is given, and the words."""

from __future__ import annotations

from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer import shapes
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer.plan import plan, rule_count
from hypothesis import given
from hypothesis import strategies as st

ARNS = {"shop": "arn:shop", "api": "arn:api"}
RESPOND = {"respond": {"status": 404, "type": "text/plain", "body": "Not found"}}


def to(*shares: str) -> dict[str, Any]:
    weights = [share.partition("*") for share in shares]
    return {"forward": [{"target_group": name, "weight": int(weight or 1)} for name, _star, weight in weights]}


def rule(host: str, action: dict[str, Any], *paths: str) -> dict[str, Any]:
    return {"hosts": [host] if host else [], "paths": list(paths), "action": action}


def listener(*rules: dict[str, Any], port: int = 80, default: dict[str, Any] | None = None) -> dict[str, Any]:
    protocol = "HTTPS" if port == 443 else "HTTP"
    return {"port": port, "protocol": protocol, "default": default or RESPOND, "rules": list(rules)}


def planned(current: list[dict[str, Any]], *wanted: dict[str, Any]) -> dict[str, Any]:
    return plan(current, wanted, ARNS, "arn:certificate", "modern")


def snake(action: dict[str, Any]) -> dict[str, Any]:
    """An action as amazon.aws tells it of what the API was given."""
    told = {"type": action["Type"]}
    if action["Type"] == "forward":
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{**action, "Weight": 1}]
        shares = [{"target_group_arn": one["TargetGroupArn"], "weight": one["Weight"]} for one in groups]
        single = {"target_group_arn": shares[0]["target_group_arn"]} if len(shares) == 1 else {}
        return {**told, **single, "forward_config": {"target_groups": shares}}
    if action["Type"] == "redirect":
        config = {key.lower(): value for key, value in action["RedirectConfig"].items() if key != "StatusCode"}
        return {**told, "redirect_config": {**config, "status_code": action["RedirectConfig"]["StatusCode"]}}
    config = action["FixedResponseConfig"]
    body = {"message_body": config["MessageBody"]} if "MessageBody" in config else {}
    answer = {"status_code": config["StatusCode"], "content_type": config["ContentType"], **body}
    return {**told, "fixed_response_config": answer}


def carried_out(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The listeners that a plan's last step leaves."""
    made = []
    for one in told["steps"][-1]["listeners"]:
        rules = [
            {
                "priority": str(found["Priority"]),
                "is_default": False,
                "actions": [snake(action) for action in found["Actions"]],
                "conditions": [
                    {"field": "host-header", "values": found["Conditions"][0]["HostHeaderConfig"]["Values"]},
                    {"field": "path-pattern", "values": found["Conditions"][1]["PathPatternConfig"]["Values"]},
                ],
            }
            for found in one["Rules"]
        ]
        default = {"priority": "default", "is_default": True, "conditions": [], "actions": [{"type": "forward"}]}
        certificates = [{"certificate_arn": found["CertificateArn"]} for found in one.get("Certificates", [])]
        made.append(
            {
                "port": one["Port"],
                "protocol": one["Protocol"],
                "ssl_policy": one.get("SslPolicy"),
                "certificates": certificates,
                "default_actions": [snake(action) for action in one["DefaultActions"]],
                "rules": [*rules, default],
            }
        )
    return made


HOSTS = st.lists(st.sampled_from([f"{letter}.example" for letter in "abcdefghi"]), unique=True, max_size=7)
ACTIONS = st.sampled_from([to("shop"), to("api"), to("shop*3", "api*1"), RESPOND, {"redirect": {"host": "x"}}])
RULES = st.lists(
    st.builds(
        lambda hosts, path, action: {"hosts": hosts, "paths": [path], "action": action},
        HOSTS,
        st.sampled_from(["/a", "/a/b", "/", "/c*"]),
        ACTIONS,
    ),
    max_size=5,
    unique_by=lambda found: (found["paths"][0], tuple(sorted(found["hosts"][:1]))),
)


def distinct(rules: list[dict[str, Any]]) -> bool:
    keys = [key for found in rules for key in shapes.keys(found)]
    return len(keys) == len(set(keys))


@given(RULES.filter(distinct), RULES.filter(distinct), ACTIONS)
def test_what_was_planned_is_there_afterwards(
    before: list[dict[str, Any]], after: list[dict[str, Any]], default: dict[str, Any]
) -> None:
    current = carried_out(planned([], listener(*before, default=default)))
    wanted = listener(*after)
    there = carried_out(planned(current, wanted))
    again = planned(there, wanted)
    assert again["words"] == []
    assert [step["purge"] for step in again["steps"]] == [False]
    assert planned(current, listener(*before, default=default))["words"] == []


@given(RULES.filter(distinct), RULES.filter(distinct))
def test_no_rule_gets_a_priority_that_another_one_has(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    current = carried_out(planned([], listener(*before)))
    owners = {int(one["priority"]): shapes.found_key(one["conditions"]) for one in current[0]["rules"][:-1]}
    for step in planned(current, listener(*after))["steps"]:
        for one in step["listeners"][0]["Rules"]:
            values = [
                next(iter(found.values()))
                for found in ({k: v for k, v in c.items() if k != "Field"} for c in one["Conditions"])
            ]
            key = tuple(tuple(sorted(value["Values"])) for value in values)
            assert owners.get(one["Priority"], key) == key


def test_a_new_listener_has_its_rules_before_another_one_leads_there() -> None:
    current = carried_out(planned([], listener(rule("a", to("shop")))))
    redirect = {"redirect": {"protocol": "HTTPS", "port": "443"}}
    told = planned(current, listener(default=redirect), listener(rule("a", to("shop")), port=443))
    shown = [[(one["Port"], "Rules" in one) for one in step["listeners"]] for step in told["steps"]]
    assert shown == [[(443, False)], [(443, True)], [(80, True), (443, True)], [(80, True), (443, True)]]
    assert [step["purge"] for step in told["steps"]] == [False, False, False, True]
    assert told["steps"][0]["listeners"][0]["Certificates"] == [{"CertificateArn": "arn:certificate"}]
    assert told["words"] == [
        "listener 80: what no rule is for becomes redirected by 301 to HTTPS://#{host}:443/#{path}?#{query}",
        "listener 80: rule 100 goes",
        "listener 443: new, HTTPS, what no rule is for is answered with 404",
        "listener 443: rule 100 for a /*: new, to shop",
    ]


def test_changes_in_words() -> None:
    current = carried_out(planned([], listener(rule("a", to("shop")), rule("b", to("api"))), listener(port=81)))
    told = planned(current, listener(rule("b", to("shop*2", "api*1")), rule("c", to("api"), "/x", "/y*")))
    assert told["words"] == [
        "listener 80: rule 200 for b /*: becomes to 2 parts shop, 1 parts api",
        "listener 80: rule 300 for c /x /x/*: new, to api",
        "listener 80: rule 400 for c /y*: new, to api",
        "listener 80: rule 100 goes",
        "listener 81: goes",
    ]


def test_a_default_with_weights_becomes_a_last_rule() -> None:
    [one] = planned([], listener(rule("a", to("shop")), default=to("shop*1", "api*1")))["steps"][-1]["listeners"]
    assert one["DefaultActions"][0]["Type"] == "fixed-response"
    assert one["Rules"][-1]["Conditions"][0]["HostHeaderConfig"] == {"Values": ["*"]}


def test_a_rule_that_was_made_by_hand_goes() -> None:
    current = carried_out(planned([], listener(rule("a", to("shop")))))
    current[0]["rules"][0]["conditions"].append({"field": "source-ip", "source_ip_config": {"values": ["10.0.0.0/8"]}})
    told = planned(current, listener(rule("a", to("shop"))))
    assert told["words"] == ["listener 80: rule 200 for a /*: new, to shop", "listener 80: rule 100 goes"]


def test_five_values_a_rule() -> None:
    hosts = [f"{number}.example" for number in range(9)]
    assert rule_count([listener({"hosts": hosts, "paths": [], "action": to("shop")})]) == 3
    assert rule_count([listener({"hosts": hosts, "paths": ["/a", "/b"], "action": to("shop")})]) == 6
