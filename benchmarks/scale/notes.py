"""What must be known to read the tables; figures come in where a name stands in braces."""

from __future__ import annotations


def _line(text: str) -> str:
    return " ".join(text.split())


WEIGHED = _line("""
Chats of {turns} turns, each of them a person's message and an answer of 300 characters; all were held, none
is a copy. A thread: what the server's `used_memory` grew by, over the threads, with all that a server keeps
beside them. A line through these points is at most {residual} off; the line through the first three misses
the last by {foretold}.
""")

WAYS = _line("""
MEMORY USAGE of all keys of a server that holds these chats alone, the registry and indexes among them.
Keys: those that come with a thread.
""")

SCRIPTS = _line("""
Scripts: the server's own time for the scripts of one operation, by INFO commandstats, in flight. The
ceiling is a second over that.
""")

LOADED = _line("""
Under load: requests that the saver made before, byte for byte, sent again by two processes to threads that
are again what they were; afterwards each thread holds what the saver left, field by field. Waiting: 32
connections with one request each. In flight: 8 connections with 16 each. Core: how much of one the server's
main thread had. CPU: its time for one operation, with reading requests and writing replies.
""")

THREADS = _line("""
A thread has 30 checkpoints. Cold: in a process that does not know the thread. A chat turn is a whole one,
in such a process: it reads the thread, enters it in the registry, puts three checkpoints and their writes.
""")

FULL = "The server was the limit throughout: it had {least} of a core or more."

NOT_FULL = _line("""
In {short} of {loads} loads the server had less than {enough} of a core, {least} at least: there it carries
more than was sent, about a second over its CPU time.
""")

CLUSTER = _line("""
{threads} threads of {turns} turns each, held by the async saver in two processes. The nodes are primaries
without replicas on one machine, whose cores they share with each other and with the clients. On one server
the calls of several chats travel together; on a cluster each goes by itself, which takes servers and
clients longer.
""")

NODES = _line("""
Computed, not measured, since nodes share two cores here. {threads} thread ids, dealt out as a cluster does.
Turns: a second over the {turn} µs of CPU that a turn takes one server whose clients wait, times the nodes,
over the share of the fullest. Shards: of the registry, which has {shards}; their names differ in their last
digits, so they are not spread evenly.
""")

PAGES = "The last two: {names} names, of which the newest {threads} are threads."

ENTERED = _line("""
To enter a thread costs a node {cpu} µs ({a_second} a second, with {share} of a core). A process does that
at most once a minute for each thread that it writes to: one core enters {active} threads that are in use
within a minute.
""")

HOLDS = _line("""
Microseconds, by SLOWLOG, of the longest command of each operation, medians of {rounds}: nobody else is
served meanwhile.
""")
