"""NIfTI files of any kind become the same volume, or are refused by name."""

import gzip
import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medlessons.data import scans
from medlessons.errors import LessonError

SHAPE, EDGES = (7, 9, 5), (2.0, 3.0, 4.0)


def head(shape=SHAPE, seed=0):
    """Four sequences with air around them, and labels: as they are read."""
    rng = np.random.default_rng(seed)
    image, label = np.zeros((*shape, 4)), np.zeros(shape)
    image[1:-1, 1:-1, 1:-1] = rng.integers(50, 500, (*(n - 2 for n in shape), 4))
    label[2:4, 2:5, 2:4] = rng.integers(1, 4, (2, 3, 2))
    return image, label


def affine_of(edges=EDGES, flips=(1, 1, 1), tilt=0.0):
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(np.multiply(edges, flips))
    affine[:3, 3] = 11, -7, 3
    return affine


def write(path, values, affine=None, kind=np.int16, **header):
    path.parent.mkdir(parents=True, exist_ok=True)
    nifti = nib.Nifti1Image(np.asarray(values).astype(kind), affine_of() if affine is None else affine)
    for name, value in header.items():
        nifti.header[name] = value
    nib.save(nifti, path)
    return path


def write_case(folder, name="BRATS_001", image=None, label=None, affine=None):
    made = head()
    image, label = made[0] if image is None else image, made[1] if label is None else label
    return (
        write(folder / "imagesTr" / f"{name}.nii.gz", image, affine),
        write(folder / "labelsTr" / f"{name}.nii.gz", label, affine, np.uint8),
    )


def write_brats(folder, name="BraTS20_001", year=0, suffix=".nii.gz"):
    image, label = head()
    numbers = {tissue: number for number, tissue in scans.BRATS_LABELS[year].items()}
    own = np.vectorize(numbers.get)(label)
    endings = scans.BRATS[year]
    for channel, ending in enumerate(endings[:4]):
        write(folder / name / f"{name}{ending}{suffix}", image[..., channel])
    return folder / name / f"{name}{endings[0]}{suffix}", write(folder / name / f"{name}{endings[4]}{suffix}", own)


# ---------------------------------------------------------------------------------------------------------
# What is read


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32, np.float64, np.uint16])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_any_voxel_type_is_read(tmp_path, kind, suffix):
    image, label = head()
    image = np.clip(image, 0, 250)
    path = write(tmp_path / f"a{suffix}", image, kind=kind)
    volume = scans.read_scan(path, write(tmp_path / f"b{suffix}", label, kind=kind))
    assert (volume.image == image).all() and (volume.label == label).all()
    assert (volume.image.dtype, volume.label.dtype) == (np.float32, np.uint8)
    assert (volume.spacing, volume.name) == (EDGES, "a")


def test_voxels_are_scaled_as_the_header_says(tmp_path):
    image, _label = head()
    path = tmp_path / "a.nii.gz"
    nifti = nib.Nifti1Image(image.astype(np.int16), affine_of())
    nifti.header.set_slope_inter(0.5, 10)
    nib.save(nifti, path)
    assert (scans.read_scan(path).image == 0.5 * image + 10).all()
    assert scans.read_scan(path).label is None and scans.read_scan(path, "").label is None


@pytest.mark.parametrize("flips", [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, 1), (-1, -1, -1)])
def test_flipped_axes_are_turned_back(tmp_path, flips):
    image, label = head()
    volume = scans.read_scan(*write_case(tmp_path, image=image, label=label, affine=affine_of(flips=flips)))
    back = tuple(axis for axis in range(3) if flips[axis] < 0)
    assert (volume.image == np.flip(image, back)).all() and (volume.label == np.flip(label, back)).all()
    assert volume.spacing == EDGES


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
def test_exchanged_axes_are_put_in_order(tmp_path, order):
    image, label = head()
    affine = affine_of()[:, [*order, 3]]
    image_moved, label_moved = image.transpose(*order, 3), label.transpose(order)
    volume = scans.read_scan(*write_case(tmp_path, image=image_moved, label=label_moved, affine=affine))
    assert (volume.image == image).all() and (volume.label == label).all() and volume.spacing == EDGES


def test_an_oblique_scan_keeps_its_voxels(tmp_path):
    image, _label = head()
    volume = scans.read_scan(*write_case(tmp_path, affine=affine_of(tilt=0.3)))
    assert (volume.image == image).all() and volume.spacing == EDGES


