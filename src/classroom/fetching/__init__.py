"""Published data: one table of what can be fetched, and how it comes to its place whole or not at all."""

from classroom.fetching.overview import Status, status

__all__ = ["Status", "status"]
