"""What can be read from a function's log, whatever stands between its lines."""

import json
from pathlib import Path

from local.judging.delivery_log import DeliveryLog


def test_deliveries_are_counted_by_what_was_answered(tmp_path: Path) -> None:
    lines = [
        json.dumps({"action": "completion_recorded", "event_id": "1"}),
        "[2026-11-24 09:00:00] Traceback of the server",
        json.dumps({"action": "retry_later", "event_id": "2"}),
        json.dumps({"action": "completion_duplicate", "event_id": "1"}),
        json.dumps({"action": "completion_recorded", "event_id": "2"}),
        json.dumps({"message": "about no event"}),
        '{"action": "completion_recorded", "event_i',
    ]
    log = tmp_path / "recorder.log"
    log.write_text("\n".join(lines))

    found = DeliveryLog.read(log)

    assert found.deliveries == 3
    assert found.delivered_events == {"1", "2"}
    assert found.retries.total() == 1
