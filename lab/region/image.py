# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of instances: the lab's bare hosts with cloud-init, as one layer on top."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from lab.image import ensure_image
from lab.machine import machine_lock, run

FOLDER = Path(__file__).parent


def ensure_instance_image(distribution: str) -> str:
    """Name of the image for instances of a distribution; builds it when this machine does not have it yet."""
    base = ensure_image(distribution)
    name = f"localhost/gatehouse-lab:{distribution}-instance-{_digest(base)}"
    if _exists(name):
        return name
    with machine_lock(name.rpartition(":")[2]):
        if not _exists(name):
            print(f"Building the image {name} (half a minute, once on this machine)", flush=True)
            _build(name, base)
    return name


def _build(name: str, base: str) -> None:
    options = ["--quiet", "--force-rm", "--network=host", "--isolation=chroot", f"--build-arg=BASE={base}"]
    run("podman", "build", *options, f"--tag={name}", f"--file={FOLDER / 'Containerfile'}", str(FOLDER))


def _exists(name: str) -> bool:
    return subprocess.run(["podman", "image", "exists", name], check=False).returncode == 0


def _digest(base: str) -> str:
    digest = hashlib.sha256(base.encode())
    for path in [FOLDER / "Containerfile", *sorted((FOLDER / "image").rglob("*"))]:
        if path.is_file():
            digest.update(str(path.relative_to(FOLDER)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
