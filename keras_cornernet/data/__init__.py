"""Data: readers, augmentation, the `tf.data` pipeline, and drawn scenes."""
