# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certbot's files: read, and mended after a killed run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.lineages import (
    KINDS,
    Lineage,
    find_lineage,
    mend,
    read_present,
)

from .conftest import SETTINGS, Make

NAMES = ["example.test", "shop.example.test"]


def links(root: Path, name: str = "a") -> set[str]:
    return {os.readlink(root / "live" / name / f"{kind}.pem") for kind in KINDS}


def test_a_sound_certificate_is_read(tmp_path: Path, make_lineage: Make) -> None:
    make_lineage(tmp_path, "a", NAMES)
    lineage = find_lineage("a", str(tmp_path))
    present = read_present(lineage)
    assert (lineage.version, lineage.defect) == (1, "")
    assert present is not None
    assert (present.names, present.key_type) == (frozenset(NAMES), "ecdsa")
    assert (present.server, present.authenticator) == ("https://acme.example.test/dir", "webroot")
    assert present.challenge_directories == {"/var/www/acme-challenge"}
    assert round((present.expires - present.not_before) / 86400) == 90


def test_where_nothing_is_there_is_no_defect(tmp_path: Path) -> None:
    lineage = find_lineage("a", str(tmp_path))
    assert (lineage.version, lineage.defect, read_present(lineage)) == (0, "", None)


def half_settings_only(root: Path, _make: Make) -> None:
    (root / "renewal").mkdir()
    (root / "renewal" / "a.conf").touch()


def half_archive(root: Path, make: Make) -> None:
    half_settings_only(root, make)
    make(root / "archive" / "a", NAMES)
    (root / "archive" / "a" / "fullchain1.pem").unlink()
    (root / "live" / "a").mkdir(parents=True)
    (root / "live" / "a" / "cert.pem").symlink_to("../../archive/a/cert1.pem")


def half_written(root: Path, make: Make) -> None:
    make(root / "archive" / "a", NAMES)
    (root / "archive" / "a" / "fullchain1.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB")


@pytest.mark.parametrize("leave", [half_settings_only, half_archive, half_written])
def test_a_half_made_certificate_is_removed(tmp_path: Path, make_certificate: Make, leave: object) -> None:
    leave(tmp_path, make_certificate)  # type: ignore[operator]
    lineage = find_lineage("a", str(tmp_path))
    assert lineage.defect == "removes what an interrupted request left behind"
    mend(lineage)
    assert find_lineage("a", str(tmp_path)) == Lineage("a", str(tmp_path))
    assert not list(tmp_path.glob("*/a*"))


def plain_files(root: Path, make: Make) -> None:
    make(root / "live" / "a", NAMES, "")


def moved_archive(root: Path, make: Make) -> None:
    make(root / "elsewhere" / "a", NAMES)
    (root / "live" / "a").mkdir(parents=True)
    for kind in KINDS:
        (root / "live" / "a" / f"{kind}.pem").symlink_to(f"../../elsewhere/a/{kind}1.pem")


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("leave", [plain_files, moved_archive])
def test_a_certificate_kept_in_another_way_is_not_ours(
    tmp_path: Path, make_certificate: Make, leave: object, owned: bool
) -> None:
    leave(tmp_path, make_certificate)  # type: ignore[operator]
    lineage = find_lineage("a", str(tmp_path), owned)
    assert lineage.defect == ""
    assert lineage.obstacle.startswith(f"{tmp_path}/live/a is there and not ours: move it away")


@pytest.mark.parametrize("leave", [half_settings_only, half_archive, half_written])
def test_what_is_not_owned_is_not_mended(tmp_path: Path, make_certificate: Make, leave: object) -> None:
    leave(tmp_path, make_certificate)  # type: ignore[operator]
    lineage = find_lineage("a", str(tmp_path), owned=False)
    assert (lineage.version, lineage.defect) == (0, "")
    assert "there and not ours" in lineage.obstacle


def test_text_around_the_certificate_does_not_count(tmp_path: Path, make_lineage: Make) -> None:
    make_lineage(tmp_path, "a", NAMES)
    with (tmp_path / "archive" / "a" / "fullchain1.pem").open("a") as file:
        file.write("\n# issued for the shop\n")
    lineage = find_lineage("a", str(tmp_path), owned=False)
    assert (lineage.version, lineage.defect, lineage.obstacle) == (1, "", "")


def test_an_interrupted_renewal_ends_at_the_last_complete_version(
    tmp_path: Path, make_lineage: Make, make_certificate: Make
) -> None:
    live = make_lineage(tmp_path, "a", NAMES)
    make_certificate(tmp_path / "archive" / "a", NAMES, 2)
    (live / "privkey.pem").unlink()
    (live / "privkey.pem").symlink_to("../../archive/a/privkey2.pem")
    (live / "previous_cert.pem").symlink_to("../../archive/a/cert1.pem")
    lineage = find_lineage("a", str(tmp_path))
    assert "interrupted renewal" in lineage.defect
    mend(lineage)
    assert links(tmp_path) == {f"../../archive/a/{kind}2.pem" for kind in KINDS}
    assert not list(live.glob("previous_*"))
    assert find_lineage("a", str(tmp_path)).defect == ""


def test_an_incomplete_new_version_leaves_the_old_one_in_use(tmp_path: Path, make_lineage: Make) -> None:
    make_lineage(tmp_path, "a", NAMES)
    (tmp_path / "archive" / "a" / "privkey2.pem").write_text("half")
    lineage = find_lineage("a", str(tmp_path))
    assert (lineage.version, lineage.defect) == (1, "")


def test_lost_renewal_settings_are_restored_and_the_certificate_stays(tmp_path: Path, make_lineage: Make) -> None:
    make_lineage(tmp_path, "a", NAMES)
    settings = tmp_path / "renewal" / "a.conf"
    settings.unlink()
    lineage = find_lineage("a", str(tmp_path))
    assert lineage.defect == "restores the missing renewal settings"
    mend(lineage)
    assert settings.read_text().endswith("[renewalparams]\n")
    assert links(tmp_path) == {f"../../archive/a/{kind}1.pem" for kind in KINDS}


def test_settings_of_route_53_have_no_directory(tmp_path: Path, make_lineage: Make) -> None:
    make_lineage(tmp_path, "a", NAMES)
    text = SETTINGS.partition("webroot_path")[0].replace("= webroot", "= dns-route53")
    (tmp_path / "renewal" / "a.conf").write_text(text)
    present = read_present(find_lineage("a", str(tmp_path)))
    assert present is not None
    assert (present.authenticator, present.challenge_directories) == ("dns-route53", frozenset())
