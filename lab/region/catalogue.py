# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that instances can be started from, under the names that Debian gives them on AWS.

https://wiki.debian.org/Cloud/AmazonEC2Image: "account ID 136693071363", "debian-12-amd64-20240717-1811".
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

OWNER = "136693071363"
_ENTRIES: list[dict[str, str]] = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
# Image → distribution, as lab.image calls it.
DISTRIBUTIONS = {entry["ami_id"]: entry["distribution"] for entry in _ENTRIES}


def images() -> list[dict[str, Any]]:
    """What moto's model of an image takes, of every image there is."""
    fixed = {
        "owner_id": OWNER,
        "public": True,
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "boot_mode": "uefi-preferred",
    }
    return [
        {
            **fixed,
            **{key: value for key, value in entry.items() if key != "distribution"},
            "image_location": f"amazon/{entry['name']}",
            "creation_date": datetime.datetime.fromisoformat(entry["creation_date"]).replace(tzinfo=None),
        }
        for entry in _ENTRIES
    ]
