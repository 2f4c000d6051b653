"""Chapters 1 and 2: an agent remembers the turn before, and so does another process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage, messages_from_dict, messages_to_dict

from story.stage import Stage, ask, expect, mentions, note, talk, thread

WEATHER = thread("weather")
"""The thread of both chapters, and of the time travel after them."""

QUESTIONS = ("what's the weather in sf", "which city did I ask about?")
LATER_QUESTION = "do you remember what I asked first?"


def two_turns(stage: Stage) -> None:
    """Ask twice, sending only the new question the second time."""
    with stage.saver() as saver:
        agent = stage.agent(saver)
        first = ask(agent, QUESTIONS[0], WEATHER)
        messages = ask(agent, QUESTIONS[1], WEATHER)
        stored = len(list(saver.list(WEATHER)))

    expect(mentions(messages[-1], "sf"), f"the second turn has forgotten sf: {messages[-1].text}")
    stage.show(
        "1 · A conversation over two turns",
        talk(messages),
        note(
            f"For the second turn, only its question was sent. The {len(first)} messages before it "
            f"came from the thread, which has {stored} checkpoints now."
        ),
    )


def second_process(stage: Stage, script: Path) -> None:
    """Let a new process go on where this one stopped."""
    told = _run_in_a_new_process(stage, script)
    messages = messages_from_dict(told["messages"])
    new = [each for each in messages if each.id in told["new"]]

    expect(told["pid"] != os.getpid(), "the second process is this one")
    expect(told["found"] > 0, "the second process found an empty thread")
    expect(mentions(messages[-1], "sf"), f"the second process forgot sf: {messages[-1].text}")
    stage.show(
        "2 · A second process goes on",
        note(
            f"Process {os.getpid()} has closed its saver. Process {told['pid']} opens the thread "
            f"and finds {told['found']} messages."
        ),
        talk(new),
    )


def go_on(stage: Stage) -> None:
    """What the second process does; it reports to the first one in a line of JSON."""
    with stage.saver() as saver:
        agent = stage.agent(saver)
        found: list[AnyMessage] = agent.get_state(WEATHER).values.get("messages", [])
        messages = ask(agent, LATER_QUESTION, WEATHER)
    known = {each.id for each in found}
    report = {
        "pid": os.getpid(),
        "found": len(found),
        "new": [each.id for each in messages if each.id not in known],
        "messages": messages_to_dict(messages),
    }
    print(json.dumps(report))


def _run_in_a_new_process(stage: Stage, script: Path) -> dict[str, Any]:
    """Its report. The URL goes by the environment, since every user can read a command line."""
    ended = subprocess.run(  # noqa: S603  # This interpreter, and this script.
        [sys.executable, str(script), "--go-on-with", stage.run],
        env={**os.environ, "REDIS_URL": stage.url},
        capture_output=True,
        text=True,
        check=False,
    )
    expect(ended.returncode == 0, f"the second process failed:\n{ended.stderr}")
    report: dict[str, Any] = json.loads(ended.stdout)
    return report
