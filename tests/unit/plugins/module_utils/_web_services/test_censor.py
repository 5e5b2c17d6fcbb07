# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services say is shown without the values of their secrets and variables."""

from __future__ import annotations

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services import (
    censor,
    plan,
    slots,
    systemd,
    units,
)
from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import Service, State

SERVICE = Service(
    "orders",
    5001,
    secrets={"TOKEN": "s3cret-token\n", "KEY": "-- begin --\n  firstline  \nsecondline\n", "PIN": "42"},
    environment={"DSN": 'postgres://u:"pass\\word"@db', "LONG": "one-value\nanother-value", "LEVEL": "s3cret"},
)
SAID = [
    ("token s3cret-token, refused", "token ********, refused"),
    ("token s3cret-token\nnext line", "token ********\nnext line"),
    ("firstline", "********"),
    ("x secondline y", "x ******** y"),
    ("42 is too short", "42 is too short"),
    ('cannot reach postgres://u:"pass\\word"@db', "cannot reach ********"),
    ("another-value", "********"),
    ("nothing of that", "nothing of that"),
]


@pytest.mark.parametrize(("said", "shown"), SAID)
def test_values_are_taken_out_whole_stripped_and_by_line(said: str, shown: str) -> None:
    assert censor.of_service(SERVICE)(said) == shown
    assert censor.of_files(units.slot_files(SERVICE, "blue", "one", "two"))(said) == shown


def test_without_values_a_text_stays_as_it_is() -> None:
    assert censor.of_service(Service("orders", 5001))("anything") == "anything"
    assert censor.of_files({})("anything") == "anything"


def test_a_journal_is_censored_before_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(
        "orders", 5001, environment={"HOME_OF_ALL": "/srv/orders"}, secrets={"KEY": "begin\nmiddle\nend-x"}
    )
    said = 'Traceback\n  File "/srv/orders/releases/one/app.py", line 1\n    use("middle")\nmiddle of KEY\nend-x'
    monkeypatch.setattr(systemd, "journal", lambda *_arguments, **_options: said)
    work = slots.Work(plan.plan(service, State(), "3.11", "20261120T120000Z"))
    assert slots._journal(work, "orders-blue.service").splitlines() == [
        "Traceback",
        '  File "********/releases/one/app.py", line 1',
        '    use("********")',
        "******** of KEY",
        "********",
    ]


def test_values_in_the_files_of_a_deployment_are_found_again() -> None:
    text = units.environment_file(SERVICE)
    assert set(SERVICE.environment.values()) == set(censor._values(text))
