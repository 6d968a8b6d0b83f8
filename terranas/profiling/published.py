"""The runs of the published EO benchmark's timing script, copy of the input and all.

That script (``scripts/inference.py`` of the tum-dlr repository) warms up with gradients on, then takes the time of
``images.float().to(device)`` and the forward pass together, for each batch of the So2Sat test images once. The loader
gives images as the file has them, in double precision, in memory that is not page-locked.
"""

import torch
from torch import Tensor, nn

TEST_IMAGES = 24_188
"""Images in So2Sat LCZ42's test file that the published study used; the last batch of 64 has 60 of them."""


class PublishedRuns:
    """Calls a network batch after batch as the published script did.

    Args:
        network: on the device.
        images: one batch on the host; each batch has the same values.
        device: where the network is.
        dtype: type of the network's weights.
    """

    def __init__(self, network: nn.Module, images: Tensor, device: torch.device, dtype: torch.dtype) -> None:
        self._network = network
        self._images = images.double()
        self._to = (device, dtype)
        whole, rest = divmod(TEST_IMAGES, len(images))
        self._sizes = [len(images)] * whole + [rest] * (rest > 0)
        self._next = 0

    def whole_batch(self) -> Tensor:
        """Return the output for a batch that is not the last one."""
        return self._forward(self._images)

    def next_batch(self) -> Tensor:
        """Return the output for the next batch; after the last, smaller one comes the first again."""
        size = self._sizes[self._next]
        self._next = (self._next + 1) % len(self._sizes)
        return self._forward(self._images[:size])

    def _forward(self, images: Tensor) -> Tensor:
        device, dtype = self._to
        logits: Tensor = self._network(images.float().to(device).to(dtype))
        return logits
