# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has changed so far, for whoever reads why it failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._target_registration.plan import (
    GroupPlan,
    Plan,
)


@dataclass
class Ledger:
    """In words, the changes that were made, and those that were sent but not answered."""

    done: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether something was changed, or may have been."""
        return bool(self.done or self.unsure)

    @contextmanager
    def sending(self, part: GroupPlan) -> Iterator[None]:
        """Take down what becomes of the one call in the block, which sends all of ``part``."""
        try:
            yield
        except AwsError as error:
            if error.uncertain:
                self.unsure.extend(part.sentences())
            raise
        self.done.extend(part.sentences())

    def looked(self, planned: Plan) -> None:
        """Take what is not in a plan after a look for done, and what is for not done."""
        missing = planned.sentences()
        self.done.extend(sentence for sentence in self.unsure if sentence not in missing)
        self.unsure.clear()

    def balance(self, planned: Plan) -> str:
        """Lines with what was done, may have been done and was not done; none where nothing was done."""
        if not self.changed:
            return ""
        order = planned.sentences()
        missing = [text for text in order if text not in self.done and text not in self.unsure]
        parts = {"Done before that": _sorted(self.done, order), "Perhaps done": _sorted(self.unsure, order)}
        parts["Not done"] = missing
        return "".join(f"\n{title}: {'; '.join(texts)}." for title, texts in parts.items() if texts)


def _sorted(sentences: Sequence[str], order: Sequence[str]) -> list[str]:
    """Each once, in the order of the plan; what came up later at the end."""
    places = {sentence: place for place, sentence in enumerate(order)}
    return sorted(dict.fromkeys(sentences), key=lambda sentence: places.get(sentence, len(order)))
