"""The Grafana dashboard, made of the table of its panels: `make examples` writes it."""

import json
from typing import Any

from tests.support.dashboard_panels import ROWS, Panel
from tests.support.paths import ROOT

FILE = ROOT / "examples" / "grafana" / "dashboard.json"
WIDE, STAT_WIDE, STAT_HIGH, GRAPH_HIGH = 24, 3, 4, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_NOBODY = "no reconciler answers"


def dashboard() -> dict[str, Any]:
    """The whole dashboard, as Grafana imports it."""
    return {
        "uid": "reconciler",
        "title": "reconciler",
        "description": "Alerts of Opsgenie or JSM and incidents of PagerDuty, kept in agreement.",
        "tags": ["reconciler"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_data_source(), _job()]},
        "panels": _panels(),
    }


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _job() -> dict[str, Any]:
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": "label_values(reconciler_build_info, job)", "refId": "job"},
        "refresh": 2,
    }


def _panels() -> list[dict[str, Any]]:
    """All panels in rows, each at its place in the grid."""
    found: list[dict[str, Any]] = []
    top = 0
    for title, panels in ROWS:
        found.append({"id": len(found) + 1, "type": "row", "title": title, "gridPos": _place(0, top, WIDE, 1)})
        top += 1
        wide, high = (STAT_WIDE, STAT_HIGH) if panels[0].kind == "stat" else (WIDE // 2, GRAPH_HIGH)
        for number, panel in enumerate(panels):
            row, column = divmod(number * wide, WIDE)
            found.append(_panel(len(found) + 1, panel, _place(column, top + row * high, wide, high)))
        top += -(-len(panels) * wide // WIDE) * high
    return found


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    is_stat = panel.kind == "stat"
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    texts = {
        value: {"text": text, "color": color, "index": index}
        for index, (value, text, color) in enumerate(panel.texts)
    }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "mappings": [{"type": "value", "options": texts}] if texts else [],
                **({"noValue": _NOBODY} if is_stat else {}),
            },
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"} if is_stat else {},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.text,
                "legendFormat": query.legend,
                "instant": is_stat,
                "range": not is_stat,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def rendered() -> str:
    """The file's whole text."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write the file anew."""
    FILE.write_text(rendered(), encoding="utf-8")


if __name__ == "__main__":
    write()
