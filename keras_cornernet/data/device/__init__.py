"""Training examples made on the accelerator: images are kept there, and draws arrive as numbers."""

from keras_cornernet.data.device.dataset import DeviceDataset, choose_device

__all__ = ["DeviceDataset", "choose_device"]
