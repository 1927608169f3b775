"""Fetches that are disturbed: by the network, by the archive, by the disk, by a kill at any moment.

After each of them a data set is in its place whole or not at all, and the same fetch, undisturbed, ends well.
"""

import contextlib
import dataclasses
import errno
import functools
import hashlib
import io
import multiprocessing
import os
import shutil
import signal
import tarfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pooch
import pytest

from classroom.fetching import archives, download, placing, table
from medlessons.data import manifest, places
from medlessons.errors import LessonError
from tests.classroom.fetching.faulty_server import FAULTS

HARMS = ("up", "absolute", "link", "no data set", "bomb", "cut", "flipped")
PATIENCE = 5  # seconds without a byte, where the server is not to blame
FULL_DISK = ("write", "copy", "rename", "asked")


@functools.cache
def bomb(kind: str) -> bytes:
    """Return an archive that unpacks to far more than its size."""
    return pack({}, "bomb", kind)


def pack(images: dict[str, bytes], harm: str | None = None, kind: str = "zip") -> bytes:
    """Return an archive of a small data set, with something wrong in it if ``harm`` is given."""
    members = {"toy-master/table.csv": "\n".join(images).encode()}
    members |= {f"toy-master/images/{name}": content for name, content in images.items()}
    if harm == "no data set":
        members = {"other/" + name: content for name, content in members.items() if "table" not in name}
    members |= {"up": {"../evil": b"x"}, "absolute": {"/tmp/evil": b"x"}, "bomb": {"bomb": bytes(60_000_000)}}.get(
        harm, {}
    )
    packed = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            if harm == "link":
                link = zipfile.ZipInfo("toy-master/images/link.png")
                link.external_attr = 0o120777 << 16
                archive.writestr(link, "/etc/passwd")
    else:
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            if harm == "link":
                member = tarfile.TarInfo("toy-master/images/link.png")
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
    return packed.getvalue()


class Toy:
    """A small data set on a server, and the place where it belongs."""

    def __init__(self, server, folder: Path, rng: np.random.Generator, make_image, count=12):
        self.server, self.rng, self.goal = server, rng, folder / "real" / "toy"
        self.images = {f"{number}.png": make_image(number) for number in range(count)}
        self.sound = {kind: pack(self.images, kind=kind) for kind in ("zip", "tar.gz")}

    def offer(self, kind="zip", harm=None) -> None:
        """Put the data set on the server, with something wrong in it if ``harm`` is given."""
        content = self.sound[kind] if harm in (None, "cut", "flipped") else bomb(kind)
        if harm in HARMS[:4]:
            content = pack(self.images, harm, kind)
        if harm == "cut":
            content = content[: self.rng.integers(1, len(content) - 1)]
        if harm == "flipped":
            where = self.rng.integers(len(content))
            content = content[:where] + bytes([content[where] ^ 1 << self.rng.integers(8)]) + content[where + 1 :]
        self.server.files[f"/toy.{kind}"] = content

    def arguments(self, kind="zip", pinned=False) -> tuple:
        """Return what :func:`fetch` needs."""
        known = "sha256:" + hashlib.sha256(self.sound[kind]).hexdigest() if pinned else None
        return f"{self.server.address}/toy.{kind}", known, self.goal, self.images

    def collection(self) -> table.Collection:
        """Return its row of the table."""
        return row(self.goal, self.images, None)

    def look(self) -> bool:
        """Say whether the data set is in its place; it must be whole then, verified, and alone."""
        strange = {path.name for path in self.goal.parent.glob("*")} - {
            "toy",
            ".toy.lock",
            ".toy.fetch",
        }
        assert not {name for name in strange if not name.startswith(".toy.")}, strange
        if not self.goal.exists():
            return False
        check(self.goal, self.images)
        assert len(manifest.read(self.goal)) == len(self.images) + 1 and not placing.verify(self.collection())
        return True

    def clear(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.goal.parent, ignore_errors=True)
        self.server.plan = []


