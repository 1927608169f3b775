"""The benchmark calls helpers that exist. Nothing is timed here."""

import runpy

from medlessons import settings


def test_every_helper_of_the_benchmark_runs():
    bench = runpy.run_path(str(settings.REPOSITORY / "scripts" / "bench.py"))
    helpers = bench["helpers"]()
    assert len(helpers) >= 10
    for helper in helpers.values():
        assert helper() is not None
