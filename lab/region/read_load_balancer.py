# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads load balancers from the API alone, through boto3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from lab.region.state import Client, pages
from lab.region.state_load_balancer import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    LoadBalancers,
    Node,
    Redirect,
    Rule,
    Target,
    TargetGroup,
    TlsPolicy,
    Unsupported,
)

# Where a condition of the API keeps its values.
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
}
# States of targets that the nodes know of; what is unused gets neither checks nor requests.
KNOWN = ("initial", "healthy", "unhealthy", "unavailable", "draining")


def read(client: Client) -> LoadBalancers:
    """``client`` gives a boto3 client for the name of a service."""
    elbv2, ec2 = client("elbv2"), client("ec2")
    found = [entry for entry in pages(elbv2, "describe_load_balancers", "LoadBalancers") if is_ours(entry)]
    if not found:
        return LoadBalancers((), {}, {})
    interfaces = node_interfaces(ec2)
    balancers = tuple(sorted((balancer(elbv2, entry, interfaces) for entry in found), key=lambda item: item.arn))
    arns = {arn for item in balancers for entry in item.listeners for arn in entry.certificates}
    return LoadBalancers(balancers, groups(elbv2, ec2, balancers), certificates(client("acm"), arns))


def is_ours(entry: dict[str, Any]) -> bool:
    """Network and gateway load balancers are not imitated."""
    return bool(entry["Type"] == "application")


def node_interfaces(ec2: Any) -> dict[tuple[str, str], tuple[str, str]]:
    """By load balancer (as "app/NAME/ID") and subnet, id and address of the network interface."""
    names = [{"Name": "description", "Values": ["ELB app/*"]}]
    return {
        (entry["Description"].removeprefix("ELB "), entry["SubnetId"]): (
            entry["NetworkInterfaceId"],
            entry["PrivateIpAddress"],
        )
        for entry in pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=names)
    }


def balancer(elbv2: Any, entry: dict[str, Any], interfaces: dict[tuple[str, str], tuple[str, str]]) -> LoadBalancer:
    arn = entry["LoadBalancerArn"]
    name = arn.partition("loadbalancer/")[2]
    zones = sorted((zone["ZoneName"], zone["SubnetId"]) for zone in entry["AvailabilityZones"])
    listeners = (
        listener(elbv2, found) for found in pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn)
    )
    return LoadBalancer(
        arn,
        entry["LoadBalancerName"],
        entry["VpcId"],
        tuple(Node(zone, subnet, *interfaces[name, subnet]) for zone, subnet in zones if (name, subnet) in interfaces),
        tuple(sorted(listeners, key=lambda item: item.port)),
        attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)),
        tuple(sorted(entry.get("SecurityGroups", []))),
        entry["DNSName"],
    )


def listener(elbv2: Any, entry: dict[str, Any]) -> Listener:
    arn, secure = entry["ListenerArn"], entry["Protocol"] == "HTTPS"
    rules = [rule(found) for found in pages(elbv2, "describe_rules", "Rules", ListenerArn=arn)]
    default = [found["CertificateArn"] for found in entry.get("Certificates", [])]
    more = elbv2.describe_listener_certificates(ListenerArn=arn)["Certificates"] if secure else []
    listed = dict.fromkeys([*default, *sorted(found["CertificateArn"] for found in more)])
    policy = tls_policy(elbv2, entry["SslPolicy"]) if secure else None
    return Listener(arn, entry["Protocol"], entry["Port"], tuple(sorted(rules, key=order)), tuple(listed), policy)


def order(found: Rule) -> float:
    return float("inf") if found.priority == "default" else int(found.priority)


def rule(entry: dict[str, Any]) -> Rule:
    """The last action is the one that answers; those before it identify users, which the lab does not do."""
    actions = sorted(entry["Actions"], key=lambda found: found.get("Order", 0))
    conditions = tuple(condition(found) for found in entry["Conditions"])
    other = [found["Type"] for found in actions[:-1]]
    return Rule(entry["Priority"], conditions, Unsupported(other[0]) if other else action(actions[-1]))


def condition(entry: dict[str, Any]) -> Condition:
    field = entry["Field"]
    config = entry.get(CONFIGS[field], {})
    values = config.get("Values") or entry.get("Values", [])
    if field == "query-string":
        return Condition(field, tuple((pair.get("Key", ""), pair["Value"]) for pair in values))
    return Condition(field, tuple((config.get("HttpHeaderName", ""), value) for value in values))


