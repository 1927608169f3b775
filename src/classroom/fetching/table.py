"""The one table of what can be fetched: a row per collection, with the tasks that read it."""

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from classroom.fetching.archives import gigabytes
from classroom.fetching.download import Remote
from medlessons import settings
from medlessons.data import REGISTRY, anemia, brain, covid, findings, manifest, orientation, predictions, scans
from medlessons.data.collections import decathlon
from medlessons.errors import LessonError
from medlessons.wording import _


@dataclass(frozen=True)
class Collection:
    """What can be fetched, and how it lies in its folder."""

    name: str
    place: str  # its folder below data/real
    checks: Mapping[str, Callable[[Path], object]]  # task that reads it -> reads a folder, raises LessonError if wrong
    needs: tuple[str, ...]  # patterns of a folder that is recognized: one of each; "a|b" is either
    takes: tuple[str, ...] = ()  # patterns of what comes along; what it needs unless given
    single: str = ""  # name that a single CSV file gets
    title: str = ""
    page: str = ""  # where a person finds it
    licence: str = ""
    citation: str = ""
    archive: Remote | None = None  # where it is published: one archive ...
    kaggle: str = ""  # ... or some files of a Kaggle data set ...
    files: tuple[str, ...] = ()
    pieces: Mapping[str, Remote] = field(default_factory=dict)  # ... and archives that become folders in its folder
    size: int = 0  # bytes of the archive or the files; 0 if the publisher does not say
    room: int = 0  # bytes of the disk that it takes while it is fetched, without pieces
    counted: bool = False  # whether its check counts its rows; else its images are counted
    cases: int = 0  # in its archive, of which some may be fetched; 0 if it is all or nothing
    case_size: int = 0  # bytes of one of them

    @property
    def folder(self) -> Path:
        """Where it is expected."""
        return settings.real_dir() / self.place

    @property
    def is_published(self) -> bool:
        """Whether it has a usual place to fetch it from; an instructor's own images have none."""
        return bool(self.archive or self.kaggle)

    def checks_for(self, name: str) -> list[Callable[[Path], object]]:
        """Return the check of one task, or those of all if ``name`` is that of the collection."""
        return [self.checks[name]] if name in self.checks else list(self.checks.values())

    def is_sound(self, name: str) -> bool:
        """Say whether it is in its place and passes its checks."""
        try:
            for check in self.checks_for(name):
                check(self.folder)
        except LessonError:
            return False
        return True

    def missing_pieces(self, subset: int | None) -> dict[str, Remote]:
        """Return the first pieces that are not there; none where other images were laid by hand."""
        there = {path.name for path in self.folder.glob("images*")}
        if there and not (manifest.is_kept_in(self.folder) and there <= self.pieces.keys()):
            return {}
        return {name: piece for name, piece in list(self.pieces.items())[:subset] if name not in there}

    def sizes(self, name: str, subset: int | None = None, cases: int | None = None) -> tuple[int, int] | None:
        """Return the bytes of what is missing, and of the disk that it takes; None if nothing is missing."""
        is_there = self.is_sound(name)
        pieces = [piece.size for piece in self.missing_pieces(subset).values()]
        if is_there and not pieces:
            return None
        size, room = (0, 0) if is_there else (self.size, self.room)
        if cases and self.cases:
            size = room = cases * self.case_size
        return size + sum(pieces), room + sum(pieces) + max(pieces, default=0)  # an unpacked archive is removed

    def describe(self, size: int, subset: int | None = None) -> str:
        """Return what must be known before ``size`` bytes of it are fetched."""
        title = self.title
        if self.pieces:
            count = len(self.missing_pieces(subset))
            title = _("{title}: {count} of {all} archives").format(title=title, count=count, all=len(self.pieces))
        said = _("{title}\n  page      {page}\n  licence   {licence}\n  cite      {citation}\n  size      {size}")
        size = gigabytes(size) if size else _("not known before the download begins")
        return said.format(title=title, page=self.page, licence=self.licence, citation=self.citation, size=size)


