"""What every example shares: the weather tool, a model, and the address of a server."""

import os
import warnings
from typing import Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from scripted_model import ScriptedChatModel

# LangGraph 1 says at each use that the function lives in `langchain.agents` now. It works until
# LangGraph 2, and spares the examples a dependency on all of LangChain.
warnings.filterwarnings("ignore", message="create_react_agent has been moved")

REDIS_URI = os.environ.get("REDIS_URL", "embedded://")
"""The server to use. `embedded://` starts one of its own, which is gone when the program ends."""


@tool
def get_weather(city: Literal["nyc", "sf"]) -> str:
    """Use this to get weather information."""
    if city == "nyc":
        return "It might be cloudy in nyc"
    return "It's always sunny in sf"


def choose_model() -> BaseChatModel:
    """OpenAI's model where there is a key for it; else one that needs neither key nor network."""
    if os.environ.get("OPENAI_API_KEY"):
        return ChatOpenAI(model="gpt-4o-mini", temperature=0)
    return ScriptedChatModel()


tools = [get_weather]
model = choose_model()
