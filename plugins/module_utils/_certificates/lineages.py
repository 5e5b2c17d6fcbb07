# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certbot's files of one certificate: read without starting certbot, and mended after a killed run.

The layout is certbot's own (https://eff-certbot.readthedocs.io/en/stable/using.html#where-are-my-certificates):
``archive/NAME/<kind>N.pem``, links in ``live/NAME/`` that all point to one N, settings in ``renewal/NAME.conf``.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
from dataclasses import dataclass, replace

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError
from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.plan import Present
from ansible_collections.gatehouse.platform.plugins.module_utils._commands import CommandError, run
from ansible_collections.gatehouse.platform.plugins.module_utils._files import point_link, read_text, write_file

KINDS = ("cert", "privkey", "chain", "fullchain")


@dataclass(frozen=True)
class Lineage:
    """What is on disk under one certificate's name.

    ``version`` is the complete version in use (0: none); ``defect`` says what a killed run left undone,
    ``obstacle`` why what is there is somebody else's and may not be touched.
    """

    name: str
    root: str
    version: int = 0
    defect: str = ""
    obstacle: str = ""
    settings: str = ""

    @property
    def configuration(self) -> str:
        return f"{self.root}/renewal/{self.name}.conf"

    @property
    def live(self) -> str:
        return f"{self.root}/live/{self.name}"

    @property
    def archive(self) -> str:
        return f"{self.root}/archive/{self.name}"

    @property
    def in_use(self) -> str:
        """The file that is the certificate in use."""
        return f"{self.archive}/cert{self.version}.pem"


def find_lineage(name: str, root: str, owned: bool = True) -> Lineage:
    """Read the state of one name; nothing is changed. Only what is ``owned`` may be mended."""
    lineage = _read(name, root)
    if not lineage.defect or (owned and (lineage.version or not _in_use(lineage))):
        return lineage
    paths = (lineage.live, lineage.archive, lineage.configuration)
    there = " and ".join(path for path in paths if os.path.lexists(path))
    return replace(
        lineage,
        defect="",
        obstacle=f"{there} {'are' if ' and ' in there else 'is'} there and not ours: move it away, "
        "or declare the certificate under another name",
    )


def _in_use(lineage: Lineage) -> bool:
    """Whether a certificate with its key is there in another way than certbot's, such as plain files."""
    return all(_whole(f"{lineage.live}/{kind}.pem") for kind in ("privkey", "fullchain"))


def _read(name: str, root: str) -> Lineage:
    lineage = Lineage(name, root)
    text = read_text(lineage.configuration)
    settings = text if text and "[renewalparams]" in text else ""
    links = {_link_version(lineage, kind) for kind in KINDS}
    linked = max(links) if len(links) == 1 else 0
    version = linked if linked and _complete(lineage, linked) else _latest_version(lineage)
    lineage = replace(lineage, version=version, settings=settings)
    if not version:
        leftovers = text is not None or os.path.isdir(lineage.live) or os.path.isdir(lineage.archive)
        return replace(lineage, defect="removes what an interrupted request left behind" if leftovers else "")
    if version != linked:
        return replace(lineage, defect="points all links to the last complete version after an interrupted renewal")
    return replace(lineage, defect="" if settings else "restores the missing renewal settings")


def _link_version(lineage: Lineage, kind: str) -> int:
    try:
        target = os.readlink(f"{lineage.live}/{kind}.pem")
    except OSError:
        return 0
    match = re.fullmatch(rf".*/{re.escape(lineage.name)}/{kind}(\d+)\.pem", target)
    return int(match.group(1)) if match else 0


def _latest_version(lineage: Lineage) -> int:
    try:
        files = os.listdir(lineage.archive)
    except OSError:
        return 0
    versions = sorted((int(m.group(1)) for f in files if (m := re.fullmatch(r"fullchain(\d+)\.pem", f))), reverse=True)
    return next((version for version in versions if _complete(lineage, version)), 0)


def _complete(lineage: Lineage, version: int) -> bool:
    return all(_whole(f"{lineage.archive}/{kind}{version}.pem") for kind in KINDS)


def _whole(path: str) -> bool:
    """Whether each block of a PEM file is complete; RFC 7468 (2) allows other text around them."""
    text = read_text(path) or ""
    return 0 < text.count("-----BEGIN ") == len(re.findall(r"^-----END [A-Z0-9 ]+-----", text, re.MULTILINE))


def mend(lineage: Lineage) -> None:
    """Undo or complete what a killed run left: a usable certificate is kept, a half-made one goes."""
    if not lineage.version:
        for directory in (lineage.live, lineage.archive):
            shutil.rmtree(directory, ignore_errors=True)
        if os.path.exists(lineage.configuration):
            os.unlink(lineage.configuration)
        return
    os.makedirs(lineage.live, mode=0o755, exist_ok=True)
    for kind in KINDS:
        point_link(f"{lineage.live}/{kind}.pem", f"../../archive/{lineage.name}/{kind}{lineage.version}.pem")
        previous = f"{lineage.live}/previous_{kind}.pem"
        if os.path.islink(previous):
            os.unlink(previous)
    if not lineage.settings:
        lines = [f"archive_dir = {lineage.archive}", *(f"{kind} = {lineage.live}/{kind}.pem" for kind in KINDS)]
        os.makedirs(os.path.dirname(lineage.configuration), exist_ok=True)
        write_file(lineage.configuration, "\n".join([*lines, "[renewalparams]", ""]))


def read_present(lineage: Lineage) -> Present | None:
    """The certificate in use, or None where there is none."""
    if not lineage.version:
        return None
    arguments = ["openssl", "x509", "-in", lineage.in_use, "-noout", "-serial", "-issuer", "-nameopt", "RFC2253"]
    try:
        text = run([*arguments, "-dates", "-fingerprint", "-sha256", "-text"]).stdout
    except CommandError as error:
        raise CertificatesError(f"{lineage.in_use} cannot be read: {error}") from error
    return present_from_texts(lineage.name, text, lineage.settings)


def present_from_texts(name: str, certificate: str, settings: str) -> Present:
    """Put together what openssl says of a certificate and what certbot wrote into its renewal settings."""

    def first(pattern: str) -> str:
        match = re.search(pattern, certificate, re.MULTILINE)
        return match.group(1).strip() if match else ""

    options = dict(re.findall(r"^(\w+) *= *(.*?) *$", settings, re.MULTILINE))
    webroots = re.findall(r"^\S+\.\S+ *= *(/.*?),? *$", settings.partition("[[webroot_map]]")[2], re.MULTILINE)
    webroots += [path.strip() for path in options.get("webroot_path", "").split(",") if path.strip()]
    algorithm = first(r"Public Key Algorithm: (\S+)")
    return Present(
        name=name,
        names=frozenset(re.findall(r"DNS:([^\s,]+)", certificate)),
        not_before=ssl.cert_time_to_seconds(first(r"^notBefore=(.*)")),
        expires=ssl.cert_time_to_seconds(first(r"^notAfter=(.*)")),
        issuer=first(r"^issuer=(.*)"),
        serial=first(r"^serial=(.*)"),
        fingerprint=first(r"Fingerprint=(.*)").replace(":", "").lower(),
        key_type={"id-ecPublicKey": "ecdsa", "rsaEncryption": "rsa"}.get(algorithm, algorithm),
        server=options.get("server", ""),
        authenticator=options.get("authenticator", ""),
        challenge_directories=frozenset(path.rstrip("/") for path in webroots),
    )
