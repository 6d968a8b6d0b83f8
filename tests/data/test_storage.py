"""Types of the stored pixels: chosen from a sample, checked on every value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import DataError
from terranas.data.moments import BandMoments
from terranas.data.storage import ACCEPTED_SHARE, UnfitError, choose_storage

FLOAT = np.dtype(np.float64)


def images_of(values):
    """Put values (n, bands) into images of one pixel."""
    return np.asarray(values)[:, None, None, :]


def decoded(storage, stored):
    return stored.astype(np.float64) * storage.scale + storage.offset


def digital_numbers(rng, low, high, step, bands=3, dtype=np.float64):
    """Return what a published file holds: whole numbers, divided as a processor divides."""
    return (rng.integers(low, high, size=(5000, bands)) / round(1 / step)).astype(dtype)


@pytest.mark.parametrize(
    ("low", "high", "step", "dtype", "expected"),
    [
        (0, 28_000, 1e-4, np.float64, "uint16"),  # Sentinel-2 of So2Sat
        (0, 28_000, 1e-4, np.float32, "uint16"),
        (-20_000, 30_000, 1e-4, np.float64, "uint16"),
        (0, 256, 1, np.float64, "uint8"),
        (0, 256, 1 / 255, np.float64, "uint8"),
        (0, 60_000, 1, np.float32, "uint16"),
        (100_000, 100_200, 1, np.int32, "uint8"),
        (0, 10**9, 1e-4, np.float64, "float16"),  # multiples, but of too many steps
    ],
)
def test_whole_multiples_are_kept_exactly(low, high, step, dtype, expected):
    values = digital_numbers(np.random.default_rng(0), low, high, step, dtype=dtype)
    storage = choose_storage(values[:1000].astype(float), values.dtype, "auto")
    assert storage.dtype == expected
    if expected.startswith("uint"):
        encoded = storage.encode(images_of(values))
        rounding = np.finfo(dtype).eps if dtype != np.int32 else 0
        np.testing.assert_allclose(decoded(storage, encoded.stored), images_of(values), rtol=2 * rounding, atol=1e-11)
        assert (encoded.largest <= 2 * rounding * abs(values).max() + 1e-11).all()


def test_a_step_belongs_to_a_band():
    rng = np.random.default_rng(0)
    values = np.stack([rng.integers(0, 9000, 500) / 1e4, rng.integers(-300, 300, 500) * 1.0], axis=1)
    storage = choose_storage(values, FLOAT, "auto")
    assert storage.scale.tolist() == [1e-4, 1.0]
    assert storage.offset.tolist() == [0.0, -32768.0]
    stored = storage.encode(images_of(values)).stored
    assert stored.dtype == np.uint16
    np.testing.assert_allclose(decoded(storage, stored), images_of(values), atol=1e-12)


def test_integers_stay_as_they_are():
    for dtype in (np.uint8, np.uint16):
        values = np.random.default_rng(0).integers(0, 200, (500, 2)).astype(dtype)
        storage = choose_storage(values.astype(float), values.dtype, "auto")
        assert storage.dtype == dtype
        assert storage.plain
        encoded = storage.encode(images_of(values))
        assert encoded.stored.tobytes() == values.tobytes()
        assert encoded.largest.tolist() == [0, 0]


def test_intensities_beyond_float16_are_scaled_by_a_power_of_two():
    rng = np.random.default_rng(0)
    values = rng.gamma(0.5, 4e4, size=(20_000, 2))
    assert values.max() > 65_504
    storage = choose_storage(values, FLOAT, "auto")
    assert storage.dtype == np.float16
    assert (np.log2(storage.scale) % 1 == 0).all()
    encoded = storage.encode(images_of(values))
    assert np.isfinite(encoded.stored).all()
    errors = abs(decoded(storage, encoded.stored) - images_of(values))
    np.testing.assert_array_equal(encoded.largest, errors.max(axis=(0, 1, 2)))
    np.testing.assert_allclose(encoded.squared, (errors**2).sum(axis=(0, 1, 2)), rtol=1e-12)
    assert (errors <= images_of(values) * 2.0**-11 + storage.scale * 2.0**-25).all()
    assert (np.sqrt(encoded.squared / len(values)) <= ACCEPTED_SHARE * values.std(axis=0)).all()


def test_real_radar_and_optical_bands(shared_data):
    """BigEarthNet: Sentinel-1 in decibels and as intensities, Sentinel-2 as reflectances."""
    with np.load(shared_data / "bigearthnet" / "bigearthnet_v2_120.npz", allow_pickle=False) as arrays:
        x = arrays["x"][:40].astype(np.float64)
    sources = {"dB": x[..., :2], "intensity": 10 ** (x[..., :2] / 10), "reflectance": x[..., 2:] / 10_000}
    for name, images in sources.items():
        storage = choose_storage(images.reshape(-1, images.shape[3])[::97], FLOAT, "auto")
        encoded = storage.encode(images)
        errors = abs(decoded(storage, encoded.stored) - images)
        assert storage.dtype == (np.uint16 if name == "reflectance" else np.float16)
        assert (errors <= (1e-12 if name == "reflectance" else 2.0**-11 * abs(images) + 1e-9)).all()
        assert (encoded.largest == errors.max(axis=(0, 1, 2))).all()


def test_float16_is_passed_over_where_it_loses_what_tells_images_apart():
    values = 1e4 + np.random.default_rng(0).normal(size=(5000, 1))  # float16 has steps of 8 there
    assert choose_storage(values, FLOAT, "auto").dtype == np.float32
    with pytest.raises(DataError, match=r"data.storage is float16.*changes band 0 by up to [\d.]+ .*auto or float32"):
        choose_storage(values, FLOAT, "float16")


@pytest.mark.parametrize(("top", "dtype"), [(0.02, np.float32), (1e-5, np.float32), (5e-11, np.float64)])
def test_small_values_are_no_multiples_of_a_step_far_larger_than_they_are(top, dtype):
    values = (np.random.default_rng(0).random((5000, 2)) * top).astype(dtype)
    storage = choose_storage(values.astype(float), values.dtype, "auto")
    assert storage.dtype == np.float16
    encoded = storage.encode(images_of(values))
    assert (encoded.largest <= 2.0**-11 * top).all()


def test_float16_and_float32_sources_are_kept():
    values = np.random.default_rng(0).normal(size=(500, 2))
    half = values.astype(np.float16)
    assert choose_storage(half.astype(float), half.dtype, "auto").dtype == np.float16
    single = values.astype(np.float32)
    storage = choose_storage(single.astype(float), single.dtype, "float32")
    assert storage.encode(images_of(single)).stored.tobytes() == single.tobytes()


@pytest.mark.parametrize(
    ("values", "requested", "message"),
    [
        ([[0.5], [300.0]], "uint8", "data.storage is uint8, .* no multiples .* between 0.5 and 300"),
        ([[0.1234567], [7.0]], "uint16", "data.storage is uint16"),
        ([[1.0], [1e300]], "auto", r"1e\+300 of band 0 lies outside of what float32 holds"),
        ([[1.0], [1e300]], "float32", r"1e\+300 of band 0"),
    ],
)
def test_values_that_no_type_holds_are_refused(values, requested, message):
    with pytest.raises(DataError, match=message):
        choose_storage(np.array(values), FLOAT, requested)


@pytest.mark.parametrize("value", [0.00015, 7.0, -1e-4])
def test_a_value_unlike_the_sample_is_found(value):
    storage = choose_storage(np.array([[0.0], [0.0001], [1.0]]), FLOAT, "auto")
    assert (storage.dtype, storage.scale[0], storage.offset[0]) == (np.uint16, 1e-4, 0)
    block = np.full((5, 1), 0.5)
    block[3] = value
    with pytest.raises(UnfitError) as caught:
        storage.encode(images_of(block))
    assert caught.value.pixels.tolist() == [[value]]
    again = choose_storage(np.array([[0.0], [0.0001], [1.0], [value]]), FLOAT, "auto")
    again.encode(images_of(block))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([np.float64, np.float32, np.int16, np.uint16, np.uint8, np.int64]),
    st.integers(0, 2**32),
    st.sampled_from([1, 10, 10_000]),
)
def test_what_a_choice_was_made_by_fits_it_and_comes_back(dtype, seed, divisor):
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    top = min(info.max if info else 10**6, 10 ** int(rng.integers(1, 8)))
    low = 0 if info and info.min == 0 else -top
    values = rng.integers(low, top, size=(50, 2), endpoint=True)
    values = values.astype(dtype) if info else (values / divisor).astype(dtype)
    storage = choose_storage(values.astype(float), values.dtype, "auto")
    encoded = storage.encode(images_of(values))
    errors = abs(decoded(storage, encoded.stored) - images_of(values).astype(float))
    np.testing.assert_array_equal(errors.max(axis=(0, 1, 2)), encoded.largest)
    assert (encoded.largest <= 2.0**-11 * abs(values.astype(float)).max(axis=0)).all()


def test_statistics_of_stored_values_are_those_of_physical_ones():
    rng = np.random.default_rng(1)
    values = digital_numbers(rng, 0, 20_000, 1e-4).reshape(-1, 5, 5, 3)
    storage = choose_storage(values.reshape(-1, 3), FLOAT, "auto")
    moments = BandMoments.empty(3)
    for block in np.array_split(values, 7):
        moments.add(storage.encode(block).stored)
    physical = moments.scaled(storage.scale, storage.offset)
    for name, function in {"mean": np.mean, "std": np.std, "low": np.min, "high": np.max}.items():
        np.testing.assert_allclose(getattr(physical, name), function(values, axis=(0, 1, 2)), rtol=1e-12)


def test_statistics_stay_accurate_far_from_zero():
    rng = np.random.default_rng(1)
    values = 1e7 + rng.normal(size=(50, 8, 8, 2))
    moments = BandMoments.empty(2)
    for block in np.array_split(values, 7):
        moments.add(block)
    np.testing.assert_allclose(moments.std, values.std(axis=(0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(moments.mean, values.mean(axis=(0, 1, 2)), rtol=1e-14)


def test_a_band_without_variation_has_none():
    """Its mean is rounded, and what is left over would pass for a tiny variation."""
    moments = BandMoments.empty(1)
    for _ in range(3):
        moments.add(np.full((7, 3, 3, 1), 0.1))
    assert moments.squared[0] > 0
    assert moments.std.tolist() == [0.0]
    assert moments.scaled(np.array([0.3]), np.array([0.7])).std.tolist() == [0.0]


def test_moments_survive_a_record():
    moments = BandMoments.empty(2)
    moments.add(np.random.default_rng(0).normal(size=(3, 4, 4, 2)))
    for before in (moments, BandMoments.empty(2)):
        after = BandMoments.from_record(before.to_record())
        assert after.pixels == before.pixels
        for name in ("mean", "squared", "low", "high"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    with pytest.raises(DataError, match="no recorded moments"):
        BandMoments.from_record({"pixels": 3})
