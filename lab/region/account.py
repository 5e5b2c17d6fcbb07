# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto says of instances and addresses before anything is real: nothing runs yet, and addresses are this lab's.

moto's own classes take no part in time: an instance runs, stops and is gone at once. These subclasses, in moto's
place while a region is up, leave it at the state on the way; what becomes of it, the machine says
(``lab.region.instances``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from moto.ec2.exceptions import InvalidAMIIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.models.nat_gateways import NatGatewayBackend

from lab.region import catalogue

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


class WaitingInstance(Instance):
    """An instance that waits for its machine."""

    def __init__(self, ec2_backend: Any, image_id: str, *arguments: Any, **named: Any) -> None:
        template = named.get("launch_template")
        image = image_id or (ec2_backend._get_template_from_args(template).image_id if template else "")
        if image not in catalogue.DISTRIBUTIONS:
            raise InvalidAMIIdError([image])
        super().__init__(ec2_backend, image_id, *arguments, **named)
        self.reboots = 0
        self._state = InstanceState("pending", CODES["pending"])
        primary = self.nics[0]
        # "By default, the primary network interface … is deleted when you terminate the instance":
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
        primary.delete_on_termination = True
        self.security_groups = list(primary.group_set)

    def start(self) -> Any:
        return self._take(super().start, ("stopped",), "pending")

    def stop(self) -> Any:
        return self._take(super().stop, ("pending", "running"), "stopping")

    def terminate(self) -> Any:
        # "If you terminate … an instance, its Elastic IP address is disassociated":
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
        for address in [address for address in self.ec2_backend.addresses if address.instance is self]:
            self.ec2_backend.disassociate_address(address=address.public_ip)
        return self._take(super().terminate, ("pending", "running", "stopping", "stopped"), "shutting-down")

    def reboot(self) -> None:
        if self.state == "running":
            self.reboots += 1

    def become(self, state: str) -> None:
        self._state = InstanceState(state, CODES[state])

    def _take(self, step: Callable[[], Any], possible: tuple[str, ...], after: str) -> Any:
        """Let moto take a step where it can be taken; the state that was, as moto returns it."""
        previous = InstanceState(self.state, self.state_code)
        if previous.name in possible:
            step()
            self.become(after)
        return previous


# moto derives the keys of its errors and answers from the name.
WaitingInstance.__name__ = "Instance"


class PlacedInterface(NetworkInterface):
    """A network interface whose address is a free one of its subnet, where moto takes any at random."""

    def __init__(self, ec2_backend: Any, subnet: Any, private_ip_address: Any, *rest: Any, **named: Any) -> None:
        place = ec2_backend.get_subnet(subnet) if isinstance(subnet, str) else subnet
        wanted = private_ip_address[0] if isinstance(private_ip_address, list) else private_ip_address
        if not wanted or ipaddress.ip_address(wanted) not in place.cidr:
            wanted = place.get_available_subnet_ip(self)
        elif wanted not in place._subnet_ips:
            place.request_ip(wanted, self)
        super().__init__(ec2_backend, place, wanted, *rest, **named)


class Addresses:
    """The public addresses of a region: one after the other, taken ones left out."""

    def __init__(self, pool: ipaddress.IPv4Network) -> None:
        self._pool = pool
        self._last = 0

    def allocate(self) -> str:
        taken = set(self._taken())
        for _attempt in range(self._pool.num_addresses):
            self._last = self._last % (self._pool.num_addresses - 2) + 1
            address = str(self._pool[self._last])
            if address not in taken:
                return address
        raise RuntimeError(f"no free public address in {self._pool}")

    def _taken(self) -> Iterator[str]:
        for regions in ec2_backends.values():
            for ec2 in regions.values():
                yield from (address.public_ip for address in ec2.addresses)
                yield from (eni.public_ip for eni in ec2.enis.values() if eni.public_ip)


def load_catalogue(ec2: Any) -> None:
    """In place of moto's own images."""
    ec2.amis.update({entry["ami_id"]: Ami(ec2, **entry) for entry in catalogue.images()})


def delete_nat_gateway(ec2: Any, nat_gateway_id: str) -> Any:
    """moto's, and what the NAT gateway held is free again.

    "If you delete a NAT gateway, its Elastic IP address is disassociated":
    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
    """
    gateway = ec2.nat_gateways[nat_gateway_id]
    eni, gateway.state = gateway._eni, "deleted"
    if eni.public_ip:
        ec2.disassociate_address(address=eni.public_ip)
    if eni.id in ec2.enis:
        eni.delete()
    return gateway


@contextmanager
def in_place(addresses: Addresses) -> Iterator[None]:
    """Let moto make its instances, interfaces and addresses so."""
    models = "moto.ec2.models"
    replacements = {
        f"{models}.instances.Instance": WaitingInstance,
        f"{models}.elastic_network_interfaces.NetworkInterface": PlacedInterface,
        f"{models}.elastic_network_interfaces.random_public_ip": addresses.allocate,
        f"{models}.elastic_ip_addresses.random_ip": addresses.allocate,
        f"{models}.amis.AmiBackend._load_amis": load_catalogue,
        "moto.settings.ENABLE_AMI_VALIDATION": True,
        "moto.settings.ENABLE_KEYPAIR_VALIDATION": True,
    }
    with ExitStack() as stack:
        for name, replacement in replacements.items():
            stack.enter_context(mock.patch(name, replacement))
        stack.enter_context(mock.patch.object(NatGatewayBackend, "delete_nat_gateway", delete_nat_gateway))
        yield
