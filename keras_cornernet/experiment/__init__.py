"""Training runs from data sets to a folder with models, table and pictures."""

from keras_cornernet.experiment.config import TrainingConfig, make_optimizer, training_config
from keras_cornernet.experiment.evaluators import evaluator_of
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.experiment.run import averaged_weights, train

__all__ = [
    "ResultsTable",
    "TrainingConfig",
    "averaged_weights",
    "evaluator_of",
    "make_optimizer",
    "train",
    "training_config",
]
