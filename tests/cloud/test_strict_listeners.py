# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners with TLS."""

from __future__ import annotations

from typing import Any

from lab.cloud import ControlPlane
from tests.cloud.account import refused
from tests.cloud.shop import Shop


class Secure(Shop):
    """A shop with a certificate."""

    def listen(self, **options: Any) -> Any:
        acm = self.cloud.client("acm")
        arn = acm.request_certificate(DomainName="shop.example", ValidationMethod="DNS")["CertificateArn"]
        answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
        given = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": arn}], **options}
        return self.elbv2.create_listener(LoadBalancerArn=self.balancer, DefaultActions=[answer], **given)


def test_a_policy_has_to_exist(cloud: ControlPlane) -> None:
    """SSLPolicyNotFound: "The specified SSL policy does not exist."

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
    """
    shop = Secure(cloud)
    with refused("SSLPolicyNotFound", "ELBSecurityPolicy-TLS-9"):
        shop.listen(SslPolicy="ELBSecurityPolicy-TLS-9")
    assert shop.elbv2.describe_listeners(LoadBalancerArn=shop.balancer)["Listeners"] == []
    made = shop.listen(SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")["Listeners"][0]
    with refused("SSLPolicyNotFound", "ELBSecurityPolicy-TLS-9"):
        shop.elbv2.modify_listener(ListenerArn=made["ListenerArn"], SslPolicy="ELBSecurityPolicy-TLS-9")


def test_tls_needs_a_certificate(cloud: ControlPlane) -> None:
    """CreateListener, Certificates: "[HTTPS and TLS listeners] … You must provide exactly one certificate." """
    with refused("ValidationError", "certificate"):
        Secure(cloud).listen(Certificates=[])
