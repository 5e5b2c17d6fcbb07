# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call that is repeated with its client token has no further effect, and the same answer.

"If you retry a request that completed successfully using the same client token and the same parameters, the retry
succeeds without performing any further actions."
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

import copy
from typing import Any

from lab.cloud.strict.behavior import Request, refuse, strict

PARAMETER = "ClientToken"


@strict(
    "ec2",
    "RunInstances",
    "CreateLaunchTemplate",
    "CreateNatGateway",
    "CreateNetworkInterface",
    outermost=True,
)
def repeat(request: Request) -> Any:
    """moto's models keep what was answered; it is told as it is by now, as AWS does."""
    token = request.parameters.get(PARAMETER)
    if not token:
        return request.proceed()
    asked = copy.deepcopy({key: value for key, value in request.parameters.items() if key != PARAMETER})
    known: dict[tuple[str, str], tuple[Any, Any]] = vars(request.ec2).setdefault("client_tokens", {})
    before = known.get((request.operation, token))
    if before is None:
        result = request.proceed()
        known[request.operation, token] = (asked, result)
        return result
    if before[0] != asked:
        text = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
        raise refuse("IdempotentParameterMismatch", text)
    return before[1]
