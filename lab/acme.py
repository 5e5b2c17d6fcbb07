# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's ACME server and DNS: certificates of their own, the zones, the issuing root."""

from __future__ import annotations

import contextlib
import ssl
import time
import urllib.request
from pathlib import Path

from lab.hosts import write_file
from lab.image import ACME_SERVERS
from lab.machine import LabError, inside, run
from lab.model import ZONE, Host, Lab
from lab.network import known_number
from lab.region.place import Place, place_key, region_beside

MANAGEMENT_PORT = 15000
DIRECTORY_PORT = 14000


def ensure_authority(lab: Lab) -> None:
    """Make the authority that vouches for the ACME server itself (not for what it issues)."""
    folder = lab.directory / "ca"
    if (folder / "server.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    days: list[str | Path] = ["-days", "3650"]
    use: list[str | Path] = ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-subj", "/CN=Gatehouse lab"]
    _openssl("req", "-x509", *_key(folder / "ca.key"), *days, *use, "-out", folder / "ca.pem")
    signed: list[str | Path] = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key"]
    names: list[str | Path] = [
        "-addext",
        f"subjectAltName=DNS:acme.{ZONE}",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    partial = folder / "server.pem.partial"
    key = _key(folder / "server.key")
    _openssl("req", "-x509", *key, *days, "-subj", f"/CN=acme.{ZONE}", *names, *signed, "-out", partial)
    partial.rename(folder / "server.pem")


def _key(path: Path) -> list[str | Path]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]


def _openssl(*arguments: str | Path) -> None:
    run("openssl", *(str(argument) for argument in arguments))


def names_configuration(lab: Lab, upstream: list[str]) -> str:
    """Configuration of dnsmasq: the zones, and two names for tests of what goes wrong."""
    acme = next(host for host in lab.hosts if host.group == "acme")
    elsewhere = lab.networks["pub0"][250]
    # In this order: a region that is not up is refused at once.
    lines = ["no-resolv", "no-hosts", "user=root", "cache-size=1000", "strict-order"]
    lines += [f"server={address}" for address in upstream]
    lines += [f"address=/{zone}/{address}" for zone, address in lab.zones().items()]
    lines += [f"address=/acme.{ZONE}/{lab.address(acme, 'pub0')}"]
    lines += [f"address=/elsewhere.{ZONE}/{elsewhere}", f"address=/nowhere.{ZONE}/"]
    return "\n".join(lines) + "\n"


def upstream_servers() -> list[str]:
    """Name servers of this machine, for names outside the lab."""
    for path in ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"):
        if Path(path).exists():
            lines = [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines()]
            return [words[1] for words in lines if words[:1] == ["nameserver"] and not words[1].startswith("127.")]
    return []


def region_servers(lab: Lab) -> list[str]:
    """Name server of the AWS region beside the lab, as soon as that has a place on this machine."""
    name = region_beside(lab.name)
    number = known_number(place_key(name))
    return [Place(name, number).uplink[1]] if number else []


def ensure_services(lab: Lab, host: Host, process: int) -> None:
    """Configure and start the DNS and ACME servers; restarts only what changed."""
    names = names_configuration(lab, [*region_servers(lab), *upstream_servers()])
    if write_file(process, "/etc/gatehouse-dns.conf", names):
        inside(process, "systemctl", "restart", "gatehouse-dns.service")
    changed = False
    for name, mode in (("server.pem", 0o644), ("server.key", 0o600)):
        content = (lab.directory / "ca" / name).read_text(encoding="ascii")
        changed |= write_file(process, f"/etc/pebble/{name}", content, mode)
    if changed:
        inside(process, "systemctl", "restart", *ACME_SERVERS)
    _keep_root(lab, host)


def _keep_root(lab: Lab, host: Host) -> None:
    """Add the issuing root to acme-root.pem: it is another one after each start of the ACME server."""
    path = lab.directory / "acme-root.pem"
    root = _fetch_root(lab, host)
    known = path.read_text(encoding="ascii") if path.exists() else ""
    if root not in known:
        path.write_text(known + root, encoding="ascii")


def _fetch_root(lab: Lab, host: Host) -> str:
    context = ssl.create_default_context(cafile=str(lab.directory / "ca" / "ca.pem"))
    # Asked by address: this machine does not use the lab's DNS.
    context.check_hostname = False
    url = f"https://{lab.address(host, 'pub0')}:{MANAGEMENT_PORT}/roots/0"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, context=context, timeout=5) as response:
            body: bytes = response.read()
            return body.decode("ascii").strip() + "\n"
        time.sleep(0.1)
    raise LabError(f"the ACME server of the lab does not answer at {url} within 20 seconds")
