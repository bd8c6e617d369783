"""The document that `status --json` prints: every figure, ages in seconds and times in ISO 8601, nothing cut."""

from datetime import datetime
from typing import Any

from reconciler.core.model import Side
from reconciler.core.shadow import Comparison
from reconciler.observability.naming import STATES
from reconciler.operations import divergence, pausing
from reconciler.operations.headline import headline
from reconciler.operations.status import StatusReport, age, age_of, entry_data, late, needs_attention


def as_data(report: StatusReport, interval: float) -> dict[str, Any]:
    """The whole report."""
    now, product = report.now, report.product
    return {
        "now": now.isoformat(),
        "headline": headline(report, interval),
        "needs_attention": needs_attention(report, interval),
        "database": report.database,
        "database_kind": report.kind,
        "schema": report.schema,
        "missing": report.missing,
        "leader": _leader(report),
        "standbys": [
            {"holder": each.holder, "at": each.at.isoformat(), "age_seconds": age(now, each.at)}
            for each in report.standbys
        ],
        "open_pairs": report.open_pairs,
        "polled": {product.key_of(side): _iso(report.polled.get(side)) for side in Side},
        "behind_seconds": {product.key_of(side): age_of(report, side) for side in Side},
        "vendors": {
            product.key_of(side): _vendor(report, side, is_late=side in late(report, interval)) for side in Side
        },
        "pauses": pausing.as_data(report.pauses, now, product),
        "actions": {state: report.counts.get(state, 0) for state in STATES},
        "oldest_pending_seconds": age(now, report.oldest) if report.oldest else None,
        "troubles": [
            {"subject": product.word(each.subject), **_times(now, each.since), "words": each.words}
            for each in report.troubles
        ],
        "unpaged": [
            {
                "alert_id": pair.alert_id,
                "alert": pair.tiny_id,
                "title": pair.title,
                "incident_id": pair.incident_id,
                "incident": pair.incident_number,
                "reason": pair.unpaged,
            }
            for pair in report.unpaged
        ],
        "pending": [entry_data(now, entry, product) for entry in report.of("planned")],
        "in_flight": [entry_data(now, entry, product) for entry in report.of("in flight")],
        "unknown": [entry_data(now, entry, product) for entry in report.of("unknown")],
        "dead": [entry_data(now, entry, product) for entry in report.of("dead")],
        "apart": [divergence.as_data(now, each, product) for each in report.apart],
        **({} if report.shadow is None else {"shadow": _shadow(now, report.shadow)}),
    }


def _shadow(now: datetime, seen: Comparison) -> dict[str, Any]:
    return {"at": seen.at.isoformat(), "age_seconds": age(now, seen.at), "alerts": dict(seen.counts)}


def _vendor(report: StatusReport, side: Side, *, is_late: bool) -> dict[str, Any]:
    trouble, known = report.trouble(side), report.leader
    return {
        "polled": _iso(report.polled.get(side)),
        "behind_seconds": age_of(report, side),
        "late": is_late,
        "error": trouble.words if trouble else None,
        "error_since": _iso(trouble.since if trouble else None),
        "error_age_seconds": age(report.now, trouble.since) if trouble else None,
        "requests_left": known.left.get(side) if known else None,
        "requests_left_at": _iso(known.at if known else None),
        "may_write": side not in known.refused if known else None,
    }


def _leader(report: StatusReport) -> dict[str, Any] | None:
    if report.lead is None:
        return None
    since = report.led_since
    return {
        "holder": report.lead.holder,
        "epoch": report.lead.epoch,
        "since": _iso(since),
        "age_seconds": age(report.now, since) if since else None,
    }


def _times(now: datetime, since: datetime) -> dict[str, Any]:
    return {"since": since.isoformat(), "age_seconds": age(now, since)}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
