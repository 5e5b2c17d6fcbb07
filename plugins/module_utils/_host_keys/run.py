# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the host keys of instances from their consoles, once, and keep them under the instances' ids."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.clients import side_by_side
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError, call
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.retries import Retries
from ansible_collections.gatehouse.platform.plugins.module_utils._aws.waiting import Waiting
from ansible_collections.gatehouse.platform.plugins.module_utils._files import read_text, write_file
from ansible_collections.gatehouse.platform.plugins.module_utils._host_keys.console import host_keys, last_words

FILE = "host_keys.json"
# Types of instances on Xen have no newest output, only that of a while ago:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
NO_NEWEST = ("UnsupportedOperation", "InvalidParameterCombination")


class HostKeysError(Exception):
    """Instances have not told their host keys."""


def read(params: Mapping[str, Any], ec2: Any, waiting: Waiting, retries: Retries) -> dict[str, Any]:
    """The module's result; raises HostKeysError, with every instance that says nothing, and AwsError.

    What is known already is never asked for again: a key that is another one later is for SSH to refuse. What was
    learned is kept even when other instances stay silent.
    """
    path = os.path.join(params["state_directory"], FILE)
    known: dict[str, list[str]] = json.loads(read_text(path) or "{}")
    silent = [instance for instance in dict.fromkeys(params["instances"]) if instance not in known]
    learned = _listen(ec2, silent, waiting, retries)
    new = {instance: keys for instance, (keys, _output) in learned.items() if keys}
    if new:
        os.makedirs(params["state_directory"], mode=0o700, exist_ok=True)
        content = json.dumps({**known, **new}, indent=2, sort_keys=True) + "\n"
        write_file(path, content, 0o600, os.geteuid(), os.getegid())
    missing = {instance: output for instance, (keys, output) in learned.items() if not keys}
    if missing:
        raise HostKeysError(_silence(missing, waiting.seconds))
    told = {**known, **new}
    return {"changed": bool(new), "host_keys": {instance: told[instance] for instance in params["instances"]}}


def _listen(ec2: Any, instances: Sequence[str], waiting: Waiting, retries: Retries) -> dict[str, tuple[list[str], str]]:
    """By instance, its keys and its console's output; no keys for those that said none in time."""
    heard: dict[str, tuple[list[str], str]] = {}
    left = list(instances)
    while left:
        for instance, output, error in side_by_side(lambda name: _console(ec2, name, retries), left):
            if error is not None:
                raise error
            heard[instance] = (host_keys(output or ""), output or "")
        left = [instance for instance in left if not heard[instance][0]]
        if left and not waiting.pause():
            break
    return heard


def _console(ec2: Any, instance: str, retries: Retries) -> str:
    try:
        answer = retries.reading(lambda: call(ec2.get_console_output, InstanceId=instance, Latest=True))
    except AwsError as error:
        if error.code not in NO_NEWEST:
            raise
        answer = retries.reading(lambda: call(ec2.get_console_output, InstanceId=instance))
    # boto3 decodes the output itself, except where it comes without its own client.
    output = answer.get("Output") or ""
    return output.decode(errors="replace") if isinstance(output, bytes) else str(output)


def _silence(missing: Mapping[str, str], seconds: float) -> str:
    told = "; ".join(f"{name} (its console ends with: {last_words(output)})" for name, output in missing.items())
    return (
        f"No host keys on the console after {seconds:.0f} seconds: {told}. They are printed by cloud-init at the first "
        "boot, unless user data turn that off (ssh: {emit_keys_to_console: false}). Host keys are never accepted "
        f"unseen: look at the instance, or enter its keys into {FILE} yourself."
    )
