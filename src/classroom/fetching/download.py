"""Files come here: by pooch from a URL, by kagglehub from Kaggle. A download that was interrupted goes on later."""

import os
import re
import shutil
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from classroom.fetching import archives
from medlessons import files
from medlessons.errors import LessonError
from medlessons.wording import _

TRIES = 3
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 14  # bytes: what an interruption may lose
TRY_AGAIN = (408, 425, 429)  # of the answers 4xx: the others stay as they are


@dataclass(frozen=True)
class Remote:
    """A file of a publisher."""

    url: str
    name: str
    page: str = ""  # where a person finds it
    known_hash: str | None = None  # "sha256:..." or "md5:..."; None if no checksum is published
    size: int = 0


def is_url(origin: str | Path) -> bool:
    """Say whether an origin is an address in the web."""
    return str(origin).lower().startswith(("http://", "https://"))


def retrieve(origin: str | Path, folder: Path) -> Path:
    """Return the local path of ``origin``: a URL is downloaded into a folder, a file or folder stays where it is.

    Raises
    ------
    LessonError
        If ``origin`` is empty, there is no such file, the disk is too small, or the download failed.
    """
    origin = str(origin).strip()
    if not origin:
        raise LessonError(_("--from is empty. Give the path of a file or folder, or a URL."))
    if is_url(origin):
        name = re.sub(r"[^\w.-]+", "_", origin.split("?")[0].rsplit("/", 1)[-1]).lstrip(".")[-100:]
        return get(Remote(origin, name or "download"), folder)
    if origin.startswith("file:"):
        origin = urllib.request.url2pathname(urllib.parse.urlparse(origin).path)
    path = Path(origin).expanduser()
    if not path.exists():
        said = _("{path}: there is no such file or folder. Check the path, or give a URL.")
        raise LessonError(said.format(path=path))
    return path


def get(remote: Remote, folder: Path) -> Path:
    """Download a file into a folder unless it is there with the known hash; it has its name only when it is whole.

    Raises
    ------
    LessonError
        If the disk is too small, or the download failed three times.
    """
    import pooch  # here, since both cost time and only a download needs them
    import requests

    pooch.get_logger().setLevel("WARNING")
    registry, urls = {remote.name: remote.known_hash}, {remote.name: remote.url}
    store = pooch.create(folder, "", registry=registry, urls=urls, retry_if_failed=TRIES - 1)
    by_hand = (folder / remote.name).is_file()
    try:
        return Path(store.fetch(remote.name, downloader=partial(_go_on, remote=remote)))
    except LessonError:
        raise
    except (ValueError, OSError) as error:  # the hash is wrong; the network, a proxy, or a certificate is
        if not isinstance(error, (ValueError, requests.RequestException)) and error.errno is not None:
            raise  # the disk
        is_hash = isinstance(error, ValueError) and not isinstance(error, requests.RequestException)
        said = _("its checksum is not the published one") if is_hash else reason(error)
        if by_hand:
            said += _("; and the {name} that lies in {folder} has not the published checksum").format(
                name=remote.name, folder=folder
            )
        step = _("Check the address and the network, or download the file by hand and give its path with --from.")
        if remote.page:
            step = _(
                "Run the command again later. Or open {page} in a browser, download {name}, put it into {folder}, and "
                "run the command again."
            ).format(page=remote.page, name=remote.name, folder=folder)
        raise LessonError(
            _("{url}: the download failed ({said}). {step}").format(url=remote.url, said=said, step=step)
        ) from error


def _go_on(url: str, whole: str, store, remote: Remote) -> None:
    """Download for pooch, from where an earlier try or run has stopped if the server allows it.

    The beginning is kept beside the file, with the server's tag: if that has changed, the file has.
    """
    import requests

    part = Path(whole).with_name(f"{remote.name}.part")
    tag = part.with_suffix(".etag")
    start = part.stat().st_size if part.exists() and (remote.known_hash or tag.exists()) else 0
    headers = {"Accept-Encoding": "identity"}  # bytes are counted as they are stored
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag.exists():
            headers["If-Range"] = tag.read_text(encoding="utf-8")  # all of it, if the file has changed meanwhile
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        was_whole = answer.status_code == 416 and remote.known_hash  # pooch will see whether it is right
        if not was_whole:
            _refuse(answer, start, part)
            _write(answer, start if answer.status_code == 206 else 0, part, tag)
    os.replace(part, whole)
    tag.unlink(missing_ok=True)


def _refuse(answer, start: int, part: Path) -> None:
    """Raise an error unless the server gives the file, or its rest from ``start`` on."""
    import requests

    goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    if answer.status_code == 416 or (answer.status_code == 206 and not goes_on):
        part.unlink(missing_ok=True)
        raise requests.RequestException(_("the server answered with another part of the file than was asked for"))
    if 400 <= answer.status_code < 500 and answer.status_code not in TRY_AGAIN:
        raise OSError(f"{answer.status_code} Client Error: {answer.reason}")  # pooch does not try again
    answer.raise_for_status()


def _write(answer, start: int, part: Path, tag: Path) -> None:
    """Write what the server gives to the part of the file that is kept, from ``start`` on, with a bar."""
    name, length = part.name.removesuffix(".part"), answer.headers.get("Content-Length", "")
    length = int(length) if length.isdecimal() else 0
    archives.check_space(part.parent, length, name)
    bar = tqdm(desc=name, initial=start, total=start + length or None, unit="B", unit_scale=True, delay=1)
    with part.open("ab" if start else "wb") as file, bar:
        if not start:
            tag.unlink(missing_ok=True)
            etag = answer.headers.get("ETag", "")
            if re.fullmatch(r'"[^"]*"', etag):  # a weak one does not promise the same bytes
                tag.write_text(etag, encoding="utf-8")
        for piece in answer.iter_content(CHUNK):
            file.write(piece)
            bar.update(len(piece))


def reason(error: Exception) -> str:
    """Say why a download failed."""
    import requests

    if isinstance(error, requests.exceptions.SSLError) or "certificate" in str(error):
        return _(
            "its certificate cannot be verified: in a network that replaces certificates, REQUESTS_CA_BUNDLE must name "
            "a file with those of the network"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return _("the proxy does not answer: check the variables HTTP_PROXY and HTTPS_PROXY")
    return _("the connection failed") if isinstance(error, requests.ConnectionError) else str(error)


def get_from_kaggle(handle: str, name: str, folder: Path) -> Path:
    """Download one file of a Kaggle data set into a folder; one that was laid there by hand is taken.

    Parameters
    ----------
    handle : str
        Such as ``"owner/name"``.
    name : str
        Of the file.
    folder : Path

    Raises
    ------
    LessonError
        If Kaggle does not give it.
    """
    import kagglehub

    if not (folder / name).is_file():
        target = folder.with_name("kaggle")
        shutil.rmtree(target, ignore_errors=True)  # of a run that was stopped: kagglehub cannot go on in it
        try:
            found = kagglehub.dataset_download(handle, path=name, output_dir=str(target))
        except Exception as error:  # kagglehub raises many kinds: no network, no account, moved, refused
            folder.mkdir(parents=True, exist_ok=True)
            raise LessonError(
                _(
                    "https://www.kaggle.com/datasets/{handle}: the download from Kaggle failed ({said}). Check the "
                    "network; or download {name} with a browser, put it into {folder}, and run the command again."
                ).format(handle=handle, said=reason(error), name=name, folder=folder)
            ) from error
        with files.atomic_write(folder / name) as temporary:
            shutil.copyfile(found, temporary)  # on Kaggle's and Google's computers it is theirs, and cannot be moved
    return folder / name
