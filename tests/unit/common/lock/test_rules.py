from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.lock.rules import LeaseTiming, LockKey, LockRecord, longest_pause_seconds

DAY = date(2026, 1, 17)
NOW = datetime(2026, 1, 17, 12, tzinfo=UTC)
LEASE = timedelta(seconds=300)
KEY = LockKey(lock_type="consolidation", game_date=DAY, sport="nba")
CLAIM = LockRecord.following(None, key=KEY, operation_id="batch", holder_id="h1", now=NOW, lease=LEASE)

keys = st.builds(
    LockKey,
    lock_type=st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True),
    game_date=st.dates(),
    sport=st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True) | st.just("nba"),
    dataset_prefix=st.from_regex(r"[A-Za-z0-9_]{0,4}", fullmatch=True),
)


@pytest.mark.parametrize(
    ("scope", "document_id"),
    [
        pytest.param({"sport": "nba"}, "consolidation_2026-01-17", id="production nba is bare"),
        pytest.param({"sport": "mlb"}, "mlb_consolidation_2026-01-17", id="another sport"),
        pytest.param(
            {"sport": "nba", "dataset_prefix": "test1"}, "test1_nba_consolidation_2026-01-17", id="a test"
        ),
        pytest.param(
            {"sport": "mlb", "dataset_prefix": "t"},
            "t_mlb_consolidation_2026-01-17",
            id="a test of another sport",
        ),
    ],
)
def test_a_key_is_scoped_like_the_tables_it_guards(scope: dict[str, str], document_id: str) -> None:
    key = LockKey(lock_type="consolidation", game_date=DAY, **scope)

    assert (key.collection, key.document_id) == ("consolidation_locks", document_id)
    assert str(key) == f"consolidation_locks/{document_id}"


@given(keys, keys)
def test_two_keys_never_share_a_document(one: LockKey, other: LockKey) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("lock_type", ""),
        ("lock_type", "a/b"),
        ("lock_type", "__x__"),
        ("sport", ""),
        ("sport", "n_ba"),
        ("dataset_prefix", "a/b"),
        ("dataset_prefix", "a b"),
        ("game_date", NOW),
    ],
)
def test_a_key_that_could_name_another_document_is_refused(part: str, value: Any) -> None:
    parts: dict[str, Any] = {"lock_type": "consolidation", "game_date": DAY, "sport": "nba", part: value}

    with pytest.raises(ValueError, match=part):
        LockKey(**parts)


def test_the_first_claim_has_fence_one_and_lasts_for_the_lease() -> None:
    assert CLAIM.fence == 1
    assert CLAIM.is_held_by("h1")
    assert CLAIM.acquired_at == CLAIM.renewed_at == NOW
    assert CLAIM.expires_at == NOW + LEASE


def test_every_following_claim_has_a_higher_fence_and_its_own_holder() -> None:
    after_release = LockRecord.following(
        CLAIM.released(), key=KEY, operation_id="batch", holder_id="h2", now=NOW, lease=LEASE
    )
    after_force = LockRecord.following(
        CLAIM.revoked(by="h3", now=NOW), key=KEY, operation_id="batch", holder_id="h4", now=NOW, lease=LEASE
    )

    assert (after_release.fence, after_release.holder_id) == (2, "h2")
    assert after_force.fence == 3


@pytest.mark.parametrize(
    ("record", "now", "is_free"),
    [
        pytest.param(CLAIM, NOW, False, id="just claimed"),
        pytest.param(CLAIM, NOW + LEASE - timedelta(microseconds=1), False, id="a moment before the end"),
        pytest.param(CLAIM, NOW + LEASE, True, id="at the end"),
        pytest.param(CLAIM.released(), NOW, True, id="released before the end"),
        pytest.param(CLAIM.revoked(by="h2", now=NOW), NOW, True, id="taken away"),
        pytest.param(CLAIM.renewed(now=NOW + LEASE / 2, lease=LEASE), NOW + LEASE, False, id="renewed"),
    ],
)
def test_a_lock_is_free_once_it_is_released_or_expired(
    record: LockRecord, now: datetime, is_free: bool
) -> None:
    assert record.is_free_at(now) is is_free


def test_a_claim_that_was_taken_away_is_no_longer_its_holders() -> None:
    revoked = CLAIM.revoked(by="h2", now=NOW)

    assert not revoked.is_held_by("h1")
    assert not revoked.is_held_by("h2")
    assert revoked.holder_id != CLAIM.holder_id
    assert revoked.fence > CLAIM.fence


def test_renewing_and_releasing_keep_the_fence_and_the_holder() -> None:
    for after in (CLAIM.renewed(now=NOW + LEASE, lease=LEASE), CLAIM.released()):
        assert (after.fence, after.holder_id, after.acquired_at) == (1, "h1", NOW)


def test_a_document_reads_as_the_claim_it_was_written_from() -> None:
    assert LockRecord.from_fields(CLAIM.to_fields()) == CLAIM
    assert LockRecord.from_fields({**CLAIM.to_fields(), "unknown": 1}) == CLAIM


def test_within_one_claim_only_what_changes_is_written() -> None:
    renewed = CLAIM.renewed(now=NOW + LEASE, lease=LEASE)

    assert renewed.to_fields(beyond=CLAIM).keys() == {"renewed_at", "expires_at"}
    assert CLAIM.released().to_fields(beyond=CLAIM) == {"state": "released"}
    assert replace(CLAIM, holder_id="h2").to_fields(beyond=CLAIM).keys() == CLAIM.to_fields().keys()


def test_a_document_of_the_former_lock_was_held_and_has_no_fence_yet() -> None:
    fields = CLAIM.to_fields()
    for name in ("fence", "state", "renewed_at"):
        del fields[name]

    former = LockRecord.from_fields(fields)

    assert (former.fence, former.is_held, former.renewed_at) == (0, True, former.acquired_at)


@pytest.mark.parametrize("name", sorted(CLAIM.to_fields()))
def test_a_document_with_a_field_of_another_type_is_named_and_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        LockRecord.from_fields({**CLAIM.to_fields(), name: object()})


def test_a_document_in_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        LockRecord.from_fields({**CLAIM.to_fields(), "state": "complete"})


@pytest.mark.parametrize(
    ("lease_seconds", "renew_seconds"), [(300, 300), (300, 400), (300, 0), (0, 0), (-1, -2), (300, -1)]
)
def test_a_renewal_that_would_come_too_late_is_refused(lease_seconds: int, renew_seconds: int) -> None:
    with pytest.raises(ValueError, match="renew_every"):
        LeaseTiming(lease=timedelta(seconds=lease_seconds), renew_every=timedelta(seconds=renew_seconds))


@pytest.mark.parametrize(
    ("waited", "longest"), [(0.0, 0.05), (0.4, 0.05), (1.0, 0.1), (20.0, 2.0), (300.0, 5.0)]
)
def test_pauses_grow_with_the_time_waited_between_a_floor_and_a_ceiling(
    waited: float, longest: float
) -> None:
    assert longest_pause_seconds(waited) == pytest.approx(longest)
