"""The command ``medlessons``: run, hand out and score the lessons, fetch their data. Not for medical use."""
