# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate in ACM, with an API that the test answers for."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.model import (
    CertificateError,
    findings,
    from_params,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._load_balancer_certificate.run import (
    Remote,
    bring_to_state,
)

botocore = pytest.importorskip("botocore.exceptions")


class Acm:
    """Certificates by ARN; ``issues_after`` looks it issues what was requested."""

    def __init__(self, issues_after: int = 10**6) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []
        self.looks, self.issues_after = 0, issues_after
        self.failures: dict[str, list[str]] = {}
        self.number = itertools.count(1)

    def _fail(self, operation: str) -> None:
        self.writes.append(operation)
        codes = self.failures.get(operation)
        if codes:
            raise botocore.ClientError({"Error": {"Code": codes.pop(0), "Message": "no"}}, operation)

    def list_certificates(self, **_told: Any) -> dict[str, Any]:
        return {"CertificateSummaryList": [{"CertificateArn": arn} for arn in self.there]}

    def list_tags_for_certificate(self, **asked: Any) -> dict[str, Any]:
        return {"Tags": self.there[asked["CertificateArn"]]["Tags"]}

    def describe_certificate(self, **asked: Any) -> dict[str, Any]:
        self.looks += 1
        told = {**asked, **self.there[asked["CertificateArn"]]}
        if self.looks >= self.issues_after:
            told["Status"] = "ISSUED"
        if self.looks == 1:
            told["DomainValidationOptions"] = [{"DomainName": name} for name in told["Names"]]
        return {"Certificate": told}

    def request_certificate(self, **told: Any) -> dict[str, Any]:
        names = [told["DomainName"], *told.get("SubjectAlternativeNames", [])]
        options = [
            {"DomainName": name, "ResourceRecord": {"Name": f"_x.{name}.", "Type": "CNAME", "Value": "_y.aws."}}
            for name in names
        ]
        made = {
            "Status": "PENDING_VALIDATION",
            "Tags": told["Tags"],
            "Names": names,
            "DomainValidationOptions": options,
        }
        return self._made("request_certificate", made)

    def import_certificate(self, **told: Any) -> dict[str, Any]:
        return self._made("import_certificate", {"Status": "ISSUED", "Tags": told["Tags"], "Names": []})

    def _made(self, operation: str, made: dict[str, Any]) -> dict[str, Any]:
        arn = f"arn:{next(self.number)}"
        self.there[arn] = made
        self._fail(operation)
        return {"CertificateArn": arn}

    def delete_certificate(self, **asked: Any) -> None:
        self._fail("delete_certificate")
        del self.there[asked["CertificateArn"]]


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(acm: Acm, check: bool = False, **params: Any) -> dict[str, Any]:
    time = Time()
    told = {
        "platform": "shop",
        "state": "present",
        "names": [],
        "certificate": None,
        "private_key": None,
        "chain": None,
        "keep": [],
        "wait_timeout": 0,
        "tags": None,
        **params,
    }
    clock = Clock(lambda: time.now, time.sleep, lambda: 0.5)
    return bring_to_state(told, Remote(acm, Retries(clock=clock)), check)


def test_a_request_is_made_once_and_tells_its_records() -> None:
    acm = Acm()
    assert run(acm, check=True, names=["a.example"])["plan"] == ["requests a certificate for a.example"]
    assert acm.writes == []
    first = run(acm, names=["a.example", "b.example"])
    assert [record["name"] for record in first["records"]] == ["_x.a.example", "_x.b.example"]
    again = run(acm, names=["b.example", "a.example"])
    assert (again["changed"], again["arn"], acm.writes) == (False, first["arn"], ["request_certificate"])
    assert {"Key": "gatehouse:platform", "Value": "shop"} in acm.there[first["arn"]]["Tags"]


def test_other_names_are_another_certificate_beside_it() -> None:
    acm = Acm()
    first = run(acm, names=["a.example"])
    second = run(acm, names=["b.example"])
    assert second["obsolete"] == [first["arn"]]
    gone = run(acm, state="absent", keep=[second["arn"]])
    assert (gone["changed"], list(acm.there)) == (True, [second["arn"]])
    assert run(acm, state="absent", keep=[second["arn"]])["changed"] is False


def test_a_wait_ends_with_the_certificate_or_with_the_records_that_are_missing() -> None:
    assert run(Acm(issues_after=5), names=["a.example"], wait_timeout=100)["status"] == "ISSUED"
    with pytest.raises(CertificateError, match=r"within 30 seconds.*\na.example is proven by the record _x.a.example"):
        run(Acm(), names=["a.example"], wait_timeout=30)


def test_an_answer_that_was_lost_makes_no_second_certificate() -> None:
    acm = Acm()
    acm.failures["import_certificate"] = ["InternalFailure"]
    texts = {"certificate": "c", "private_key": "secret", "chain": ""}
    assert run(acm, **texts)["changed"] is True
    assert list(acm.there) == ["arn:1"]
    assert run(acm, **texts)["changed"] is False
    assert run(acm, **{**texts, "certificate": "d"})["arn"] == "arn:2"


def test_a_certificate_that_a_load_balancer_had_until_now_is_removed_with_patience() -> None:
    acm = Acm()
    run(acm, names=["a.example"])
    acm.failures["delete_certificate"] = ["ResourceInUseException"] * 3
    assert run(acm, state="absent")["changed"] is True
    assert acm.there == {}


def test_what_is_not_the_platform_s_is_left_alone() -> None:
    acm = Acm()
    run(acm, names=["a.example"], platform="other")
    assert run(acm, state="absent")["changed"] is False
    assert run(acm, names=["a.example"])["changed"] is True


def test_what_cannot_be() -> None:
    both = {"state": "present", "names": ["a"], "certificate": "b"}
    assert [finding.split(",")[0][:20] for finding in findings(both)] == [
        "either names (to req",
        "private_key is missi",
    ]
    assert "longer than 64" in next(findings({"names": [f"{'x' * 60}.example"]}))
    assert list(findings({"state": "absent"})) == []


def test_the_key_is_in_no_text() -> None:
    texts = {"certificate": "c", "private_key": "secret", "chain": ""}
    wanted = from_params({"platform": "shop", "names": [], "tags": None, **texts})
    assert "secret" not in repr(wanted)
