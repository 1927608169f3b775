"""Tables and lists as people have them: whatever wrote them, they are read, or the file is named with the next step."""

import io
import re
import unicodedata
import warnings
from pathlib import Path

import pandas as pd

from medlessons.errors import LessonError

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
WEB_PAGE = (b"<!doctype", b"<html")
IS_WEB_PAGE = (
    "this is a web page, most likely a login page. Sign in with a browser, download the file by hand and give its path "
    "with --from."
)


def decode(content: bytes, file: str, next_step: str) -> str:
    """Return the text of a file in UTF-8 or UTF-16, without its byte order mark.

    Parameters
    ----------
    content : bytes
        The whole file.
    file : str
        Its path, for the messages.
    next_step : str
        What to do if it is something else: a sentence.

    Raises
    ------
    LessonError
        If the file is empty, a web page, an Excel workbook, or in another encoding.
    """
    if not content.strip() or content in UTF_16:
        raise LessonError(f"{file}: the file is empty. {next_step}")
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    if content.lstrip().lower().startswith(WEB_PAGE):
        raise LessonError(f"{file}: {IS_WEB_PAGE}")
    if content.startswith(b"PK"):
        raise LessonError(f"{file}: this is a zip or an Excel workbook, not a CSV file. Unpack it, or save it as CSV.")
    if b"\0" in content or content.startswith(b"%PDF"):
        raise LessonError(f"{file}: this is not a text file. {next_step}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LessonError(
            f'{file}, line {line}: the text is not in UTF-8 (byte {error.start}). Save it again as "CSV UTF-8".'
        ) from error


def read_csv(path: Path, next_step: str) -> pd.DataFrame:
    """Return the cells of a CSV file as text without spaces around them; further commas at the end of rows do no harm.

    Raises
    ------
    LessonError
        If it is no CSV file: :func:`decode`, or a line cannot be read.
    """
    return table_of(path.read_bytes(), str(path), next_step)


def table_of(content: bytes, file: str, next_step: str) -> pd.DataFrame:
    """Return the cells of a CSV table that was read already; ``file`` names it in messages, as in :func:`read_csv`."""
    text = decode(content, file, next_step)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # more cells than the header has
            rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise LessonError(f"{file}: this is not a readable CSV file ({error}). {next_step}") from error
    return rows.rename(columns=str.strip).apply(lambda column: column.str.strip())


def key(name: str) -> str:
    """Return what is left of a name without case, spaces and separators: "COVID-19", "covid 19" and "Covid_19" agree.

    Examples
    --------
    >>> key("Other_Infection") == key(" other infection")
    True
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", str(name)).casefold())


def patient_names(names: pd.Series) -> pd.Series:
    """Return the names of patients, one for each: ``12``, ``00000012``, ``+12``, ``12.0`` and ``12 `` are the same.

    So are ``P7``, ``p007`` and ``P  7 ``: two patients taken for one do no harm, one on both sides of a split does.
    """
    names = names.astype(str).str.normalize("NFKC").str.casefold().str.replace(r"\s+", "", regex=True)
    return names.str.replace(r"^\+?(\d+)\.0*$|^\+(?=\d+$)", r"\1", regex=True).str.replace(
        r"(?<![\d.])0+(?=\d)", "", regex=True
    )
