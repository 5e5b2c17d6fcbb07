# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a host key on a console, and what is not."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.gatehouse.platform.plugins.module_utils._host_keys.console import (
    BEGIN,
    END,
    host_keys,
    last_words,
)
from hypothesis import given
from hypothesis import strategies as st


def key(kind: str, content: bytes = b"content") -> str:
    """A public key whose blob says of which kind it is."""
    blob = len(kind).to_bytes(4, "big") + kind.encode() + content
    return f"{kind} {base64.b64encode(blob).decode()}"


ED25519, RSA = key("ssh-ed25519"), key("ssh-rsa")


def block(*lines: str) -> str:
    return "\r\n".join(("[  OK  ] Started", BEGIN, *lines, END, "login:", ""))


def test_keys_are_found_without_their_comments_in_order() -> None:
    assert host_keys(block(f"{RSA} root@ip-10-0-0-4", ED25519)) == [ED25519, RSA]


def test_what_the_console_adds_in_front_of_a_line_is_left_out() -> None:
    assert host_keys(block(f"[   12.3] cloud-init[512]: {ED25519} root@host")) == [ED25519]


def test_the_keys_of_the_last_boot_that_printed_any_count() -> None:
    newer = key("ssh-ed25519", b"newer")
    assert host_keys(block(ED25519) + block(newer)) == [newer]


@pytest.mark.parametrize(
    "output",
    ["", "booting", f"{BEGIN}\n{ED25519}\n", f"{END}\n{BEGIN}\n{ED25519}", block(), f"{ED25519}\n"],
    ids=["nothing", "early", "unfinished", "wrong order", "empty block", "outside of a block"],
)
def test_without_a_complete_block_there_are_none(output: str) -> None:
    assert host_keys(output) == []


def test_a_blob_of_another_kind_is_no_key() -> None:
    assert host_keys(block(f"ssh-ed25519 {RSA.split()[1]}", "ssh-ed25519 AAAA", "ssh-rsa !!!")) == []


def test_ecdsa_keys_are_left_out() -> None:
    assert host_keys(block(key("ecdsa-sha2-nistp256"), ED25519)) == [ED25519]


@given(st.text(), st.text())
def test_whatever_is_around_a_block_makes_no_difference(before: str, after: str) -> None:
    assert host_keys(f"{before}\n{block(ED25519)}{after}") == [ED25519]


@given(st.text())
def test_any_output_can_be_read(output: str) -> None:
    assert host_keys(output) == host_keys(output)
    assert last_words(output)
