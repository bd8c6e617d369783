"""The site and its users."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

CLOUD_ID = "7d2f6a3e-4c1b-4f0e-9a58-3b6f2c1d0e94"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the site."""

    account_id: str
    name: str
    email: str


BOT = User("712020:5a0c1b7e-90d4-4a53-8a3f-6c1f0e2d9b41", "Ops Robot", "robot@customer.example")
"""Whose API token the sandbox has."""


def user_of(name: str) -> User:
    """The user with this name; the same name is the same user."""
    if name == BOT.name:
        return BOT
    local = ".".join(name.casefold().split())
    return User(f"712020:{uuid5(NAMESPACE_URL, name)}", name, f"{local}@customer.example")


def find(account_id: str, names: Iterable[str]) -> User | None:
    """The user with this id, among the robot and those who have these names."""
    users = [BOT, *map(user_of, names)]
    return next((user for user in users if user.account_id == account_id), None)


def shown(name: str, people: Iterable[str], form: str) -> str:
    """A name, in the form (`jsm_owner_form`) in which users are shown; names of others are shown as they are."""
    if name != BOT.name and name not in people:
        return name
    user = user_of(name)
    return {"name": user.name, "email": user.email, "account_id": user.account_id}[form]
