"""What the OpenAPI description says, held against a real server: requests drawn from it by Schemathesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from servers import Person, Served

schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Without a language model, so that what would write answers at once."""
    home = tmp_path_factory.mktemp("served")
    environment = {"CASTALIA_MODELS": str(home / "none"), "CASTALIA_OFFLINE": "1"}
    server = Served(home / "server", ("--requests", "0"), environment=environment).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def key(ada: Person) -> str:
    return ada.key()


@pytest.fixture(scope="module")
def api(served: Served) -> Any:
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


def test_answers_are_as_described_and_none_is_a_fault_of_the_server(api, key):
    checks = schemathesis.checks
    wanted = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    bounded = settings(
        max_examples=3,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    faults: list[str] = []
    operations = [each.ok() for each in api.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:

        @bounded
        @given(case=operation.as_strategy())
        def drawn(case):
            answer = case.call(headers={"Authorization": f"Bearer {key}"}, timeout=60)
            assert answer.status_code != 500, answer.text  # 501: what would answer is not installed
            case.validate_response(answer, checks=wanted)

        try:
            drawn()
        except BaseExceptionGroup as group:
            faults += [f"{operation.label}: {each}" for each in group.exceptions]
        except AssertionError as error:
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


def test_every_error_has_the_shape_that_is_described(served, ada, key):
    told = ada.client.get("/openapi.json").json()
    assert {"error"} == {*told["components"]["schemas"]["ErrorAnswer"]["properties"]}
    for calls in told["paths"].values():
        for call in calls.values():
            assert {"4XX", "5XX"} <= {*call["responses"]}
            assert "422" not in call["responses"]
    client = served.client(Authorization=f"Bearer {key}")
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/models", 405),
        ("GET", "/api/keys", 403),
        ("POST", "/v1/chat/completions", 400),
        ("GET", "/v1/files/x", 404),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status
        error = answer.json()["error"]
        assert {"message", "type", "code", "param"} <= {*error}
        assert error["message"]
        assert str(status) in told["info"]["description"]