def test_other_headers_are_read(tmp_path):
    image, label = head()
    second = tmp_path / "second.nii.gz"
    nib.save(nib.Nifti2Image(image.astype(np.float32), affine_of()), second)
    vector = write(tmp_path / "vector.nii", image[:, :, :, None])
    swapped = tmp_path / "swapped.nii"
    header = nib.Nifti1Header(endianness=">")
    nib.save(nib.Nifti1Image(image.astype(">i2"), affine_of(), header), swapped)
    unpacked = tmp_path / "unpacked.nii.gz"  # as Safari leaves it
    unpacked.write_bytes(write(tmp_path / "x.nii", image).read_bytes())
    flat = write(tmp_path / "label.nii.gz", label[..., None])
    for path in (second, vector, swapped, unpacked):
        volume = scans.read_scan(path, flat)
        assert (volume.image == image).all() and (volume.label == label).all(), path


def test_a_row_of_a_table_is_read(tmp_path):
    path, label_path = write_case(tmp_path)
    table = pd.DataFrame({"path": [str(path)], "label_path": [str(label_path)]})
    for row in (table.iloc[0], table.to_dict("records")[0]):
        assert scans.read_scan(row).label.max() == 3


@pytest.mark.parametrize("year", [0, 1])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_brats_gets_the_same_order_and_labels(tmp_path, year, suffix):
    image, label = head()
    volume = scans.read_scan(*write_brats(tmp_path, year=year, suffix=suffix))
    assert (volume.image == image).all() and (volume.label == label).all()


# ---------------------------------------------------------------------------------------------------------
# What dataset.json says


def describe(folder, **content):
    (folder / "dataset.json").write_text(json.dumps(content))


def test_another_order_of_sequences_and_labels_is_put_right(tmp_path):
    image, label = head()
    names = {"0": "T1-Gd", "1": "T2", "2": "t1w", "3": "Flair"}
    numbers = {"0": "background", "1": "necrosis", "2": "Enhancing Tumour", "3": "oedema"}
    stored = np.select([label == 1, label == 2, label == 3], [3, 1, 2], 0)
    paths = write_case(tmp_path, image=image[..., [2, 3, 1, 0]], label=stored)
    describe(tmp_path, modality=names, labels=numbers)
    volume = scans.read_scan(*paths)
    assert (volume.image == image).all() and (volume.label == label).all()


@pytest.mark.parametrize(
    "content, says",
    [
        ({"modality": {"0": "MRI"}}, "modality is MRI, but expected is FLAIR, T1w, T1gd, T2w"),
        ({"modality": {"0": "FLAIR", "1": "T1w", "2": "T1gd", "3": "DWI"}}, "modality is .*DWI"),
        ({"modality": {"0": "FLAIR", "1": "T1w", "2": "t1", "3": "T2w"}}, "modality is FLAIR, T1w, t1, T2w"),
        ({"labels": {"0": "background", "1": "tumor"}}, "labels is background, tumor, but expected is background, ed"),
        ({"labels": {"background": 0, "liver": 1}}, "labels is background, liver"),
        ({"modality": "MRI"}, "modality is 'MRI', which is no table of numbers and names"),
    ],
)
def test_unknown_names_are_refused(tmp_path, content, says):
    paths = write_case(tmp_path)
    describe(tmp_path, **content)
    with pytest.raises(LessonError, match=rf"dataset\.json: {says}"):
        scans.read_scan(*paths)


def test_a_damaged_dataset_json_is_named(tmp_path):
    paths = write_case(tmp_path)
    for content in ("{", "[]", "\xff"):
        (tmp_path / "dataset.json").write_text(content, encoding="latin-1")
        with pytest.raises(LessonError, match=r"dataset\.json: this .*Download"):
            scans.read_scan(*paths)


# ---------------------------------------------------------------------------------------------------------
# What is refused


def with_label(value):
    _image, label = head()
    label[3, 3, 3] = value
    return label


def with_image(change):
    image, _label = head()
    change(image)
    return image


@pytest.mark.parametrize(
    "image, says",
    [
        (head()[0][..., :3], r"shape is \(7, 9, 5, 3\), but the lesson needs four sequences"),
        (head()[0][..., 0], r"shape is \(7, 9, 5\), but the lesson needs four"),
        (np.moveaxis(head()[0], -1, 0), r"shape is \(4, 7, 9, 5\)"),
        (with_image(lambda image: image.__setitem__((..., 2), 0)), "there is no head in T1gd: all its voxels are 0"),
        (np.zeros((*SHAPE, 4)), "there is no head in FLAIR"),
    ],
)
def test_an_image_that_is_no_head_is_named(tmp_path, image, says):
    path = write(tmp_path / "a.nii.gz", image)
    with pytest.raises(LessonError, match=rf"a\.nii\.gz: .*{says}"):
        scans.read_scan(path)


