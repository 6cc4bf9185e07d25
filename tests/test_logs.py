"""What is around every answer: its id, its line in the log, its figures, its headers."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from api.web import logs

Lines = Callable[[], list[dict[str, Any]]]


def around(answer: Any, level: str = "info") -> Client:
    """A client of a small application inside all that is around ours."""
    return Client(logs.Surroundings(answer, level))


def hello(environ: Any, start_response: Any) -> Any:
    environ[logs.ROUTE] = "/hello"
    return Response("hello", mimetype="text/plain")(environ, start_response)


def fails(environ: Any, start_response: Any) -> Any:
    raise ValueError("hunter2")


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """The lines logged since this was called last."""
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_an_answer_carries_an_id_of_its_own() -> None:
    ids = {around(hello).get("/").headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in ids)


def test_an_id_that_came_with_the_request_is_kept(lines: Lines) -> None:
    answer = around(hello).get("/", headers={"X-Request-Id": "Web_1.2-3"})
    assert answer.headers["X-Request-Id"] == lines()[0]["id"] == "Web_1.2-3"


@pytest.mark.parametrize("given", ["", "a b", "a" * 101, "é", "a;b", "<script>"])
def test_an_id_that_could_do_harm_is_not(given: str) -> None:
    assert around(hello).get("/", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_a_request_is_one_line_of_json(lines: Lines) -> None:
    around(hello).get(
        "/v1/caf%C3%A9%0D%0Ax?topic=grain%0Adeal",
        headers={"User-Agent": "curl/8", "Authorization": "Bearer hunter2"},
        environ_base={"REMOTE_ADDR": "192.0.2.1"},
    )
    [line] = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("ts"))
    assert line.pop("ms") > 0
    assert line.pop("id")
    assert line == {
        "level": "info",
        "method": "GET",
        "path": "/v1/café\r\nx",
        "query": "topic=grain%0Adeal",
        "route": "/hello",
        "status": 200,
        "bytes": 5,
        "remote": "192.0.2.1",
        "agent": "curl/8",
    }


def test_a_secret_in_the_query_is_not_logged(lines: Lines) -> None:
    around(hello).get("/?q=a&api_key=hunter2&Access-Token=hunter2&b=c")
    assert lines()[0]["query"] == "q=a&api_key=…&Access-Token=…&b=c"


def test_a_line_stays_whole_however_long_the_request(capfd: pytest.CaptureFixture[str]) -> None:
    around(hello).get("/" + "é" * 3000 + "?" + "b" * 4000, headers={"User-Agent": "c" * 5000})
    assert len(capfd.readouterr().err.encode()) < 4096


def test_a_higher_level_logs_failures_alone(lines: Lines) -> None:
    around(hello, "warning").get("/")
    assert lines() == []
    around(fails, "error").get("/")
    assert [line["status"] for line in lines()] == [500]


def test_a_failure_is_told_to_the_log_and_not_to_the_client(
    lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    answer = around(fails).get("/some/where", headers={"X-Request-Id": "mine"})
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "/problems#internal"
    assert answer.get_json()["instance"] == "/some/where"
    assert "hunter2" not in answer.get_data(as_text=True)
    assert lines()[-1]["level"] == "error"
    told = json.loads(logs.Lines().format(caplog.records[0]))
    assert told["id"] == "mine"
    assert "hunter2" in told["trace"]


def test_a_stream_that_fails_at_once_is_a_failure_too() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        chunks = (bytes([256]) for _ in range(1))
        return Response(chunks)(environ, start_response)

    assert around(app).get("/").status_code == 500


def test_a_stream_is_logged_when_it_ends(lines: Lines) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        return Response(iter([b"one", b"two", b"three"]))(environ, start_response)

    answer = around(app).get("/", buffered=False)
    taken = iter(answer.response)
    assert next(taken) == b"one"
    assert lines() == []
    assert list(taken) == [b"two", b"three"]
    answer.close()
    [line] = lines()
    assert line["bytes"] == 11
    assert "aborted" not in line


def test_a_stream_that_its_reader_leaves_is_logged_as_such(lines: Lines) -> None:
    closed = []

    def app(environ: Any, start_response: Any) -> Any:
        response = Response(iter([b"one", b"two"]))
        response.call_on_close(lambda: closed.append(True))
        return response(environ, start_response)

    answer = around(app).get("/", buffered=False)
    next(iter(answer.response))
    answer.close()
    [line] = lines()
    assert (line["bytes"], line["aborted"]) == (3, True)
    assert closed == [True]


def test_a_stream_that_fails_midway_is_an_error_in_the_log(
    lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        def chunks() -> Iterator[bytes]:
            yield b"one"
            raise ValueError("too bad")

        return Response(chunks())(environ, start_response)

    answer = around(app).get("/", buffered=False)
    with pytest.raises(ValueError, match="too bad"):
        list(answer.response)
    answer.close()
    assert lines()[-1]["level"] == "error"
    assert "a stream failed" in caplog.text


def test_every_answer_has_safe_headers() -> None:
    for app in (hello, fails):
        headers = around(app).post("/").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_page_has_the_policy_that_it_states_itself() -> None:
    def page(environ: Any, start_response: Any) -> Any:
        own = {"Content-Security-Policy": "default-src 'self'"}
        return Response("", headers=own)(environ, start_response)

    policies = around(page).get("/").headers.getlist("Content-Security-Policy")
    assert policies == ["default-src 'self'"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_of_others_may_read(method: str) -> None:
    headers = around(hello).open("/", method=method).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Expose-Headers"] == "ETag, Link, Readout-Count, X-Request-Id"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_pages_of_others_may_not_write(method: str) -> None:
    headers = around(hello).open("/", method=method).headers
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(("method", "allowed"), [("GET", True), ("HEAD", True), ("PUT", False)])
def test_a_browser_that_asks_beforehand_is_told_the_same(method: str, allowed: bool) -> None:
    headers = around(hello).options("/", headers={"Access-Control-Request-Method": method}).headers
    assert ("Access-Control-Allow-Origin" in headers) is allowed
    assert headers.get("Access-Control-Allow-Methods") == ("GET, HEAD" if allowed else None)


def test_requests_are_counted_by_route_and_status() -> None:
    client = around(hello)
    # Other tests of this process leave answers that nobody reads to the end.
    before = re.search(rb"readout_requests_in_flight .*", logs.exposition()[0])
    for _ in range(3):
        client.get("/")
    client.open("/", method="BREW")
    figures, media_type = logs.exposition()
    assert media_type.startswith("text/plain; version=")
    text = figures.decode()
    assert 'readout_requests_total{method="GET",route="/hello",status="2xx"}' in text
    assert 'readout_requests_total{method="other",route="/hello",status="2xx"}' in text
    assert 'readout_request_duration_seconds_bucket{le="10.0",method="GET",route="/hello"}' in text
    assert before
    assert before[0] in figures
    assert re.search(r'readout_build_info{python="3[^"]+",version="[^"]+"} 1.0', text)
