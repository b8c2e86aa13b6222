"""The methods of `ops.suppression`; settings are checked against them without Keras."""

METHODS = ("gaussian", "linear", "hard", "none")