def action(entry: dict[str, Any]) -> Action:
    kind = entry["Type"]
    if kind == "forward":
        config = entry.get("ForwardConfig", {})
        listed = config.get("TargetGroups") or [{"TargetGroupArn": entry["TargetGroupArn"]}]
        weights = tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in listed)
        sticky = config.get("TargetGroupStickinessConfig", {})
        return Forward(weights, int(sticky["DurationSeconds"]) if sticky.get("Enabled") else None)
    if kind == "redirect":
        return redirect(entry["RedirectConfig"])
    if kind == "fixed-response":
        config = entry["FixedResponseConfig"]
        return FixedResponse(
            int(config["StatusCode"]), config.get("ContentType") or "text/plain", config.get("MessageBody") or ""
        )
    return Unsupported(kind)


def redirect(config: dict[str, Any]) -> Redirect:
    return Redirect(
        config.get("Protocol") or "#{protocol}",
        config.get("Host") or "#{host}",
        config.get("Port") or "#{port}",
        config.get("Path") or "/#{path}",
        config.get("Query") or "#{query}",
        int(config["StatusCode"].removeprefix("HTTP_")),
    )


def tls_policy(elbv2: Any, name: str) -> TlsPolicy:
    found = elbv2.describe_ssl_policies(Names=[name])["SslPolicies"][0]
    ciphers = sorted(found["Ciphers"], key=lambda cipher: int(cipher["Priority"]))
    return TlsPolicy(tuple(sorted(found["SslProtocols"])), tuple(cipher["Name"] for cipher in ciphers))


def attributes(answer: dict[str, Any]) -> dict[str, str]:
    return {entry["Key"]: str(entry["Value"]) for entry in answer["Attributes"]}


def groups(elbv2: Any, ec2: Any, balancers: Iterable[LoadBalancer]) -> dict[str, TargetGroup]:
    """The target groups that listeners use."""
    actions = (rule.action for item in balancers for entry in item.listeners for rule in entry.rules)
    used = sorted({arn for action in actions if isinstance(action, Forward) for arn, _weight in action.groups})
    if not used:
        return {}
    places = instances(ec2)
    listed = (elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0] for arn in used)
    return {entry["TargetGroupArn"]: group(elbv2, entry, places) for entry in listed}


def instances(ec2: Any) -> dict[str, tuple[str, str]]:
    """Address and zone of each instance that has an address."""
    found = [item for entry in pages(ec2, "describe_instances", "Reservations") for item in entry["Instances"]]
    return {
        item["InstanceId"]: (item["PrivateIpAddress"], item["Placement"]["AvailabilityZone"])
        for item in found
        if item.get("PrivateIpAddress")
    }


def group(elbv2: Any, entry: dict[str, Any], places: dict[str, tuple[str, str]]) -> TargetGroup:
    arn = entry["TargetGroupArn"]
    told = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    targets = [target(entry["TargetType"], found, places) for found in told if found["TargetHealth"]["State"] in KNOWN]
    return TargetGroup(
        arn,
        entry["TargetGroupName"],
        entry.get("Protocol", "HTTP"),
        entry.get("ProtocolVersion") or "HTTP1",
        health_check(entry),
        attributes(elbv2.describe_target_group_attributes(TargetGroupArn=arn)),
        tuple(sorted((found for found in targets if found), key=lambda item: (item.id, item.port))),
    )


def health_check(entry: dict[str, Any]) -> HealthCheck:
    return HealthCheck(
        entry.get("HealthCheckProtocol") or entry.get("Protocol", "HTTP"),
        str(entry.get("HealthCheckPort") or "traffic-port"),
        entry.get("HealthCheckPath") or "/",
        entry.get("Matcher", {}).get("HttpCode") or "200",
        int(entry["HealthCheckIntervalSeconds"]),
        int(entry["HealthCheckTimeoutSeconds"]),
        int(entry["HealthyThresholdCount"]),
        int(entry["UnhealthyThresholdCount"]),
    )


def target(kind: str, found: dict[str, Any], places: dict[str, tuple[str, str]]) -> Target | None:
    """A target with the address that requests go to; functions and load balancers as targets have none here."""
    told = found["Target"]
    if kind == "ip":
        address, zone = told["Id"], told.get("AvailabilityZone", "all")
    elif kind == "instance" and told["Id"] in places:
        address, zone = places[told["Id"]]
    else:
        return None
    return Target(told["Id"], int(told["Port"]), address, zone, found["TargetHealth"]["State"] == "draining")


def certificates(acm: Any, arns: Iterable[str]) -> dict[str, str]:
    """Certificate and chain of those that are issued; a listener goes without the others."""
    found = {arn: certificate(acm, arn) for arn in sorted(arns)}
    return {arn: chain for arn, chain in found.items() if chain}


def certificate(acm: Any, arn: str) -> str | None:
    try:
        told = acm.get_certificate(CertificateArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("RequestInProgressException", "ResourceNotFoundException"):
            return None
        raise
    return "".join(told[key].strip() + "\n" for key in ("Certificate", "CertificateChain") if told.get(key))
