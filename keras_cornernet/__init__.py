"""CornerNet detection in Keras 3."""
