# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boto3 clients with this project's own retries, their calls counted, and several calls at a time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds. AWS answers in less, and whoever does not is asked again.
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 20}
# Calls that are made at a time; EC2 refills its buckets at about as many a second.
PARALLEL = 8


@dataclass
class Calls:
    """How many API calls were sent, by operation."""

    by_operation: Counter[str] = field(default_factory=Counter)
    _lock: Any = field(default_factory=threading.Lock)

    def count(self, model: Any = None, **_event: Any) -> None:
        """Handler of botocore's event before-call."""
        with self._lock:
            self.by_operation[model.name] += 1

    @property
    def total(self) -> int:
        return sum(self.by_operation.values())


def settings(of_user: dict[str, Any] | None = None) -> dict[str, Any]:
    """Options of botocore.config.Config: its own retries are off, so that nothing is sent twice unseen."""
    return {
        **TIMEOUTS,
        "max_pool_connections": PARALLEL,
        **(of_user or {}),
        "retries": {"total_max_attempts": 1, "mode": "standard"},
    }


def connect(module: Any, service: str, calls: Calls) -> Any:
    """A client of a service with the module's credentials, region and endpoint (amazon.aws's module class)."""
    # Its type is botocore's own and made at run time.
    client: Any = module.client(service, aws_config=settings(module.params.get("aws_config")))
    return counted(client, calls)


def counted(client: Any, calls: Calls) -> Any:
    """The same client, whose calls are counted from now on."""
    client.meta.events.register("before-call.*.*", calls.count)
    return client


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], limit: int = PARALLEL
) -> list[tuple[Item, Result | None, AwsError | None]]:
    """Do independent work several at a time; each item with its result or its error, in the order of the items.

    One that fails does not stop the others: what was sent is known at the end.
    """

    def tried(item: Item) -> tuple[Item, Result | None, AwsError | None]:
        try:
            return item, work(item), None
        except AwsError as error:
            return item, None, error

    with ThreadPoolExecutor(max_workers=limit) as pool:
        return list(pool.map(tried, items))
