"""Tests of checks by tables of answers: a student's function, and what is said of it (None: it is right)."""

import pytest


def three_tests(exercises):
    """Return three tests of exercises, each a check and its answers.

    They ask that right answers are handed back and wrong ones named, that an exercise left out is not done, and that
    there are enough answers of both kinds. The reference is what the check of an exercise that is left out hands back.
    """
    cases = [(check, *answer) for check, answers in exercises.items() for answer in answers]

    @pytest.mark.parametrize(("check", "student", "remark"), cases)
    def test_a_check_accepts_right_answers_and_names_the_mistake_of_wrong_ones(check, student, remark, capsys):
        reference = check(None)
        capsys.readouterr()
        handed_back = check(student)
        said = capsys.readouterr().out
        assert ("done, well done" if remark is None else remark) in said
        assert handed_back is (student if remark is None else reference)
        assert "np.float64" not in said

    @pytest.mark.parametrize("check", exercises)
    def test_an_exercise_left_out_hands_back_the_reference(check, capsys):
        reference = check(None)
        assert check(lambda *given, **named: None) is check(lambda *given: ...) is check(...) is reference
        assert capsys.readouterr().out.count("not done yet") == 4
        assert check(reference) is reference
        assert "done, well done" in capsys.readouterr().out

    @pytest.mark.parametrize("check", exercises)
    def test_each_exercise_has_three_right_and_eight_wrong_answers(check):
        remarks = [remark for _student, remark in exercises[check]]
        assert remarks.count(None) >= 3
        assert len(set(remarks) - {None} | set(getattr(check, "mistakes", {}))) >= 8

    return (
        test_a_check_accepts_right_answers_and_names_the_mistake_of_wrong_ones,
        test_an_exercise_left_out_hands_back_the_reference,
        test_each_exercise_has_three_right_and_eight_wrong_answers,
    )