# The NIH's archives of images: name in Box, bytes, and the MD5 checksum of the NIH's FAQ_CHESTXRAY.pdf.
_NIH = (
    ("vfk49d74nhbxq3nqjg0900w5nvkorp5c", 2_008_470_987, "fe8ed0a6961412fddcbb3603c11b3698"),
    ("i28rlmbvmfjbl8p2n3ril0pptcmcu9d1", 3_952_623_504, "ab07a2d7cbe6f65ddd97b4ed7bde10bf"),
    ("f1t00wrtdk94satdfb9olcolqx20z2jp", 3_929_234_850, "2301d03bde4c246388bad3876965d574"),
    ("0aowwzs5lhjrceb3qp67ahp0rd1l1etg", 3_838_903_983, "9f1b7f5aae01b13f4bc8e2c44a4b8ef6"),
    ("v5e3goj22zr6h8tzualxfsqlqaygfbsn", 3_935_496_531, "1861f3cd0ef7734df8104f2b0309023b"),
    ("asi7ikud9jwnkrnkj99jnpfkjdes7l6l", 3_986_301_172, "456b53a8b351afd92a35bc41444c58c8"),
    ("jn1b4mw4n6lnh74ovmcjb8y48h8xj07n", 4_016_328_426, "1075121ea20a137b87f290d6a4a5965e"),
    ("tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j", 4_018_347_353, "b61f34cec3aa69f295fbb593cbd9d443"),
    ("upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj", 4_111_327_929, "442a3caa61ae9b64e61c561294d1e183"),
    ("l6nilvfa9cg3s28tqv1qc1olm3gnz54p", 4_181_556_296, "09ec81c4c31e32858ad8cf965c494b74"),
    ("hhq8fkdgvcari67vfhs7ppg2w6ni4jze", 4_187_084_020, "499aefc67207a5a97692424cf5dbeed5"),
    ("ioqwiy20ihqwyr8pf4c24eazhh281pbu", 2_914_187_733, "dc9fda1757c2de0032b63347a7d2895c"),
)
_NIH_PAGE = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
_COVID_PAGE = "https://github.com/ieee8023/covid-chestxray-dataset"
_DECATHLON_PAGE = "https://medicaldecathlon.com"
_CHILDREN = "https://data.mendeley.com/{}datasets/rscbjbr9sj/{}"
_CHILDREN_FILE = "files/f12eaf6d-6023-432f-acc9-80c9d7393433/file_downloaded"

