"""A pool of workers that is none: what tests change, workers would not see."""


class Here:
    """Do in this process what the workers do."""

    def __init__(self, *workers, **options):
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return None
