# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Apache says on the wire: ``wire.py PHASE`` runs the tests whose names begin with the phase.

``wire.py load SECONDS`` sends requests over HTTPS, about 300 a second, and prints how many failed.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Answer:
    """Status, headers and body of a response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def seen(self) -> dict[str, list[str]]:
        """The headers as the service has got them."""
        return json.loads(self.body)["headers"]


class Connection(http.client.HTTPConnection):
    """To this host, with TLS for another name on port 443."""

    def __init__(self, name: str, port: int, source: str = "127.0.0.1") -> None:
        super().__init__("127.0.0.1", port, timeout=10, source_address=(source, 0))
        self.name = name

    def connect(self) -> None:
        """Connect; the certificate is self-made, so only its names are looked at, elsewhere."""
        super().connect()
        if self.port == 443:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=self.name)


def ask(
    name: str, path: str = "/", port: int = 443, source: str = "127.0.0.1", body: bytes | None = None, **headers: str
) -> Answer:
    """One request on a connection of its own; underscores in names of headers stand for dashes."""
    connection = Connection(name, port, source)
    fields = {"Host": name, **{key.replace("_", "-"): value for key, value in headers.items()}}
    connection.request("POST" if body else "GET", path, body, fields)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def same(found: object, wanted: object) -> None:
    """Assert that both are equal, and say what they are."""
    assert found == wanted, f"{found!r} instead of {wanted!r}"


def waiting_redirects_with_host_and_uri() -> None:
    for name in ("orders.example.test", "shop.example.test"):
        for path in ("/", "/a%2Fb/%C3%A4?x=1&y=%20z", "//double", "/search?q=/.well-known/acme-challenge/"):
            answer = ask(name, path, 80)
            same((answer.status, answer.headers["Location"]), (301, f"https://{name}{path}"))


def waiting_exempts_the_challenge() -> None:
    same(ask("shop.example.test", "/.well-known/acme-challenge/token", 80).body, b"proof\n")
    same(ask("orders.example.test", "/.well-known/acme-challenge/none", 80).status, 404)
    same(ask("orders.example.test", "/.well-known/acme-challenge/", 80).status, 403)


def waiting_serves_a_migrating_host_in_the_meantime() -> None:
    same(ask("migrating.example.test", "/", 80).status, 200)
    same(ask("migrating.example.test", "/.well-known/acme-challenge/token", 80).body, b"proof\n")


def waiting_refuses_unknown_names() -> None:
    same(ask("evil.example.test", "/", 80).status, 421)
    same(ask("orders.example.test", "/", 443).status, 421)
    same(ask("evil.example.test", "/", 8080).status, 421)


def waiting_answers_a_load_balancer_under_any_name() -> None:
    for name in ("10.0.0.7", "balanced.example.test"):
        answer = ask(name, "/balancer-health", 8080)
        same((answer.status, answer.body), (200, b"ok"))


def waiting_shares_requests_and_leaves_out_what_is_down() -> None:
    answers = [ask("balanced.example.test", "/", 8080) for _ in range(12)]
    same({answer.status for answer in answers}, {200})
    same({json.loads(answer.body)["port"] for answer in answers}, {5001, 5002})


def serving_redirects_a_migrated_host() -> None:
    same(ask("migrating.example.test", "/x", 80).headers["Location"], "https://migrating.example.test/x")
    answer = ask("migrating.example.test", "/x")
    same((answer.status, answer.headers["Strict-Transport-Security"]), (200, None))


def serving_keeps_host_and_path() -> None:
    answer = ask("shop.example.test", "/a%2Fb?x=%20")
    same(answer.seen["host"], ["shop.example.test"])
    same(json.loads(answer.body)["path"], "/a%2Fb?x=%20")


def serving_overwrites_what_a_stranger_forges() -> None:
    seen = ask(
        "orders.example.test", X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="http", X_Forwarded_Host="evil",
        X_Forwarded_Port="1", X_Real_IP="1.2.3.4", Forwarded="for=1.2.3.4", Proxy="http://evil",
    ).seen  # fmt: skip
    same(seen["x-forwarded-for"], ["127.0.0.1"])
    same(seen["x-forwarded-proto"], ["https"])
    same(seen["x-forwarded-host"], ["orders.example.test"])
    same(seen["x-forwarded-port"], ["443"])
    same({"x-real-ip", "forwarded", "proxy", "x-forwarded-server"} & set(seen), set())


def serving_believes_a_trusted_proxy() -> None:
    given = {"X_Forwarded_For": "6.6.6.6, 203.0.113.7, 10.99.0.5", "X_Forwarded_Proto": "https"}
    seen = ask("balanced.example.test", port=8080, source="127.0.0.9", **given).seen
    same((seen["x-forwarded-for"], seen["x-forwarded-proto"]), (["203.0.113.7"], ["https"]))
    seen = ask("balanced.example.test", port=8080, **given).seen
    same((seen["x-forwarded-for"], seen["x-forwarded-proto"]), (["127.0.0.1"], ["http"]))
    seen = ask("balanced.example.test", port=8080, source="127.0.0.9").seen
    same((seen["x-forwarded-for"], seen["x-forwarded-proto"]), (["127.0.0.9"], ["http"]))


def serving_upgrades_to_websocket() -> None:
    connection = Connection("orders.example.test", 443)
    connection.connect()
    connection.sock.sendall(
        b"GET /socket HTTP/1.1\r\nHost: orders.example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.sock.recv(4096)
    same(received.split()[1], b"101")
    connection.sock.sendall(b"hello")
    same(connection.sock.recv(4096), b"HELLO")


def curl(*arguments: str) -> str:
    names = ["--resolve", "orders.example.test:443:127.0.0.1"]
    return subprocess.run(["curl", "-sk", *names, *arguments], check=True, capture_output=True, text=True).stdout


def serving_speaks_http2() -> None:
    same(curl("--http2", "-o", "/dev/null", "-w", "%{http_version}", "https://orders.example.test/"), "2")


def serving_refuses_old_tls() -> None:
    for options, wanted in ((["--tlsv1.2", "--tls-max", "1.2"], 0), (["--tls-max", "1.1"], 35)):
        command = ["curl", "-sk", "--ciphers", "DEFAULT:@SECLEVEL=0", *options, "https://127.0.0.1/"]
        same(subprocess.run(command, check=False, capture_output=True).returncode, wanted)


def serving_limits_the_body() -> None:
    same(ask("orders.example.test", body=b"x" * 50000).status, 200)
    same(ask("orders.example.test", body=b"x" * 50001).status, 413)
    chunked = ["--http1.1", "-H", "Transfer-Encoding: chunked", "-d", "x", "-o", "/dev/null"]
    same(curl(*chunked, "-w", "%{http_code}", "https://orders.example.test/"), "411")
    same(ask("migrating.example.test", body=b"x" * 50001).status, 200)


def serving_compresses_when_asked() -> None:
    same(ask("orders.example.test", Accept_Encoding="br").headers.get_all("Content-Encoding"), ["br"])
    same(ask("orders.example.test", Accept_Encoding="gzip").headers.get_all("Content-Encoding"), ["gzip"])
    same(ask("orders.example.test").headers["Content-Encoding"], None)
    same(ask("migrating.example.test", Accept_Encoding="gzip, br").headers["Content-Encoding"], None)


def serving_adds_security_headers_and_says_no_version() -> None:
    headers = ask("orders.example.test", "/missing").headers
    same(headers.get_all("Strict-Transport-Security"), ["max-age=86400"])
    same(headers.get_all("X-Content-Type-Options"), ["nosniff"])
    same(ask("orders.example.test", "/framed").headers.get_all("X-Frame-Options"), ["DENY"])
    same(ask("orders.example.test", "/static/file.txt").headers["Server"], "Apache")
    same(ask("orders.example.test", "/", 80).headers["Server"], "Apache")
    assert b"Apache/" not in ask("orders.example.test", "/static/none").body


def serving_static_files_without_listing() -> None:
    answer = ask("orders.example.test", "/static/file.txt")
    same((answer.body, answer.headers["Cache-Control"]), (b"static\n", "public, max-age=3600"))
    same(ask("orders.example.test", "/static/").status, 403)


def serving_refuses_unknown_names() -> None:
    same(ask("evil.example.test").status, 421)
    same(ask("evil.example.test", port=80).status, 421)


def foreign_site_answers() -> None:
    same(ask("foreign.example.test", "/", 80).status, 204)


def loaded_foreign_configuration() -> None:
    same(ask("orders.example.test").headers["X-Foreign"], "yes")


def maintenance_says_when_to_come_back() -> None:
    answer = ask("orders.example.test", "/anything")
    same((answer.status, answer.headers["Retry-After"]), (503, "120"))
    assert b"maintenance" in answer.body, answer.body
    same(ask("orders.example.test", "/up").body, b"ok")
    same(ask("orders.example.test", "/.well-known/acme-challenge/token", 80).body, b"proof\n")


def purged_name_is_refused() -> None:
    same(ask("migrating.example.test").status, 421)
    same(ask("migrating.example.test", port=80).status, 421)


def load(seconds: float) -> None:
    """Send requests on kept connections; one that the server has closed while idle is opened anew, as browsers do."""
    counts = {"sent": 0, "failed": 0}
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def client() -> None:
        connection: Connection | None = None
        while time.monotonic() < end:
            fresh = connection is None
            connection = connection or Connection("orders.example.test", 443)
            try:
                connection.request("GET", "/load", headers={"Host": "orders.example.test"})
                failed = connection.getresponse().read() is None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = None
                if not fresh:
                    continue
                print(repr(error), file=sys.stderr)
                failed = True
            with lock:
                counts["sent"] += 1
                counts["failed"] += failed
            time.sleep(0.03)

    clients = [threading.Thread(target=client) for _ in range(10)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    print(json.dumps({**counts, "rate": round(counts["sent"] / seconds)}))


def passes(name: str, test: Callable[[], None]) -> bool:
    """Run one test and say how it went."""
    try:
        test()
    except Exception as error:
        print(f"FAILED {name}: {type(error).__name__}: {error}")
        return False
    print(f"ok {name}")
    return True


def main() -> None:
    """Run what the command line names."""
    if sys.argv[1] == "load":
        load(float(sys.argv[2]))
        return
    tests = [(name, test) for name, test in globals().items() if name.startswith(sys.argv[1] + "_")]
    results = [passes(name, test) for name, test in tests]
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    socket.setdefaulttimeout(10)
    main()
