# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of bare hosts, made by debootstrap from the distribution's archive that this machine uses itself."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.machine import LabError, machine_lock, run

SUITES = {"debian12": "bookworm", "debian13": "trixie"}
# What a cloud image of the distribution brings along, and nothing of what the roles install.
PACKAGES = [
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "libpam-systemd",
    "netbase",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
]
SERVICES_PACKAGES = ["dnsmasq", "pebble"]
# One for everybody, one that makes accounts only for those whom it knows (RFC 8555, 7.3.4).
ACME_SERVERS = ["gatehouse-acme.service", "gatehouse-acme-customers.service"]
FILES = Path(__file__).parent / "files"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def ensure_image(distribution: str, services: bool = False) -> str:
    """Name of the image of a distribution; builds it when this machine does not have it yet.

    ``services`` adds the ACME server and the DNS server of the lab.
    """
    name = f"localhost/gatehouse-lab:{distribution}{'-services' if services else ''}-{_digest(services)}"
    if _exists(name):
        return name
    with machine_lock(name.rpartition(":")[2]):
        if not _exists(name):
            print(f"Building the image {name} (a minute, once on this machine)", flush=True)
            _build(name, SUITES[distribution], services)
    return name


def remove_images() -> None:
    """Remove the lab's images, except those that another checkout's hosts still use."""
    for name in run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}").split():
        if name.startswith("localhost/gatehouse-lab:"):
            run("podman", "rmi", name, check=False)


def _exists(name: str) -> bool:
    return subprocess.run(["podman", "image", "exists", name], check=False).returncode == 0


def _digest(services: bool) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for folder in ["host", "services"] if services else ["host"]:
        for path in sorted((FILES / folder).rglob("*")):
            if path.is_file():
                digest.update(path.read_bytes())
    digest.update("\n".join(_archive_lines("bookworm")).encode())
    digest.update("".join(_extra_authorities()).encode())
    return digest.hexdigest()[:12]


@functools.cache
def _archives() -> list[tuple[str, str]]:
    """(address, suite) of the machine's own archives of its distribution, security included."""
    found = _index_targets()
    if not found:
        # Suites are known once their lists have been fetched.
        run("apt-get", "-qq", "update")
        found = _index_targets()
    if not found:
        raise LabError("The lab cannot run on this machine; missing: an archive of Debian in apt's sources.")
    return found


def _index_targets() -> list[tuple[str, str]]:
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
    targets = run("apt-get", "indextargets", "--format", fields, "Identifier: Packages")
    lines = [line.split(" ", 3) for line in targets.splitlines()]
    debian = [(address, suite) for address, suite, part, origin in lines if part == "main" and origin[:6] == "Debian"]
    return list(dict.fromkeys(debian))


def _archive_lines(suite: str) -> list[str]:
    own = next(
        line.partition("=")[2].strip()
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
        if line.startswith("VERSION_CODENAME=")
    )
    lines = []
    for address, name in _archives():
        if name.startswith(own):
            lines.append(f"deb {address} {suite}{name.removeprefix(own)} main")
    return lines


def _extra_authorities() -> list[str]:
    """Certificates that this machine trusts beyond those of its ca-certificates package."""
    known = {path.read_text(encoding="utf-8").strip() for path in Path("/usr/share/ca-certificates").rglob("*.crt")}
    pattern = r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----"
    bundle = BUNDLE.read_text(encoding="utf-8") if BUNDLE.exists() else ""
    return [certificate for certificate in re.findall(pattern, bundle, re.DOTALL) if certificate not in known]


def _build(name: str, suite: str, services: bool) -> None:
    for leftover in Path("/var/tmp").glob(f"gatehouse-image-{suite}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    tree = Path(tempfile.mkdtemp(prefix=f"gatehouse-image-{suite}-", dir="/var/tmp"))
    try:
        if services:
            _unpack(ensure_image("debian12"), tree)
            _chroot(tree, "apt-get", "-qq", "install", "--no-install-recommends", "-y", *SERVICES_PACKAGES)
            _chroot(tree, "systemctl", "disable", "dnsmasq.service")
            shutil.copytree(FILES / "services", tree, dirs_exist_ok=True)
            _chroot(tree, "systemctl", "enable", "gatehouse-dns.service", *ACME_SERVERS)
        else:
            _bootstrap(tree, suite)
        _import(tree, name)
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _bootstrap(tree: Path, suite: str) -> None:
    address = next(address for address, name in _archives() if "security" not in address + name)
    run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, str(tree), address)
    (tree / "etc/apt/sources.list").write_text("\n".join(_archive_lines(suite)) + "\n", encoding="utf-8")
    for number, certificate in enumerate(_extra_authorities()):
        path = tree / f"usr/local/share/ca-certificates/machine-{number}.crt"
        path.write_text(certificate + "\n", encoding="utf-8")
    shutil.copytree(FILES / "host", tree, dirs_exist_ok=True)
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    _chroot(tree, "update-ca-certificates")
    _chroot(tree, "apt-get", "-qq", "update")
    _chroot(tree, "apt-get", "clean")
    _chroot(tree, "useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", "admin")
    (tree / "etc/sudoers.d/admin").write_text("admin ALL=(ALL) NOPASSWD: ALL\n", encoding="utf-8")
    _chroot(tree, "systemctl", "enable", "gatehouse-host-keys.service", "ssh.service")
    _chroot(tree, "systemctl", "set-default", "multi-user.target")
    (tree / "etc/machine-id").write_text("", encoding="utf-8")


def _chroot(tree: Path, *arguments: str) -> None:
    environment = ["DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    # Programs started by package scripts must not start services of this machine.
    policy = tree / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    shutil.copyfile("/etc/resolv.conf", tree / "etc/resolv.conf")
    try:
        run("chroot", str(tree), "env", *environment, *arguments)
    finally:
        policy.unlink()


def _unpack(image: str, tree: Path) -> None:
    container = run("podman", "create", image, "/sbin/init").strip()
    try:
        _pipe(["podman", "export", container], ["tar", "-x", "-C", str(tree)])
    finally:
        run("podman", "rm", container)


def _import(tree: Path, name: str) -> None:
    _pipe(["tar", "-c", "-C", str(tree), "."], ["podman", "import", "--quiet", "-", name])


def _pipe(producer: list[str], consumer: list[str]) -> None:
    with subprocess.Popen(producer, stdout=subprocess.PIPE) as source:
        result = subprocess.run(consumer, stdin=source.stdout, check=False, capture_output=True, text=True)
    if source.returncode != 0 or result.returncode != 0:
        raise LabError(f"'{' '.join(producer)} | {' '.join(consumer)}' failed: {result.stderr.strip()}")
