# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has done, and what it may have done, in words for the errors that end it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.gatehouse.platform.plugins.module_utils._aws.errors import AwsError
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.changes import Change
from ansible_collections.gatehouse.platform.plugins.module_utils._security_groups.plan import ADDING, PHASES, Plan


def words_of(steps: Iterable[Change]) -> list[str]:
    """Steps in words."""
    return [words for step in steps for words in step.sentences()]


@dataclass
class Account:
    """``done`` and ``unsure`` are sentences of what was made, and of what may have been.

    ``taken``: something was taken away, or may have been.
    """

    done: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    taken: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or may have been."""
        return bool(self.done or self.unsure)

    def note(self, step: Change, error: AwsError | None) -> None:
        """Keep what came of a step."""
        if error is None:
            self.done += step.sentences()
        elif error.uncertain:
            self.unsure += step.sentences()
        else:
            return
        self.taken = self.taken or step.phase not in ADDING

    def settle(self, planned: Plan) -> None:
        """What may have been done was done, unless a plan that was made after it wants it still."""
        wanted = set(words_of(planned.steps()))
        self.done += [words for words in self.unsure if words not in wanted]
        self.unsure = [words for words in self.unsure if words in wanted]

    def has(self, step: Change) -> bool:
        """Whether a step was made."""
        return all(words in self.done for words in step.sentences())

    def may_have(self, step: Change) -> bool:
        """Whether a step may have been made."""
        return any(words in self.unsure for words in step.sentences())

    def of_failure(self, planned: Plan, phase: str, failed: list[tuple[Change, AwsError]]) -> str:
        """The errors, and what was done, was not done, and is not known."""
        lines = [f"{change.name}: {error}" for change, error in failed]
        adding = phase in ADDING and not self.taken
        if adding:
            lines.append("Nothing was revoked.")
        wanted = words_of(planned.steps(*(ADDING if adding else PHASES)))
        known = {*self.done, *self.unsure}
        missing = [words for words in wanted if words not in known]
        name = "Added" if adding else "Done"
        return "\n".join([*lines, *self._lines(name), _line(f"Not {name.lower()}", missing)])

    def added_to(self, message: str) -> str:
        """A message with what was done before, unless it says that itself."""
        if not self.changed or re.search("^(Added|Done): ", message, re.MULTILINE):
            return message
        return "\n".join([message, *self._lines("Done")])

    def _lines(self, done: str) -> Iterator[str]:
        yield _line(done, self.done)
        unsure = [words for words in self.unsure if words not in self.done]
        if unsure:
            yield _line(f"Perhaps {done.lower()}", unsure)


def _line(name: str, sentences: Iterable[str]) -> str:
    return f"{name}: {'; '.join(dict.fromkeys(sentences)) or 'nothing'}."
