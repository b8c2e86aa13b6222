"""Training runs from data sets to a folder with models, table and pictures."""

from keras_cornernet.experiment.learning_rate import LearningRates, find_learning_rate
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.experiment.run import Run, train

__all__ = ["LearningRates", "ResultsTable", "Run", "find_learning_rate", "train"]
