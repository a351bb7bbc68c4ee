"""Exceptions as the client libraries build them."""

import json
from collections.abc import Callable
from typing import Any

import google.api_core.exceptions as google_errors
import grpc
import grpc.aio
import requests
from google.api_core.retry import Retry


def grpc_error(code: grpc.StatusCode, details: str = "said the server") -> Exception:
    """What Firestore and Pub/Sub raise: made from the error of a real call, without a reason."""
    call_error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)
    error: Exception = google_errors.from_grpc_error(call_error)
    return error


def rest_error(status: int, reason: str | None, message: str = "said the server") -> Exception:
    """What BigQuery raises: made from the JSON of a real HTTP answer."""
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request("POST", "https://bigquery.invalid/jobs").prepare()
    body: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"reason": reason, "message": message}] if reason else [],
    }
    response._content = json.dumps({"error": body}).encode()
    error: Exception = google_errors.from_http_response(response)
    return error


def raised_by(function: Callable[[], Any]) -> BaseException:
    try:
        function()
    except BaseException as exc:
        return exc
    raise AssertionError("nothing was raised")


def chained(outer: Exception, cause: BaseException) -> BaseException:
    def fail() -> None:
        raise outer from cause

    return raised_by(fail)


def given_up_retrying(last: Exception) -> BaseException:
    """The RetryError of the real Retry, which never waits here: its time is over at the first failure."""

    def fail() -> None:
        raise last

    retry = Retry(predicate=lambda _: True, initial=1.0, timeout=0.0)
    return raised_by(retry(fail))
