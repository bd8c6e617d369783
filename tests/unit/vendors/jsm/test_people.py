"""Our own user in its three forms, and the names of others."""

from typing import Any

import pytest
import responses

from reconciler.core.model import Person
from reconciler.vendors.jsm import people as module
from tests.support.wire.http import asked
from tests.support.wire.jsm import ANA, BOT, EMAIL, MYSELF, USERS, Jsm, known

US = Person(BOT, "Ops Robot")


@pytest.mark.parametrize("form", [BOT, "Ops Robot", "ops robot ", EMAIL, EMAIL.upper(), "other@customer.example"])
def test_our_user_is_the_same_person_in_every_form(wire: responses.RequestsMock, form: str) -> None:
    jsm = Jsm(email="other@customer.example")
    wire.get(f"{USERS}/myself", json=MYSELF)
    jsm.people.ask()
    assert jsm.people.us() == jsm.people.known(form) == jsm.people.person(form) == US


def test_our_user_is_asked_for_once(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    jsm.people.ask()
    assert len(wire.calls) == 1
    jsm.people.forget()
    assert jsm.people.us() == US
    jsm.people.ask()
    assert len(wire.calls) == 2, "the token was replaced"


@pytest.mark.parametrize("body", [{}, {"accountId": None, "displayName": 7}, [], {"displayName": ""}])
def test_an_answer_without_a_name_leaves_the_e_mail_address(wire: responses.RequestsMock, body: Any) -> None:
    jsm = Jsm()
    wire.get(f"{USERS}/myself", json=body)
    jsm.people.ask()
    assert jsm.people.us().id == EMAIL
    assert jsm.people.known(EMAIL) == jsm.people.us()


@pytest.mark.parametrize(
    ("status", "wait"), [(403, module.ASK_AGAIN), (401, module.ASK_AGAIN), (503, module.SOON)]
)
def test_a_user_that_cannot_be_read_is_known_by_the_e_mail_address_until_it_can(
    wire: responses.RequestsMock, status: int, wait: float
) -> None:
    jsm = Jsm()
    wire.get(f"{USERS}/myself", status=status, json={"message": "scope does not match"})
    jsm.people.ask()
    asked_once = len(wire.calls)
    assert jsm.people.us() == Person(EMAIL, EMAIL)
    assert [words[:50] for words in jsm.notices] == ["JSM: our own user is known by JSM_EMAIL alone, bec"] * (
        status != 503
    )
    jsm.people.ask()
    assert len(wire.calls) == asked_once
    wire.upsert("GET", f"{USERS}/myself", json=MYSELF)
    jsm.clock.wait(wait)
    jsm.people.ask()
    assert jsm.people.us() == US


def test_an_account_id_is_looked_up_once(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(f"{USERS}/user", json={"accountId": ANA, "displayName": "Ana Ruiz"})
    assert jsm.people.known(ANA) == Person(ANA, ANA)
    assert [jsm.people.person(ANA) for _ in range(3)] == [Person(ANA, "Ana Ruiz")] * 3
    assert jsm.people.known(ANA) == Person(ANA, "Ana Ruiz")
    assert asked(wire.calls[1]) == {"accountId": ANA}
    assert len(wire.calls) == 2


@pytest.mark.parametrize("name", ["Ana Ruiz", "ana@customer.example", "", "System", "712020", "12:30 on call"])
def test_a_name_is_not_looked_up(wire: responses.RequestsMock, name: str) -> None:
    assert known(wire).people.person(f" {name} ") == Person(name, name)


def test_an_id_that_cannot_be_looked_up_is_the_name_and_fails_no_read(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(f"{USERS}/user", status=403, json={"message": "no"})
    assert [jsm.people.person(ANA) for _ in range(3)] == [Person(ANA, ANA)] * 3
    assert len(wire.calls) == 2
    assert "shown by account id" in jsm.notices[0]
    wire.upsert("GET", f"{USERS}/user", json={"displayName": "Ana Ruiz"})
    jsm.clock.wait(module.ASK_AGAIN)
    assert jsm.people.person(ANA).name == "Ana Ruiz"


def test_the_number_of_remembered_users_is_bounded(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_USERS", 2)
    jsm = known(wire)
    wire.get(f"{USERS}/user", json={})
    for number in range(4):
        jsm.people.person(f"712020:{number:036}")
    assert len(jsm.people._others) == 2
