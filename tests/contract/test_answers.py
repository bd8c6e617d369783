"""The sandbox is asked for every answer that it can give: each route's success, and each refusal."""

from reconciler.sandbox.app import Sandbox
from tests.support.contract.asking import asked, refusal_places
from tests.support.contract.exchange import route_of, routes
from tests.support.contract.places import missed


def test_every_question_is_answered_as_expected() -> None:
    assert asked().wrong == ()


def test_every_route_answers() -> None:
    known = routes(Sandbox())
    assert len(known) > 50
    answered = {route_of(known, exchange) for exchange in asked().exchanges if exchange.answer.status < 300}
    assert [str(route) for route in known if route not in answered] == []


def test_every_refusal_is_met() -> None:
    found = refusal_places()
    assert len(found) > 80
    assert missed(found, asked().sites) == [], "give tests/support/contract/questions.py a question for it"
