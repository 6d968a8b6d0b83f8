"""Images a second of training on a CUDA device by recipe, beside the roofline's bound.

    python benchmarks/gpu_training.py [--device-name A100] [--stem 128] [--steps 30]
    python benchmarks/gpu_training.py --roofline-only

With ``--roofline-only``, which needs no GPU, only the arithmetic is printed: the tables of docs/speed.md. Formulas and
the figures of the data sheet stand in terranas/training/roofline.py.
"""

import argparse
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from measure import table
from training import CELLS, cell_of

from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs, parameters
from terranas.space.network import Network
from terranas.training.roofline import A100, Device, layers_of, step_time

DEVICES = {
    "A100": A100,
    # NVIDIA's data sheets of the SXM models, dense
    "A100-80GB": Device({"fp32": 156e12, "bf16": 312e12, "fp16": 312e12}, 2.039e12, 10e-6),
    "H100": Device({"fp32": 494.5e12, "bf16": 989e12, "fp16": 989e12}, 3.35e12, 10e-6),
    "H200": Device({"fp32": 494.5e12, "bf16": 989e12, "fp16": 989e12}, 4.8e12, 10e-6),
}

PUBLISHED_IMAGES, PUBLISHED_GPUS, PUBLISHED_RATE = 352_366, 4, 4_394
STUDY_ARCHITECTURES, STUDY_EPOCHS = 450, 108


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        precision: ``fp32`` (TF32 in convolutions) or ``bf16``.
        batch: images in a batch of one GPU.
        layout: order of feature maps in memory; the roofline does not tell orders apart.
    """

    precision: str
    batch: int
    layout: torch.memory_format

    def __str__(self) -> str:
        order = "channels_last" if self.layout == torch.channels_last else "NCHW"
        return f"{self.precision}, {order}, batch {self.batch}"


WAYS = (
    Way("fp32", 64, torch.contiguous_format),
    Way("bf16", 64, torch.channels_last),
    Way("bf16", 256, torch.channels_last),
    Way("bf16", 1024, torch.channels_last),
)


def layer_table(cell: Cell, shape: NetworkShape, device: Device, precision: str) -> str:
    """Return operations, bytes and bounds by kind of layer and stack, for one image forward and backward."""
    sums: dict[tuple[int, str], list[float]] = {}
    for layer in layers_of(cell, shape):
        entry = sums.setdefault((layer.stack, layer.name), [0, 0.0, 0.0, 0.0, 0.0])
        computing, moving = layer.seconds_apart(device, precision)
        for place, value in enumerate((1, layer.operations, layer.bytes(precision), computing, moving)):
            entry[place] += value
    total = sum(max(entry[3:]) for entry in sums.values())
    rows = [
        [
            f"stack {stack + 1}, {name}",
            f"{count:.0f}",
            f"{operations / 1e9:.2f}",
            f"{moved / 1e6:.1f}",
            f"{computing * 1e6:.1f}",
            f"{moving * 1e6:.1f}",
            "memory" if moving > computing else "arithmetic",
            f"{max(computing, moving) / total:.0%}",
        ]
        for (stack, name), (count, operations, moved, computing, moving) in sums.items()
    ]
    return table(["layer", "layers", "GFLOP", "MB", "us computing", "us moving", "bound by", "share"], rows)


def rate_rows(shape: NetworkShape, device: Device) -> list[list[str]]:
    """Return bounds by cell and way of training, and what they mean for one architecture and for the study."""
    rows = []
    for name, (edges, operations) in CELLS.items():
        cell = cell_of(edges, operations)
        layers, count = layers_of(cell, shape), parameters(cell, shape)
        for way in WAYS:
            least = step_time(layers, count, way.batch, device, way.precision)
            rate = way.batch / least.seconds
            hours = STUDY_EPOCHS * PUBLISHED_IMAGES / rate / 3600
            rows.append(
                [
                    f"{name} ({macs(cell, shape) / 1e9:.2f} GMAC)",
                    str(way),
                    f"{least.device * 1e3:.2f}",
                    f"{least.launches * 1e3:.2f}",
                    "launches" if least.launches > least.device else "device",
                    f"{rate:,.0f}",
                    f"{hours:.2f}",
                    f"{hours * STUDY_ARCHITECTURES:,.0f}",
                ]
            )
    return rows


def print_roofline(shape: NetworkShape, name: str, device: Device) -> None:
    """Print the tables of docs/speed.md."""
    print(f"Arithmetic for one {name}, not measured: least times by the roofline model.")
    cell = cell_of(*CELLS["7 vertices, mixed"])
    for precision in ("fp32", "bf16"):
        print(f"\nThe cell of 7 vertices, an image forward and backward, {precision}:")
        print(layer_table(cell, shape, device, precision))
    heads = ["cell", "recipe", "ms device", "ms launches", "bound by", "images/s", "GPU h", "GPU h of the study"]
    print(
        f"\nSteps and trainings ({STUDY_EPOCHS} epochs of {PUBLISHED_IMAGES:,} images; {STUDY_ARCHITECTURES} of them):"
    )
    print(table(heads, rate_rows(shape, device)))
    hours = STUDY_EPOCHS * PUBLISHED_IMAGES * PUBLISHED_GPUS / PUBLISHED_RATE / 3600
    print(
        f"\nPublished: {PUBLISHED_RATE:,} images/s on {PUBLISHED_GPUS} A100 for the median of 907 trainings, "
        f"{PUBLISHED_RATE / PUBLISHED_GPUS:,.0f} a GPU: {hours:.1f} GPU h each, "
        f"{hours * STUDY_ARCHITECTURES:,.0f} GPU h for {STUDY_ARCHITECTURES}."
    )


def measured_rate(cell: Cell, shape: NetworkShape, way: Way, steps: int) -> float:
    """Return the images a second of training on images that lie on the GPU."""
    torch.manual_seed(0)
    network = Network(cell, shape).cuda().train().to(memory_format=way.layout)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(way.batch, shape.bands, shape.image_size, shape.image_size, device="cuda")
    images = images.contiguous(memory_format=way.layout)
    labels = torch.randint(shape.classes, (way.batch,), device="cuda")

    def train(count: int) -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            with torch.autocast("cuda", torch.bfloat16, enabled=way.precision == "bf16"):
                loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    train(10)
    return way.batch * steps / min(train(steps) for _ in range(3))


def print_measured(shape: NetworkShape, name: str, device: Device, steps: int) -> None:
    """Print measured rates beside the bounds."""
    torch.backends.cudnn.benchmark = True
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; bounds of {name}, {steps} steps, best of 3")
    rows = []
    for cell_name, (edges, operations) in CELLS.items():
        cell = cell_of(edges, operations)
        layers, count = layers_of(cell, shape), parameters(cell, shape)
        for way in WAYS:
            bound = way.batch / step_time(layers, count, way.batch, device, way.precision).seconds
            rate = measured_rate(cell, shape, way, steps)
            rows.append([cell_name, str(way), f"{rate:,.0f}", f"{bound:,.0f}", f"{rate / bound:.0%}"])
    print(table(["cell", "recipe", "images/s", "bound", "reached"], rows))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roofline-only", action="store_true", help="print the arithmetic; needs no GPU")
    parser.add_argument("--device-name", choices=DEVICES, default="A100", help="data sheet of the bounds")
    parser.add_argument("--stem", type=int, default=128, help="channels of the stem")
    parser.add_argument("--steps", type=int, default=30, help="timed steps")
    options = parser.parse_args()
    shape = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=options.stem, stacks=3, cells_per_stack=3)
    device = DEVICES[options.device_name]
    if options.roofline_only:
        print_roofline(shape, options.device_name, device)
    elif not torch.cuda.is_available():
        raise SystemExit(f"torch {torch.__version__} finds no CUDA device here; --roofline-only prints the arithmetic.")
    else:
        print_measured(shape, options.device_name, device, options.steps)


if __name__ == "__main__":
    main()
