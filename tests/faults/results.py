# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions that were gone through, kept in .cache/faults.json for the code that they were gone through with."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.model import ROOT

PATH = ROOT / ".cache" / "faults.json"
# What a run of the tests depends on.
CODE = (
    "plugins",
    "roles",
    "playbooks",
    "inventory",
    "applications",
    "lab",
    "tests/cloud",
    "tests/faults",
    "tests/harness.py",
)


def code() -> str:
    """Digest of the code whose faults are tried: what is committed, and what differs from it."""
    committed = [f"HEAD:{folder}" for folder in CODE]
    commands = (["git", "rev-parse", *committed], ["git", "diff", "HEAD", "--", *CODE])
    shown = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout for command in commands]
    return hashlib.sha256(b"".join(shown)).hexdigest()[:16]


@dataclass
class Results:
    """Outcome of every position of this session; ``resume`` counts those passed before with the same code."""

    resume: bool
    path: Path = PATH
    code: str = field(default_factory=code)
    outcomes: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def known(self, position: str) -> str | None:
        """How a position ended earlier: ``passed``, or ``beyond`` when the step was over before; None to try it."""
        outcome = self._saved().get(position) if self.resume else None
        if outcome:
            self.outcomes[position] = outcome
        return outcome

    @contextmanager
    def position(self, position: str) -> Iterator[dict[str, str]]:
        """Record how a block ends; it may set ``outcome`` itself."""
        began = time.monotonic()
        said = {"outcome": "passed"}
        self.outcomes[position] = "failed"
        try:
            yield said
            self.outcomes[position] = said["outcome"]
        finally:
            self.seconds += time.monotonic() - began
            self._save(position)

    def lines(self) -> list[str]:
        """The figures: per kind, and in all."""
        tried = {position: outcome for position, outcome in self.outcomes.items() if outcome != "beyond"}
        kinds = Counter(position.rpartition("/")[0] for position in tried)
        passed = Counter(position.rpartition("/")[0] for position, outcome in tried.items() if outcome == "passed")
        lines = [f"{kind}: {count} positions, {passed[kind]} passed" for kind, count in sorted(kinds.items())]
        total = f"{len(tried)} positions, {sum(passed.values())} passed, {self.seconds:.0f} s"
        return [*lines, total]

    def _saved(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        saved = json.loads(self.path.read_text(encoding="utf-8"))
        found: dict[str, str] = saved.get("positions", {}) if saved.get("code") == self.code else {}
        return {position: outcome for position, outcome in found.items() if outcome != "failed"}

    def _save(self, position: str) -> None:
        self.path.parent.mkdir(exist_ok=True)
        positions = {**self._saved(), position: self.outcomes[position]}
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps({"code": self.code, "positions": positions}, indent=1) + "\n", encoding="utf-8")
        partial.rename(self.path)
