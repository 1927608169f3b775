"""Published collections as they lie on disk: one module each, used by as many lessons as need it.

Each says where it is expected (``folder()``), and ``read(folder)`` returns a table with all its rows and labels. What a
lesson asks of it stands in the module of a task; where it comes from, in the table of ``classroom.fetching``.
"""
