"""The 3-D U-Net of lesson 6: what is in the image on the way down, where it is on the way up."""

from collections.abc import Sequence

import keras
from keras import layers

SHIPPED = (12, 24, 48, 64)  # maps in each level of the network in models/


class HalveByMaximum(layers.Layer):
    """Pool maps by the maximum of 2 x 2 x 2 voxels: three times the larger one of two neighboring slices.

    The same as ``MaxPooling3D``, which TensorFlow cannot do in 64 bits on a processor. Edges must be even.
    """

    def call(self, maps):
        """Return maps of half the edges; ``maps`` has the shape (batch, x, y, z, channels)."""
        maps = keras.ops.maximum(maps[:, ::2], maps[:, 1::2])
        maps = keras.ops.maximum(maps[:, :, ::2], maps[:, :, 1::2])
        return keras.ops.maximum(maps[:, :, :, ::2], maps[:, :, :, 1::2])

    def compute_output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the pooled maps."""
        return (shape[0], *(edge and edge // 2 for edge in shape[1:4]), shape[4])


def unet3d(
    filters: Sequence[int] = (8, 16, 32), outputs: int = 4, channels: int = 4, kernel: int | Sequence[int] = 3
) -> keras.Model:
    """Build a 3-D U-Net (Cicek et al. 2016) whose skip connections are added, which computes less than joining them.

    Each level convolves twice on the way down and once on the way up, with batch normalization; the deepest level is
    the last one of ``filters``. The bias of the background starts at 3, because most voxels are background.

    Parameters
    ----------
    filters : sequence of int
        Maps of each level, the finest one first.
    outputs : int
        Labels, the background among them.
    channels : int
        Sequences of a scan.
    kernel : int or three int
        Edges of the kernels in voxels.

    Returns
    -------
    keras.Model
        Takes standardized scans, shape (batch, x, y, z, channels), whose edges can be halved once a level, and gives
        logits, shape (batch, x, y, z, outputs).
    """
    scan = maps = keras.Input((None, None, None, channels), name="scan")
    skips = []
    for count in filters[:-1]:
        maps = _convolve(_convolve(maps, count, kernel), count, kernel)
        skips.append(maps)
        maps = HalveByMaximum()(maps)
    maps = _convolve(_convolve(maps, filters[-1], kernel), filters[-1], kernel)
    for count, skip in zip(filters[-2::-1], reversed(skips), strict=True):
        maps = layers.UpSampling3D()(layers.Conv3D(count, 1, use_bias=False)(maps))
        maps = _convolve(layers.Add()([maps, skip]), count, kernel)
    bias = keras.initializers.Constant([3.0] + [0.0] * (outputs - 1))
    return keras.Model(scan, layers.Conv3D(outputs, 1, bias_initializer=bias, name="logits")(maps), name="unet3d")


def _convolve(maps: keras.KerasTensor, count: int, kernel: int | Sequence[int]) -> keras.KerasTensor:
    maps = layers.Conv3D(count, kernel, padding="same", use_bias=False)(maps)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(maps))
