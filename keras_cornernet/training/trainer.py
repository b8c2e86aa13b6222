"""The model that `fit` trains."""

from typing import Any

import keras

from keras_cornernet.backend import repeated_step, replica_count, runs_on_jax, step_of_each_size
from keras_cornernet.training.callbacks import NumberEpochs, StopOnBadLoss


class Trainer(keras.Model):
    """Joins a network, a codec and a loss into a model for `compile` and `fit`.

    The dataset yields `(images, annotations)`, or blocks of draws of which its `prepare` makes them in the
    compiled step, see `data.device.DeviceDataset`. Inside each step the codec draws the targets on the device
    and the loss compares them with the network's outputs; each term of the loss is a metric. Everything
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

    Attributes:
        just_compiled: whether the last batch (or block) was the first of its shape, on JAX.
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
        self.just_compiled = False
        self._source: Any = None
        self._sizes_vary = False
        self._next_rate: float | None = None
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
        """The loss of one batch; under `tf.distribute` this replica's share of the global batch's.

        `sample_weight`, `(batch,)`, multiplies what each image adds to the loss.
        """
        branch = next(branch for branch in y_pred[-1].values() if "heatmap" in branch)
        grid_size = branch["heatmap"].shape[1:3]
        targets = self.codec.encode(y, tuple(x.shape[1:3]), tuple(grid_size))
        if sample_weight is not None:
            targets = {**targets, "sample_weight": self._sample_weight(sample_weight)}
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

    def _sample_weight(self, weight: Any) -> Any:
        """The weights of a batch as a loss takes them, `(batch,)` float32."""
        if not getattr(self.loss_terms, "weighs_samples", False):
            raise ValueError(
                f"sample weights: the loss {type(self.loss_terms).__name__} does not take them; one that "
                'multiplies by targets["sample_weight"] says so by an attribute weighs_samples = True'
            )
        shape = tuple(getattr(weight, "shape", (None, None, None)))
        if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
            raise ValueError(f"sample weights must be one number for each image, not of the shape {shape}")
        return keras.ops.cast(keras.ops.reshape(weight, (-1,)), "float32")

    def fit(self, x: Any = None, *args: Any, callbacks: Any = None, **kwargs: Any) -> Any:
        """`keras.Model.fit`; adds a watch over the loss and tells the dataset which epoch it is.

        Raises:
            ValueError: the network has another number of classes or joints than a dataset of `make_dataset`.
        """
        epochs = _attribute(x, "epochs")
        self._check_names(x, "x")
        self._check_names(kwargs.get("validation_data"), "validation_data")
        callbacks = [StopOnBadLoss(), *(callbacks or [])]
        if epochs is not None:
            callbacks.append(NumberEpochs(epochs))
        if hasattr(x, "element_spec") or isinstance(x, keras.utils.PyDataset):
            kwargs.setdefault("shuffle", False)  # a pipeline shuffles by itself
        source, sizes_vary = x if hasattr(x, "prepare") else None, _sizes_vary(x)
        if source is not self._source or sizes_vary != self._sizes_vary:
            self._source, self._sizes_vary, self.train_function = source, sizes_vary, None
        try:
            return super().fit(x, *args, callbacks=callbacks, **kwargs)
        finally:
            if hasattr(x, "stop"):
                x.stop()

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the steps to come, also within an epoch of `fit`.

        Raises:
            ValueError: the optimizer was made with a schedule, not with a number as its learning rate.
        """
        if not isinstance(self.optimizer._learning_rate, keras.Variable):
            raise ValueError("the optimizer has a schedule of learning rates, so that none can be set")
        if runs_on_jax():
            self._next_rate = rate  # within `fit` the optimizer's state is not in its variables
        else:
            self.optimizer.learning_rate = rate

    def train_step(self, *arguments: Any) -> Any:
        """One step; on TensorFlow it makes the batch first, where the data is a `DeviceDataset`."""
        if self._source is not None and not runs_on_jax():
            (block,) = arguments
            numbers = {name: values[0] for name, values in block.items() if name != "count"}
            arguments = (self._source.prepare(self._source.resident, numbers),)
        return super().train_step(*arguments)

    def make_train_function(self, force: bool = False) -> Any:
        """A step for each size of the images; on JAX rates that are set, and several steps a launch."""
        if not runs_on_jax() and not (self._sizes_vary and not self.run_eagerly):
            return super().make_train_function(force)
        if self.train_function is not None and not force:
            return None
        if not runs_on_jax():
            self._use(step_of_each_size(self.train_step, jit_compile=bool(self.jit_compile)))
            return None
        super().make_train_function(force)
        single_step: Any = self.train_function
        seen: set[Any] = set()
        launch = repeated_step(self._prepared_step)

        def train(state: Any, iterator: Any) -> Any:
            data = next(iterator)
            shapes = tuple(getattr(value, "shape", None) for value in keras.tree.flatten(data))
            self.just_compiled = shapes not in seen
            seen.add(shapes)
            state = self._with_rate(state)
            if self._source is None:
                return single_step(state, iter([data]))
            count, *_ = data.pop("count")
            state = launch(state, self._source.resident, data, count)
            return self._logs(state), state

        self._use(train)
        return None

    def _use(self, function: Any) -> None:
        self.train_function = function

    def _prepared_step(self, state: Any, resident: Any, numbers: Any) -> Any:
        return self.train_step(state, self._source.prepare(resident, numbers))[1]

    def _with_rate(self, state: Any) -> Any:
        """The state of JAX with the learning rate that was set."""
        if self._next_rate is None:
            return state
        own = [variable is self.optimizer._learning_rate for variable in self.optimizer.variables]
        variables, i = list(state[2]), own.index(True)
        variables[i] = keras.ops.convert_to_tensor(self._next_rate, variables[i].dtype)
        self._next_rate = None
        return (*state[:2], variables, *state[3:])

    def _logs(self, state: Any) -> dict[str, Any]:
        """The metrics so far, from the state of JAX."""
        mapping = list(zip(self.metrics_variables, state[3], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            logs: dict[str, Any] = self.get_metrics_result()
        return logs

    def _check_names(self, dataset: Any, argument: str) -> None:
        """Refuses data with another number of labels: one without a channel would train nothing."""
        names, count = _attribute(dataset, "names"), getattr(self.network, "num_outputs", None)
        if names is not None and count is not None and count != len(names):
            raise ValueError(
                f"{argument} must have the {count} classes or joints of the network, but has {len(names)}: "
                f"{', '.join(names)}. from_preset(..., categories=dataset.categories), or skeleton=, makes a "
                "network for them"
            )


def _attribute(dataset: Any, name: str) -> Any:
    """An attribute of a dataset of `make_dataset`, also behind `map`, `prefetch` and the like, or None."""
    waiting = [dataset]
    while waiting:
        dataset = waiting.pop()
        if hasattr(dataset, name):
            return getattr(dataset, name)
        if hasattr(dataset, "element_spec") and hasattr(dataset, "_inputs"):  # of `tf.data.Dataset`
            waiting += dataset._inputs()
    return None


def _sizes_vary(x: Any) -> bool:
    """Whether a `tf.data.Dataset` gives images of several heights or widths."""
    images = keras.tree.flatten(getattr(x, "element_spec", ()))[:1]
    return any(len(spec.shape or ()) == 4 and None in tuple(spec.shape)[1:3] for spec in images)
