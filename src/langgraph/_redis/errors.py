"""What can go wrong that is ours to name. Redis's own errors pass through untouched."""

from __future__ import annotations


class RedisPersistenceError(Exception):
    """The base of every error that this package raises of its own."""


class CorruptRecordError(RedisPersistenceError):
    """A stored record cannot be read: bytes were changed, evicted, or written by another program.

    The message names the key and the field. Other threads are not affected.
    """


class UnsupportedServerError(RedisPersistenceError):
    """The server lacks something that the package needs; the message says what, and what to do."""


class ThreadNotFoundError(RedisPersistenceError, LookupError):
    """There is no such thread; the message names it."""


class CheckpointNotFoundError(RedisPersistenceError, LookupError):
    """There is no such checkpoint; the message names it and its thread."""


class ReplicationError(RedisPersistenceError):
    """A write is on the primary, and fewer replicas confirmed it in time than `wait_replicas` asks for.

    Nothing is taken back: it may well reach them later. The same call may be made again.

    Attributes:
        confirmed: Replicas that had the write when the time was over.
        wanted: What was asked for.
    """

    def __init__(self, message: str, *, confirmed: int = 0, wanted: int = 0) -> None:
        super().__init__(message)
        self.confirmed = confirmed
        self.wanted = wanted


class ConcurrentUpdateError(RedisPersistenceError):
    """Another run went on with the thread, so this one's checkpoint was refused (`on_conflict="error"`).

    Nothing was written. The message names the checkpoint that is newer than the one this run stood on.
    """
