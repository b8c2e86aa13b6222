"""`python -m keras_cornernet`."""

from keras_cornernet.cli import main

if __name__ == "__main__":
    main()
