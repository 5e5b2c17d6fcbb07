# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules as plain values, in the one form in which they are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# The tag that says which platform a group belongs to.
OWNER_TAG = "gatehouse:platform"
# The group that every VPC has, by the key of its name.
DEFAULT = "default"
DIRECTIONS = ("ingress", "egress")
ALL_TRAFFIC = "-1"
# Protocols whose ports (or types and codes) a rule can tell apart; every other one is opened whole:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
WITH_PORTS = frozenset({"tcp", "udp"})
WITH_TYPES = frozenset({"icmp", "icmpv6"})


class SecurityGroupsError(Exception):
    """Something that the user has to know; ``str()`` is the message. ``changed``: something was changed before it."""

    def __init__(self, message: str, changed: bool = False) -> None:
        super().__init__(message)
        self.changed = changed


def key(name: str) -> str:
    """Identity of a group within its VPC: "Names are case-insensitive and must be unique within the VPC".

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    return name.lower()


@dataclass(frozen=True, order=True)
class Source:
    """The other end of a rule, where traffic comes from (ingress) or goes to (egress).

    ``kind`` is ipv4, ipv6, prefix_list, group (of the same VPC, by the key of its name) or group_id
    (any other one). ``shown`` is how a user knows it; ``account`` is that of a group of another account.
    """

    kind: str
    value: str
    shown: str = field(default="", compare=False)
    account: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.kind == "group_id" and self.account:
            return f"{self.account}/{self.value}"
        return self.shown or self.value


@dataclass(frozen=True, order=True)
class Rule:
    """One rule as AWS counts it: a protocol, one range of ports (or ICMP type and code), one source.

    ``first`` and ``last`` are -1 where the protocol has none, or all types and codes are meant.
    ``found`` is how AWS tells them where it does otherwise, because revoking wants its own words.
    """

    protocol: str
    first: int
    last: int
    source: Source
    found: tuple[int | None, int | None] | None = field(default=None, compare=False)

    @property
    def traffic(self) -> str:
        """What the rule lets through, in words: 8080/tcp."""
        if self.protocol == ALL_TRAFFIC:
            return "all traffic"
        if self.protocol in WITH_PORTS:
            ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
            return f"{ports}/{self.protocol}"
        if self.protocol in WITH_TYPES:
            kind = f" type {self.first}" if self.first >= 0 else ""
            return self.protocol + kind + (f" code {self.last}" if self.last >= 0 else "")
        return f"protocol {self.protocol}"


# Rules with their descriptions; a description is no part of a rule's identity, as with AWS.
Rules = Mapping[Rule, str]


@dataclass(frozen=True)
class Group:
    """A group as it is, or as a plan leaves it; ``id`` is empty for one that does not exist yet."""

    name: str
    id: str = ""
    description: str = ""
    arn: str = field(default="", compare=False)
    account: str = field(default="", compare=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    ingress: Rules = field(default_factory=dict)
    egress: Rules = field(default_factory=dict)

    @property
    def key(self) -> str:
        return key(self.name)

    @property
    def owner(self) -> str:
        """Whose the group is, by its tag; empty for nobody's."""
        return self.tags.get(OWNER_TAG, "")

    def rules(self, direction: str) -> Rules:
        return self.ingress if direction == "ingress" else self.egress

    def references(self) -> Iterator[tuple[str, Rule]]:
        """Rules whose source is a group of the same VPC, with their direction."""
        for direction in DIRECTIONS:
            for rule in self.rules(direction):
                if rule.source.kind == "group":
                    yield direction, rule


# The groups of one VPC by the key of their names.
State = Mapping[str, Group]
ANYWHERE = (
    Rule(ALL_TRAFFIC, -1, -1, Source("ipv4", "0.0.0.0/0")),
    Rule(ALL_TRAFFIC, -1, -1, Source("ipv6", "::/0")),
)


@dataclass(frozen=True)
class Wanted:
    """A declared group; None is what is not said, and so not managed."""

    name: str
    description: str | None = None
    tags: Mapping[str, str] | None = None
    ingress: Rules | None = None
    egress: Rules | None = None

    @property
    def key(self) -> str:
        return key(self.name)

    def rules(self, direction: str) -> Rules | None:
        return self.ingress if direction == "ingress" else self.egress


@dataclass(frozen=True)
class Path:
    """A way in that has to stay open: a rule's worth of traffic into a group, given by name or id."""

    group: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.rule.traffic} from {self.rule.source} into {self.group}"


@dataclass(frozen=True)
class Desired:
    """Everything that one task declares about the groups of a VPC."""

    vpc_id: str
    groups: tuple[Wanted, ...] = ()
    owner: str = ""
    absent: bool = False
    purge_rules: bool = True
    purge_groups: bool = False
    adopt: bool = False
    protect: tuple[Path, ...] = ()
    allow_lockout: bool = False
    allow_gap: bool = False
    accept_description: bool = False
    clear_foreign_references: bool = False
