"""Training runs from data sets to a folder with models, table and pictures."""

from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.experiment.run import Run, train

__all__ = ["ResultsTable", "Run", "train"]
