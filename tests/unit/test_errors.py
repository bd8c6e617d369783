"""What each error means for the work: whether it may be tried again, and whom it concerns."""

from copy import copy

import pytest

from reconciler.errors import (
    LONGEST,
    Blocked,
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    PersonsToken,
    RateLimited,
    ReconcilerError,
    Refused,
    Transient,
    Unknown,
    is_unreachable,
)


def test_only_what_certainly_did_not_happen_may_be_tried_again_freely() -> None:
    safe = {
        kind
        for kind in (Refused, RateLimited, Blocked, Unknown, Missing, Duplicate)
        if issubclass(kind, NotExecuted)
    }
    assert safe == {RateLimited, Blocked}
    assert issubclass(Unknown, Transient)
    assert issubclass(Refused, Misconfigured)


@pytest.mark.parametrize(
    ("error", "unreachable"),
    [
        (NotExecuted("no connection"), True),
        (NotExecuted("429", 7.0), False),
        (RateLimited("no room", 3.0), False),
        (Blocked("a web page"), False),
        (Unknown("no answer"), False),
        (Refused("401"), False),
        (Forbidden("403"), False),
    ],
)
def test_a_vendor_is_unreachable_only_where_no_connection_was_made(
    error: ReconcilerError, unreachable: bool
) -> None:
    assert is_unreachable(error) is unreachable


def test_a_duplicate_is_a_refusal_of_the_request_and_says_what_it_is() -> None:
    error = Duplicate("open incident with this key")
    assert isinstance(error, Permanent)
    assert (error.status, str(error)) == (400, "open incident with this key")


def test_the_text_of_an_error_is_bounded_whatever_a_vendor_says() -> None:
    for error in (Missing("x" * 8_000_000), Permanent("x" * 8_000_000, 400), Unknown("x" * 8_000_000)):
        assert len(str(error)) == LONGEST
        assert str(error).endswith("x…")
    assert str(Missing("x" * LONGEST)) == "x" * LONGEST


@pytest.mark.parametrize(
    "error",
    [
        Unknown("503", 2.5),
        Permanent("422", 422),
        Duplicate("open"),
        PersonsToken("token", pages=True),
        Missing("404"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_says_the_same_and_has_a_traceback_of_its_own(error: ReconcilerError) -> None:
    error.request_id = "r-1"
    with pytest.raises(type(error)):
        raise error
    made = copy(error)
    assert (type(made), str(made), vars(made)) == (type(error), str(error), vars(error))
    assert made.__traceback__ is None
