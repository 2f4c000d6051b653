"""Chapter 3: a tool stops to ask a person; with the answer, it goes on in another saver."""

from typing import Literal

from langchain_core.messages import AnyMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.types import Command, interrupt
from rich.prompt import Confirm

from story.stage import Stage, ask, expect, note, talk, thread

PICNIC = thread("picnic")
REQUEST = "please book a picnic in sf"


@tool
def book_picnic(city: Literal["nyc", "sf"]) -> str:
    """Book a picnic right away; the tool itself asks a person to approve."""
    answer = interrupt(f"May I book a picnic in {city}?")
    if answer == "yes":
        return f"The picnic in {city} is booked"
    return f"Nobody approved the picnic in {city}"


def approval(stage: Stage, *, by_hand: bool) -> None:
    """Stop at the tool, throw the saver away, and resume with the answer through a new one."""
    with stage.saver() as saver:
        before = ask(stage.agent(saver, [book_picnic]), REQUEST, PICNIC)

    with stage.saver() as saver:
        waiting = stage.agent(saver, [book_picnic]).get_state(PICNIC)
    expect(waiting.interrupts, f"nothing waits for a person in the thread: next is {waiting.next}")
    question = str(waiting.interrupts[0].value)
    answer, by = _ask_person(stage, question, by_hand=by_hand)

    with stage.saver() as saver:
        agent = stage.agent(saver, [book_picnic])
        messages = list(agent.invoke(Command(resume=answer), PICNIC)["messages"])
        left = agent.get_state(PICNIC).next

    _check(answer, messages, left)
    stage.show(
        "3 · A person approves",
        talk(before),
        note(
            f'The tool interrupts: "{question}" The run has ended; the question is kept '
            f"in the thread, before the node {', '.join(waiting.next)!r}."
        ),
        note(f"[bold]{answer}[/], says {by}; a saver that was opened since resumes the run."),
        talk(messages[len(before) :]),
    )


def _ask_person(stage: Stage, question: str, *, by_hand: bool) -> tuple[str, str]:
    """The answer, and whose it is."""
    if not by_hand:
        return "yes", "the script in a person's place"
    agreed = Confirm.ask(question, console=stage.console)
    return ("yes" if agreed else "no"), "the person at the keyboard"


def _check(answer: str, messages: list[AnyMessage], left: tuple[str, ...]) -> None:
    results = [each for each in messages if isinstance(each, ToolMessage)]
    expect(len(results) == 1, f"the tool ran {len(results)} times, instead of once")
    booked = "is booked" in results[0].text
    expect(booked == (answer == "yes"), f"answered {answer}, the tool says: {results[0].text}")
    expect(not left, f"the run has not ended: {left} is still to come")
