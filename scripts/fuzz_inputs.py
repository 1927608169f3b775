"""Damage images, tables and lists at random, and count what comes: read, the one error, or anything else.

Run: python scripts/fuzz_inputs.py --count 10000. Ends with 1 if anything else came.
"""

import argparse
import io
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from medlessons import images
from medlessons.blood_counts import LIMITS, MEASUREMENTS
from medlessons.data import blood_file, text
from medlessons.data.collections import chestxray8, covid_chestxray
from medlessons.errors import LessonError
from simclinic import blood


def originals() -> Iterator[tuple[str, bytes]]:
    """Give sound files, with the suffix that says who reads them."""
    noise = np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)
    gray, color = Image.fromarray(noise), Image.fromarray(np.dstack([noise] * 3))
    turned = Image.Exif()
    turned[0x0112] = 6
    for suffix, image, options in (
        ("png", gray, {"exif": turned}),
        ("png", Image.fromarray(noise.astype(np.uint16) * 200), {}),
        ("png", color.convert("P"), {"transparency": 3}),
        ("jpeg", color, {"exif": turned}),
        ("gif", gray, {}),
        ("bmp", color, {}),
        ("tiff", gray, {"tiffinfo": turned}),
        ("tiff", color, {"compression": "tiff_lzw"}),
    ):
        buffer = io.BytesIO()
        image.save(buffer, format=suffix.upper(), **options)
        yield suffix, buffer.getvalue()
    counts = pd.DataFrame(blood.draw())
    low, high = zip(*(LIMITS[column] for column in MEASUREMENTS), strict=True)
    sound = ((counts[[*MEASUREMENTS]] >= low) & (counts[[*MEASUREMENTS]] <= high)).all(axis=1)
    yield "counts", counts[sound].iloc[1:].to_csv(index=False).encode()
    head = ",".join(chestxray8.RELEASE_COLUMNS)
    rows = [f"{number:08d}_000.png,Mass|Nodule,{number},58,M,PA" for number in range(40)]
    yield "release", "\n".join([head, *rows]).encode()
    rows = [f"{number},PA,X-ray,images,{number}.png,COVID-19" for number in range(40)]
    yield "metadata", "\n".join(["patientid,view,modality,folder,filename,finding", *rows]).encode()
    yield "boxes", b"Image Index,Finding Label,Bbox [x\n00000001_000.png,Mass,22.5,54.1,86.7,79.1,,,\n" * 3
    yield "list", "\n".join(f"{number:08d}_000.png" for number in range(40)).encode("utf-16")


def read(suffix: str, content: bytes, folder: Path) -> object:
    """Read damaged content as the lessons do."""
    names = {"boxes": chestxray8.BOXES, "release": "Data_Entry_2017.csv", "metadata": covid_chestxray.METADATA}
    name = names.get(suffix, f"damaged.{suffix}")
    (folder / name).write_bytes(content)
    readers: dict[str, Callable] = {
        "counts": lambda: blood_file.check(content, name),
        "release": lambda: chestxray8.read_labels(folder / name),
        "metadata": lambda: covid_chestxray.read(folder),
        "boxes": lambda: chestxray8.read_boxes(folder),
        "list": lambda: text.decode(content, name, "").split(),
    }
    return readers.get(suffix, lambda: images.read(folder / name))()


def damage(content: bytes, cut: float, changes: list[tuple[float, int]]) -> bytes:
    """Cut content off, and change bytes of it, most of them near its beginning."""
    content = bytearray(content[: max(1, round(len(content) * cut))])
    for place, byte in changes:
        content[int(place**3 * len(content))] = byte
    return bytes(content)


def main() -> int:
    """Damage and read as many files as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    sources, seen, start = list(originals()), Counter(), time.perf_counter()
    share = st.floats(0, 1, exclude_max=True)
    changes = st.lists(st.tuples(share, st.integers(0, 255)), min_size=1, max_size=6)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:

        @seed(0)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.sampled_from(sources), st.one_of(st.just(1.0), share), changes)
        def once(source, cut, changes):
            suffix, content = source
            try:
                read(suffix, damage(content, cut, changes), Path(folder))
                seen[suffix, "read"] += 1
            except LessonError:
                seen[suffix, "the one error"] += 1
            except Exception as error:  # what is looked for
                seen[suffix, f"{type(error).__name__}: {error}"[:90]] += 1

        once()
    for (suffix, what), times in sorted(seen.items()):
        print(f"{times:6} {suffix:8} {what}")
    others = sum(times for (_suffix, what), times in seen.items() if what not in ("read", "the one error"))
    print(f"{sum(seen.values())} files, {others} with another error, {time.perf_counter() - start:.0f} s")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