def test_voxels_without_a_number_are_named(tmp_path):
    image, _label = head()
    image[2, 2, 2, 1] = np.nan
    with pytest.raises(LessonError, match="1 of its voxels hold no number"):
        scans.read_scan(write(tmp_path / "a.nii.gz", image, kind=np.float32))


@pytest.mark.parametrize("edges", [(0.001, 0.001, 0.001), (200, 200, 200), (1, 1, 0.01)])
def test_voxels_of_a_strange_size_are_named(tmp_path, edges):
    with pytest.raises(LessonError, match=r"its voxels have edges of .* Expected are 0\.2 to 20\.0 mm"):
        scans.read_scan(write(tmp_path / "a.nii.gz", head()[0], affine_of(edges)))


@pytest.mark.parametrize(
    "label, says",
    [
        (with_label(4), r"1 voxels have the label 4, but there are only 0, 1, 2, 3 .*NAME_seg"),
        (with_label(-1), "the label -1,"),
        (with_label(0.5), r"the label 0\.5,"),
        (with_label(np.nan), "1 voxels have the label nan"),
        (head((7, 9, 6))[1], r"its shape \(7, 9, 6\) is not that of BRATS_001\.nii\.gz, \(7, 9, 5\)"),
        (head()[0], r"its shape \(7, 9, 5, 4\) is not"),
    ],
)
def test_labels_that_cannot_be_are_named(tmp_path, label, says):
    path, _label_path = write_case(tmp_path)
    label_path = write(tmp_path / "label.nii.gz", label, kind=np.float32)
    with pytest.raises(LessonError, match=rf"label\.nii\.gz: .*{says}"):
        scans.read_scan(path, label_path)


@pytest.mark.parametrize("flips, moved", [((-1, 1, 1), 0), ((1, 1, 1), 3)])
def test_labels_of_another_place_are_named(tmp_path, flips, moved):
    path, _label_path = write_case(tmp_path)
    affine = affine_of(flips=flips)
    affine[0, 3] += moved
    label_path = write(tmp_path / "label.nii.gz", head()[1], affine)
    with pytest.raises(LessonError, match=r"label\.nii\.gz: by its affine it lies up to .* mm away from BRATS_001"):
        scans.read_scan(path, label_path)
    affine = affine_of()
    affine[0, 3] += 0.01
    scans.read_scan(path, write(tmp_path / "label.nii.gz", head()[1], affine))


def damaged(content):
    packed = gzip.compress(content)
    return {
        "cut.nii.gz": packed[: len(packed) // 2],
        "tail.nii.gz": packed[:-6],
        "header.nii.gz": packed[:20],
        "flipped.nii.gz": packed[:-8] + bytes([packed[-8] ^ 255]) + packed[-7:],
        "short.nii.gz": gzip.compress(content[:-10]),
        "short.nii": content[:-10],
        "empty.nii.gz": b"",
        "empty.nii": b"",
        "text.nii": b"hello" * 200,
        "page.nii.gz": b"<!DOCTYPE html><html>Sign in</html>",
        "dicom.nii": b"\0" * 128 + b"DICM" + b"\0" * 500,
        "zero.nii": content[:70] + b"\0\0" + content[72:],
    }


@pytest.mark.parametrize("name", damaged(b"x" * 999).keys())
def test_damaged_files_are_named(tmp_path, name):
    content = write(tmp_path / "a.nii", head()[0]).read_bytes()
    path = tmp_path / name
    path.write_bytes(damaged(content)[name])
    for look in (scans.read_scan, scans.check_file):
        if look is scans.check_file and name == "flipped.nii.gz":
            continue  # only reading finds a wrong checksum
        with pytest.raises(LessonError, match=rf"{name}: .*(Download|download|DICOM|Convert)"):
            look(path)


def test_a_sound_file_passes_the_quick_look(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(scans, "read_nifti", None)
        for path in (write(tmp_path / "a.nii", head()[0]), *write_case(tmp_path)):
            scans.check_file(path)
    content = (tmp_path / "a.nii").read_bytes()
    twice = tmp_path / "twice.nii.gz"
    twice.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]))
    scans.check_file(twice)


