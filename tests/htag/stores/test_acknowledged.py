from htag.stores.acknowledged import AcknowledgedWrites


def write(writes: AcknowledgedWrites, count: int) -> None:
    writes.note(count, writes.count)


def pulse(writes: AcknowledgedWrites, count: int) -> int:
    return writes.pulse(count, writes.count)


def test_pulses_grow_as_long_as_counts_do() -> None:
    writes = AcknowledgedWrites()
    first = pulse(writes, 1)
    write(writes, 2)
    write(writes, 5)  # of some writes the answers were lost
    assert pulse(writes, 6) > first > 0


def test_a_store_that_begins_anew_is_told_once() -> None:
    writes = AcknowledgedWrites()
    before = pulse(writes, 10)
    told = pulse(writes, 1)
    assert told <= before
    assert pulse(writes, 2) > told


def test_a_loss_since_the_last_pulse_is_told_though_the_count_is_above_that_one() -> None:
    writes = AcknowledgedWrites()
    before = pulse(writes, 10)
    write(writes, 11)
    write(writes, 12)  # this one the store loses
    assert pulse(writes, 12) <= before


def test_a_loss_that_a_write_shows_is_told_by_the_next_pulse() -> None:
    writes = AcknowledgedWrites()
    before = pulse(writes, 10)
    write(writes, 15)
    write(writes, 14)
    write(writes, 15)
    assert pulse(writes, 16) <= before
    assert pulse(writes, 17) > before


def test_answers_in_another_order_are_no_loss() -> None:
    writes = AcknowledgedWrites()
    before = pulse(writes, 10)
    writes.note(13, 10)
    writes.note(11, 10)
    writes.note(12, 10)
    assert pulse(writes, 14) > before


def test_a_loss_after_answers_in_another_order_is_told() -> None:
    writes = AcknowledgedWrites()
    before = pulse(writes, 10)
    writes.note(13, 10)
    writes.note(12, 10)
    assert pulse(writes, 13) <= before
