import pytest

from common.schema_mode import SchemaMode, mode_from_flags

VALID = {
    (False, False, False): SchemaMode.LEGACY,
    (False, True, False): SchemaMode.LEGACY,
    (True, True, False): SchemaMode.DUAL_WRITE,
    (True, True, True): SchemaMode.SUBCOLLECTION_READS,
    (True, False, True): SchemaMode.SUBCOLLECTION,
}
INVALID = [(True, False, False), (False, False, True), (False, True, True)]


@pytest.mark.parametrize(("flags", "mode"), VALID.items(), ids=str)
def test_flags_ask_for_a_mode(flags: tuple[bool, bool, bool], mode: SchemaMode) -> None:
    enable, dual_write, reads = flags

    assert mode_from_flags(enable=enable, dual_write=dual_write, subcollection_reads=reads) is mode


@pytest.mark.parametrize("flags", INVALID, ids=str)
def test_flags_under_which_a_batch_could_never_complete_are_refused_by_name(
    flags: tuple[bool, bool, bool],
) -> None:
    enable, dual_write, reads = flags

    with pytest.raises(ValueError, match="USE_SUBCOLLECTION_READS=") as refused:
        mode_from_flags(enable=enable, dual_write=dual_write, subcollection_reads=reads)

    assert f"ENABLE_SUBCOLLECTION_COMPLETIONS={enable}, DUAL_WRITE_MODE={dual_write}" in str(refused.value)


@pytest.mark.parametrize("mode", SchemaMode, ids=str)
def test_every_mode_counts_only_what_it_writes(mode: SchemaMode) -> None:
    assert mode.writes_array if mode.counts_array else mode.writes_subcollection
    assert mode.writes_array or mode.writes_subcollection


def test_only_the_two_ends_of_the_migration_write_one_place() -> None:
    both = {mode for mode in SchemaMode if mode.writes_array and mode.writes_subcollection}

    assert both == {SchemaMode.DUAL_WRITE, SchemaMode.SUBCOLLECTION_READS}
