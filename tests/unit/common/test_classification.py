"""The table by which exceptions are classified: one test per row, on exceptions built as the client libraries
build them."""

import base64
import concurrent.futures
import errno
import http.client
import json
import socket
import ssl
import urllib.error
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import google.api_core.exceptions as google_errors
import google.auth.exceptions
import google.oauth2.id_token
import grpc
import pydantic
import pytest
import requests
import urllib3.exceptions

from common.classification import ErrorType, classify
from common.result import ErrorInfo, Result
from tests.support.client_errors import chained, given_up_retrying, grpc_error, raised_by, rest_error

TRANSIENT, PERMANENT, UNKNOWN = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.UNKNOWN

CUT_OFF = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
REFUSED = ssl.SSLCertVerificationError(1, "certificate verify failed")
POOL = urllib3.HTTPSConnectionPool("bigquery.invalid")


def through_requests(fault: ssl.SSLError) -> Exception:
    """As requests wraps what urllib3 wraps."""
    return requests.exceptions.SSLError(
        urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.SSLError(fault))
    )


def answer_of(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = 200, body
    return response


def certificates_that_are_no_json() -> None:
    answer = SimpleNamespace(status=200, data=b"<html>", headers={})
    google.oauth2.id_token._fetch_certs(lambda *_, **__: answer, "https://certs.invalid")  # type: ignore[no-untyped-call]


class Row(pydantic.BaseModel):
    points: int


class OurConflict(google_errors.Aborted):
    """A subclass, as a newer version of the library may bring along."""


def too_large() -> Decimal:
    return Decimal("1e30").quantize(Decimal("1e-9"))


def too_early() -> date:
    return date.min - timedelta(days=1)


TABLE = {
    "Aborted, though it is a Conflict": (grpc_error(grpc.StatusCode.ABORTED), TRANSIENT),
    "a subclass of Aborted": (OurConflict("contention"), TRANSIENT),  # type: ignore[no-untyped-call]
    "ServiceUnavailable": (grpc_error(grpc.StatusCode.UNAVAILABLE), TRANSIENT),
    "InternalServerError": (grpc_error(grpc.StatusCode.INTERNAL), TRANSIENT),
    "BadGateway": (google_errors.from_http_status(502, "bad gateway"), TRANSIENT),
    "GatewayTimeout": (google_errors.from_http_status(504, "gateway timeout"), TRANSIENT),
    "ResourceExhausted": (grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED), TRANSIENT),
    "TooManyRequests": (google_errors.from_http_status(429, "slow down"), TRANSIENT),
    "HTTP 500": (google_errors.from_http_status(500, "oops"), TRANSIENT),
    "HTTP 503": (google_errors.from_http_status(503, "oops"), TRANSIENT),
    "DeadlineExceeded": (grpc_error(grpc.StatusCode.DEADLINE_EXCEEDED), TRANSIENT),
    "a future that timed out": (concurrent.futures.TimeoutError(), TRANSIENT),
    "connection reset": (ConnectionResetError(errno.ECONNRESET, "reset by peer"), TRANSIENT),
    "connection refused": (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), TRANSIENT),
    "broken pipe": (BrokenPipeError(errno.EPIPE, "broken pipe"), TRANSIENT),
    "network unreachable": (OSError(errno.ENETUNREACH, "network is unreachable"), TRANSIENT),
    "host unreachable": (OSError(errno.EHOSTUNREACH, "no route to host"), TRANSIENT),
    "socket timeout": (TimeoutError("timed out"), TRANSIENT),
    "name not resolved": (socket.gaierror(socket.EAI_AGAIN, "temporary failure"), TRANSIENT),
    "ValueError after five commit attempts of Firestore": (
        chained(
            ValueError("Failed to commit transaction in 5 attempts."), grpc_error(grpc.StatusCode.ABORTED)
        ),
        TRANSIENT,
    ),
    "the same ValueError without that cause": (
        ValueError("Failed to commit transaction in 5 attempts."),
        PERMANENT,
    ),
    "ValueError caused by something permanent": (
        chained(ValueError("bad row"), grpc_error(grpc.StatusCode.INVALID_ARGUMENT)),
        PERMANENT,
    ),
    "RetryError after a transient fault": (
        given_up_retrying(grpc_error(grpc.StatusCode.UNAVAILABLE)),
        TRANSIENT,
    ),
    "RetryError after a permanent fault": (
        given_up_retrying(grpc_error(grpc.StatusCode.PERMISSION_DENIED)),
        PERMANENT,
    ),
    "RetryError without a cause": (google_errors.RetryError("deadline exceeded", None), TRANSIENT),
    "requests ConnectionError": (requests.exceptions.ConnectionError("aborted"), TRANSIENT),
    "requests ReadTimeout": (requests.exceptions.ReadTimeout("30 s"), TRANSIENT),
    "requests ConnectTimeout": (requests.exceptions.ConnectTimeout("30 s"), TRANSIENT),
    "requests ChunkedEncodingError": (requests.exceptions.ChunkedEncodingError("cut off"), TRANSIENT),
    "TLS handshake cut off, out of requests": (through_requests(CUT_OFF), TRANSIENT),
    "certificate refused, out of requests": (through_requests(REFUSED), PERMANENT),
    "certificate refused, out of google.auth": (
        chained(google.auth.exceptions.TransportError(through_requests(REFUSED)), through_requests(REFUSED)),
        PERMANENT,
    ),
    "TLS handshake cut off, out of google.auth": (
        chained(google.auth.exceptions.TransportError(through_requests(CUT_OFF)), through_requests(CUT_OFF)),
        TRANSIENT,
    ),
    "requests SSLError that only speaks of a certificate": (
        requests.exceptions.SSLError("certificate verify failed"),
        TRANSIENT,
    ),
    "requests RetryError after several 503": (requests.exceptions.RetryError("too many"), TRANSIENT),
    "requests cut off inside of compressed data": (
        requests.exceptions.ContentDecodingError("gzip"),
        TRANSIENT,
    ),
    "requests asked for no URL": (requests.exceptions.MissingSchema("no scheme"), PERMANENT),
    "urllib3 MaxRetryError": (urllib3.exceptions.MaxRetryError(POOL, "/", Exception("x")), TRANSIENT),
    "urllib3 cut off": (urllib3.exceptions.SSLError(CUT_OFF), TRANSIENT),
    "urllib3 certificate refused": (urllib3.exceptions.SSLError(REFUSED), PERMANENT),
    "urllib out of reach": (urllib.error.URLError(ConnectionRefusedError()), TRANSIENT),
    "urllib certificate refused": (urllib.error.URLError(REFUSED), PERMANENT),
    "server that hung up": (http.client.RemoteDisconnected("closed"), TRANSIENT),
    "answer that broke off": (http.client.IncompleteRead(b"{"), TRANSIENT),
    "urllib3 ProtocolError": (urllib3.exceptions.ProtocolError("connection broken"), TRANSIENT),
    "TLS handshake cut off": (CUT_OFF, TRANSIENT),
    "TLS closed by the other side": (ssl.SSLZeroReturnError(6, "closed"), TRANSIENT),
    "another fault of TLS": (ssl.SSLError(1, "bad record mac"), TRANSIENT),
    "certificate refused": (REFUSED, PERMANENT),
    "RetryError after a refused certificate": (given_up_retrying(through_requests(REFUSED)), PERMANENT),
    "google.auth TransportError": (google.auth.exceptions.TransportError("metadata server"), TRANSIENT),
    "google.auth without credentials": (
        google.auth.exceptions.DefaultCredentialsError("none found"),
        UNKNOWN,
    ),
    "google.auth refused to refresh": (google.auth.exceptions.RefreshError("invalid_grant"), UNKNOWN),
    "google.auth refused to refresh, for now": (
        google.auth.exceptions.RefreshError("busy", retryable=True),
        TRANSIENT,
    ),
    "google.auth could not reach the metadata server to refresh": (
        chained(
            google.auth.exceptions.RefreshError("metadata"),
            google.auth.exceptions.TransportError("connection refused"),
        ),
        TRANSIENT,
    ),
    "google.auth time-out": (google.auth.exceptions.TimeoutError("120 s"), TRANSIENT),
    "HTTP 408, which has no class": (google_errors.from_http_status(408, "request timeout"), TRANSIENT),
    "HTTP 599, which has no class": (google_errors.from_http_status(599, "strange"), TRANSIENT),
    "HTTP 418, which has no class": (google_errors.from_http_status(418, "a teapot"), UNKNOWN),
    "HTTP 412, the caller's": (google_errors.from_http_status(412, "precondition"), UNKNOWN),
    "BigQuery could not serialize": (
        rest_error(400, "invalidQuery", "Could not serialize access to table p:d.t due to concurrent update"),
        TRANSIENT,
    ),
    "BigQuery transaction aborted": (
        rest_error(
            400, "invalidQuery", "Transaction is aborted due to concurrent update against table p:d.t"
        ),
        TRANSIENT,
    ),
    "BigQuery too many DML statements": (
        rest_error(400, "invalidQuery", "Too many DML statements outstanding against table p:d.t"),
        TRANSIENT,
    ),
    "BigQuery too many DML statements, as resourcesExceeded": (
        rest_error(400, "resourcesExceeded", "Too many DML statements outstanding against table p:d.t"),
        TRANSIENT,
    ),
    "BigQuery out of memory": (
        rest_error(400, "resourcesExceeded", "Resources exceeded: out of memory"),
        PERMANENT,
    ),
    "BigQuery DML on rows in the streaming buffer": (
        rest_error(
            400,
            "invalidQuery",
            "UPDATE or DELETE statement over table d.t would affect rows in the streaming buffer, "
            "which is not supported",
        ),
        UNKNOWN,
    ),
    "HTTP 400 without any reason": (rest_error(400, None), UNKNOWN),
    "BigQuery wrong statement": (rest_error(400, "invalidQuery", "Syntax error at [1:1]"), PERMANENT),
    "BigQuery words of contention under another reason": (
        rest_error(400, "invalid", "could not serialize access to your input"),
        PERMANENT,
    ),
    "BigQuery 400 invalid": (rest_error(400, "invalid"), PERMANENT),
    "BigQuery rateLimitExceeded": (rest_error(403, "rateLimitExceeded"), TRANSIENT),
    "BigQuery quotaExceeded": (rest_error(403, "quotaExceeded"), TRANSIENT),
    "BigQuery jobRateLimitExceeded": (rest_error(400, "jobRateLimitExceeded"), TRANSIENT),
    "BigQuery accessDenied": (rest_error(403, "accessDenied"), PERMANENT),
    "BigQuery billingNotEnabled": (rest_error(403, "billingNotEnabled"), PERMANENT),
    "BigQuery backendError": (rest_error(503, "backendError"), TRANSIENT),
    "BigQuery internalError": (rest_error(500, "internalError"), TRANSIENT),
    "BigQuery jobBackendError under 400": (rest_error(400, "jobBackendError"), TRANSIENT),
    "BigQuery jobInternalError under 400": (rest_error(400, "jobInternalError"), TRANSIENT),
    "AlreadyExists, the caller's to interpret": (grpc_error(grpc.StatusCode.ALREADY_EXISTS), UNKNOWN),
    "BigQuery 409 duplicate, the caller's": (rest_error(409, "duplicate"), UNKNOWN),
    "FailedPrecondition, the caller's, though it is a BadRequest": (
        grpc_error(grpc.StatusCode.FAILED_PRECONDITION),
        UNKNOWN,
    ),
    "NotFound of Firestore": (grpc_error(grpc.StatusCode.NOT_FOUND), PERMANENT),
    "BigQuery 404 notFound": (rest_error(404, "notFound"), PERMANENT),
    "NotFound that speaks of a timeout": (rest_error(404, "notFound", "table timeout_503"), PERMANENT),
    "InvalidArgument": (grpc_error(grpc.StatusCode.INVALID_ARGUMENT), PERMANENT),
    "OutOfRange": (grpc_error(grpc.StatusCode.OUT_OF_RANGE), PERMANENT),
    "PermissionDenied": (grpc_error(grpc.StatusCode.PERMISSION_DENIED), PERMANENT),
    "Unauthenticated": (grpc_error(grpc.StatusCode.UNAUTHENTICATED), PERMANENT),
    "Forbidden without a reason": (google_errors.from_http_status(403, "no"), PERMANENT),
    "Unimplemented": (grpc_error(grpc.StatusCode.UNIMPLEMENTED), PERMANENT),
    "pydantic ValidationError": (
        raised_by(lambda: Row.model_validate_json('{"points": "many"}')),
        PERMANENT,
    ),
    "TypeError": (raised_by(lambda: 1 + "1"), PERMANENT),  # type: ignore[operator]
    "KeyError": (raised_by(lambda: dict[str, int]()["game_id"]), PERMANENT),
    "JSON of our own": (raised_by(lambda: json.loads("{")), PERMANENT),
    "answer that is no JSON": (raised_by(answer_of(b"<html>").json), TRANSIENT),
    "answer that is no JSON, read by google.auth": (raised_by(certificates_that_are_no_json), TRANSIENT),
    "number that no arithmetic takes": (
        raised_by(lambda: Decimal("1e30").quantize(Decimal("1e-9"))),
        PERMANENT,
    ),
    "moment before the first year": (raised_by(too_early), PERMANENT),
    "base64 error": (raised_by(lambda: base64.b64decode("x", validate=True)), PERMANENT),
    "bytes that are no UTF-8": (raised_by(lambda: b"\xff".decode()), PERMANENT),
    "Cancelled": (grpc_error(grpc.StatusCode.CANCELLED), UNKNOWN),
    "Unknown": (grpc_error(grpc.StatusCode.UNKNOWN), UNKNOWN),
    "DataLoss": (grpc_error(grpc.StatusCode.DATA_LOSS), UNKNOWN),
    "anything else": (RuntimeError("503 timeout quotaExceeded"), UNKNOWN),
    "a failure that was unwrapped keeps its class": (
        raised_by(Result.failure(ErrorInfo.permanent("Refused", "no")).unwrap),
        PERMANENT,
    ),
}


@pytest.mark.parametrize(("exc", "expected"), TABLE.values(), ids=TABLE.keys())
def test_exception_is_classified_as_the_table_says(exc: BaseException, expected: ErrorType) -> None:
    assert classify(exc) is expected
