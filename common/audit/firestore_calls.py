"""How the checks call Firestore: bounded, and with the faults that mean "could not look"."""

from typing import Final

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from ..result import is_transient

CALL_TIMEOUT_SECONDS: Final = 20.0
"""Of one call with its repetitions: an audit makes many, and has a time limit of its own."""
RETRY: Final = Retry(predicate=is_transient, initial=0.1, maximum=2.0, timeout=CALL_TIMEOUT_SECONDS)
FAULTS: Final = (GoogleAPIError, GoogleAuthError)