def check(folder: Path, images: dict[str, bytes]) -> None:
    """Read a folder as the checks of the real data sets do, and to the last byte."""
    names = [f"images/{name}" for name in images]
    if [name for name in names if not (folder / name).is_file()] or not (folder / "table.csv").is_file():
        raise LessonError(f"{folder}: a file is missing")
    if any(manifest.verify(folder, names).values()):
        raise LessonError(f"{folder}: an image is damaged")
    if any((folder / f"images/{name}").read_bytes() != content for name, content in images.items()):
        raise LessonError(f"{folder}: an image has other bytes")
    if (folder / "table.csv").read_text() != "\n".join(images):
        raise LessonError(f"{folder}: the table has other bytes")


def fetch(url: str, known_hash: str | None, goal: Path, images: dict[str, bytes], patience: float = 0.2) -> Path:
    """Fetch the data set as the command line does."""
    pooch.core.time = SimpleNamespace(sleep=lambda seconds: None)
    download.TIMEOUT = patience
    os.environ["MEDLESSONS_DATA"] = str(goal.parent)
    remote = download.Remote(url, Path(url).name, "https://page", known_hash)
    return placing.fetch_published(row(goal, images, remote), "toy")


def row(goal: Path, images: dict[str, bytes], remote: download.Remote | None) -> table.Collection:
    """Return a row of the table of what can be fetched."""
    checks = {"toy": functools.partial(check, images=images)}
    return table.Collection("toy", str(goal), checks, ("table.csv", "images"), archive=remote)


def disturb_network(toy: Toy, count: int) -> Counter:
    """Fetch with one to three faults of the server each, until ``count`` of them were made."""
    seen = Counter()
    while seen.total() < count:
        kind, pinned = ("zip", "tar.gz")[toy.rng.integers(2)], bool(toy.rng.integers(2))
        toy.clear()
        toy.offer(kind)
        toy.server.plan = [str(fault) for fault in toy.rng.choice(FAULTS[1:], toy.rng.integers(1, 4))]
        seen.update(toy.server.plan)
        while toy.server.plan:  # the same command again and again
            with contextlib.suppress(LessonError):
                fetch(*toy.arguments(kind, pinned))
            if toy.look():
                break
        end_well(toy, kind, pinned)
    return seen


def disturb_archive(toy: Toy, count: int) -> Counter:
    """Fetch an archive with something wrong in it: it is refused, or (a bit that does not matter) whole."""
    seen = Counter()
    for harm in toy.rng.choice(HARMS, count):
        kind = ("zip", "tar.gz")[toy.rng.integers(2)]
        toy.clear()
        toy.offer(kind, harm)
        try:
            fetch(*toy.arguments(kind))
            assert harm == "flipped" and toy.look()
        except LessonError as error:
            assert not toy.look() and any(word in str(error) for word in (". ", "missing", "bytes")), error
        assert not list(toy.goal.parent.parent.rglob("evil")) and not Path("/tmp/evil").exists()
        seen[str(harm)] += 1
        end_well(toy, kind, False)
    return seen


def disturb_disk(toy: Toy, count: int) -> Counter:
    """Fetch on a disk that is full after some calls."""
    seen = Counter()
    for where in toy.rng.choice(FULL_DISK, count):
        toy.clear()
        toy.offer()
        with pytest.MonkeyPatch.context() as patch:
            fill_disk(patch, where, int(toy.rng.integers(1, 30)))
            try:
                fetch(*toy.arguments())
            except LessonError as error:
                assert "the disk" in str(error), error
        toy.look()
        seen[f"full disk: {where}"] += 1
        end_well(toy, "zip", False)
    return seen


def fill_disk(patch: pytest.MonkeyPatch, where: str, after: int) -> None:
    """Let one kind of call fail for want of space, after some that succeed."""
    calls = iter(range(10_000))

    def fail(function):
        def call(*arguments, **options):
            if next(calls) >= after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return call

    if where == "write":
        opened = Path.open

        def open_full(path, *arguments, **options):
            file = opened(path, *arguments, **options)
            if path.suffix == ".part":
                file.write = fail(file.write)
            return file

        patch.setattr(Path, "open", open_full)
    elif where == "copy":
        patch.setattr(shutil, "copyfileobj", fail(shutil.copyfileobj))
    elif where == "rename":
        patch.setattr(os, "replace", fail(os.replace))
    else:
        patch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": after}))


