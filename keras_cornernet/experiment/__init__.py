"""Training runs from data sets to a folder with models, table and pictures."""

from keras_cornernet.experiment.judges import judge_of
from keras_cornernet.experiment.plan import TrainingPlan, make_optimizer, plan_of
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.experiment.run import averaged_weights, train

__all__ = [
    "ResultsTable",
    "TrainingPlan",
    "averaged_weights",
    "judge_of",
    "make_optimizer",
    "plan_of",
    "train",
]
