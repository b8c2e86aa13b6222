"""What the command line does, as functions that take paths and return plain data."""