COLLECTIONS = (
    Collection(
        name="anemia",
        place="anemia",
        checks={"anemia": anemia.read_real},
        needs=(anemia.FILE,),
        single=anemia.FILE,
        counted=True,
        title=_("Anemia Types Classification: 1,281 blood counts"),
        page="https://www.kaggle.com/datasets/ehababoelnaga/anemia-types-classification",
        licence=_("no licence found: use it yourself, do not pass it on"),
        citation=_("the page; no paper is known"),
        kaggle="ehababoelnaga/anemia-types-classification",
        files=(anemia.FILE,),
        size=124_308,
    ),
    Collection(  # no commit and no checksum are pinned: GitHub packs the archive when asked, and promises no bytes
        name="covid_chestxray",
        place="covid-chestxray-dataset",
        checks={"orientation": orientation.read_published, "covid": covid.read_adults},
        needs=("metadata.csv", "images"),
        title=_("COVID-19 image data collection: radiographs and CT slices of adults"),
        page=_COVID_PAGE,
        licence=_("differs by image: see the column license of metadata.csv"),
        citation="Cohen et al. 2020, https://arxiv.org/abs/2006.11988",
        archive=Remote(f"{_COVID_PAGE}/archive/refs/heads/master.zip", "covid-chestxray.zip", _COVID_PAGE),
    ),
    Collection(
        name="kermany",
        place="chest_xray",
        checks={"covid": covid.read_children},
        needs=("train/NORMAL", "train/PNEUMONIA"),
        takes=("train", "test", "val"),
        title=_("Chest X-ray images of children from Guangzhou"),
        page=_CHILDREN.format("", 2),
        licence="CC BY 4.0",
        citation="Kermany, Zhang and Goldbaum 2018, https://doi.org/10.17632/rscbjbr9sj.2",
        archive=Remote(
            _CHILDREN.format("public-files/", _CHILDREN_FILE),
            "ChestXRay2017.zip",
            _CHILDREN.format("", 2),
            "sha256:13efc055629733dbab07877f8b3c9f81097840dbcdaa326a8542322c2281ce36",
        ),
        size=1_235_512_464,
        room=2_500_000_000,
    ),
    Collection(
        name="chestxray8",
        place="chestxray8",
        checks={"findings": findings.check},
        needs=("Data_Entry_2017*.csv|sample_labels.csv|labels.csv|train-small.csv", "images*"),
        takes=("Data_Entry_2017*.csv|*labels.csv|*-small.csv|test.csv|*_list*.txt|BBox_List_2017.csv", "images*"),
        title=_("ChestX-ray8: tables from Kaggle, images from the NIH"),
        page=_NIH_PAGE,
        licence=_("not restricted; name the page, the paper and the NIH Clinical Center"),
        citation="Wang et al. 2017, ChestX-ray8, https://doi.org/10.1109/CVPR.2017.369",
        kaggle="nih-chest-xrays/data",  # the NIH's tables as single files, which Box does not offer
        files=("Data_Entry_2017.csv", "train_val_list.txt", "test_list.txt", "BBox_List_2017.csv"),
        pieces={
            f"images_{number:03d}": Remote(
                f"https://nihcc.box.com/shared/static/{key}.gz",
                f"images_{number:03d}.tar.gz",
                _NIH_PAGE,
                f"md5:{digest}",
                size,
            )
            for number, (key, size, digest) in enumerate(_NIH, 1)
        },
        size=12_000_000,
        room=12_000_000,
    ),
    Collection(  # tables that a person downloads; no archive of them is known that may be passed on
        name="predictions",
        place="predictions",
        checks={"predictions": predictions.check},
        needs=(f"{predictions.COURSE['test']}|{predictions.HOSPITAL}",),
        takes=(f"*_preds.csv|{predictions.HOSPITAL}",),
        title=_("Outputs of two published networks on radiographs of the NIH, as tables"),
        page="https://github.com/realBagher/AI-for-Medicine-Specialization, https://github.com/jrzech/reproduce-chexnet",
        licence=_("of the course's tables not stated: use them yourself, do not pass them on"),
        citation=_("the course AI for Medical Diagnosis (deeplearning.ai); Zech 2018"),
    ),
    Collection(
        name="decathlon",
        place=decathlon.NAME,
        checks={"brain": brain.check_published},
        needs=(scans.DATASET, decathlon.IMAGES, decathlon.LABELS),
        title=_("Medical Segmentation Decathlon, Task01: 484 MRI scans of heads with a labeled tumor"),
        page=_DECATHLON_PAGE,
        licence="CC BY-SA 4.0",
        citation="Simpson et al. 2019, https://arxiv.org/abs/1902.09063",
        archive=Remote(
            "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task01_BrainTumour.tar",
            "Task01_BrainTumour.tar",
            _DECATHLON_PAGE,
            "md5:240a19d752f0d9e9101544901065d872",
        ),
        size=7_600_000_000,  # about
        room=15_200_000_000,
        counted=True,
        cases=484,
        case_size=10_000_000,
    ),
    # An instructor's own images: in a folder for each label, or scans as BraTS names them.
    Collection("orientation", "orientation", {"orientation": orientation.read_own}, orientation.LABELS),
    Collection("covid", "covid", {"covid": covid.read_own}, covid.LABELS),
    Collection(
        name="brain",
        place="brain",
        checks={"brain": brain.check_own},
        needs=("dataset.json|**/*_flair.nii*|**/*-t2f.nii*",),
        takes=("*",),
        counted=True,
    ),
)


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return what :meth:`Path.glob` does, but in any letters and separators, and without hidden files."""
    found = [folder]
    for part in pattern.split("/"):
        inside = [path for place in found if place.is_dir() for path in sorted(place.glob("[!.]*"))]
        found = [path for path in inside if fnmatch.fnmatchcase(_key(path.name), _key(part))]
    return found


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def named(name: str) -> list[Collection]:
    """Return the collections that a task reads, or the one of that name. Raises LessonError if there is neither."""
    chosen = [one for one in COLLECTIONS if name in one.checks] or [one for one in COLLECTIONS if one.name == name]
    if not chosen:
        others = [one.name for one in COLLECTIONS if one.name not in REGISTRY]
        said = _("There is no data set {name!r}; there are: {names}.")
        raise LessonError(said.format(name=name, names=", ".join([*REGISTRY, *others])))
    return chosen
