# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes are waited for, not looked for."""

from __future__ import annotations

import threading
import time

from lab.region.changes import Changes
from tests.region.account import eventually


def test_a_change_that_was_not_seen_is_not_waited_for() -> None:
    changes = Changes()
    changes.add()
    assert changes.wait(0) == 1


def test_a_change_ends_the_wait() -> None:
    changes = Changes()
    threading.Timer(0.05, changes.add).start()
    assert changes.wait(0) == 1


def test_a_look_ends_the_wait_without_a_change() -> None:
    changes = Changes()
    began = time.monotonic()
    changes.later(0.1)
    assert changes.wait(0) == 0
    assert 0.09 < time.monotonic() - began < 5


def test_a_later_look_does_not_hide_an_earlier_one() -> None:
    changes = Changes()
    changes.later(60)
    changes.later(0.05)
    assert changes.wait(0) == 0


def test_it_is_quiet_while_everything_was_seen_and_no_look_is_to_come_soon() -> None:
    changes = Changes()
    assert not changes.quiet_for(1)
    threading.Thread(target=lambda: [changes.wait(seen) for seen in (0, 1)], daemon=True).start()
    assert eventually(lambda: changes.quiet_for(1), 5)
    changes.add()
    assert eventually(lambda: changes.quiet_for(1), 5)
    changes.later(60)
    assert changes.quiet_for(30)
    assert not changes.quiet_for(90)
