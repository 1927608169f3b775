"""Write the outputs of the shipped DenseNet-121 on lesson 5's simulated patients: ``python scripts/predict.py``.

About ten minutes on two cores. Run it when models/chestxray8.npz or the simulator changes; lesson 5 recomputes a few
rows and tells when the table is out of date.
"""

import numpy as np
import pandas as pd
from tqdm import tqdm

from medlessons import files, models, settings
from medlessons.data import predictions
from simclinic import clinic
from simclinic.thorax import FINDINGS

SIZE = 128  # pixels of an edge, as in the training of the network
BATCH = 50


def main() -> None:
    network = models.load("chestxray8")
    table = pd.concat([predict(part, network) for part in predictions.PARTS], ignore_index=True)
    with files.atomic_write(settings.models_dir() / predictions.EMBEDDED) as path:
        # No time of day in the file: the same table gives the same bytes.
        table.to_csv(path, index=False, lineterminator="\n", compression={"method": "gzip", "mtime": 0})


def predict(part: str, network) -> pd.DataFrame:
    """Return the rows of one part: labels, outputs, truth and sizes of the lesions."""
    patients = predictions.draw_patients(part)
    outputs, sizes = [], []
    for start in tqdm(range(0, len(patients), BATCH), part):
        shown = [clinic.truth(row, SIZE) for _, row in patients.iloc[start : start + BATCH].iterrows()]
        outputs.append(models.probabilities(network, np.stack([one.image for one in shown])[..., None]))
        sizes += [{name: 100 * mask.mean() for name, mask in one.masks.items()} for one in shown]
    return as_published(part, patients, np.concatenate(outputs), sizes)


def as_published(part: str, patients: pd.DataFrame, outputs: np.ndarray, sizes: list[dict]) -> pd.DataFrame:
    """Return the table with the published names of the columns, and what only a simulation knows."""
    true = clinic.true_labels(patients["findings"])
    columns = {
        "Image": patients["path"].str.removeprefix("images/"),
        **{name: patients[name] for name in FINDINGS},
        "PatientId": patients["patient"],
        **{f"{name}_pred": outputs[:, k].astype(float).round(5) for k, name in enumerate(FINDINGS)},
        "part": part,
        "view": patients["view"],
        "age": patients["age"],
        "sex": patients["sex"],
        "hospital": patients["source"],
        **{f"{name}_true": true[:, k] for k, name in enumerate(FINDINGS)},
        **{f"{name}_size": [round(one[name], 2) if name in one else None for one in sizes] for name in FINDINGS},
    }
    return pd.DataFrame(columns)


if __name__ == "__main__":
    main()
