# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces brought to what is wanted in them: links, addresses, routes and rules, as lines of ``ip -batch``.

What was applied is noted beside them, so that only differences are. A note is made before and after: what a killed
run left half done is done again.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.machine import LabError, run
from lab.region.place import namespace_file

# What "already done" sounds like.
DONE = ("File exists", "Address already assigned")
# Nobody's frames or shortcuts are the router's business.
ROUTER_SETTINGS = """
echo 1 > /proc/sys/net/ipv4/ip_forward
# A name that nobody answers is refused every time, not once a second.
echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
for redirects in /proc/sys/net/ipv4/conf/{all,default}/send_redirects; do echo 0 > $redirects; done
for filter in /proc/sys/net/ipv4/conf/{all,default}/rp_filter; do echo 0 > $filter; done
# Whoever looks for a neighbor is answered in its place.
echo 1 > /proc/sys/net/ipv4/conf/all/proxy_arp
"""
# A namespace begins with what the machine has; a fresh host forwards nothing.
HOST_SETTINGS = "echo 0 > /proc/sys/net/ipv4/ip_forward"


@dataclass(frozen=True)
class Wiring:
    """What is wanted in a namespace: pairs of lines that add and remove something, in order, and nftables rules.

    Whoever only lives there brings firewall rules of his own; ``router`` lets packets pass.
    """

    lines: tuple[tuple[str, str], ...]
    rules: str = ""
    router: bool = True


class Namespaces:
    """The namespaces whose names begin with a prefix. ``notes`` is a folder of their own."""

    def __init__(self, prefix: str, notes: Path) -> None:
        self._prefix, self._notes = prefix, notes
        self._settled: dict[str, Wiring] = {}

    def apply(self, wanted: Mapping[str, Wiring]) -> None:
        """Bring all namespaces to what is wanted, by name. Lines may name namespaces that come later."""
        present = set(self.names())
        self._settled = {name: wiring for name, wiring in self._settled.items() if name in present}
        for name in present - set(wanted):
            self._remove(name)
        for name in wanted:
            self.ensure(name, wanted[name].router)
        for name, wiring in wanted.items():
            if self._settled.get(name) != wiring:
                self._settle(name, wiring)
                self._settled[name] = wiring

    def names(self) -> list[str]:
        folder = Path("/run/netns")
        return sorted(path.name for path in folder.glob(f"{self._prefix}*")) if folder.is_dir() else []

    def remove_all(self) -> None:
        for name in self.names():
            self._remove(name)

    def ensure(self, name: str, router: bool = True) -> None:
        """Make a namespace where it is missing, or finish one that nothing is noted of."""
        if not os.path.ismount(namespace_file(name)):
            self._remove(name)
            run("ip", "netns", "add", name)
        elif (self._notes / name).exists():
            return
        run("ip", "-netns", name, "link", "set", "lo", "up")
        settings = ROUTER_SETTINGS if router else HOST_SETTINGS
        run("nsenter", f"--net={namespace_file(name)}", "bash", "-c", settings)

    def _remove(self, name: str) -> None:
        run("ip", "netns", "delete", name, check=False)
        namespace_file(name).unlink(missing_ok=True)
        (self._notes / name).unlink(missing_ok=True)

    def _settle(self, name: str, wiring: Wiring) -> None:
        lines, rules, settled = self._noted(name)
        gone = [line for line in lines if line not in wiring.lines]
        new = [line for line in wiring.lines if not settled or line not in lines]
        self._note(name, [*wiring.lines, *gone], wiring.rules, settled=False)
        batch(name, [remove for _add, remove in reversed(gone)], anything_goes=True)
        batch(name, [add for add, _remove in new])
        if wiring.rules and (wiring.rules != rules or not settled):
            run("nsenter", f"--net={namespace_file(name)}", "nft", "-f", "-", text=wiring.rules)
        self._note(name, wiring.lines, wiring.rules, settled=True)

    def _noted(self, name: str) -> tuple[list[tuple[str, str]], str, bool]:
        path = self._notes / name
        if not path.exists():
            return [], "", False
        note = json.loads(path.read_text(encoding="utf-8"))
        return [(add, remove) for add, remove in note["lines"]], note["rules"], note["settled"]

    def _note(self, name: str, lines: Iterable[tuple[str, str]], rules: str, settled: bool) -> None:
        self._notes.mkdir(parents=True, exist_ok=True)
        path = self._notes / name
        partial = path.with_name(f".{name}.partial")
        partial.write_text(json.dumps({"lines": list(lines), "rules": rules, "settled": settled}), encoding="utf-8")
        partial.rename(path)


def batch(namespace: str, lines: Iterable[str], anything_goes: bool = False) -> None:
    """Carry out lines of ``ip -batch``; what is there already may be."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    command = ["ip", "-netns", namespace, "-force", "-batch", "-"]
    result = subprocess.run(command, input=text, check=False, capture_output=True, text=True)
    complaints = [line for line in result.stderr.splitlines() if not line.startswith("Command failed")]
    if not anything_goes and any(not complaint.endswith(DONE) for complaint in complaints):
        raise LabError(f"'{' '.join(command)}' failed: {result.stderr.strip()} (of: {text.strip()})")
