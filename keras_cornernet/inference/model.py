"""What `from_preset` returns: a model to compile, fit, evaluate, predict with, export and save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import keras

from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.models.network import Network
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories, Dataset, Progress, Provenance
from keras_cornernet.training.callbacks import EvaluationCallback

if TYPE_CHECKING:
    from keras_cornernet.export.written import ExportedFile
    from keras_cornernet.training import Trainer

Labels = Categories | Skeleton


class Model:
    """A network joined with its codec, labels and settings of inference.

    Its subclasses say how images become results. What trains, exports and saves a model stands in rooms above
    this one and is imported when it is called.

    Attributes:
        network: images `(batch, height, width, 3)` RGB 0..255 to maps.
        codec: between annotations or results and the network's maps.
        labels: what its outputs stand for: `Categories` or a `Skeleton`.
        settings: of inference, an instance of `settings_type`.
        provenance: where the weights come from.
        task: name of the task, as exported files state it.
        labels_field: `"categories"` or `"skeleton"`.
    """

    task: ClassVar[str]
    labels_field: ClassVar[str]
    settings_type: ClassVar[type]
    augmentations: ClassVar[Mapping[str, Any]] = {}

    network: Network
    codec: Any
    settings: Any

    def __init__(self, network: Network, codec: Any, labels: Any, settings: Any = None):
        raise NotImplementedError

    @property
    def provenance(self) -> Provenance:
        """The data that the weights have seen, its terms, and the weights that they started from."""
        metadata = getattr(self.network, "metadata", None) or {}
        return Provenance.from_json(metadata.get("provenance", {}))

    @provenance.setter
    def provenance(self, provenance: Provenance) -> None:
        self.network.metadata = {**(self.network.metadata or {}), "provenance": provenance.to_json()}

    @property
    def labels(self) -> Labels:
        """The classes or the joints."""
        labels: Labels = getattr(self, self.labels_field)
        return labels

    @classmethod
    def unnamed(cls, count: int) -> Labels:
        """Labels for a network whose file names none."""
        raise NotImplementedError

    def with_settings(self, **changes: Any) -> Self:
        """The same model with other settings of inference.

        Args:
            changes: fields of its `settings_type`.
        """
        return type(self)(self.network, self.codec, self.labels, replace(self.settings, **changes))

    def check_settings(self) -> None:
        """Raises `ValueError` if the network cannot take inputs of the settings."""
        if isinstance(self.network, Network):
            self.settings.check_network(self.network)

    def stream(self, *source: Any, **options: Any) -> Iterator[Any]:
        """`predict`, one result at a time."""
        raise NotImplementedError

    def evaluate(
        self, dataset: Any, *, flip: bool | None = None, progress: Progress = list
    ) -> EvaluationResult:
        """Measures the model on an annotated data set."""
        raise NotImplementedError

    def __repr__(self) -> str:
        if not isinstance(self.network, Network):
            return super().__repr__()
        names = ", ".join(self.labels.names[:4]) + (", .." if len(self.labels.names) > 4 else "")
        size = self.settings.input_size
        kind = "classes" if self.labels_field == "categories" else "joints"
        return (
            f"{type(self).__name__}({self.network.name}: {type(self.network).__name__}, "
            f"{self.network.count_params() / 1e6:.1f} M parameters, "
            f"input {'of any size' if size is None else '{}x{}'.format(*size)}, "
            f"{len(self.labels.names)} {kind}: {names})"
        )

    # Training

    @property
    def trainer(self) -> Trainer:
        """The `keras.Model` that `compile` and `fit` use, made when it is first needed."""
        if not hasattr(self, "_trainer"):
            from keras_cornernet.presets import make_trainer

            self._trainer = make_trainer(self)
        return self._trainer

    def compile(self, optimizer: Any = None, *, loss: Any = None, **options: Any) -> None:
        """Prepares the model for `fit`.

        Args:
            optimizer: as of `keras.Model.compile`; by default Adam with a learning rate of 0.001 and
                gradients clipped to a global norm of 5.
            loss: in place of the preset's: called with targets and outputs, it returns named scalars that add
                up to the loss, whose `names` it lists; see `losses.DetectionLoss`.
            options: further arguments of `keras.Model.compile`.
        """
        if loss is not None:
            from keras_cornernet.presets import make_trainer

            self._trainer = make_trainer(self, loss)
        if optimizer is None:
            optimizer = keras.optimizers.Adam(1e-3, epsilon=1e-8, global_clipnorm=5.0)
        self.trainer.compile(optimizer=optimizer, **options)

    def fit(
        self,
        dataset: Any,
        *,
        validation_data: Any = None,
        epochs: int = 1,
        batch_size: int = 8,
        augmentation: Any = "default",
        evaluate_every: int = 1,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        **options: Any,
    ) -> keras.callbacks.History:
        """Trains the network in place; `compile` with its defaults comes first if nobody called it.

        Args:
            dataset: what a reader returned, or what `make_dataset` made of it.
            validation_data: likewise. What a reader returned is measured at the end of epochs: AP or PCK
                appear in the history as `val_AP` and so on.
            epochs: passes over the data.
            batch_size, augmentation, seed: of `make_dataset`, where a reader's data set is given.
                `augmentation="default"` is the preset's, `"photos"` a stronger one for photographs (see
                `data.photo_augmentation`, and `PHOTO_POSES` for people), None shows images as they are, and
                any object with a `draw` like those of `data.augmentation` will do.
            evaluate_every: epochs between the evaluations on `validation_data`.
            callbacks, options: of `keras.Model.fit`.

        Raises:
            ValueError: the data has other classes or joints than the model.
        """
        callbacks = list(callbacks)
        if isinstance(validation_data, Dataset):
            self.check_labels(validation_data)
            callbacks.insert(0, EvaluationCallback(self, validation_data, every=evaluate_every))
            validation_data = None
        if isinstance(dataset, Dataset):
            dataset = self._training_data(dataset, batch_size, augmentation, seed)
        if not self.trainer.compiled:
            self.compile()
        return self.trainer.fit(
            dataset, validation_data=validation_data, epochs=epochs, callbacks=callbacks, **options
        )

    def check_labels(self, dataset: Dataset) -> None:
        """Raises `ValueError` where a data set has other classes or joints than the model."""
        if tuple(dataset.names) != tuple(self.labels.names):
            raise ValueError(
                f"the data has {', '.join(dataset.names)}, and the model {', '.join(self.labels.names)}: "
                f"from_preset(..., {self.labels_field}=dataset.{self.labels_field}) makes one for the data"
            )

    def _training_data(self, dataset: Dataset, batch_size: int, augmentation: Any, seed: int) -> Any:
        from keras_cornernet.data.pipeline import make_dataset
        from keras_cornernet.presets import augmentation_named, default_input_size

        self.check_labels(dataset)
        if isinstance(augmentation, str):
            augmentation = augmentation_named(self, augmentation)
        return make_dataset(
            dataset,
            default_input_size(self),
            batch_size=batch_size,
            augmentation=augmentation,
            shuffle=True,
            seed=seed,
        )

    # Files

    def save(self, path: str | Path) -> Path:
        """Writes one `.keras` file that `from_preset` opens again."""
        from keras_cornernet.presets import save_model

        return save_model(self, path)

    def save_to_preset(self, folder: str | Path) -> Path:
        """Writes a folder with card, settings and weights that `from_preset` opens, on a hub too."""
        from keras_cornernet.presets import save_to_preset

        return save_to_preset(self, folder)

    def export(self, path: str | Path, format: str | None = None, **options: Any) -> ExportedFile:
        """Writes the model in the form in which it is deployed: an image in, final answers out.

        Args:
            path: of the file (`.tflite`, `.onnx`, `.xml`), or of the folder that holds the versions of a
                SavedModel, such as `saved_models/people`.
            format: `"savedmodel"`, `"tflite"`, `"onnx"` or `"openvino"`; by default told by the suffix.
            options: of the writer, such as `precision`, `image_size` and `samples` of `export.to_tflite`.
        """
        from keras_cornernet.export import write

        written: ExportedFile = write(self, path, format, **options)
        return written
