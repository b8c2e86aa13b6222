"""Data: readers, augmentation, what `fit` reads, and drawn scenes."""
