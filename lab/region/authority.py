# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority, in the place of Amazon's: a root, and certificates for the asking, by openssl."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.machine import run

# Folder of the region's own, below the region's.
ACM = "acm"
# Days.
VALID = 395
ROOT_VALID = 3650


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key and what vouches for it, as PEM."""

    certificate: str
    key: str
    chain: str


class Authority:
    """Keeps its root in a folder; ``root`` is what clients have to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def root(self) -> Path:
        return self._folder / "ca.pem"

    def ensure(self) -> None:
        """Make the root unless it is there."""
        if self.root.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.root.with_suffix(".partial")
        usage = "keyUsage=critical,keyCertSign,cRLSign"
        request = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(self._folder / "ca.key"), "-days", str(ROOT_VALID)]
        run("openssl", "req", "-x509", *request, "-subj", "/CN=Gatehouse lab", "-addext", usage, "-out", str(partial))
        partial.rename(self.root)

    def issue(self, names: tuple[str, ...]) -> Issued:
        """A certificate for these names; the first is the subject as well."""
        self.ensure()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
            alternatives = ",".join(f"DNS:{name}" for name in names)
            extensions = (f"subjectAltName={alternatives}", "basicConstraints=critical,CA:FALSE")
            run(
                "openssl",
                *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-days", str(VALID)),
                *("-subj", f"/CN={names[0][:64]}", "-CA", str(self.root), "-CAkey", str(self._folder / "ca.key")),
                *(word for extension in extensions for word in ("-addext", extension)),
                *("-addext", "extendedKeyUsage=serverAuth,clientAuth", "-out", str(certificate)),
            )
            chain = self.root.read_text(encoding="ascii")
            return Issued(certificate.read_text(encoding="ascii"), key.read_text(encoding="ascii"), chain)
