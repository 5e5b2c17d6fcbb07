# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests on loopback until the file load.stop lies beside this one, at most for some seconds, as a proxy sends them.

Prints the answers and ends with 1 when one failed.
"""

from __future__ import annotations

import collections
import http.client
import pathlib
import sys
import time


def main(port: int, seconds: float) -> int:
    answers: collections.Counter[str] = collections.Counter()
    connection: http.client.HTTPConnection | None = None
    end = time.monotonic() + seconds
    last = 0.0
    stop = pathlib.Path(__file__).with_name("load.stop")
    stop.unlink(missing_ok=True)
    while time.monotonic() < end and not stop.exists():
        # A proxy reuses a connection that has been idle for less than a second.
        if connection is None or time.monotonic() - last > 1:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            text = response.read().decode()
            answers[text if response.status == 200 else f"failed: {response.status}"] += 1
            if response.getheader("Connection", "").lower() == "close":
                connection = None
        except (OSError, http.client.HTTPException) as error:
            answers[f"failed: {error!r}"] += 1
            connection = None
        last = time.monotonic()
        time.sleep(0.005)
    print(dict(answers))
    return int(any(answer.startswith("failed") for answer in answers))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
