"""The command line: one file for each command, named as it is typed.

A command's file holds the function that does the work, which takes paths and returns a result that prints
itself, and the command that parses and prints. Keras and TensorFlow are imported inside these functions, so
that `--help` answers at once.
"""

from keras_cornernet.cli.app import app, main

__all__ = ["app", "main"]
