import pytest

from reconciler.core.retry import Scope
from reconciler.errors import (
    Blocked,
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.reconcile.delivery_scopes import scope_of


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (Missing(""), Scope.MISSING),
        (Forbidden(""), Scope.FORBIDDEN),
        (Blocked(""), Scope.PATH),
        (NotExecuted(""), Scope.LATER),
        (Misconfigured(""), Scope.ACCOUNT),
        (Refused(""), Scope.ACCOUNT),
        (Permanent("", 400), Scope.REQUEST),
        (Duplicate(""), Scope.REQUEST),
        (Unknown(""), Scope.PATH),
    ],
)
def test_each_error_concerns_what_its_class_says(error: ReconcilerError, scope: Scope) -> None:
    assert scope_of(error, at_check=False) is scope


def test_a_refusal_at_the_check_says_nothing_about_the_form_of_the_write() -> None:
    assert scope_of(Permanent("", 400), at_check=True) is Scope.MISSING
    assert scope_of(Blocked(""), at_check=True) is Scope.PATH
