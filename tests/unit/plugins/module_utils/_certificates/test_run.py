# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module against a scripted certbot: order of calls, check mode, failures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates import (
    acme,
    apache,
    certbot,
    challenge,
    host,
    leftovers,
    renewal,
    run,
    state,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError

from .conftest import Make
from .test_model import PARAMS

SERVER = "https://acme.example.test/dir"
NAMES = ["example.test", "shop.example.test"]


class Scripted:
    """Stands for certbot and everything else that is started or asked; keeps the order."""

    def __init__(self, root: Path, make_lineage: Make) -> None:
        self.root, self.make_lineage = root, make_lineage
        self.calls: list[str] = []
        self.version = 1
        self.failures: list[certbot.RefusedError] = []

    def certbot(self, command: Sequence[str], _ca_file: str = "") -> None:
        self.calls.append(command[1])
        if self.failures and command[1] == "certonly":
            raise self.failures[0]
        if command[1] == "register":
            account = self.root / "accounts" / "acme.example.test" / "dir" / "1"
            account.mkdir(parents=True)
            (account / "regr.json").write_text("{}")
        if command[1] == "certonly":
            self.version += 1
            name = command[command.index("--cert-name") + 1]
            names = [command[i + 1] for i, argument in enumerate(command) if argument == "-d"]
            self.make_lineage(self.root, name, names, self.version)

    def note(self, name: str, result: Any = None) -> Callable[..., Any]:
        def call(*_arguments: Any, **_options: Any) -> Any:
            self.calls.append(name)
            return result

        return call


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_lineage: Make) -> Scripted:
    root = tmp_path / "letsencrypt"
    (root / "accounts").mkdir(parents=True)
    script = Scripted(root, make_lineage)
    owned = str(tmp_path / "gatehouse" / "certificates.json")
    read, write = state.read_state, state.write_state
    for module in (host, run):
        monkeypatch.setattr(module, "ROOT", str(root))
    monkeypatch.setattr(state, "read_state", lambda: read(owned))
    monkeypatch.setattr(state, "write_state", lambda data: write(data, owned))
    monkeypatch.setattr(leftovers, "certbot_is_running", lambda: False)
    monkeypatch.setattr(leftovers, "find_leftovers", lambda _directory: [])
    monkeypatch.setattr(leftovers, "hold_locks", contextlib.nullcontext)
    monkeypatch.setattr(renewal, "HOOK", str(tmp_path / "hooks" / "reload"))
    monkeypatch.setattr(renewal, "DROP_IN", str(tmp_path / "drop-in.conf"))
    monkeypatch.setattr(
        renewal, "_timer", lambda: {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active"}
    )
    monkeypatch.setattr(renewal, "other_mechanisms", lambda: iter(()))
    monkeypatch.setattr(renewal, "is_deployed", lambda _name, _path: True)
    monkeypatch.setattr(renewal, "run_hook", script.note("hook"))
    monkeypatch.setattr(challenge, "prepare_directory", script.note("prepare"))
    monkeypatch.setattr(challenge, "check_names", script.note("self check"))
    monkeypatch.setattr(acme, "needs_external_account", script.note("directory", False))
    monkeypatch.setattr(apache, "references", lambda _name, _root: [])
    monkeypatch.setattr(certbot, "certbot", script.certbot)
    return script


def params(*names: str, **options: Any) -> dict[str, Any]:
    certificates = [{"name": "example.test", "names": list(names)}] if names else []
    directory = {"challenge_directory": "/var/www/acme-challenge", "directory_url": SERVER}
    return {**PARAMS, **directory, "certificates": certificates, **options}


def files(root: Path) -> dict[str, float]:
    return {path: os.lstat(path).st_mtime_ns for path in map(str, root.rglob("*"))}


def test_everything_is_proven_before_certbot_is_started(scripted: Scripted) -> None:
    result = run.bring(params(*NAMES), check_mode=False)
    assert scripted.calls == ["prepare", "self check", "directory", "register", "certonly", "hook"]
    assert result["changed"]
    assert result["certificates"]["example.test"]["names"] == NAMES
    assert result["diff"] == {"before": "", "after": "example.test:\n  - example.test\n  - shop.example.test\n"}


def test_nothing_is_started_when_nothing_is_to_do(scripted: Scripted) -> None:
    run.bring(params(*NAMES), check_mode=False)
    scripted.calls.clear()
    result = run.bring(params(*reversed(NAMES)), check_mode=False)
    assert (result["changed"], result["plan"], scripted.calls) == (False, [], [])


@pytest.mark.parametrize("first", [True, False])
def test_check_mode_announces_exactly_what_the_run_does_and_writes_nothing(
    scripted: Scripted, tmp_path: Path, first: bool
) -> None:
    if not first:
        run.bring(params(*NAMES), check_mode=False)
    scripted.calls.clear()
    before = files(tmp_path)
    announced = run.bring(params("example.test", "new.example.test"), check_mode=True)
    assert files(tmp_path) == before
    assert scripted.calls == []
    done = run.bring(params("example.test", "new.example.test"), check_mode=False)
    assert (announced["plan"], announced["diff"]) == (done["plan"], done["diff"])


def test_a_refusal_tells_how_long_the_present_certificate_lasts(scripted: Scripted) -> None:
    run.bring(params(*NAMES), check_mode=False)
    scripted.failures = [certbot.RefusedError("the ACME server refuses: no (rateLimited)", "rateLimited")]
    with pytest.raises(CertificatesError) as error:
        run.bring(params("example.test"), check_mode=False)
    first, second = str(error.value).splitlines()
    assert first == "example.test: the ACME server refuses: no (rateLimited)"
    assert second.startswith("the present certificate for example.test is valid until 20")


def test_a_request_that_failed_first_is_still_owned(scripted: Scripted, tmp_path: Path) -> None:
    scripted.failures = [certbot.RefusedError("no")]
    with pytest.raises(CertificatesError, match=r"there is no certificate for example\.test yet"):
        run.bring(params(*NAMES), check_mode=False)
    assert "example.test" in (tmp_path / "gatehouse" / "certificates.json").read_text()


@pytest.mark.parametrize("check_mode", [True, False])
def test_somebodys_own_certificate_is_an_error_and_stays(
    scripted: Scripted, tmp_path: Path, make_certificate: Make, check_mode: bool
) -> None:
    make_certificate(scripted.root / "live" / "example.test", NAMES, "")
    before = files(tmp_path)
    with pytest.raises(CertificatesError, match=r"example\.test: .* is there and not ours: move it away"):
        run.bring(params(*NAMES), check_mode=check_mode)
    assert (files(tmp_path), scripted.calls) == (before, [])


def test_what_an_own_interrupted_request_left_is_removed(scripted: Scripted) -> None:
    scripted.failures = [certbot.RefusedError("no")]
    with pytest.raises(CertificatesError):
        run.bring(params(*NAMES), check_mode=False)
    half = scripted.root / "live" / "example.test"
    half.mkdir(parents=True)
    (half / "README").touch()
    scripted.failures = []
    result = run.bring(params(*NAMES), check_mode=False)
    assert result["plan"][0] == "example.test: removes what an interrupted request left behind"
    assert not (half / "README").exists()


def test_an_account_that_the_server_lost_is_replaced_once(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.bring(params(*NAMES), check_mode=False)
    scripted.calls.clear()
    real = scripted.certbot

    def lost_once(command: Sequence[str], ca_file: str = "") -> None:
        lost = certbot.RefusedError("x", "accountDoesNotExist")
        scripted.failures = [] if "register" in scripted.calls else [lost]
        real(command, ca_file)

    monkeypatch.setattr(certbot, "certbot", lost_once)
    run.bring(params("example.test"), check_mode=False)
    assert scripted.calls == ["prepare", "self check", "directory", "certonly", "register", "certonly", "hook"]


def test_a_certificate_goes_when_it_left_the_list_and_apache_lets_it_go(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.bring(params(*NAMES), check_mode=False)
    scripted.calls.clear()
    monkeypatch.setattr(apache, "references", lambda _name, _root: ["/etc/apache2/sites-enabled/a.conf"])
    monkeypatch.setattr(apache, "is_served", lambda _names, _fingerprint: True)
    with pytest.raises(CertificatesError, match="Apache still refers to them"):
        run.bring(params(), check_mode=False)
    assert "Apache still refers" in run.bring(params(), check_mode=True)["warnings"][0]
    assert scripted.calls == []
    monkeypatch.setattr(apache, "references", lambda _name, _root: [])
    result = run.bring(params(revoke=True), check_mode=False)
    assert scripted.calls == ["revoke", "delete"]
    assert result["diff"]["after"] == ""
    assert not os.path.exists(renewal.HOOK)


def test_apache_is_reloaded_when_it_serves_another_certificate(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.bring(params(*NAMES), check_mode=False)
    scripted.calls.clear()
    monkeypatch.setattr(apache, "references", lambda _name, _root: ["/etc/apache2/sites-enabled/a.conf"])
    monkeypatch.setattr(apache, "is_served", lambda _names, _fingerprint: False)
    monkeypatch.setattr(apache, "wait_until_served", lambda _names, _fingerprint: True)
    result = run.bring(params(*NAMES), check_mode=False)
    assert scripted.calls == ["hook"]
    assert result["plan"] == ["example.test: reloads Apache, which serves another certificate than the one on disk"]
