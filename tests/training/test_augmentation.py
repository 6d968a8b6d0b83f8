import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terranas.training.augmentation import SYMMETRIES, augment

KINDS = sorted(SYMMETRIES)


def versions(image, kind):
    """All symmetric versions of one image (bands, height, width), made by numpy."""
    turns = range(4) if kind == "flips_rotations" else (0, 2)
    turned = [np.rot90(image, turn, axes=(1, 2)) for turn in turns]
    return turned + [np.flip(version, axis=2) for version in turned]


def images_of(count, bands, height, width, channels_last=True):
    x = torch.arange(count * bands * height * width, dtype=torch.float32).reshape(count, bands, height, width)
    return x.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(
    st.sampled_from(KINDS),
    st.integers(0, 20),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 6),
    st.booleans(),
    st.integers(0, 1000),
)
def test_every_image_becomes_a_version_of_itself(kind, count, bands, height, width, channels_last, seed):
    width = height if kind == "flips_rotations" else width
    x = images_of(count, bands, height, width, channels_last)
    before = x.clone()
    turned = augment(x, kind, seeded(seed))
    assert turned.shape == x.shape
    assert turned.is_contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    assert torch.equal(x, before)
    for image, result in zip(x.numpy(), turned.numpy(), strict=True):
        assert any(np.array_equal(result, version) for version in versions(image, kind))
    assert torch.equal(turned, augment(x, kind, seeded(seed)))


@pytest.mark.parametrize("kind", KINDS)
def test_all_versions_come_equally_often(kind):
    count = 4000
    image = images_of(1, 2, 5, 5)
    x = image.expand(count, -1, -1, -1).contiguous(memory_format=torch.channels_last)
    turned = augment(x, kind, seeded(3)).numpy()
    expected = versions(image[0].numpy(), kind)
    times = [int((turned == version).all(axis=(1, 2, 3)).sum()) for version in expected]
    assert len(times) == SYMMETRIES[kind]
    assert sum(times) == count
    # five standard deviations of a binomial count
    share = count / len(times)
    assert max(abs(seen - share) for seen in times) < 5 * np.sqrt(share * (1 - 1 / len(times)))


def test_nothing_is_drawn_without_augmentation():
    generator, x = seeded(0), images_of(3, 2, 4, 4)
    before = generator.get_state()
    assert augment(x, "none", generator) is x
    assert torch.equal(generator.get_state(), before)
    augment(x, "flips", generator)
    assert not torch.equal(generator.get_state(), before)


def test_what_is_drawn_does_not_depend_on_the_order_in_memory():
    last, first = (augment(images_of(9, 3, 4, 4, order), "flips_rotations", seeded(5)) for order in (True, False))
    assert torch.equal(last, first)


def test_quarter_turns_need_square_images():
    with pytest.raises(ValueError, match="4 x 6 pixels"):
        augment(images_of(1, 1, 4, 6), "flips_rotations", seeded(0))
