# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as files, for the tests of this directory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., Path]

SETTINGS = """\
# renew_before_expiry = 30 days
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/{name}

[renewalparams]
account = 2c5f36f9bae4275fb70ad17aa410bf8c
key_type = ecdsa
server = https://acme.example.test/dir
authenticator = webroot
webroot_path = /var/www/acme-challenge,
[[webroot_map]]
example.test = /var/www/acme-challenge
shop.example.test = /var/www/acme-challenge
"""


@pytest.fixture
def make_certificate() -> Make:
    """Write a self-signed certificate and its key as cert, chain, fullchain and privkey of one version."""

    def make(directory: Path, names: list[str], version: int | str = 1) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        key, cert = directory / f"privkey{version}.pem", directory / f"cert{version}.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "90", "-subj", f"/CN={names[0]}", "-keyout", str(key), "-out", str(cert)]
        command += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
        subprocess.run(command, check=True, capture_output=True)
        for kind in ("chain", "fullchain"):
            (directory / f"{kind}{version}.pem").write_text(cert.read_text())
        return cert

    return make


@pytest.fixture
def make_lineage(make_certificate: Make) -> Make:
    """Write a whole certificate as certbot lays it out."""

    def make(root: Path, name: str, names: list[str], version: int = 1) -> Path:
        make_certificate(root / "archive" / name, names, version)
        live = root / "live" / name
        live.mkdir(parents=True, exist_ok=True)
        for kind in ("cert", "privkey", "chain", "fullchain"):
            link = live / f"{kind}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../archive/{name}/{kind}{version}.pem")
        (root / "renewal").mkdir(exist_ok=True)
        (root / "renewal" / f"{name}.conf").write_text(SETTINGS.format(name=name))
        return live

    return make
