# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certbot's commands: built as plain lists, run, and their failures told in the ACME server's own words."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Sequence
from urllib.parse import urlsplit

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import leftovers
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import (
    Certificate,
    CertificatesError,
    ExternalAccount,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file, write_file

LOG = "/var/log/letsencrypt/letsencrypt.log"
_NOISE = ("Saving debug log", "Ask for help", "See the logfile", "Requesting a certificate", "An unexpected error")


class RefusedError(CertificatesError):
    """certbot failed; ``kind`` is the ACME error type (RFC 8555, 6.7) where there is one."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.kind = kind


def issue_command(certificate: Certificate) -> list[str]:
    """Request exactly these names, whatever the certificate had before."""
    if certificate.authenticator == "webroot":
        authenticator = ["--webroot", "--webroot-path", certificate.challenge_directory]
    else:
        authenticator = ["--dns-route53"]
    return [
        *("certbot", "certonly", "--non-interactive", "--cert-name", certificate.name),
        *("--server", certificate.server, "--key-type", certificate.key_type),
        *("--force-renewal", "--renew-with-new-domains", *authenticator),
        *(argument for name in certificate.names for argument in ("-d", name)),
    ]


def account_command(verb: str, server: str, email: str, config: str = "") -> list[str]:
    """``register`` or ``update_account``. Secrets are in the file ``config``, never among the arguments."""
    contact = ["--email", email, "--no-eff-email"] if email else ["--register-unsafely-without-email"]
    command = ["certbot", verb, "--non-interactive", "--server", server, *contact]
    return [*command, *(["--agree-tos"] if verb == "register" else []), *(["--config", config] if config else [])]


def remove_commands(name: str, server: str, revoke: bool) -> list[list[str]]:
    """Delete a certificate's files, after revoking it where that is wanted."""
    revocation = ["certbot", "revoke", "--non-interactive", "--cert-name", name, "--no-delete-after-revoke"]
    delete = ["certbot", "delete", "--non-interactive", "--cert-name", name]
    return [[*revocation, *(["--server", server] if server else [])], delete] if revoke else [delete]


def accounts_directory(server: str, root: str) -> str:
    url = urlsplit(server)
    return os.path.join(root, "accounts", url.netloc, url.path.strip("/"))


def has_account(server: str, root: str) -> bool:
    """Whether certbot has registered with this ACME server; an account without its registration does not count."""
    return bool(glob.glob(f"{glob.escape(accounts_directory(server, root))}/*/regr.json"))


def register(server: str, email: str, account: ExternalAccount | None, ca_file: str) -> None:
    """Make an account. The key of an external account lives in a file of mode 0600 for as long as that takes."""
    if account is None:
        certbot(account_command("register", server, email), ca_file)
        return
    config = leftovers.EXTERNAL_ACCOUNT
    write_file(config, f"eab-kid = {account.key_id}\neab-hmac-key = {account.hmac_key}\n", mode=0o600)
    try:
        certbot(account_command("register", server, email, config), ca_file)
    finally:
        remove_file(config)


def set_account_aside(server: str, root: str) -> list[str]:
    """Move accounts that the ACME server does not know any more out of certbot's sight; returns their ids."""
    directory = accounts_directory(server, root)
    aside = f"{root}/accounts-unknown-to-server"
    os.makedirs(aside, mode=0o700, exist_ok=True)
    lost = sorted(os.listdir(directory))
    for account in lost:
        shutil.rmtree(f"{aside}/{account}", ignore_errors=True)
        shutil.move(f"{directory}/{account}", f"{aside}/{account}")
    return lost


def use_new_account(lost: Sequence[str], server: str, root: str) -> None:
    """Make the other certificates renew with the account that replaced the lost ones."""
    new = sorted(os.listdir(accounts_directory(server, root)))[0]
    for path in glob.glob(f"{root}/renewal/*.conf"):
        text = read_text(path) or ""
        changed = re.sub(
            rf"^account = ({'|'.join(map(re.escape, lost))})$", f"account = {new}", text, flags=re.MULTILINE
        )
        if lost and changed != text:
            write_file(path, changed)


def certbot(command: Sequence[str], ca_file: str = "", log: str = LOG) -> None:
    """Run certbot. Raises RefusedError with the reason alone."""
    start = os.path.getsize(log) if os.path.exists(log) else 0
    try:
        run(command, timeout=900, environment={"REQUESTS_CA_BUNDLE": ca_file} if ca_file else None)
    except CommandError as error:
        text = read_text(log) or ""
        raise explain(error.output, text[start:] if len(text) > start else text) from error


def explain(output: str, log: str) -> RefusedError:
    """The reason of a failure: the problem of each name, else the ACME error of the log, else what certbot printed.

    The log is needed because certbot 2.1 of Debian 12 hides an ACME error behind
    "AttributeError: can't set attribute".
    """
    blocks = re.findall(
        r"Domain: +(\S+)\s+Type: +(\S+)\s+Detail: (.*?)(?=\n\s*\n|\n\s*Domain:|\nHint:|\Z)", output, re.DOTALL
    )
    if blocks:
        lines = sorted(f"- {name}: {' '.join(detail.split())} ({kind})" for name, kind, detail in blocks)
        return RefusedError("the ACME server could not verify these names:\n" + "\n".join(lines), blocks[0][1])
    errors = re.findall(r"^acme\.messages\.Error: urn:ietf:params:acme:error:(\w+) :: (.*)$", log, re.MULTILINE)
    if errors:
        kind, detail = errors[-1]
        return RefusedError(f"the ACME server refuses: {detail.split(' :: ')[-1]} ({kind})", kind)
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(_NOISE)]
    return RefusedError("certbot failed: " + "\n".join(lines[-8:]))
