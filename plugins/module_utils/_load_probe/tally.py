# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to the requests, and the report about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_LATENCIES = 1_000_000
EXAMPLES_PER_KIND = 3


@dataclass
class Tally:
    """What happened so far."""

    latencies: list[float] = field(default_factory=list)
    sent: int = 0
    succeeded: int = 0
    retried: int = 0
    connections: int = 0
    latest_start: float = 0.0
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fail(self, kind: str, url: str, detail: str, due: float) -> None:
        """Count a failure; the first of each kind are kept as examples."""
        entry = self.failures.setdefault(kind, {"count": 0, "examples": []})
        entry["count"] += 1
        if len(entry["examples"]) < EXAMPLES_PER_KIND:
            entry["examples"].append({"url": url, "second": round(due, 3), "detail": detail[:300]})

    def took(self, seconds: float) -> None:
        """Keep the time of a request, counted from when it was due."""
        if len(self.latencies) < MOST_LATENCIES:
            self.latencies.append(seconds)

    def report(self, seconds: float) -> dict[str, Any]:
        """The report; times in milliseconds."""
        ordered = sorted(self.latencies)
        return {
            "sent": self.sent,
            "succeeded": self.succeeded,
            "failed": sum(entry["count"] for entry in self.failures.values()),
            "retried": self.retried,
            "connections": self.connections,
            "seconds": round(seconds, 3),
            "rate": round(self.sent / seconds, 1) if seconds else 0.0,
            "failures": self.failures,
            "milliseconds": {f"p{share:g}": percentile(ordered, share) for share in (50, 90, 99, 99.9)},
            "slowest_ms": percentile(ordered, 100),
            "own_delay_ms": round(self.latest_start * 1000, 1),
        }


def percentile(ordered: list[float], share: float) -> float | None:
    """The nearest-rank percentile in milliseconds of sorted seconds."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * share // 100))
    return round(ordered[int(rank) - 1] * 1000, 1)


def sentence(report: dict[str, Any]) -> str:
    """The report in one line."""
    slowest = report["slowest_ms"]
    line = f"{report['sent']} requests, {report['failed']} failed"
    line += f", slowest {slowest:.0f} ms" if slowest is not None else ""
    line += f", {report['retried']} sent again" if report["retried"] else ""
    kinds = ", ".join(f"{entry['count']} times {kind}" for kind, entry in report["failures"].items())
    return f"{line} ({kinds})" if kinds else line
