"""The order in which a fan-in is delivered."""

from collections import Counter

from tests.bench.faults import deliveries


def test_without_redelivery_each_is_delivered_once_and_in_order() -> None:
    assert deliveries(450, 0.0) == list(range(450))


def test_a_fifth_is_delivered_twice_and_nothing_more_often() -> None:
    times = Counter(deliveries(450, 0.2))

    assert set(times) == set(range(450))
    assert Counter(times.values()) == {1: 360, 2: 90}


def test_first_deliveries_keep_their_order_and_repetitions_come_later() -> None:
    order = deliveries(450, 0.2)
    last = {which: position for position, which in enumerate(order)}

    assert list(dict.fromkeys(order)) == list(range(450))
    assert max(last[which] - order.index(which) for which in last) > 10


def test_it_is_always_the_same() -> None:
    assert deliveries(450, 0.2) == deliveries(450, 0.2)
