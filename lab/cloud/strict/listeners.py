# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners have a TLS policy that exists.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.ssl_policies import SSL_POLICIES

from lab.cloud.strict.behavior import Request, refuse, strict

SECURE = ("HTTPS", "TLS")


@strict("elbv2", "CreateListener", "ModifyListener")
def check_policy(request: Request) -> Any:
    """ "[HTTPS and TLS listeners] … You must provide exactly one certificate." """
    policy = request.parameters.get("SslPolicy")
    if policy and policy not in SSL_POLICIES:
        raise refuse("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    created = request.operation == "CreateListener" and request.parameters.get("Protocol") in SECURE
    if created and not request.parameters.get("Certificates"):
        raise refuse("ValidationError", "A certificate must be specified for HTTPS listeners")
    return request.proceed()
