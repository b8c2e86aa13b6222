"""Training runs from data sets to a folder with models, table and pictures."""

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
