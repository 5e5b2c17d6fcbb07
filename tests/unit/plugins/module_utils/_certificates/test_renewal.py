# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one renewal mechanism."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import renewal
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError

ON = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active"}


@pytest.fixture(autouse=True)
def paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(renewal, "HOOK", str(tmp_path / "hooks" / "gatehouse-reload-apache"))
    monkeypatch.setattr(renewal, "DROP_IN", str(tmp_path / "certbot.service.d" / "gatehouse.conf"))
    monkeypatch.setattr(renewal, "DEPLOYED", str(tmp_path / "deployed"))
    monkeypatch.setattr(renewal, "_timer", lambda: ON)


def test_hook_and_environment_are_written_once() -> None:
    plan = renewal.plan_renewal(True, "true", "", check_mode=False)
    assert plan.sentences() == [f"renewal: writes {renewal.HOOK}"]
    renewal.apply_renewal(plan)
    assert Path(renewal.HOOK).stat().st_mode & 0o777 == 0o700
    assert renewal.plan_renewal(True, "true", "", check_mode=False) == renewal.Renewal()
    assert renewal.plan_renewal(False, "", "", check_mode=False).sentences() == [f"renewal: removes {renewal.HOOK}"]


def test_the_hook_reloads_before_the_declared_commands_and_marks_success(tmp_path: Path) -> None:
    script = renewal.hook_script("echo deployed")
    assert script.index("systemctl reload apache2") < script.index("echo deployed") < script.index("install -D")
    for program, text in (("systemctl", 'echo "systemctl $*"'), ("apache2ctl", 'echo "configtest $*"')):
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RENEWED_LINEAGE": "/etc/letsencrypt/live/a.test"}
    done = subprocess.run(["sh", "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["systemctl --quiet is-active apache2", "systemctl reload apache2", "deployed"]
    assert (tmp_path / "deployed" / "a.test").exists()


def test_the_hook_leaves_apache_alone_when_its_configuration_is_broken(tmp_path: Path) -> None:
    for program, text in (("systemctl", "echo $*"), ("apache2ctl", "echo bad line 3; exit 1")):
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RENEWED_LINEAGE": "/etc/letsencrypt/live/a.test"}
    script = ["sh", "-c", renewal.hook_script("")]
    done = subprocess.run(script, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "reload" not in done.stdout
    assert "bad line 3" in done.stderr
    assert not (tmp_path / "deployed").exists()


def test_a_certificate_newer_than_the_mark_is_not_deployed(tmp_path: Path) -> None:
    cert, mark = tmp_path / "cert.pem", tmp_path / "deployed" / "a.test"
    cert.touch()
    assert not renewal.is_deployed("a.test", str(cert))
    mark.parent.mkdir()
    mark.touch()
    assert renewal.is_deployed("a.test", str(cert))
    renewal.forget("a.test")
    assert not renewal.is_deployed("a.test", str(cert))


@pytest.mark.parametrize(
    ("state", "enable"),
    [(ON, False), ({**ON, "UnitFileState": "disabled"}, True), ({**ON, "ActiveState": "inactive"}, True)],
)
def test_the_timer_is_enabled_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, str], enable: bool
) -> None:
    monkeypatch.setattr(renewal, "_timer", lambda: state)
    assert renewal.plan_renewal(True, "", "", check_mode=False).enable_timer is enable


def test_before_certbot_is_installed_check_mode_expects_the_packages_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "_timer", lambda: {"LoadState": "not-found"})
    assert not renewal.plan_renewal(True, "", "", check_mode=True).enable_timer
    with pytest.raises(CertificatesError, match="install the package certbot"):
        renewal.plan_renewal(True, "", "", check_mode=False)


def test_a_masked_timer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "_timer", lambda: {"LoadState": "masked"})
    with pytest.raises(CertificatesError, match="is masked"):
        renewal.plan_renewal(True, "", "", check_mode=True)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0 3 * * * root certbot renew --quiet", True),
        ("0 3 * * * /usr/bin/letsencrypt -q renew", True),
        ("# 0 3 * * * root certbot renew", False),
        ("0 3 * * * root echo renewals", False),
    ],
)
def test_other_mechanisms_are_found(tmp_path: Path, line: str, found: bool) -> None:
    (tmp_path / "job").write_text(f"SHELL=/bin/sh\n{line}\n")
    assert bool(list(renewal.other_mechanisms((str(tmp_path / "*"),)))) is found


def test_debians_cron_file_steps_aside_under_systemd(tmp_path: Path) -> None:
    line = f"0 */12 * * * root test -x /usr/bin/certbot -a \\! -d {tmp_path} && certbot -q renew\n"
    (tmp_path / "certbot").write_text(line)
    assert list(renewal.other_mechanisms((str(tmp_path / "certbot"),), str(tmp_path))) == []
    assert list(renewal.other_mechanisms((str(tmp_path / "certbot"),), "/nowhere")) != []
