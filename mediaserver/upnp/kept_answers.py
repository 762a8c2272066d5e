"""Finished answers, kept while what they were made from does not change.

Televisions page back and forth, and several devices of a kind open the same folder: whoever asks
in the same words again gets what was given before. An answer is good for one revision of its
service; the store is bounded in bytes.
"""

from collections import OrderedDict
from typing import NamedTuple

from mediaserver.clients import ClientProfile

LIMIT_BYTES = 16 << 20
_LARGEST = 4
"""An answer larger than this part of the limit would push out too many others."""
_OVERHEAD = 512
"""Bytes of an entry beside its texts, about."""


class Question(NamedTuple):
    """Everything that an answer depends on beside the revision."""

    body: bytes
    soap_action: str
    content_type: str
    """It may say how the body is encoded."""
    profile: ClientProfile
    base_url: str


class KeptAnswers:
    """The store; used on the event loop."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[Question, bytes] = OrderedDict()
        self._size = 0
        self._revision = -1

    def get(self, question: Question, revision: int) -> bytes | None:
        """The answer given before, if the revision is still the same."""
        if revision != self._revision:
            self._kept.clear()
            self._size = 0
            self._revision = revision
            return None
        answer = self._kept.get(question)
        if answer is not None:
            self._kept.move_to_end(question)
        return answer

    def put(self, question: Question, revision: int, answer: bytes) -> None:
        """Keep an answer that was made at this revision.

        One made at another than the latest asked for is old already.
        """
        size = _size(question, answer)
        if revision != self._revision or size > self._limit // _LARGEST:
            return
        before = self._kept.pop(question, None)
        if before is not None:
            self._size -= _size(question, before)
        self._kept[question] = answer
        self._size += size
        while self._size > self._limit:
            self._size -= _size(*self._kept.popitem(last=False))


def _size(question: Question, answer: bytes) -> int:
    """Bytes of an entry. The question is kept too, and a control point may make it long."""
    texts = (answer, question.body, question.soap_action, question.content_type)
    return sum(map(len, texts)) + _OVERHEAD
