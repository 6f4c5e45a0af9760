"""`ImageReaderStage`: partitions of shards become batches of decoded images."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tarlight.argument import check_text
from tarlight.decode import DeviceArray, Share, TurboDecoder, select_decoder
from tarlight.errors import ArgumentError, DecoderUnavailableError
from tarlight.resources import Resources
from tarlight.stages.base import ProcessingStage, StageContext
from tarlight.stages.image.io.assemble import Assembler
from tarlight.stages.image.io.option import (
    DEFAULT_BATCH_SIZE,
    GPU_DECODERS,
    MIB,
    ReaderOptions,
    choose_batch_size,
    normal_extensions,
    normal_fields,
)
from tarlight.stages.image.io.read_ahead import ReadAhead
from tarlight.stages.image.io.release import Redecoder
from tarlight.stages.image.io.watch import ReaderWatch
from tarlight.storage import DEFAULT_PLAN
from tarlight.tasks import FileGroupTask, ImageBatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tarlight.decode import Decoder
    from tarlight.tasks import ImageObject


class ImageReaderStage(ProcessingStage[FileGroupTask, ImageBatch]):
    """Reads the JPEG images of tar shards in batches, in tar order, every one accounted for.

    One thread reads and parses, `num_threads` threads decode outside the interpreter lock, ahead of the
    consumer by a bounded number of bytes. The same input gives the same batches for any number of threads.
    """

    makes_images: ClassVar[bool] = True

    def __init__(
        self,
        batch_size: int = DEFAULT_BATCH_SIZE,
        *,
        dali_batch_size: int | None = None,
        num_threads: int = 8,
        num_gpus_per_worker: float = 0.25,
        gpu_memory_fraction: float | None = None,
        verbose: bool = True,
        decoder: str = "auto",
        verify: str = "headers",
        output: str = "numpy",
        extensions: Sequence[str] = (".jpg", ".jpeg"),
        fields: Sequence[str] = (),
        on_error: str = "skip",
        max_failures: float | None = None,
        damaged: str = "skip",
        exif_orientation: bool = True,
        max_pixels: int = 178_956_970,
        max_scans: int = 100,
        max_member_bytes: int = 256 * MIB,
        max_batch_bytes: int = 1024 * MIB,
        max_requests: int = DEFAULT_PLAN.max_requests,
        storage_options: Mapping[str, Any] | None = None,
        name: str = "image_reader",
    ) -> None:
        """Check the options; nothing is read or imported before `setup`.

        Args:
            batch_size: Images in a batch; the last one of a partition may be smaller.
            dali_batch_size: The same under its other documented name.
            num_threads: Decoding threads.
            num_gpus_per_worker: Share of one GPU that a worker asks the executor for, or a whole number of
                GPUs; 0 means CPU only.
                What there is to share is looked up where the worker runs, not where the pipeline is written.
            gpu_memory_fraction: Part of the GPU's memory to decode in; `num_gpus_per_worker` by default.
            verbose: Show progress and the final ledger on stderr.
            decoder: `auto`, or the name of one decoder, which must then be available: `turbo`, `pillow`,
                `dali` (on a GPU, else on the CPU), `nvimgcodec` (on a GPU). Chosen when a worker starts.
            verify: `dali` and `nvimgcodec` do not see damaged image data. `headers` finds what headers and
                markers show of it; `strict` also has libjpeg-turbo look at all data of every image, at
                over a third of what decoding it there costs. The other decoders always see everything.
            output: Where pixels go: `numpy` arrays on the host, or with `device` they stay on the GPU that
                decoded them, as `DeviceArray` (DLPack, `__cuda_array_interface__`); images that the CPU
                decoded are numpy arrays either way: all of them without a GPU, which the report says.
            extensions: Last extensions that make a member an image, in any case; JPEG only.
            fields: Fields of the same record to attach to `image.metadata`, such as `("txt", "json")`.
            on_error: `skip` records a bad image or damage and goes on; `raise` stops at the first.
            max_failures: Stop when more images than this failed: a count, or a fraction (float up to 1) of
                all, looked at from the 100th image on and at the end. A lost range counts as as many as it
                would hold at the mean size of the images before it in the run; as one at least.
            damaged: `skip` images whose data is damaged, or `deliver` them with `image.damaged = True`.
            exif_orientation: Turn and mirror images as their EXIF or XMP data says.
            max_pixels: Larger images are skipped; the default is Pillow's limit.
            max_scans: Images with more scans are skipped.
            max_member_bytes: Larger members are skipped without being held.
            max_batch_bytes: Bytes of pixels at which a batch ends early.
            max_requests: Requests at once to the store of URLs; each may take 8 MiB on its way.
            storage_options: Options of the stores that the shards lie in, as for `FilePartitioningStage`.
            name: Name of the stage in reports.

        Raises:
            ValueError: A value is not allowed; the message names the argument.
            TypeError: A value has the wrong type.
        """
        self.name = check_text("name", name)
        self.options = ReaderOptions(
            batch_size=choose_batch_size(batch_size, dali_batch_size),
            num_threads=num_threads,
            num_gpus_per_worker=num_gpus_per_worker,
            gpu_memory_fraction=gpu_memory_fraction,
            verbose=verbose,
            decoder=decoder,
            verify=verify,
            output=output,
            extensions=normal_extensions(extensions),
            fields=normal_fields(fields),
            on_error=on_error,
            max_failures=max_failures,
            damaged=damaged,
            exif_orientation=exif_orientation,
            max_pixels=max_pixels,
            max_scans=max_scans,
            max_member_bytes=max_member_bytes,
            max_batch_bytes=max_batch_bytes,
            max_requests=max_requests,
            storage_options=storage_options,
        )
        self.resources = Resources(cpus=float(num_threads), gpus=num_gpus_per_worker)
        self._decoder: Decoder | None = None
        self._redecoders: dict[str, Redecoder] = {}

    @property
    def verbose(self) -> bool:
        """True when the run should show progress and its ledger on stderr."""
        return self.options.verbose

    def setup(self) -> None:
        """Choose the decoder.

        Raises:
            DecoderUnavailableError: One was asked for by name and cannot be had on this worker.
        """
        self._decoder = self._select()
        self._decoder.prepare()

    def teardown(self) -> None:
        """Let the decoder go."""
        self._decoder = None
        self._redecoders = {}

    def process(self, task: FileGroupTask) -> Iterator[ImageBatch]:
        """Yield the batches of one partition."""
        return self.process_stream(iter([task]))

    def process_stream(self, tasks: Iterator[FileGroupTask]) -> Iterator[ImageBatch]:
        """Yield the batches of all partitions, reading ahead across their borders.

        `tasks` is pulled in the caller's thread, a few partitions ahead. Closing the generator ends all
        threads.
        """
        context = self.context or StageContext()
        ahead = ReadAhead(self.options, self._decoder or self._select(), context)
        assembler = Assembler(tasks, ahead, self.options, context)
        try:
            yield from assembler.batches()
        finally:
            context.ledger.leave(assembler.num_waiting + ahead.close())
            assembler.note_decoder()

    def fitted(self, resources: Resources) -> ImageReaderStage:
        """Return a copy that decodes on as many threads as there are CPUs, without a GPU on the CPU.

        Raises:
            ArgumentError: there is no GPU for a decoder that was asked for by name and wants one.
        """
        if resources.gpus < self.resources.gpus and self.options.decoder in GPU_DECODERS:
            raise ArgumentError(
                f"decoder={self.options.decoder!r} asks for {self.resources.gpus:g} of a GPU, and there is "
                "none; use decoder='auto', or num_gpus_per_worker=0 where it can do without"
            )
        reader = super().fitted(resources)
        num_threads = min(self.options.num_threads, max(int(resources.cpus), 1))
        reader.options = replace(
            self.options,
            num_threads=num_threads,
            num_gpus_per_worker=resources.gpus,
        )
        reader.resources = Resources(cpus=float(num_threads), gpus=resources.gpus)
        return reader

    def as_part(self) -> ImageReaderStage:
        """Return a copy that leaves `max_failures` and what is said of all images to `watch`."""
        reader = copy(self)
        reader.options = replace(self.options, is_part=True)
        return reader

    def watch(self, context: StageContext) -> ReaderWatch:
        """Return what counts failures, and looks for fields, over all workers."""
        return ReaderWatch(self.options, context)

    def fingerprint(self) -> dict[str, Any]:
        """Options that decide about ids, verdicts and pixels; a checkpoint of others is refused."""
        options = self.options
        return {
            "decoder": options.decoder,
            "extensions": sorted(options.extensions),
            "fields": sorted(options.fields),
            "damaged": options.damaged,
            "exif_orientation": options.exif_orientation,
            "max_pixels": options.max_pixels,
            "max_scans": options.max_scans,
            "max_member_bytes": options.max_member_bytes,
            "verify": options.verify,
        }

    def storage_access(self) -> Mapping[str, Any] | None:
        """Options of the stores that the shards lie in."""
        return self.options.storage_options

    def release(self, task: ImageBatch) -> bool:
        """Release the pixels of a batch.

        Returns False, and does nothing, where one came out of gzip or has its pixels on a GPU.
        """
        if not all(_is_releasable(image) for image in task.data):
            return False
        for image in task.data:
            image.release(self._redecoder(image.decoder))
        return True

    def describe(self) -> dict[str, Any]:
        """Facts for `Pipeline.describe`."""
        options = self.options
        chosen, choice = self._choice()
        ahead, batch = options.read_ahead_bytes(chosen) // MIB, options.max_batch_bytes // MIB
        return {
            "batch_size": options.batch_size,
            "decoder": f"{options.decoder} ({choice})",
            "output": options.output,
            "verify": options.verify,
            "on_error": options.on_error,
            "max_failures": "none" if options.max_failures is None else str(options.max_failures),
            "damaged": options.damaged,
            "caps": f"{options.max_pixels:,} pixels, {options.max_scans:,} scans, "
            f"{options.max_member_bytes:,} bytes a member",
            "threads": f"1 reading, {options.num_threads} decoding",
            "extensions": ", ".join(options.extensions),
            "fields": ", ".join(options.fields) or "none",
            "storage_options": ", ".join(sorted(options.storage_options or ())) or "none",
            "memory": f"at most {ahead} MiB read ahead + {batch} MiB in the batch being filled "
            "+ the batches that the consumer holds; a larger image goes alone, and while it is decoded takes "
            "up to 5 times its pixels",
            "memory_for_urls": f"at most {options.plan.window_bytes // MIB} MiB more on their way or waiting "
            f"to be read, in up to {options.max_requests} requests at once",
        }

    def _choice(self) -> tuple[Decoder, str]:
        """Return what would be chosen here, with the reason; on the worker it may be another."""
        try:
            decoder = self._select()
        except DecoderUnavailableError as error:
            return TurboDecoder(), f"not available here: {error}"
        return decoder, f"here {decoder.name}, {decoder.reason}"

    def _redecoder(self, name: str) -> Redecoder:
        """Return what decodes images again as the decoder of this name did."""
        if name not in self._redecoders:
            decoder = self._decoder or self._select()
            self._redecoders[name] = Redecoder(decoder, name, self.options)
        return self._redecoders[name]

    def _select(self) -> Decoder:
        options = self.options
        return select_decoder(
            options.decoder,
            damaged=options.damaged,
            exif_orientation=options.exif_orientation,
            verify=options.verify,
            output=options.output,
            batch_size=options.batch_size,
            share=Share(options.num_gpus_per_worker, options.gpu_memory_fraction),
        )


def _is_releasable(image: ImageObject) -> bool:
    """Return whether the same pixels can be made again."""
    if image.source is None or image.source.inflated:
        return False
    return image.is_released or not isinstance(image.image_data, DeviceArray)