def kill_fetches(toy: Toy, count: int) -> Counter:
    """Kill runs at random moments, and let the last of each set end: nothing half may stand there in between."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    seen = Counter()
    toy.offer()
    plans = ([], ["drip"])
    _, *longest = (time_of(context, toy, plan) for plan in ([], *plans))  # the first one starts the processes' server
    while seen["killed"] < count:
        if toy.look():
            seen["after it was in its place"] += 1
            toy.clear()
            toy.offer()
        style = int(toy.rng.integers(len(plans)))
        toy.server.plan = list(plans[style])
        run = context.Process(target=fetch, args=(*toy.arguments(pinned=bool(toy.rng.integers(2))), PATIENCE))
        run.start()
        time.sleep(longest[style] * toy.rng.random())
        now = moment(toy)
        run.kill()
        run.join()
        if run.exitcode == -signal.SIGKILL:
            seen.update(["killed", now])
    end_well(toy, "zip", False)
    return seen


def time_of(context, toy: Toy, plan: list[str]) -> float:
    """Return the seconds of a run that is not disturbed, and remove what it fetched."""
    toy.clear()
    toy.server.plan = list(plan)
    start = time.perf_counter()
    run = context.Process(target=fetch, args=(*toy.arguments(), PATIENCE))
    run.start()
    run.join()
    seconds = time.perf_counter() - start
    assert run.exitcode == 0 and toy.look()
    toy.clear()
    return seconds


def moment(toy: Toy) -> str:
    """Say what a run is doing, as far as its files tell."""
    work = places.workspace_of(toy.goal)
    if toy.goal.exists():
        return "in its place"
    if any(work.glob("unpacked/*/manifest.csv")):
        return "while it was checked"
    if (work / "unpacked").exists():
        return "while it was unpacked"
    return "while it was downloaded" if work.exists() else "before it began"


def grow(remotes: tuple, tables: Path, data: Path, subset: int) -> None:
    """Fetch a subset of small archives in the form of the NIH's, with the tables of a Kaggle of its own."""
    import kagglehub

    def deliver(handle, path, output_dir):
        Path(output_dir).mkdir(parents=True)
        return shutil.copy2(tables / path, output_dir)

    kagglehub.dataset_download = deliver
    os.environ["MEDLESSONS_DATA"] = str(data)
    placing.fetch_published(grown(remotes), "chestxray8", subset)


def grown(remotes: tuple) -> table.Collection:
    """Return the row of ChestX-ray8 with other archives."""
    return dataclasses.replace(
        table.named("chestxray8")[0], pieces={remote.name.removesuffix(".tar.gz"): remote for remote in remotes}
    )


def kill_growth(remotes: tuple, tables: Path, data: Path, count: int, rng: np.random.Generator) -> Counter:
    """Kill runs that fetch one archive more than is there; what was there stays whole, or is found again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    seen, goal, longest, have = Counter(), data / "chestxray8", 1.0, 0
    while seen["killed"] < count:
        if have == len(remotes):
            shutil.rmtree(data)
            have = 0
        start = time.perf_counter()
        run = context.Process(target=grow, args=(remotes, tables, data, have + 1))
        run.start()
        run.join(longest * rng.random() * 1.3)
        if run.exitcode is None:
            run.kill()
            seen["killed"] += 1
        else:
            longest = time.perf_counter() - start
        run.join()
        folders = list(goal.glob("images_*"))
        assert len(folders) in (have, have + 1)
        have = len(folders)
        assert all(len(list(folder.rglob("*.png"))) == 10 for folder in folders)
        if folders:
            seen["between an archive and its list"] += len(manifest.read(goal)) == 10 * len(folders) - 6
            assert not placing.verify(grown(remotes))
            assert len(manifest.read(goal)) == 10 * len(folders) + 4
    grow(remotes, tables, data, len(remotes))
    assert len(list(goal.glob("images_*"))) == len(remotes) and not places.workspace_of(goal).exists()
    return seen


def end_well(toy: Toy, kind: str, pinned: bool) -> None:
    """Fetch once more, with nothing in the way: this is the next step that always works."""
    if not toy.look():
        toy.offer(kind)
        toy.server.plan = []
        fetch(*toy.arguments(kind, pinned), patience=PATIENCE)
    assert toy.look() and not places.workspace_of(toy.goal).exists()
