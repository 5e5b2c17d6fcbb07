# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys on the console of an instance, as cloud-init prints them at the first boot; pure.

https://cloudinit.readthedocs.io/en/latest/reference/modules.html#keys-to-console
"""

from __future__ import annotations

import base64
import re

BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
# ECDSA keys are left out: the bastion does not offer them.
KEY = re.compile(r"\b(ssh-ed25519|ssh-rsa) ([A-Za-z0-9+/]+={0,2})(?=\s|$)")


def host_keys(output: str) -> list[str]:
    """The public keys of the last complete block, without comments, sorted; none while there is no such block."""
    ends = output.rfind(END)
    begins = output.rfind(BEGIN, 0, max(ends, 0))
    if begins < 0 or ends < 0:
        return []
    found = KEY.findall(output[begins:ends])
    return sorted({f"{kind} {blob}" for kind, blob in found if is_key(kind, blob)})


def is_key(kind: str, blob: str) -> bool:
    """Whether the blob is a key of this kind: its first field says so (RFC 4253, section 6.6)."""
    try:
        content = base64.b64decode(blob, validate=True)
    except ValueError:
        return False
    return content[4 : 4 + int.from_bytes(content[:4], "big")] == kind.encode()


def last_words(output: str, lines: int = 5) -> str:
    """The end of the output, for an error."""
    told = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(told[-lines:]) or "nothing"
