"""The reader with a device, that is with rungs that stand in for one: same batches, same books."""

from __future__ import annotations

import itertools
import pickle
import threading

import numpy as np
import pytest

from tarlight.decode import DeviceArray, LadderDecoder, TurboDecoder
from tarlight.decode import selection as rules
from tarlight.decode.device import Device, NoDevice, find_device
from tarlight.decode.ladder_decoder import SEEN_BESIDE
from tarlight.errors import ArgumentError, DevicePixelsError, PixelsReleasedError, ResultTooLargeError
from tarlight.pipeline import Pipeline
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.stages.image.io.image_reader import ImageReaderStage
from tests.decode.fakes import FakeRung, device_decoder
from tests.decode.jpegs import encoded

from .dataset import ids, images, jpeg, pipeline, write_shards, write_tar
from .test_cancel import our_threads

DEVICE = Device(0, "a GPU", 8 << 30, (9, 0))


class Reader(ImageReaderStage):
    """A reader that is given its decoder."""

    def __init__(self, decoder, **options):
        super().__init__(**{"num_threads": 2, "verbose": False, **options})
        self.given = decoder

    def _select(self):
        return self.given


def with_device(paths, *rungs, recipe=None, **options):
    reader = Reader(device_decoder(*(rungs or (FakeRung(),)), **(recipe or {})), **options)
    return Pipeline("test", stages=[FilePartitioningStage(paths), reader])


def damaged(data):
    """A JPEG whose damage no device sees: bytes after its image data."""
    return data[:-2] + b"junk" * 16 + data[-2:]


@pytest.fixture
def shards(tmp_path):
    write_shards(tmp_path, shards=5, records=40)
    return str(tmp_path)


@pytest.mark.parametrize(
    "rung", [FakeRung(), FakeRung(lost_after=1), FakeRung(is_missing=True), FakeRung(fits=3)]
)
@pytest.mark.parametrize("is_shared", [True, False])
def test_batches_do_not_depend_on_who_decodes(shards, rung, is_shared):
    """With a device, one that fails, or none, batches, order and ids are those of libjpeg-turbo."""
    expected = pipeline(shards, batch_size=7).run()
    results = with_device(shards, rung, recipe={"is_shared": is_shared}, batch_size=7).run()
    assert [(batch.task_id, batch.num_items) for batch in results] == [
        (batch.task_id, batch.num_items) for batch in expected
    ]
    assert ids(results) == ids(expected)
    for mine, other in zip(images(results), images(expected), strict=True):
        assert np.array_equal(mine.image_data, other.image_data)
    assert results.report.is_balanced
    assert our_threads() == []


def test_device_and_cores_share_a_run(tmp_path):
    """Where more waits than the device gets done, cores decode too, which counts as no fallback."""
    write_shards(tmp_path, shards=1, records=640)
    helped, calls = threading.Event(), itertools.count()

    class Slow(LadderDecoder):
        """Gets nothing done after its first bundle until a core has helped."""

        def decode(self, images):
            results = super().decode(images)
            assert next(calls) == 0 or helped.wait(60)
            return results

        def decode_beside(self, images):
            helped.set()
            return super().decode_beside(images)

    reader = Reader(Slow(device_decoder(FakeRung())._recipe))
    report = Pipeline(stages=[FilePartitioningStage(str(tmp_path)), reader]).run().report
    assert report.images_delivered == 640
    assert set(report.decoders) == {"fake", "turbo"}
    assert report.fallbacks == {}


def test_a_device_that_was_asked_for_by_name_is_not_helped(shards):
    """Without sharing, every image that the device takes is decoded there."""
    report = with_device(shards, recipe={"is_shared": False}).run().report
    assert report.decoders == {"fake": 200}


def test_a_lost_device_costs_no_image_and_is_told(shards):
    """When the device is lost in the middle of a run, the cores decode the rest, and the report says so."""
    report = with_device(shards, FakeRung(lost_after=1), batch_size=10).run().report
    assert report.images_delivered == 200
    assert report.decoders["turbo"] >= 1
    assert any("fell off the bus" in note.text for note in report.notes)


def test_verdicts_do_not_depend_on_who_decodes(tmp_path):
    """Damage that only libjpeg-turbo sees is delivered wherever an image went; `strict` refuses it."""
    good, bad = jpeg(1, 64, 64), damaged(jpeg(2, 64, 64))
    shard = write_tar(
        tmp_path / "a.tar", [(f"{n:04d}.jpg", bad if n % 10 == 3 else good) for n in range(1000)]
    )
    report = with_device(shard).run().report
    assert report.images_delivered == 1000
    strict = with_device(shard, recipe={"strict": True}).run()
    assert strict.report.images_skipped == {"corrupt": 100}
    assert all(image.damage_checked for image in images(strict))
    decoder = device_decoder(FakeRung())
    (beside,) = decoder.decode_beside([encoded(bad)])
    (there,) = decoder.decode([encoded(bad)])
    assert np.array_equal(beside.pixels, there.pixels)
    assert (beside.damage_checked, beside.fallback) == (False, SEEN_BESIDE)
    (sound,) = decoder.decode_beside([encoded(good)])
    assert (sound.decoder, sound.damage_checked, sound.fallback) == ("turbo", True, "")


