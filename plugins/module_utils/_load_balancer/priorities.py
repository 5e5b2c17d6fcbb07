# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Priorities of rules that stay what they are as long as the order does; pure.

"Rule priorities [...] 1 to 50000": https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

import bisect
from collections.abc import Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
LAST = 50000
GAP = 100


def priorities(wanted: Sequence[Key], current: Mapping[Key, int], taken: AbstractSet[int]) -> list[int]:
    """One priority per wanted rule, growing.

    Of those that there are as many as possible keep theirs; the others get numbers between that nobody has now
    (``taken`` are those of rules that go). Without room all are numbered anew, likewise with free numbers.
    """
    used = {*taken, *current.values()}
    kept = _longest_growing([(index, current[key]) for index, key in enumerate(wanted) if key in current])
    found: list[int] = []
    for run, low, high in _runs(len(wanted), kept):
        numbers = _following(low, run, used) if high is None else _between(low, high, run, used)
        if numbers is None:
            return _following(0, len(wanted), used) or _packed(len(wanted), used)
        found += [*numbers, *([high] if high is not None else [])]
    return found


def _runs(length: int, kept: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int | None]]:
    """How many rules without a number come before each kept one and after the last, with the numbers around them."""
    before, low = 0, 0
    for index, number in kept:
        yield index - before, low, number
        before, low = index + 1, number
    yield length - before, low, None


def _longest_growing(numbers: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part, of (index, number), whose numbers grow."""
    ends: list[int] = []
    best: list[list[tuple[int, int]]] = []
    for index, number in numbers:
        place = bisect.bisect_left(ends, number)
        chain = [*(best[place - 1] if place else []), (index, number)]
        ends[place : place + 1] = [number]
        best[place : place + 1] = [chain]
    return best[-1] if best else []


def _between(low: int, high: int, count: int, used: AbstractSet[int]) -> list[int] | None:
    free = [number for number in range(low + 1, high) if number not in used]
    if len(free) < count:
        return None
    return [free[(place + 1) * len(free) // (count + 1)] for place in range(count)] if count else []


def _following(low: int, count: int, used: AbstractSet[int]) -> list[int] | None:
    """Numbers after another one, with gaps."""
    free = (number for number in range((low // GAP + 1) * GAP, LAST + 1, GAP) if number not in used)
    found = [number for number, _place in zip(free, range(count), strict=False)]
    return found if len(found) == count else None


def _packed(count: int, used: AbstractSet[int]) -> list[int]:
    """Numbers without gaps."""
    free = (number for number in range(1, LAST + 1) if number not in used)
    return [number for number, _place in zip(free, range(count), strict=False)]
