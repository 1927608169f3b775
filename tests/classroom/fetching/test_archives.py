"""Archives are unpacked whole and inside of their folder, or refused with the reason."""

import contextlib
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest

from classroom.fetching import archives
from medlessons.errors import LessonError

NOISE = np.random.default_rng(0).bytes(3000)
KINDS = ("zip", "tar", "tar.gz", "tar.xz")
BOMBS = {"big": {"bomb": bytes(3_000_000)}, "many": {f"{number}": b"" for number in range(1_000)}}


def pack(path, members):
    """Write an archive of name -> content; the kind follows from the name."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    else:
        kind = path.suffix.lstrip(".")
        with tarfile.open(path, f"w:{kind}" if kind != "tar" else "w") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def unpack(path, tmp_path):
    return archives.unpack(path, tmp_path / "work" / "out")


@pytest.mark.parametrize("kind", KINDS)
def test_unpack_takes_zip_and_tar(tmp_path, kind):
    archive = pack(tmp_path / f"set.{kind}", {"set/table.csv": b"x", "set/images/a.png": NOISE})
    assert (unpack(archive, tmp_path) / "set" / "images" / "a.png").read_bytes() == NOISE


def test_what_is_no_archive_is_left_as_it_is(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n")
    assert unpack(tmp_path / "table.csv", tmp_path) == tmp_path / "table.csv"
    assert unpack(tmp_path, tmp_path) == tmp_path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["../evil.csv", "/tmp/evil.csv", "a/../../evil.csv", "C:/evil.csv", "..\\evil.csv"])
def test_a_member_that_would_land_outside_is_refused(tmp_path, kind, name):
    archive = pack(tmp_path / f"evil.{kind}", {"set/a.csv": b"x", name: b"x"})
    with pytest.raises(LessonError, match=r"evil\.[a-z.]+: its member .*evil.* would be written outside .* publisher"):
        unpack(archive, tmp_path)
    assert not list(tmp_path.rglob("evil.csv"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
@pytest.mark.parametrize("target", ["../../secret", "table.csv"])
def test_links_and_devices_are_refused(tmp_path, kind, target):
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, target
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(LessonError, match=r"its member 'link' would be written outside of the folder, or is a link"):
        unpack(tmp_path / "evil.tar", tmp_path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    member = zipfile.ZipInfo("link")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(member, "../../secret")
    with pytest.raises(LessonError, match="or is a link"):
        unpack(tmp_path / "evil.zip", tmp_path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
@pytest.mark.parametrize("size", BOMBS)
def test_a_bomb_is_refused(tmp_path, monkeypatch, kind, size):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 200_000)
    monkeypatch.setattr(archives, "LARGEST_RATIO", 4)
    with pytest.raises(LessonError, match="it unpacks to more than 4 times its size, as no archive of images does"):
        unpack(pack(tmp_path / f"bomb.{kind}", BOMBS[size]), tmp_path)


def test_what_follows_the_last_member_counts_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 2_500_000)
    monkeypatch.setattr(archives, "LARGEST_RATIO", 4)
    whole = gzip.decompress(pack(tmp_path / "set.tar.gz", {"a.png": NOISE}).read_bytes())
    (tmp_path / "set.tar.gz").write_bytes(gzip.compress(whole + bytes(3_000_000)))
    with pytest.raises(LessonError, match="it unpacks to more than 4 times its size"):
        unpack(tmp_path / "set.tar.gz", tmp_path)


def test_a_zip_that_lies_about_its_size_is_no_bomb(tmp_path, monkeypatch):
    path = pack(tmp_path / "lie.zip", {"bomb": bytes(3_000_000)})
    path.write_bytes(path.read_bytes().replace((3_000_000).to_bytes(4, "little"), (3_000).to_bytes(4, "little")))
    with pytest.raises(LessonError, match="the archive is damaged"):
        unpack(path, tmp_path)
    assert sum(path.stat().st_size for path in (tmp_path / "work").rglob("*") if path.is_file()) <= 3_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_archive_is_damaged(tmp_path, kind):
    whole = pack(tmp_path / f"whole.{kind}", {f"set/{n}.png": NOISE for n in range(4)}).read_bytes()
    last = len(whole) if kind != "tar" else 4 * 3584 + 1  # a tar archive ends with more zeros than it needs
    for end in {*range(1, last - 1, last // 20), *range(3584, last, 3584), last - 1}:
        cut = tmp_path / f"{end}.{kind}"
        cut.write_bytes(whole[:end])
        with pytest.raises(LessonError, match="Download it again"):
            archives.unpack(cut, tmp_path / "out" / str(end))


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_flipped_bit_is_found(tmp_path, kind):
    path = pack(tmp_path / f"flipped.{kind}", {"a.png": NOISE})
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)
    with pytest.raises(LessonError, match="the archive is damaged"):
        unpack(path, tmp_path)


@pytest.mark.parametrize("kind", [*KINDS, "tar.bz2"])
def test_any_damage_is_explained(tmp_path, kind):
    """Whatever bytes are wrong: unpacked, or refused in words."""
    rng = np.random.default_rng(0)
    whole = pack(tmp_path / f"whole.{kind}", {f"set/{number}.png": NOISE[:600] for number in range(3)}).read_bytes()
    for _ in range(60):
        content = bytearray(whole)
        for where in rng.integers(len(content), size=rng.integers(1, 6)):
            content[where] = rng.integers(256)
        (tmp_path / f"bad.{kind}").write_bytes(content[: rng.integers(len(content) // 2, 2 * len(content))])
        with contextlib.suppress(LessonError):
            unpack(tmp_path / f"bad.{kind}", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {f"whole.{kind}", f"bad.{kind}", "work"}


def test_a_name_that_the_disk_does_not_take(tmp_path):
    with pytest.raises(LessonError, match=r"long\.zip: the archive is damaged"):
        unpack(pack(tmp_path / "long.zip", {"x" * 300: b""}), tmp_path)


def test_what_cannot_be_unpacked_here_is_explained(tmp_path):
    path = pack(tmp_path / "locked.zip", {"a.png": NOISE})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag "encrypted" of the member, in both of its headers
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(LessonError, match=r"cannot be unpacked here .*password.*give the folder with --from"):
        unpack(path, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_said_before(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(LessonError, match=r"set\.[a-z.]+: it needs .*, but the disk of .* has 10 bytes left"):
        unpack(pack(tmp_path / f"set.{kind}", {"a.png": NOISE}), tmp_path)


def test_one_packed_file_is_no_archive(tmp_path):
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"a,b\n"))
    with pytest.raises(LessonError, match=r"table\.csv\.gz: this is not an archive"):
        unpack(tmp_path / "table.csv.gz", tmp_path)
