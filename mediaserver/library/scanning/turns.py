"""Files that may have the same contents, written down in the order in which they were found.

Readers answer in any order. Which of several files of the same contents has the id that is made
of these alone (:mod:`mediaserver.library.object_ids`) must not depend on it, so files of the same
size wait for each other; no others do.
"""

from collections import deque
from collections.abc import Iterator

from mediaserver.library.objects import MediaFacts
from mediaserver.library.scanning.walk import Finding


class Turns:
    """Each file that is :meth:`asked` for is :meth:`answered` once, or given up with all others."""

    def __init__(self) -> None:
        self._asked: dict[int, deque[Finding]] = {}
        """By size, in order."""
        self._answers: dict[Finding, MediaFacts] = {}
        """Of files that wait for another one."""

    def asked(self, finding: Finding) -> None:
        """A file is about to be read."""
        self._asked.setdefault(finding.status.size, deque()).append(finding)

    def answered(self, finding: Finding, facts: MediaFacts) -> Iterator[tuple[Finding, MediaFacts]]:
        """A file has been read; all whose turn it is now."""
        size = finding.status.size
        self._answers[finding] = facts
        waiting = self._asked[size]
        while waiting and waiting[0] in self._answers:
            first = waiting.popleft()
            yield first, self._answers.pop(first)
        if not waiting:
            del self._asked[size]

    def give_up(self) -> list[tuple[Finding, MediaFacts]]:
        """Nothing more is answered: what has been until now."""
        answers, self._answers = self._answers, {}
        self._asked.clear()
        return list(answers.items())
