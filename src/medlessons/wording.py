"""What a reader gets to read can be translated: each sentence is marked with ``_``, and ``pybabel extract`` finds it.

``_("{right} of {all} are right.").format(right=7, all=9)``: the template is looked up first, and filled then. A catalog
is made as docs/TRANSLATING.md says; without one, the sentences stay as they are written.
"""

import gettext

from medlessons import settings

_ = gettext.translation("medlessons", settings.locale_dir(), [settings.language()], fallback=True).gettext
