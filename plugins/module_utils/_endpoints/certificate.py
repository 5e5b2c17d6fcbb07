# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few facts of a certificate that are needed here, read from its DER form (X.509, RFC 5280).

Python's ssl module shows the content of a certificate only when it trusts it;
what is wrong about one that it does not trust should be told as well.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator
from datetime import datetime, timezone

from ansible_collections.gatehouse.platform.plugins.module_utils._endpoints.model import Certificate

SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")
VERSION, EXTENSIONS, DNS_NAME, IP_ADDRESS, OBJECT_IDENTIFIER, UTC_TIME = 0xA0, 0xA3, 0x82, 0x87, 0x06, 0x17


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the DER elements that follow each other; raises ValueError for anything else."""
    while data:
        if len(data) < 2:
            raise ValueError("an element is cut off")
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        if start + length > len(data):
            raise ValueError("an element is cut off")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year, 50 and above belong to the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def _names(extensions: bytes) -> tuple[str, ...]:
    found: list[str] = []
    for _tag, extension in _elements(next(_elements(extensions))[1]):
        parts = list(_elements(extension))
        if parts[0] != (OBJECT_IDENTIFIER, SUBJECT_ALTERNATIVE_NAME):
            continue
        for tag, content in _elements(next(_elements(parts[-1][1]))[1]):
            if tag == DNS_NAME:
                found.append(content.decode("ascii"))
            elif tag == IP_ADDRESS:
                found.append(str(ipaddress.ip_address(content)))
    return tuple(found)


def parse(der: bytes) -> Certificate:
    """Names, end and fingerprint of a certificate; raises ValueError when it is none."""
    try:
        to_be_signed = next(_elements(next(_elements(der))[1]))[1]
        fields = list(_elements(to_be_signed))
        # An explicit version may come first; then serial number, algorithm, issuer and validity.
        validity = fields[4 if fields[0][0] == VERSION else 3][1]
        end = list(_elements(validity))[1]
        extensions = next((content for tag, content in fields if tag == EXTENSIONS), None)
        names = _names(extensions) if extensions else ()
        return Certificate(names, _time(*end), hashlib.sha256(der).hexdigest())
    except (StopIteration, IndexError, UnicodeDecodeError) as error:
        raise ValueError("not a certificate") from error
