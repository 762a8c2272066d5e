"""``/health``, which scripts rely on."""

import json

from mediaserver.web import health
from tests.web.statuses import EMPTY, RICH, UDN


def test_the_keys_and_values_are_those_of_the_contract() -> None:
    assert json.loads(health.document(RICH)) == {
        "status": "ok",
        "udn": UDN,
        "version": "1.2.3",
        "system_update_id": 4711,
        "library": {
            "items": 20123 + 412 + 98765,
            "containers": 3456,
            "audio": 20123,
            "video": 412,
            "image": 98765,
            "pending": 1200,
            "unreadable": 73,
            "scanning": True,
        },
        "scan": {
            "done": 12345,
            "total": 45678,
            "listing": False,
            "files_per_second": 412.3,
            "remaining_seconds": 81,
        },
        "problems": ["media root Films: it is not mounted", "scanning fails, it is tried again"],
        "failures": {"announcements": 3},
    }


def test_a_server_that_knows_nothing_yet_is_well_too() -> None:
    found = json.loads(health.document(EMPTY))
    assert found["status"] == "ok"
    assert found["library"]["items"] == 0
    assert found["library"]["scanning"] is False
    assert set(found["scan"].values()) == {None}
    assert found["problems"] == []
    assert found["failures"] == {}
