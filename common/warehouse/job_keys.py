"""Ids of jobs, made from the work itself: the same work again finds the job that an earlier call left."""

import hashlib
import json


def job_key(step: str, *parts: object) -> str:
    """`{step}-{sha256}` of the parts, which are JSON's values; 64 hexadecimal digits, as an id may have.

    Written as JSON, so that ("ab", "c") and ("a", "bc") differ; the order of a mapping's keys does not count.
    """
    # NaN has no JSON, and equals nothing: a key with it would name no work twice.
    content = json.dumps(parts, sort_keys=True, allow_nan=False)
    return f"{step}-{hashlib.sha256(content.encode()).hexdigest()}"
