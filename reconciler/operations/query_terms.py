"""The terms of a search query that must all hold, so that each can be asked about by itself."""

import re

_TOKEN = re.compile(r'"[^"]*"|[()]|[^\s()"]+|\s+|"')

_AND, _OR = "AND", "OR"


def terms(query: str) -> tuple[str, ...]:
    """The parts that AND joins at the outermost level. A query with an OR there is one term.

    A term in parentheses is taken apart in the same way.
    """
    parts: list[list[str]] = [[]]
    depth = 0
    for word in _TOKEN.findall(query):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == _OR and depth == 0:
            return (query.strip(),)
        if word == _AND and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    found = ["".join(part).strip() for part in parts]
    if len(found) == 1:
        inner = _within(found[0])
        return terms(inner) if inner else tuple(filter(None, found))
    return tuple(term for part in found if part for term in terms(part))


def _within(term: str) -> str:
    """The content of a term that one pair of parentheses encloses; empty if none does."""
    if not (term.startswith("(") and term.endswith(")")):
        return ""
    depth = 0
    for place, word in enumerate(tokens := _TOKEN.findall(term)):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and place < len(tokens) - 1:
            return ""
    return term[1:-1] if depth == 0 else ""
