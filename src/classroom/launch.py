"""How a lesson is started in somebody else's kernel: the buttons, and a first cell that fetches what is missing."""

import tomllib

from medlessons import settings

LAUNCHERS = {  # where a lesson is opened: the badge of its button, and the address there
    "Colab": (
        "https://colab.research.google.com/assets/colab-badge.svg",
        "https://colab.research.google.com/github/{repository}/blob/{tag}/{path}",
    ),
    "Kaggle": (
        "https://kaggle.com/static/images/open-in-kaggle.svg",
        "https://kaggle.com/kernels/welcome?src=https://github.com/{repository}/blob/{tag}/{path}",
    ),
    "Codespaces": ("https://github.com/codespaces/badge.svg", "https://codespaces.new/{repository}"),
    "Binder": ("https://mybinder.org/badge_logo.svg", "https://mybinder.org/v2/gh/{repository}/{tag}?labpath={path}"),
}
FETCHING = '''
try:
    from medlessons.start import start
except ModuleNotFoundError:
    if not {"COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"} & set(os.environ):
        raise SystemExit(f"""This notebook needs helpers and trained weights, and this kernel lacks them. In a terminal:
    git clone --depth 1 --branch {VERSION} {FROM} && cd medlessons && make lab
Or, to stay in this kernel, run this line in a cell, then restart the kernel:
    %pip install -e "git+{FROM}@{VERSION}#egg=medlessons"
If you have started `make lab` already, choose the kernel of .venv.""") from None
    if not os.path.exists("medlessons"):
        clone = f"git -c advice.detachedHead=false clone --quiet --depth 1 --branch {VERSION} {FROM}"
        subprocess.run(clone.split(), check=True)
    sys.path.insert(0, os.path.abspath("medlessons/src"))
    from medlessons.start import raise_packages, start

    raise_packages()
'''


def home() -> tuple[str, str]:
    """Return the address of the repository, and the tag of this version, as pyproject.toml has them."""
    project = tomllib.loads((settings.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"], f"v{project['version']}"


def links(name: str) -> dict[str, str]:
    """Return where a student edition is opened: the place, and the address there; `name` is that of its file."""
    address, tag = home()
    where = {"repository": address.removeprefix("https://github.com/"), "tag": tag, "path": f"notebooks/student/{name}"}
    return {place: link.format(**where) for place, (_badge, link) in LAUNCHERS.items()}


def buttons(name: str) -> str:
    """Return the buttons that open a student edition, as Markdown; `name` is that of its file."""
    return "\n".join(f"[![Open in {place}]({LAUNCHERS[place][0]})]({link})" for place, link in links(name).items())


def first_cell(lesson: int) -> str:
    """Return the first cell of a lesson that is handed out: where its helpers are missing, it fetches or says so."""
    address, tag = home()
    return f'import os, subprocess, sys\n\nFROM, VERSION = "{address}", "{tag}"{FETCHING}start(lesson={lesson})'
