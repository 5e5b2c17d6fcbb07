# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server without any framework: accepts on every socket that systemd passes (sd_listen_fds(3))."""

from __future__ import annotations

import os
import pathlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PADDING = pathlib.Path(__file__).with_name("padding")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = str(PADDING.stat().st_size).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return "somebody"


class Server(ThreadingHTTPServer):
    def __init__(self, descriptor: int) -> None:
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=descriptor)


if __name__ == "__main__":
    servers = [Server(3 + index) for index in range(int(os.environ["LISTEN_FDS"]))]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
