"""From a dataset to a page: read it, look at everything, write what was found."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tarlight.inspect.surveying.surveyor import NUM_PICTURES, Surveyor
from tarlight.pipeline import Pipeline
from tarlight.report.page import render_page
from tarlight.report.survey import RunFacts
from tarlight.stages.file_partitioning import FilePartitioningStage
from tarlight.stages.first_images import FirstImages
from tarlight.stages.image.io.image_reader import ImageReaderStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tarlight.events import Listener
    from tarlight.ledger import Report
    from tarlight.report.survey import Survey


def survey(
    file_paths: Any,
    *,
    fields: Sequence[str] = ("txt",),
    limit: int | None = None,
    file_extensions: Sequence[str] = (".tar",),
    num_threads: int = 8,
    decoder: str = "auto",
    storage_options: dict[str, Any] | None = None,
    num_pictures: int = NUM_PICTURES,
    seed: int = 0,
    listeners: Sequence[Listener] = (),
) -> Survey:
    """Read a dataset, look at every image, and return what was found.

    Memory is bounded whatever the dataset's size: the reader's, and about 30 MB for the survey.

    Args:
        file_paths: As for `FilePartitioningStage`.
        fields: Fields to load; captions are looked for in `txt`, `caption`, `text` and inside `json`.
        limit: Images after which to stop.
        file_extensions: Extensions that make a file of a folder a shard.
        num_threads: Decoding threads.
        decoder: `auto`, or the name of one.
        storage_options: Passed to the store that reads the shards.
        num_pictures: Pictures of the contact sheet.
        seed: Another number, another sample of pictures.
        listeners: Told of every event of the run.

    Raises:
        TarlightError: whatever stops the run; bad images do not, they are in the survey.
    """
    surveyor = Surveyor(num_pictures=num_pictures, seed=seed)
    pipeline = Pipeline(
        name="survey",
        stages=[
            FilePartitioningStage(
                file_paths, 1, file_extensions=file_extensions, storage_options=storage_options
            ),
            surveyor.watch(),
            ImageReaderStage(
                num_threads=num_threads,
                decoder=decoder,
                fields=fields,
                storage_options=storage_options,
                verbose=False,
            ),
        ],
    )
    if limit is not None:
        pipeline.add_stage(FirstImages(limit))
    left = limit
    with pipeline.stream(listeners=listeners) as stream:
        for batch in stream:
            surveyor.take(batch)
            left = None if left is None else left - batch.num_images
            if left == 0:
                break
    return finish_survey(surveyor, pipeline, stream.report)


def finish_survey(surveyor: Surveyor, pipeline: Pipeline, report: Report) -> Survey:
    """Return the survey of a run, with what was run.

    Skipped images are read again for their thumbnails with the storage options of the pipeline's reader.

    Args:
        surveyor: Who took the batches of the run.
        pipeline: What was run.
        report: The ledger of the run, also of one that was stopped or failed.
    """
    readers = [stage for stage in pipeline.stages if isinstance(stage, ImageReaderStage)]
    storage_options = readers[0].options.storage_options if readers else None
    return surveyor.survey(report, _describe(pipeline), storage_options=storage_options)


def _describe(pipeline: Pipeline) -> RunFacts:
    """Return what a pipeline reads, and how, for people; storage options are left out."""
    sources: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    for stage in pipeline.stages:
        if isinstance(stage, FilePartitioningStage):
            sources = tuple(map(str, stage.file_paths))
        if isinstance(stage, ImageReaderStage):
            facts = stage.describe()
            settings |= {name: str(facts[name]) for name in ("decoder", "threads", "fields", "batch_size")}
    settings["machine"] = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    settings["python"] = platform.python_version()
    return RunFacts(_title(sources), sources, settings)


def write_report(found: Survey, path: str | os.PathLike[str]) -> None:
    """Write a survey as one HTML page that needs nothing else.

    The page loads nothing from anywhere; text from the shards is shown as text. It is written beside `path`
    and put in place when it is complete.

    Args:
        found: What to show.
        path: The file to write; what was there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_text(render_page(found), encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _title(sources: Sequence[str]) -> str:
    """Name a dataset by the last part of what was read, shards and patterns aside."""
    if not sources:
        return "dataset"
    parts = [part for part in sources[0].split("/") if part not in {"", "."}]
    names = [part for part in parts if not set(part) & set("*?[{") and not part.endswith((".tar", ".gz"))]
    first = (names or parts or ["dataset"])[-1]
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1} more"
