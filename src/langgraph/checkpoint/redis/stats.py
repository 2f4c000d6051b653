"""What a saver counts beside what every driver does: the names that its plans note, and what users see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langgraph._redis.observe import Seen

NEW: Final = "segments_new"
REUSED: Final = "segments_reused"
AGAIN: Final = "sent_again"
ANEW: Final = "registered_anew"


@dataclass(frozen=True)
class SaverStats:
    """What a saver did since it was made, or since its process was forked; numbers that only grow.

    Clones of a saver, as graphs make them, count together with it. Bytes are those of keys, arguments and
    texts in replies, as they are stored, without numbers and what the protocol adds. They are counted from
    the first call of `stats` on, or from the beginning with `telemetry`: it takes 1 to 3 % of a small
    operation.

    Attributes:
        operations: Operations that began, by the name of the sync method; `a...` methods count by the same
            name. Of `list` and `threads` each page counts.
        errors: Operations that raised, by the class of the error. `CancelledError` is one.
        round_trips: Times that a server was asked: calls that travel together are one, and calls of one
            operation to several nodes of a cluster are several. What the client sends again is not seen.
        scripts: Script calls that were answered. Several may have shared one run of the script.
        bytes_sent: Bytes of keys and arguments, of calls that were answered.
        bytes_received: Bytes of their replies.
        segments_new: Parts of growing values that were sent.
        segments_reused: Parts that were named instead, being stored already.
        sent_again: Puts and put_writes that were sent a second time, whole, since what they named was gone.
        registered_anew: Puts and put_writes that met no thread, or a new one, and registered it.
        travelled_together: Calls that shared a round trip with calls of other operations.
    """

    operations: Mapping[str, int]
    errors: Mapping[str, int]
    round_trips: int
    scripts: int
    bytes_sent: int
    bytes_received: int
    segments_new: int
    segments_reused: int
    sent_again: int
    registered_anew: int
    travelled_together: int


def stats(seen: Seen) -> SaverStats:
    """Put what was counted under the names that users see."""
    noted = {name: seen.notes.get(name, 0) for name in (NEW, REUSED, AGAIN, ANEW)}
    return SaverStats(
        operations=seen.operations,
        errors=seen.errors,
        round_trips=seen.round_trips,
        scripts=seen.scripts,
        bytes_sent=seen.bytes_sent,
        bytes_received=seen.bytes_received,
        travelled_together=seen.travelled_together,
        **noted,
    )
