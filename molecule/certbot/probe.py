# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send HTTPS requests, each on a connection of its own, until a file appears; print how many failed."""

from __future__ import annotations

import json
import ssl
import sys
import time
from http.client import HTTPException, HTTPSConnection
from pathlib import Path


def main(address: str, stop: str, seconds: float = 60) -> None:
    context = ssl._create_unverified_context()
    end = time.monotonic() + seconds
    sent, failures = 0, []
    while time.monotonic() < end and not Path(stop).exists():
        connection = HTTPSConnection(address, context=context, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, HTTPException) as error:
            failures.append(repr(error))
        finally:
            connection.close()
        sent += 1
        time.sleep(0.002)
    print(json.dumps({"sent": sent, "failed": len(failures), "failures": failures[:5]}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