def test_damage_that_a_device_chokes_on_is_refused_wherever_it_went(tmp_path):
    """An image that no rung decodes gets libjpeg-turbo's verdict, whoever had it first."""
    bad = damaged(jpeg(2, 64, 64))
    decoder = device_decoder(FakeRung(bad=frozenset({bad}), tells_bad=True))
    (beside,) = decoder.decode_beside([encoded(bad)])
    (there,) = decoder.decode([encoded(bad)])
    assert beside == there
    assert beside.reason == "corrupt"


def test_pixels_stay_on_the_device(shards):
    """With `output="device"` what the device decoded reaches `image_data` as it is."""
    decoder = {"keeps_on_device": True, "is_shared": False}
    results = with_device(shards, FakeRung(keeps=True), recipe=decoder, output="device").run()
    for image in images(results):
        assert isinstance(image.image_data, DeviceArray)
        assert image.image_data.shape == (16, 24, 3)
        assert image.num_bytes == 16 * 24 * 3
    expected = images(pipeline(shards).run())
    for image, other in zip(images(results), expected, strict=True):
        assert np.array_equal(np.from_dlpack(image.image_data), other.image_data)
    with pytest.raises(DevicePixelsError):
        pickle.dumps(results[0])


def test_pixels_on_a_device_are_not_released(shards):
    """More than `result_memory` on a device is an error that names `stream()`: nothing is released."""
    decoder = {"keeps_on_device": True, "is_shared": False}
    with pytest.raises(ResultTooLargeError, match="on a GPU"):
        with_device(shards, FakeRung(keeps=True), recipe=decoder, output="device").run(result_memory=5_000)


def test_released_pixels_come_from_where_they_came_from(shards):
    """Released images are decoded again by the rung, or the CPU, that made them, bit for bit."""
    expected = [image.image_data for image in images(pipeline(shards).run())]
    stages = with_device(shards, FakeRung(bad=frozenset({jpeg(3)}), tells_bad=True), batch_size=20)
    with pytest.warns(UserWarning, match="released"):
        results = stages.run(result_memory=1)
    for image, due in zip(images(results), expected, strict=True):
        assert image.is_released
        assert np.array_equal(image.image_data, due)
    assert images(results)[3].decoder == "turbo"


def test_pixels_of_a_device_that_is_gone_are_not_replaced(shards):
    """A released image whose device is lost meanwhile is an error that says so, never other pixels."""
    rung = FakeRung()
    stages = with_device(shards, rung, recipe={"is_shared": False})
    with pytest.warns(UserWarning, match="released"):
        results = stages.run(result_memory=1)
    stages.stages[-1].given.ladder._batchers[0].closed = "pulled out"
    with pytest.raises(PixelsReleasedError, match="fake made them"):
        _ = images(results)[0].image_data


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_leaving_early_ends_the_feeders(shards, taken):
    """Leaving a run with a device after any number of batches ends all threads with balanced books."""
    with with_device(shards, batch_size=10).stream() as run:
        for number, _ in enumerate(run):
            if number >= taken:
                break
    assert our_threads() == []
    assert run.report.is_balanced


def test_what_a_decoder_raises_reaches_the_consumer(shards):
    """An exception out of a feeder is the run's, and ends its threads."""

    class Broken(LadderDecoder):
        def decode(self, images):
            raise RuntimeError("a bug of ours")

    reader = Reader(Broken(device_decoder(FakeRung())._recipe))
    with pytest.raises(RuntimeError, match="a bug of ours"):
        Pipeline(stages=[FilePartitioningStage(shards), reader]).run()
    assert our_threads() == []


def test_read_ahead_for_a_device_is_larger_and_still_bounded():
    """A device gets as much read ahead as a batch, the CPU a quarter, and `describe` prints what it is."""
    options = ImageReaderStage(max_batch_bytes=400 << 20).options
    assert options.read_ahead_bytes(TurboDecoder()) == 100 << 20
    assert options.read_ahead_bytes(device_decoder(FakeRung())) == 400 << 20
    described = Reader(device_decoder(FakeRung()), max_batch_bytes=400 << 20).describe()
    assert described["memory"].startswith("at most 400 MiB read ahead")


