"""The structure of a document is counted before it is parsed, and what it may take in memory is bounded."""

import json
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from reconciler.vendors import bounded_json
from reconciler.vendors.bounded_json import MOST_DEEP, PIECE, NotJson, Structure, TooLarge, loaded, parsed
from reconciler.vendors.session import MAX_STRUCTURE

MIB = 1024 * 1024
MOST = MAX_STRUCTURE // 10
LARGEST_PARSE = 128 * MIB // 10
"""Bytes that a document with MOST structural characters may take, for any content: of the largest one 128 MiB."""
STRUCTURAL = "{[,:"


def structural(value: Any) -> int:
    """The number of structural characters of a document without spaces, computed from its values."""
    if isinstance(value, dict):
        return 1 + 2 * len(value) - bool(value) + sum(map(structural, value.values()))
    if isinstance(value, list):
        return 1 + len(value) - bool(value) + sum(map(structural, value))
    return 0


def documents() -> Iterator[Any]:
    """Documents whose texts are full of what must not be counted."""
    chance = Random(7)  # noqa: S311 - any sequence will do, as long as it is the same one
    texts = ['"', "\\", '\\"', "{[,:", "é", "\U0001f600", "\n", "", "x" * 70_000, "\\" * 70_000, '"' * 70_000]
    for _ in range(20):
        yield {
            "".join(chance.choices(texts[:7], k=5)) + str(number): [
                chance.choice(texts),
                {"a": chance.choice(texts)},
            ]
            for number in range(chance.randint(0, 30))
        }


@pytest.mark.parametrize("ascii_only", [True, False])
def test_exactly_the_structure_outside_of_texts_is_counted(ascii_only: bool) -> None:
    for document in documents():
        content = json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":")).encode()
        expected = structural(document)
        exact, one_less = Structure(expected), Structure(expected - 1)
        assert exact.is_too_much(content) is False
        assert len(content) <= expected - 1 or one_less.is_too_much(content) is True, content[:200]


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_a_document_that_arrives_piece_by_piece_is_counted_like_a_whole_one(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    document = {'a"\\': ["{[,:", '\\"', "\\\\", {"b": "\\"}], "c": ['"', [1, 2]]}
    content = json.dumps(document, separators=(",", ":")).encode()
    monkeypatch.setattr(bounded_json, "PIECE", step)
    for most in (structural(document) - 1, structural(document)):
        arriving, structure, found = bytearray(), Structure(most), False
        for start in range(0, len(content), step):
            arriving += content[start : start + step]
            found = structure.is_too_much(arriving)
        assert found is (most < structural(document))


def test_a_document_that_cannot_have_too_much_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Structure, "_add", lambda *_: pytest.fail("looked at"))
    assert parsed(b"[1]" + b" " * 97, 100) == [1]


def test_too_much_is_refused_without_being_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("parsed"))
    with pytest.raises(TooLarge, match="more than 1,000 values"):
        parsed(b"[" + b"{}," * 1000 + b"0]", 1000)


BOMBS = {
    "objects": b'{"":0},',
    "empty objects": b"{},",
    "empty lists": b"[],",
    "lists of one": b"[1.5],",
    "texts": b'"abc",',
    "objects with a text": b'{"ab":"cd"},',
    "objects in objects": b'{"":' * 60 + b"0" + b"}" * 60 + b",",
    "lists in lists": b"[" * 60 + b"]" * 60 + b",",
    "numbers": b"1.5,",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_parsed_takes_a_bounded_amount_of_memory(name: str) -> None:
    one = BOMBS[name]
    each = sum(one.count(character.encode()) for character in STRUCTURAL)
    assert _peak(b"[" + one * (MOST // each - 1) + b"0]") < LARGEST_PARSE


def test_so_does_an_object_with_as_many_names_as_it_may_have() -> None:
    names = b",".join(b'"k%d":"v%d"' % (number, number) for number in range(MOST // 2 - 1))
    assert _peak(b"{" + names + b"}") < LARGEST_PARSE


def _peak(content: bytes) -> int:
    tracemalloc.start()
    try:
        parsed(content, MOST)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_of_32_mib_takes_nothing_but_a_piece_of_it() -> None:
    content = b"[" + b'{"":0},' * (32 * MIB // 7) + b"0]"
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            parsed(content, MAX_STRUCTURE)
        assert tracemalloc.get_traced_memory()[1] < 200 * PIECE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"":', "}"), ('[{"":', "}]")])
def test_deep_nesting_is_refused_at_any_depth(brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    levels = opening.count("[") + opening.count("{")
    most = MOST_DEEP // levels
    assert loaded(opening * (most - 1) + "[0]" + closing * (most - 1)) is not None
    for depth in (most, most + 1, 400, 5_000, 100_000):
        with pytest.raises(TooLarge, match="nested more than 100 levels"):
            loaded(opening * depth + "[0]" + closing * depth)


def test_a_wide_document_is_not_a_deep_one() -> None:
    assert len(loaded("[" + "[[]]," * 10_000 + "0]")) == 10_001


@pytest.mark.parametrize("content", [b"", b"{", b"[1,]", b"\xff", b"9" * 5000, b"[" * 50])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(NotJson):
        parsed(content, 1000)


def test_a_mark_of_the_byte_order_and_broken_utf8_are_read() -> None:
    assert parsed(b'\xef\xbb\xbf["\xff"]', 1000) == ["\ufffd"]
