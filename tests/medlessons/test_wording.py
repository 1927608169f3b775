"""What checks and figures say can be translated."""

from medlessons.wording import say


def test_say_fills_the_places():
    assert say("{right} of {all} are right", right=2, all=3) == "2 of 3 are right"
