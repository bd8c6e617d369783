"""What both listeners' answers have in common."""

import pytest
from flask import Response

from reconciler.web.answers import json_answer, log_defect, with_headers


def test_a_document_is_one_line_unless_it_is_to_be_read_by_people() -> None:
    answer = json_answer(503, {"ready": False})
    assert (answer.status_code, answer.content_type, answer.get_data(as_text=True)) == (
        503,
        "application/json",
        '{"ready": false}\n',
    )
    assert json_answer(200, {"ready": True}, indent=2).get_data(as_text=True) == '{\n  "ready": true\n}\n'


def test_a_document_is_readable_and_nothing_in_it_is_obeyed_by_a_terminal() -> None:
    answer = json_answer(200, {"who": "Zoë 東京 \x9b2J\u202e"}, indent=2)
    assert answer.get_data(as_text=True) == '{\n  "who": "Zoë 東京 \\u009b2J\\u202e"\n}\n'
    assert answer.get_json() == {"who": "Zoë 東京 \x9b2J\u202e"}


def test_a_header_replaces_one_of_its_name() -> None:
    answer = with_headers([("Cache-Control", "no-store")], Response(headers={"Cache-Control": "public"}))
    assert answer.headers.getlist("Cache-Control") == ["no-store"]


def test_a_defect_is_an_error_with_its_subject_and_cause(caplog: pytest.LogCaptureFixture) -> None:
    log_defect(ValueError("an odd value"))
    assert "this is a defect" in caplog.text
    assert "'subject': 'defect'" in caplog.text
