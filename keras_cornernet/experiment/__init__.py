"""Training runs from data sets to a folder with models, table and pictures."""

from typing import TYPE_CHECKING

from keras_cornernet.lazy import names_on_first_use

if TYPE_CHECKING:
    from keras_cornernet.experiment.auditing import Audit, audit, audit_by_model
    from keras_cornernet.experiment.learning_rate import LearningRates, find_learning_rate
    from keras_cornernet.experiment.operating import keep_min_scores
    from keras_cornernet.experiment.results import ResultsTable
    from keras_cornernet.experiment.run import Run, train

__all__ = [
    "Audit",
    "LearningRates",
    "ResultsTable",
    "Run",
    "audit",
    "audit_by_model",
    "find_learning_rate",
    "keep_min_scores",
    "train",
]

# Labelling and operating points are also for exported files, without Keras.
__getattr__ = names_on_first_use(
    __name__,
    {
        "Audit": "auditing",
        "LearningRates": "learning_rate",
        "ResultsTable": "results",
        "Run": "run",
        "audit": "auditing",
        "audit_by_model": "auditing",
        "find_learning_rate": "learning_rate",
        "keep_min_scores": "operating",
        "train": "run",
    },
)
