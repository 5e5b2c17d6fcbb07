# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that a service only refers to are read on the host, all of them or none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import secrets
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.findings import findings
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service, WebServiceError
from botocore.exceptions import ClientError

PARAMETERS = {f"/shop/{number}": f"value {number}" for number in range(25)}
SECRETS: dict[str, dict[str, Any]] = {"shop/db": {"SecretString": "hunter2"}, "shop/raw": {"SecretBinary": b"\0"}}


class Account:
    """Stands in for both clients; counts what it is asked."""

    def __init__(self, refuses: bool = False) -> None:
        self.asked: list[int] = []
        self.refuses = refuses

    def __call__(self, _service: str) -> Account:
        return self

    def get_parameters(self, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        if self.refuses:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "GetParameters"
            )
        assert WithDecryption
        assert len(set(Names)) == len(Names) <= 10
        self.asked.append(len(Names))
        found = [{"Name": name, "Value": PARAMETERS[name]} for name in Names if name in PARAMETERS]
        return {"Parameters": found, "InvalidParameters": [name for name in Names if name not in PARAMETERS]}

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        if SecretId not in SECRETS:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}
            raise ClientError(error, "GetSecretValue")
        return SECRETS[SecretId]


def service(name: str = "shop", **values: str) -> Service:
    return Service(name, 5000, secrets=values)


def test_references_become_what_they_refer_to_and_values_stay() -> None:
    (found,) = secrets.resolved([service(A="ssm:/shop/1", B="secretsmanager:shop/db", C="plain")], connect=Account())
    assert found.secrets == {"A": "value 1", "B": "hunter2", "C": "plain"}


def test_parameters_are_read_ten_at_a_time_and_each_once() -> None:
    account = Account()
    every = {f"V{number}": f"ssm:/shop/{number}" for number in range(25)}
    found = secrets.resolved([service(**every), service("other", AGAIN="ssm:/shop/3")], connect=account)
    assert account.asked == [10, 10, 5]
    assert found[1].secrets == {"AGAIN": "value 3"}


def test_nobody_is_asked_where_nothing_is_referred_to() -> None:
    plain = [service(A="plain")]
    assert secrets.resolved(plain) == plain


def test_all_that_cannot_be_read_is_in_one_message() -> None:
    wrong = service(A="ssm:/shop/none", B="secretsmanager:none", C="secretsmanager:shop/raw", D="ssm:/shop/1")
    with pytest.raises(WebServiceError) as error:
        secrets.resolved([wrong, service("other", A="ssm:/shop/none")], connect=Account())
    missing = "does not exist in this account and region: create it, or correct the reference"
    assert str(error.value).splitlines() == [
        f"shop: secrets.A: ssm:/shop/none {missing}",
        f"other: secrets.A: ssm:/shop/none {missing}",
        f"shop: secrets.B: secretsmanager:none {missing}",
        "shop: secrets.C: secretsmanager:shop/raw is binary, and a secret of a service is a text",
    ]


def test_a_refusal_says_who_was_refused_what() -> None:
    with pytest.raises(WebServiceError, match=r"shop: secrets\.A: ssm:/shop/1 cannot be read: .*not authorized"):
        secrets.resolved([service(A="ssm:/shop/1")], connect=Account(refuses=True))


@pytest.mark.parametrize("value", ["ssm:/shop/*", "ssm:/", "secretsmanager:"])
def test_a_reference_to_no_single_secret_is_refused(value: str) -> None:
    entry = {"name": "shop", "port": 5000, "source": {"directory": "x"}, "secrets": {"KEY": value}}
    assert findings([entry]) == [
        "platform_services[0].secrets.KEY refers to no single secret: give ssm:/path/name or secretsmanager:name"
    ]
