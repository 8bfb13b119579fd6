"""What the HTTP API refuses, and in which words."""

from typing import Any

from tests.support.apis import Api
from tests.support.promises import one
from tests.support.works import hand_in

SENSELESS: list[tuple[Any, int]] = [
    ({"action": "explode", "run": "run"}, 422),
    ({"action": "pause"}, 422),
    ({"action": "pause", "run": "run", "tier": "haiku"}, 422),
    ({"action": "cancel", "tier": "haiku"}, 422),
    ({"action": "pause", "tier": "everything\x00"}, 404),
    ({"action": "pause", "run": "no-such"}, 404),
    ({"action": "budget", "run": "run"}, 422),
    ({"action": "priority", "run": "run", "priority": 101}, 422),
    ({"action": "resume", "tier": "haiku"}, 409),
    ({"action": "pause", "run": "run", "colour": "red"}, 422),
    ([], 422),
]


def test_an_action_that_makes_no_sense_says_so(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, ["Where is my card?"])
    # when
    answers = [api.client.post("/api/actions", json=body) for body, _ in SENSELESS]
    # then
    assert [answer.status_code for answer in answers] == [status for _, status in SENSELESS]
    assert all(answer.json()["detail"] for answer in answers)
    assert one(api.engine, "SELECT count(*) FROM audit_events")[0] == 0


ERRORS = [
    ("GET", "/api/nothing", 404),
    ("GET", "/api/runs/none", 404),
    ("GET", "/api/jobs/none", 404),
    ("GET", "/api/jobs/²", 404),
    ("GET", f"/api/runs/{'1' * 5_000}", 404),
    ("GET", "/api/dead?run=none", 404),
    ("GET", "/api/runs?limit=0", 400),
    ("GET", "/api/runs?limit=x", 400),
    ("GET", "/api/runs?limit=1&limit=2", 400),
    ("GET", "/api/runs?before=99999999999999999999", 400),
    ("GET", "/api/jobs/1?text=perhaps", 400),
    ("DELETE", "/api/runs", 405),
    ("PUT", "/api/status", 405),
]


def test_errors_are_problem_details(api: Api) -> None:
    # when
    answers = [(api.client.request(method, path), status) for method, path, status in ERRORS]
    # then
    assert [answer.status_code for answer, _ in answers] == [status for _, status in answers]
    for answer, status in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["detail"].endswith((".", "json"))
