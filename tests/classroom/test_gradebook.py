"""The scores of a class as a table: who is who, what a student has done, and what is to be said."""

import csv
import io

import pytest

from classroom import gradebook

SCORES = """notebook,number,exercise,state,remark
in/Ana Li_11_assignsubmission_file_/01.ipynb,1.2,A neuron,done,
in/Ana Li_11_assignsubmission_file_/01.ipynb,1.10,Recall,mistake,one half
in/Ana Li_11_assignsubmission_file_/02.ipynb,2.1,A filter,done,
in/wangwei_7_8_01.ipynb,1.2,A neuron,not done,
in/wangwei_7_8_01.ipynb,,,stopped,"1 stopped, first a"
in/wangwei_LATE_7_9_01-1.ipynb,1.2,A neuron,done,
in/plain.ipynb,,,could not be run,no notebook
"""


def test_a_row_per_student_and_a_column_per_exercise_in_their_order():
    table = list(csv.DictReader(io.StringIO(gradebook.wide(SCORES))))
    assert list(table[0]) == ["student", "1.2", "1.10", "2.1", "total", "remark"]
    assert [list(row.values()) for row in table] == [
        ["Ana Li", "done", "mistake", "done", "2", ""],
        ["wangwei", "done", "", "", "1", "stopped: 1 stopped, first a"],
        ["in/plain.ipynb", "", "", "", "0", "could not be run: no notebook"],
    ]


def test_a_class_without_a_row_of_an_exercise_is_a_table_too():
    head, row = SCORES.splitlines()[0], SCORES.splitlines()[-1]
    assert gradebook.wide(f"{head}\n{row}\n").splitlines()[1] == "in/plain.ipynb,0,could not be run: no notebook"
    assert gradebook.wide(f"{head}\n") == "student,total,remark\n"


@pytest.mark.parametrize(
    ("path", "names", "student"),
    [
        ("Maria da Silva_4711_assignsubmission_file_01_anemia_mlp.ipynb", None, "Maria da Silva"),
        ("in/O'Neil, Jo_12_assignsubmission_file/01.ipynb", None, "O'Neil, Jo"),
        ("liwei_LATE_123_4567_01_anemia_mlp-2.ipynb", None, "liwei"),
        ("in/garciajuan_99_1_x.ipynb", None, "garciajuan"),
        ("01_anemia_mlp.ipynb", None, "01_anemia_mlp.ipynb"),
        ("submitted/kim/lesson1/01.ipynb", r"submitted/([^/]+)", "kim"),
        ("in/s1234567-01.ipynb", r"s\d{7}", "s1234567"),
        ("in/other.ipynb", r"s\d{7}", "in/other.ipynb"),
    ],
)
def test_the_student_is_found_in_the_path(path, names, student):
    assert gradebook.students([path], names) == {path: student}


def test_students_of_the_same_name_are_told_apart_and_one_in_two_courses_is_not():
    moodle = [f"lesson{lesson}/Li Wei_{number}_assignsubmission_file_/a.ipynb" for lesson, number in ((1, 4), (2, 77))]
    assert set(gradebook.students(moodle).values()) == {"Li Wei"}
    blind = [f"in/Participant_{number}_assignsubmission_file_/a.ipynb" for number in (3, 8)]
    assert list(gradebook.students(blind).values()) == ["Participant 3", "Participant 8"]
    canvas = ["in/liwei_7_81_a.ipynb", "in/liwei_LATE_9_82_a.ipynb", "in/liwei_7_83_b.ipynb"]
    assert list(gradebook.students(canvas).values()) == ["liwei 7", "liwei 9", "liwei 7"]


def test_an_accent_is_one_letter_whatever_the_computer_made_of_it():
    one, two = ("in/Zoe\u0308_4_assignsubmission_file_/a.ipynb", "in/Zo\u00eb_4_assignsubmission_file_/b.ipynb")
    assert set(gradebook.students([one, two]).values()) == {"Zo\u00eb"}