def test_a_missing_file_is_named(tmp_path):
    path, label_path = write_case(tmp_path)
    label_path.unlink()
    with pytest.raises(LessonError, match=r"labelsTr.BRATS_001\.nii\.gz: the file cannot be read \(No such file"):
        scans.read_scan(path, label_path)


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda f: (f / "P" / "P_t2.nii.gz").unlink(), r"P_t2\.nii\.gz: the file cannot be read"),
        (lambda f: write(f / "P" / "P_t1.nii.gz", head((7, 9, 6))[0][..., 1]), r"P_t1\.nii\.gz: its shape"),
        (lambda f: write(f / "P" / "P_t1ce.nii.gz", head()[0]), r"P_t1ce\.nii\.gz: a sequence of BraTS has three axes"),
        (lambda f: write(f / "P" / "P_t2.nii.gz", head()[0][..., 1], affine_of((1, 1, 1))), "by its affine"),
        (lambda f: write(f / "P" / "P_seg.nii.gz", with_label(3)), "label 3, but there are only 0, 1, 2, 4"),
    ],
)
def test_faults_of_brats_folders_are_named(tmp_path, change, says):
    paths = write_brats(tmp_path, "P")
    change(tmp_path)
    with pytest.raises(LessonError, match=says):
        scans.read_scan(*paths)


# ---------------------------------------------------------------------------------------------------------
# Another grid


def ball(shape, edges, center, radius):
    axes = [(np.arange(n) + 0.5) * edge - c for n, edge, c in zip(shape, edges, center, strict=True)]
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))) < radius


@pytest.fixture
def fine():
    """A head of 60 mm and a tumor of 20 mm, 5 mm off its middle, in voxels of 1 mm."""
    shape, edges = (150, 140, 130), (1.0, 1.0, 1.0)
    skull = ball(shape, edges, (80, 66, 60), 60)
    tumor = ball(shape, edges, (85, 66, 60), 20)
    label = np.where(ball(shape, edges, (85, 66, 60), 12), 2, 1) * tumor
    image = np.stack([100 * skull, 100 * skull + 50 * tumor, 80 * skull, 60 * skull], axis=-1)
    return scans.Volume(image.astype(np.float32), label.astype(np.uint8), edges, "fine")


def test_a_new_grid_keeps_volumes_and_brightness_and_centers_the_head(fine):
    coarse = scans.to_grid(fine)
    assert coarse.image.shape == (64, 64, 32, 4) and coarse.spacing == (3.0, 3.0, 4.5) and coarse.name == "fine"
    for label in (1, 2):
        volumes = [(v.label == label).sum() * np.prod(v.spacing) for v in (fine, coarse)]
        assert volumes[1] == pytest.approx(volumes[0], rel=0.1)
    sums = [v.image.sum((0, 1, 2), float) * np.prod(v.spacing) for v in (fine, coarse)]
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-4)
    assert coarse.image[32, 32, 16] == pytest.approx([100, 150, 80, 60], rel=1e-4)
    middle = [np.mean(np.nonzero(coarse.image[..., 0])[axis]) for axis in range(3)]
    np.testing.assert_allclose(middle, [31.5, 31.5, 15.5], atol=0.1)
    tumor = np.mean(np.nonzero(coarse.label)[0]) - middle[0]
    assert tumor == pytest.approx(5 / 3, abs=0.1)


def test_a_scan_of_the_same_grid_stays_as_it_is(fine):
    coarse = scans.to_grid(fine)
    assert scans.to_grid(coarse) is coarse
    assert scans.to_grid(fine, fine.label.shape, fine.spacing) is fine


def test_coarse_scans_and_scans_without_labels_get_the_grid_too(fine):
    thick = scans.to_grid(fine, (30, 30, 25), (6.0, 6.0, 6.0))
    again = scans.to_grid(scans.Volume(thick.image, None, thick.spacing, "thick"))
    assert again.label is None and again.image.shape == (64, 64, 32, 4)
    assert again.image.sum() * 40.5 == pytest.approx(thick.image.sum() * 216, rel=1e-3)


def test_a_volume_has_four_channels():
    with pytest.raises(LessonError, match=r"x: an image has the shape \(x, y, z, 4\)"):
        scans.Volume(np.zeros((3, 3, 3)), None, (1, 1, 1), "x")
