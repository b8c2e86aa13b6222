"""Trained weights for `keras_cornernet`: `.keras` files that `keras_cornernet.from_preset` finds by name."""
