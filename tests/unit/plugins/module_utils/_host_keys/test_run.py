# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances are asked, how often, and what is kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Clock, Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._host_keys.console import BEGIN, END
from ansible_collections.gatehouse.platform.plugins.module_utils._host_keys.run import FILE, HostKeysError, read
from botocore.exceptions import ClientError

KEY = "ssh-ed25519 " + base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519" + b"content").decode()
PRINTED = f"booting\n{BEGIN}\n{KEY} root@host\n{END}\n"


class Ec2:
    """Consoles by instance; each call is answered by the next output, and the last one again and again."""

    def __init__(self, **consoles: list[Any]) -> None:
        self.consoles, self.calls = consoles, list[str]()

    def get_console_output(self, **asked: Any) -> dict[str, Any]:
        """As boto3's."""
        instance, latest = asked["InstanceId"], asked.get("Latest", False)
        self.calls.append(instance if latest else f"{instance} as it was")
        outputs = self.consoles[instance]
        output = outputs.pop(0) if len(outputs) > 1 else outputs[0]
        if output == "old type" and latest:
            raise ClientError({"Error": {"Code": "UnsupportedOperation", "Message": "no"}}, "GetConsoleOutput")
        if output == "gone":
            raise ClientError({"Error": {"Code": "InvalidInstanceID.NotFound", "Message": "no"}}, "GetConsoleOutput")
        return {"Output": PRINTED if output == "old type" else output}


def asked(folder: Path, ec2: Ec2, *instances: str) -> tuple[dict[str, Any], float]:
    """The result, and the seconds that were waited."""
    seconds = [0.0]

    def sleep(pause: float) -> None:
        seconds[0] += pause

    clock = Clock(lambda: seconds[0], sleep, lambda: 0.5)
    params = {"instances": list(instances), "state_directory": str(folder / "state")}
    return read(params, ec2, Waiting(60, clock, 3.0), Retries(clock=clock)), seconds[0]


def test_an_instance_is_asked_until_its_console_shows_keys_and_never_again(tmp_path: Path) -> None:
    ec2 = Ec2(one=["", "booting", PRINTED], two=[PRINTED])
    result, waited = asked(tmp_path, ec2, "one", "two")
    assert result == {"changed": True, "host_keys": {"one": [KEY], "two": [KEY]}}
    assert ec2.calls.count("one") == 3
    assert ec2.calls.count("two") == 1
    assert waited > 0
    assert asked(tmp_path, Ec2(), "one", "two") == ({"changed": False, "host_keys": {"one": [KEY], "two": [KEY]}}, 0)
    path = tmp_path / "state" / FILE
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_keys_that_change_later_are_not_taken(tmp_path: Path) -> None:
    asked(tmp_path, Ec2(one=[PRINTED]), "one")
    path = tmp_path / "state" / FILE
    path.write_text(json.dumps({"one": ["ssh-ed25519 pinned"]}), encoding="utf-8")
    assert asked(tmp_path, Ec2(one=[PRINTED]), "one")[0]["host_keys"] == {"one": ["ssh-ed25519 pinned"]}


def test_all_silent_instances_are_named_and_what_was_learned_is_kept(tmp_path: Path) -> None:
    ec2 = Ec2(one=["kernel panic"], two=[PRINTED], three=[""])
    with pytest.raises(HostKeysError) as error:
        asked(tmp_path, ec2, "one", "two", "three")
    assert "after 60 seconds: one (its console ends with: kernel panic); three (its console ends with: nothing)" in str(
        error.value
    )
    assert asked(tmp_path, Ec2(), "two")[0]["host_keys"] == {"two": [KEY]}


def test_instances_without_newest_output_are_asked_for_what_there_is(tmp_path: Path) -> None:
    ec2 = Ec2(one=["old type"])
    assert asked(tmp_path, ec2, "one")[0]["host_keys"] == {"one": [KEY]}
    assert ec2.calls == ["one", "one as it was"]


def test_an_unknown_instance_is_an_error_at_once(tmp_path: Path) -> None:
    ec2 = Ec2(one=["gone"])
    with pytest.raises(AwsError, match=r"InvalidInstanceID\.NotFound"):
        asked(tmp_path, ec2, "one")
    assert ec2.calls == ["one"]
