# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's state as a person reads it in a diff. No value of an environment and no secret is in it."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.choice import live_release
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import State, short
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.plan import Plan


def difference(item: Plan) -> dict[str, str]:
    """Before and after, as Ansible prints them."""
    name = item.service.name
    return {
        "before_header": f"{name} (found)",
        "after_header": f"{name} (declared)",
        "before": describe(name, item.state),
        "after": describe(name, item.after()),
    }


def describe(name: str, state: State) -> str:
    """The state in words, the same for both colors and for a release at whatever time it is made."""
    if not state.owned:
        return ""
    facts: dict[str, Any] = {
        "release": short(live_release(state) or "") or None,
        "port": state.listening,
        "user": name if state.account else None,
        "starts at boot": state.enabled,
        "releases": sorted({f"{short(key)} {release.state}" for key, release in state.releases.items()}),
        "environments": sorted(state.environments),
    }
    text = json.dumps(facts, indent=2) + "\n"
    if not state.live:
        return text
    for path, content in sorted(state.colors[state.live].files.items()):
        text += _file(name, state, path, content)
    return text


def still_running(before: State, now: State) -> str:
    """What serves after a failure, in words."""
    release = live_release(now)
    if not now.live or not release:
        return "nothing runs now" if before.live else "nothing was running before, nothing runs now"
    what = f"release {release} ({now.live})"
    if not now.colors[now.live].active:
        return f"{what} is the live one, but does not run"
    same = (before.live, live_release(before)) == (now.live, release)
    return f"{what} still runs" if same else f"{what} runs now"


def excerpt(journal: str, directory: str, lines: int = 30) -> str:
    """The last lines of a journal, without the frames of tracebacks that lie outside of ``directory``.

    A server that ends because an application failed to load prints frames of its own by the
    dozen, behind the one that matters.
    """
    kept, skipping = [], False
    for line in journal.splitlines():
        frame = re.match(r'\s*File "([^"]+)"', line)
        if frame:
            skipping = not frame[1].startswith(directory)
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept[-lines:])


def _file(name: str, state: State, path: str, content: str) -> str:
    color, release = state.live or "", live_release(state) or ""
    if "/secrets/" in path:
        return f"secret {path.rpartition('/')[2]}\n"
    if path.endswith("/environment"):
        # A line inside of a value cannot look like this: quotes in values are escaped.
        return "".join(f"variable {variable}\n" for variable in re.findall(r'^(\w+)="', content, re.MULTILINE))
    for old, new in ((f"{name}-{color}", f"{name}-COLOR"), (f"({color})", "(COLOR)"), (f"/{color}/", "/COLOR/")):
        content = content.replace(old, new)
    return content.replace(release, short(release)) if release else content
