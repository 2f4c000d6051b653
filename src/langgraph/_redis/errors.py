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
