# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one renewal mechanism: Debian's certbot.timer, and the hook that makes Apache load a new certificate."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, remove_file, write_file

HOOK = "/etc/letsencrypt/renewal-hooks/deploy/gatehouse-reload-apache"
DROP_IN = "/etc/systemd/system/certbot.service.d/gatehouse.conf"
TIMER = "certbot.timer"
DEPLOYED = "/var/lib/gatehouse/certificates"

_SCRIPT = """\
#!/bin/sh
# Managed by gatehouse.platform; changes are overwritten.
# Run by certbot after a renewal: Apache loads the new certificate, without losing a request.
set -eu
if systemctl --quiet is-active apache2; then
  if ! output=$(apache2ctl configtest 2>&1); then
    echo "Apache goes on with the certificate it has loaded, because its configuration is not valid:" >&2
    echo "$output" >&2
    exit 1
  fi
  systemctl reload apache2
fi
"""

_OTHERS = ("/etc/crontab", "/etc/cron.d/*", "/etc/cron.daily/*", "/etc/cron.weekly/*", "/var/spool/cron/crontabs/*")


@dataclass(frozen=True)
class Renewal:
    """Differences to apply: file contents (None: remove) with their modes, and whether the timer is to be enabled."""

    files: tuple[tuple[str, str | None, int], ...] = ()
    enable_timer: bool = False

    def sentences(self) -> list[str]:
        words = [f"renewal: {'removes' if content is None else 'writes'} {path}" for path, content, _mode in self.files]
        return [*words, *([f"renewal: enables {TIMER}"] if self.enable_timer else [])]


def hook_script(deploy_hook: str) -> str:
    """The deploy hook: reload, whatever else is wanted, and a mark that all of it was done."""
    mark = f'install -D -m 0644 /dev/null "{DEPLOYED}/${{RENEWED_LINEAGE##*/}}"'
    return _SCRIPT + "".join(f"{line}\n" for line in (deploy_hook.strip(), mark) if line)


def is_deployed(name: str, path: str) -> bool:
    """Whether the hook has succeeded since this file of the certificate was written."""
    try:
        return os.stat(f"{DEPLOYED}/{name}").st_mtime >= os.stat(path).st_mtime
    except OSError:
        return False


def forget(name: str) -> None:
    """Drop the mark of a certificate that was removed."""
    remove_file(f"{DEPLOYED}/{name}")


def drop_in(ca_file: str) -> str:
    """Settings of certbot.service, for an ACME server whose own TLS certificate the system does not trust."""
    header = "# Managed by gatehouse.platform; changes are overwritten."
    return f"{header}\n[Service]\nEnvironment=REQUESTS_CA_BUNDLE={ca_file}\n"


def plan_renewal(wanted: bool, deploy_hook: str, ca_file: str, check_mode: bool) -> Renewal:
    """Compare the hook, the unit's environment and the timer with what is declared."""
    declared = {
        (HOOK, 0o700): hook_script(deploy_hook) if wanted else None,
        (DROP_IN, 0o644): drop_in(ca_file) if wanted and ca_file else None,
    }
    files = tuple(
        (path, content, mode)
        for (path, mode), content in declared.items()
        if read_text(path) != content or (content is not None and os.stat(path).st_mode & 0o777 != mode)
    )
    return Renewal(files, wanted and _timer_is_off(_timer(), check_mode))


def _timer() -> dict[str, str]:
    try:
        text = run(["systemctl", "show", TIMER, "--property=LoadState,UnitFileState,ActiveState"], check=False).stdout
    except CommandError:
        return {}
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _timer_is_off(state: Mapping[str, str], check_mode: bool) -> bool:
    if state.get("LoadState") == "masked":
        raise CertificatesError(
            f"{TIMER} is masked, so nothing would renew the certificates: 'systemctl unmask {TIMER}'."
        )
    if state.get("LoadState") != "loaded":
        if check_mode:  # the package brings it, enabled
            return False
        raise CertificatesError(f"There is no {TIMER}: install the package certbot.")
    return state.get("UnitFileState") != "enabled" or state.get("ActiveState") != "active"


def apply_renewal(renewal: Renewal) -> None:
    for path, content, mode in renewal.files:
        if content is None:
            remove_file(path)
            continue
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        write_file(path, content, mode=mode)
    if any(path == DROP_IN for path, _content, _mode in renewal.files):
        run(["systemctl", "daemon-reload"])
    if renewal.enable_timer:
        run(["systemctl", "enable", "--now", TIMER])


def run_hook(name: str, names: tuple[str, ...]) -> None:
    """Run the hook as certbot would after a renewal. Raises CertificatesError with what it said."""
    environment = {"RENEWED_LINEAGE": f"/etc/letsencrypt/live/{name}", "RENEWED_DOMAINS": " ".join(names)}
    try:
        run([HOOK], timeout=120, environment=environment)
    except CommandError as error:
        raise CertificatesError(
            f"{name}: the certificate is in place, but its deploy hook {HOOK} failed:\n{error.output.strip()}"
        ) from error


def other_mechanisms(paths: tuple[str, ...] = _OTHERS, systemd: str = "/run/systemd/system") -> Iterator[str]:
    """Files that renew certificates beside the timer. Debian's own cron file steps aside under systemd."""
    for path in (found for pattern in paths for found in sorted(glob.glob(pattern))):
        for line in (read_text(path) or "").splitlines():
            if not re.match(r"\s*[^#\s].*\b(certbot|letsencrypt)\b.*\brenew\b", line):
                continue
            if systemd in line and os.path.isdir(systemd):
                continue
            yield path
            break
    yield from glob.glob("/etc/systemd/system/*.wants/snap.certbot.renew.timer")
