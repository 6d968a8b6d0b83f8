"""Random symmetries of training images, on the device.

Earth-observation images have no up or left: a flip or a quarter turn of one is as good an image of the same class.
What is drawn for an image is one of the symmetries of the rectangle (flips: 4) or of the square (flips and quarter
turns: 8), all equally likely.
"""

import torch
from torch import Tensor

SYMMETRIES = {"flips": 4, "flips_rotations": 8}
"""Number of versions of an image, by the setting ``training.augmentation``."""


def augment(x: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Return images, each in one of its symmetric versions, in the order in memory that ``x`` has.

    Args:
        x: images (n, bands, height, width).
        kind: ``none``, ``flips`` or ``flips_rotations`` (square images only).
        generator: what the versions are drawn from, on the CPU or on the device of ``x``; one number an image is
            drawn.

    Raises:
        ValueError: the images are not square and quarter turns are asked for.
    """
    if kind == "none":
        return x
    count, _, height, width = x.shape
    if kind == "flips_rotations" and height != width:
        raise ValueError(f"Quarter turns need square images, got {height} x {width} pixels; use flips.")
    drawn = torch.randint(SYMMETRIES[kind], (count,), generator=generator, device=generator.device)
    drawn = drawn.to(x.device, non_blocking=True)[:, None, None]
    # from which row and column each pixel comes: flips turn the axes around, a transposition swaps them; a quarter
    # turn is a transposition and a flip
    rows = torch.arange(height, device=x.device)[None, :, None].expand(count, height, width)
    columns = torch.arange(width, device=x.device)[None, None, :].expand(count, height, width)
    if kind == "flips_rotations":
        swapped = drawn >= 4
        rows, columns = torch.where(swapped, columns, rows), torch.where(swapped, rows, columns)
    rows = torch.where(drawn % 2 == 1, height - 1 - rows, rows)
    columns = torch.where(drawn // 2 % 2 == 1, width - 1 - columns, columns)
    images = torch.arange(count, device=x.device)[:, None, None]
    turned = x.permute(0, 2, 3, 1)[images, rows, columns].permute(0, 3, 1, 2)
    # gathered pixel by pixel it lies channels-last, where it stays if x lay so
    return turned if x.is_contiguous(memory_format=torch.channels_last) else turned.contiguous()
