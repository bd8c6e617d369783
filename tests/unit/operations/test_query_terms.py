"""A query is taken apart only where all parts must hold."""

import pytest

from reconciler.operations.query_terms import terms


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ()),
        ("tag:prod", ("tag:prod",)),
        ("tag:prod AND priority:P1", ("tag:prod", "priority:P1")),
        ("tag:prod AND NOT tag:maintenance", ("tag:prod", "NOT tag:maintenance")),
        ("tag:prod OR tag:live", ("tag:prod OR tag:live",)),
        ("tag:prod AND priority:P1 OR tag:live", ("tag:prod AND priority:P1 OR tag:live",)),
        ("(tag:prod OR tag:live) AND priority:P1", ("tag:prod OR tag:live", "priority:P1")),
        ("(tag:prod AND priority:P1)", ("tag:prod", "priority:P1")),
        ("((tag:prod AND priority:P1) AND (count > 1))", ("tag:prod", "priority:P1", "count > 1")),
        ("(a:1) OR (b:2)", ("(a:1) OR (b:2)",)),
        ("NOT (a:1 AND b:2)", ("NOT (a:1 AND b:2)",)),
        ("(a:1) NOT (b:2)", ("(a:1) NOT (b:2)",)),
        ('message:"this AND that (or" AND a:1', ('message:"this AND that (or"', "a:1")),
        ("a:ANDROID AND b:1", ("a:ANDROID", "b:1")),
        ("(a:1 AND b:2", ("(a:1 AND b:2",)),
        ("AND a:1", ("a:1",)),
        ('a:"x', ('a:"x',)),
    ],
)
def test_a_query_is_taken_apart_at_its_outermost_ands(query: str, expected: tuple[str, ...]) -> None:
    assert terms(query) == expected
