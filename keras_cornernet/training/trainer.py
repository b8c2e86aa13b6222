"""The model that `fit` trains."""

from typing import Any

import keras

from keras_cornernet.backend import replica_count
from keras_cornernet.training.callbacks import NumberEpochs, StopOnBadLoss


class Trainer(keras.Model):
    """Joins a network, a codec and a loss into a model for `compile` and `fit`.

    The dataset yields `(images, annotations)`. Inside each step the codec draws the targets on the device and
    the loss compares them with the network's outputs; each term of the loss is a metric. Everything
    else of `fit` is Keras' own: mixed precision, accumulation of gradients, moving averages of weights,
    clipping, callbacks. A loss that is not finite ends the run and names the term.

    What `save` and `ModelCheckpoint` write is the network, with its `metadata`: a file for `from_preset`,
    without the optimizer's state, which `BackupAndRestore` keeps.

    Args:
        network: a functional model, images in, maps out.
        codec: has `encode(annotations, input_size, grid_size)`.
        loss: called with targets and outputs, returns named scalars that add up to the loss; `loss.names`
            lists them.
        metric: called likewise, returns a share and the number that it is of; `metric.name` names it.
    """

    def __init__(self, network: Any, codec: Any, loss: Any, metric: Any = None, name: str = "trainer"):
        # The policy says only whether the loss is scaled: the network casts images itself, once normalized.
        super().__init__(name=name, autocast=False)
        self.network = network
        self.codec = codec
        self.loss_terms = loss
        self.term_metrics = {term: keras.metrics.Mean(name=term) for term in loss.names}
        self.metric = metric
        self.fraction = None if metric is None else keras.metrics.Mean(name=metric.name)
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """`keras.Model.compile`; the optimizer's state is made at once, so that a backup can be restored."""
        super().compile(*args, **kwargs)
        self.optimizer.build(self.trainable_variables)

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> Any:
        """`keras.Model.save` of the network, not of the trainer, whose codec and loss are no layers."""
        return self.network.save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def call(self, images: Any, training: bool | None = None) -> Any:
        return self.network(images, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of one batch; under `tf.distribute` this replica's share of the global batch's."""
        if sample_weight is not None:
            raise ValueError(
                "sample weights are not supported: the loss of a heatmap is a sum over cells, not over "
                "images; leave them out of the data set"
            )
        branch = next(branch for branch in y_pred[-1].values() if "heatmap" in branch)
        grid_size = branch["heatmap"].shape[1:3]
        targets = self.codec.encode(y, tuple(x.shape[1:3]), tuple(grid_size))
        terms = self.loss_terms(targets, y_pred)
        for name, value in terms.items():
            # Each replica holds a part of a sum; a mean over replicas would report only a fraction of it.
            self.term_metrics[name].update_state(value * replica_count())
        if self.metric is not None and self.fraction is not None:
            fraction, count = self.metric(targets, y_pred)
            self.fraction.update_state(fraction, sample_weight=count)
        total = sum(terms.values())
        for extra in self.losses:
            total = total + extra / replica_count()
        return total

    def fit(self, x: Any = None, *args: Any, callbacks: Any = None, **kwargs: Any) -> Any:
        """`keras.Model.fit`; adds a watch over the loss and tells the dataset which epoch it is.

        Raises:
            ValueError: the network has another number of classes or joints than a dataset of `make_dataset`.
        """
        self._check_names(x, "x")
        self._check_names(kwargs.get("validation_data"), "validation_data")
        callbacks = [StopOnBadLoss(), *(callbacks or [])]
        if hasattr(x, "epochs"):
            callbacks.append(NumberEpochs(x.epochs))
        if hasattr(x, "element_spec"):
            kwargs.setdefault("shuffle", False)  # a tf.data pipeline shuffles by itself
        return super().fit(x, *args, callbacks=callbacks, **kwargs)

    def _check_names(self, dataset: Any, argument: str) -> None:
        """Refuses data with another number of labels: one without a channel would train nothing."""
        names, count = getattr(dataset, "names", None), getattr(self.network, "num_outputs", None)
        if names is not None and count is not None and count != len(names):
            raise ValueError(
                f"{argument} must have the {count} classes or joints of the network, but has {len(names)}: "
                f"{', '.join(names)}. from_preset(..., categories=dataset.categories), or skeleton=, makes a "
                "network for them"
            )