@pytest.mark.parametrize("max_batch_bytes", [10_000, 100_000])
def test_no_more_is_in_flight_than_the_budget_allows(shards, max_batch_bytes):
    """With a small budget the device gets small bundles, and everything is delivered in order."""
    rung = FakeRung()
    results = with_device(shards, rung, max_batch_bytes=max_batch_bytes).run()
    assert ids(results) == sorted(ids(results))
    assert results.report.images_delivered == 200


def test_device_output_without_a_device_is_numpy_and_told(shards):
    """On a machine without a GPU `output="device"` gives numpy arrays, and the report says so."""
    results = pipeline(shards, output="device", num_gpus_per_worker=0).run()
    assert all(isinstance(image.image_data, np.ndarray) for image in images(results))
    assert "numpy arrays" in results.report.decoder_choice
    with pytest.raises(ArgumentError, match="output must be one of 'numpy', 'device'"):
        ImageReaderStage(output="disk")


@pytest.mark.parametrize(("gpus", "expected"), [(0.25, "nvimgcodec"), (0, "turbo")])
def test_the_share_of_a_gpu_is_looked_up_on_the_worker(monkeypatch, gpus, expected):
    """A stage asks the executor for its share, and chooses by the devices of the worker that unpickles it."""
    written = ImageReaderStage(num_gpus_per_worker=gpus)
    assert written.resources.gpus == gpus
    travelled = pickle.dumps(written)
    monkeypatch.setattr(rules, "find_device", lambda: DEVICE)  # the worker has a GPU, the writer had none
    monkeypatch.setattr(rules, "_is_installed", lambda package: package == rules.nvimgcodec.PACKAGE)
    chosen = pickle.loads(travelled)._select()
    assert chosen.name == expected
    if gpus:
        assert sum(rung.budget_bytes for rung in chosen._recipe.rungs) == DEVICE.memory_bytes // 4
        assert (chosen.is_shared, chosen.lane is chosen) == (True, True)
    else:
        assert "num_gpus_per_worker=0 asks for the CPU only" in chosen.reason


def test_cores_do_not_help_with_pixels_that_stay_on_the_device(monkeypatch):
    """With `output="device"` free cores take no images, so that what the device can do stays on it."""
    monkeypatch.setattr(rules, "find_device", lambda: DEVICE)
    monkeypatch.setattr(rules, "_is_installed", lambda package: package == rules.nvimgcodec.PACKAGE)
    assert not ImageReaderStage(output="device")._select().is_shared


def test_what_a_device_wants_follows_its_rungs():
    """The appetite is one call of a backend, from more threads than there are backends."""
    rung = FakeRung(num_backends=2, budget_bytes=1000, max_images=32)
    assert device_decoder(rung).appetite == (4, 32, 500)
    assert device_decoder(rung, strict=True).appetite == (8, 32, 500)
    host, device = device_decoder(rung), device_decoder(rung, keeps_on_device=True)
    assert (host.pixel_copies, device.pixel_copies) == (2, 1)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["dali", "nvimgcodec"])
def test_a_gpu_gives_the_pixels_of_the_cpu(shards, name):
    """On a GPU, both outputs are near libjpeg-turbo's pixels, and released images repeat themselves."""
    if isinstance(device := find_device(), NoDevice):
        pytest.skip(device.why)
    expected = [image.image_data.astype(int) for image in images(pipeline(shards, decoder="turbo").run())]
    there = pipeline(shards, decoder=name, output="device").run()
    host = pipeline(shards, decoder=name).run()
    for on_device, on_host, due in zip(images(there), images(host), expected, strict=True):
        assert np.array_equal(on_device.image_data.to_host(), on_host.image_data)
        assert np.abs(on_host.image_data.astype(int) - due).max() <= 8
    with pytest.warns(UserWarning, match="released"):
        released = pipeline(shards, decoder=name).run(result_memory=1)
    for again, before in zip(images(released), images(host), strict=True):
        assert np.array_equal(again.image_data, before.image_data)


@pytest.mark.gpu
def test_a_gpu_without_enough_memory_costs_no_image(shards):
    """With a budget that is far too small the CPU does what the GPU cannot, down to one image at a time."""
    if isinstance(device := find_device(), NoDevice):
        pytest.skip(device.why)
    results = pipeline(shards, gpu_memory_fraction=1e-9).run()
    assert results.report.images_delivered == 200


@pytest.mark.gpu
def test_other_libraries_take_device_pixels_without_a_copy(shards):
    """torch, where it is there, sees the same memory through DLPack and the CUDA array interface."""
    if isinstance(device := find_device(), NoDevice):
        pytest.skip(device.why)
    torch = pytest.importorskip("torch")
    (first, *_) = images(pipeline(shards, output="device").run())
    tensor = torch.from_dlpack(first.image_data)
    assert tensor.is_cuda
    assert tensor.data_ptr() == first.image_data.__cuda_array_interface__["data"][0]
