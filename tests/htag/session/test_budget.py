"""The one account of a worker's loop time: many sessions together take no more than their share."""

from htag.session.budget import SLACK_SECONDS, Budget


def test_what_was_spent_is_paid_for_by_ten_times_as_much_time() -> None:
    budget = Budget(0.1)
    assert budget.allows(0.0)
    assert budget.spend(0.1, 0.0) == 1.0
    assert not budget.allows(0.9 - SLACK_SECONDS)
    assert budget.allows(1.0 - SLACK_SECONDS)


def test_sessions_share_one_account() -> None:
    budget = Budget(0.1)
    now, spent = 0.0, 0.0
    while now < 100.0:
        if budget.allows(now):
            budget.spend(0.007, now)  # another session each time
            spent += 0.007
        now += 0.001
    assert 9.5 < spent <= 10.1


def test_time_that_was_not_used_is_not_saved_up() -> None:
    budget = Budget(0.1)
    budget.spend(0.1, 1000.0)
    assert not budget.allows(1000.5)
