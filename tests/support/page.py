"""The status page of a running daemon, as a client on this machine asks for it."""

import re
from typing import Any

import requests

from tests.support.harness import World

EVENT = "the status page is there"


class Page:
    """One daemon's page. The text of every answer is kept, so that a test can search all of them."""

    def __init__(self, world: World, daemon: int = -1) -> None:
        world.until(lambda: world.told(EVENT, daemon) == 1, "the status page listens")
        (line,) = [event for event in world.events(daemon) if event["event"] == EVENT]
        self.port: int = line["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.answered: list[str] = []

    def ask(self, path: str = "/", method: str = "GET", **more: Any) -> requests.Response:
        """One request."""
        answer = requests.request(method, self.url + path, timeout=30, **more)
        self.answered.append(f"{method} {path} {answer.headers} {answer.text}")
        return answer

    def text(self, path: str = "/") -> str:
        """What a reader sees, without tags and with single blanks."""
        return words(self.ask(path).text)


def words(html: str) -> str:
    """The text of a page, entities left as they are."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def open_page(world: World, **environ: str) -> Page:
    """Start a daemon with a status page."""
    world.start(**({"STATUS_LISTEN": "127.0.0.1:0"} | environ))
    return Page(world)
