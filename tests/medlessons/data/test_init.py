"""The data sets of the lessons are found by name and by lesson."""

from medlessons import data


def test_only_what_the_lessons_need_is_prepared(monkeypatch):
    made = []
    for task in data.REGISTRY.values():
        monkeypatch.setattr(task, "prepare", lambda name=task.NAME: made.append(name))
    data.prepare([1, 3])
    assert made == ["anemia", "findings"]
