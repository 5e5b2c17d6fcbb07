# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certbot's commands as plain lists, and its failures in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import certbot, leftovers
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import Certificate, ExternalAccount

SERVER = "https://acme.test/dir"


def test_the_command_asks_for_exactly_the_declared_names() -> None:
    certificate = Certificate("a.test", ("a.test", "b.a.test"), SERVER, challenge_directory="/www")
    assert " ".join(certbot.issue_command(certificate)) == (
        "certbot certonly --non-interactive --cert-name a.test --server https://acme.test/dir --key-type ecdsa "
        "--force-renewal --renew-with-new-domains --webroot --webroot-path /www -d a.test -d b.a.test"
    )


def test_names_are_proven_through_route_53() -> None:
    certificate = Certificate("a.test", ("a.test", "*.a.test"), SERVER, authenticator="dns-route53", key_type="rsa")
    assert " ".join(certbot.issue_command(certificate)) == (
        "certbot certonly --non-interactive --cert-name a.test --server https://acme.test/dir --key-type rsa "
        "--force-renewal --renew-with-new-domains --dns-route53 -d a.test -d *.a.test"
    )


def test_an_account_has_a_contact_or_none() -> None:
    assert " ".join(certbot.account_command("register", SERVER, "")) == (
        "certbot register --non-interactive --server https://acme.test/dir "
        "--register-unsafely-without-email --agree-tos"
    )
    assert " ".join(certbot.account_command("update_account", SERVER, "a@b.test")) == (
        "certbot update_account --non-interactive --server https://acme.test/dir --email a@b.test --no-eff-email"
    )


def test_a_certificate_is_revoked_before_it_is_deleted() -> None:
    assert [command[1] for command in certbot.remove_commands("a.test", SERVER, revoke=True)] == ["revoke", "delete"]
    assert [command[1] for command in certbot.remove_commands("a.test", SERVER, revoke=False)] == ["delete"]


def test_the_key_of_an_external_account_is_in_a_private_file_and_no_argument(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[list[str], str, int]] = []

    def run(command: Sequence[str], ca_file: str = "") -> None:
        assert ca_file == "/ca.pem"
        path = Path(command[command.index("--config") + 1])
        seen.append((list(command), path.read_text(), path.stat().st_mode & 0o777))

    monkeypatch.setattr(certbot, "certbot", run)
    monkeypatch.setattr(leftovers, "EXTERNAL_ACCOUNT", str(tmp_path / "account.ini"))
    certbot.register(SERVER, "", ExternalAccount("kid-1", "c2VjcmV0"), "/ca.pem")
    [(command, content, mode)] = seen
    assert "c2VjcmV0" not in " ".join(command)
    assert (content, mode) == ("eab-kid = kid-1\neab-hmac-key = c2VjcmV0\n", 0o600)
    assert not Path(command[command.index("--config") + 1]).exists()


def test_an_account_counts_once_it_is_registered(tmp_path: Path) -> None:
    account = tmp_path / "accounts" / "acme.test" / "dir" / "0123"
    account.mkdir(parents=True)
    assert not certbot.has_account(SERVER, str(tmp_path))
    (account / "regr.json").write_text("{}")
    assert certbot.has_account(SERVER, str(tmp_path))


def test_a_lost_account_is_replaced_in_all_renewal_settings(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts" / "acme.test" / "dir"
    (accounts / "old").mkdir(parents=True)
    (tmp_path / "renewal").mkdir()
    settings, other = (tmp_path / "renewal" / f"{name}.conf" for name in ("a", "b"))
    settings.write_text("account = old\nserver = x\n")
    other.write_text("account = older\n")
    lost = certbot.set_account_aside(SERVER, str(tmp_path))
    (accounts / "new").mkdir()
    certbot.use_new_account(lost, SERVER, str(tmp_path))
    assert settings.read_text() == "account = new\nserver = x\n"
    assert other.read_text() == "account = older\n"
    assert (tmp_path / "accounts-unknown-to-server" / "old").is_dir()


FAILED_CHALLENGES = """\
Saving debug log to /var/log/letsencrypt/letsencrypt.log
Requesting a certificate for a.test and b.a.test

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: b.a.test
  Type:   unauthorized
  Detail: Non-200 status code from HTTP: http://b.a.test/.well-known/acme-challenge/x
 returned 404

  Domain: a.test
  Type:   dns
  Detail: NXDOMAIN

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile for more details.
"""


def test_each_name_that_failed_is_told_with_the_servers_reason() -> None:
    assert str(certbot.explain(FAILED_CHALLENGES, "")).splitlines() == [
        "the ACME server could not verify these names:",
        "- a.test: NXDOMAIN (dns)",
        "- b.a.test: Non-200 status code from HTTP: http://b.a.test/.well-known/acme-challenge/x returned 404 "
        "(unauthorized)",
    ]


def test_an_error_that_certbot_hides_is_found_in_its_log() -> None:
    output = (
        "Saving debug log\nAn unexpected error occurred:\nAttributeError: can't set attribute\nAsk for help or search"
    )
    log = (
        "Traceback (most recent call last):\nacme.messages.Error: urn:ietf:params:acme:error:rateLimited :: There were "
        "too many requests of a given type :: too many certificates already issued for a.test\n\nDuring handling\n"
    )
    error = certbot.explain(output, log)
    assert str(error) == "the ACME server refuses: too many certificates already issued for a.test (rateLimited)"
    assert error.kind == "rateLimited"


def test_any_other_failure_is_told_without_noise() -> None:
    output = "Saving debug log to x\nThe requested plugin does not exist\nAsk for help or search for solutions"
    assert str(certbot.explain(output, "")) == "certbot failed: The requested plugin does not exist"
