"""What every executor must do (C2, C3, C6, C10, C11): one suite, subclassed by each."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tarlight.errors import ImageError, PipelineError, TooManyFailuresError
from tarlight.executors.local import LocalExecutor
from tarlight.pipeline import Pipeline
from tarlight.report.row import rows as ledger_rows
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import EmptyTask, ImageBatch, ImageObject
from tests.checkpoint.dataset import books, make, write

SHARDS = [
    (".tar", ["good"] * 5 + ["broken", "empty"]),
    (".tar", ["other"] * 3),
    (".tar.gz", ["good", "broken", "again", *["good"] * 5]),
    (".hit.tar", ["good"] * 9),
    (".cut.tar", ["broken", *["good"] * 8, "empty"]),
]


NAP_S = 0.02


class Source(ProcessingStage[EmptyTask, ImageBatch]):
    """Gives `batches` batches of `size` images each; its images count as added."""

    def __init__(self, batches=4, size=3):
        self.batches, self.size = batches, size

    def process(self, task: EmptyTask) -> Iterator[ImageBatch]:
        for number in range(self.batches):
            names = [f"{number}-{index}" for index in range(self.size)]
            yield ImageBatch(data=[ImageObject(image_id=name) for name in names])


class Apply(ProcessingStage[ImageBatch, ImageBatch]):
    """Applies a function to each batch; writes what was called into a file, since it may run elsewhere."""

    def __init__(self, function, name="apply", log=None):
        self.function, self.name, self.log = function, name, log

    def setup(self):
        self.call("setup")

    def teardown(self):
        self.call("teardown")

    def call(self, name):
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as lines:
                lines.write(f"{name}\n")

    def process(self, task):
        return self.function(task)


def first_only(batch):
    batch.data = batch.data[:1]
    return batch


def fail_at(task_id):
    def function(batch):
        if batch.data[0].image_id == task_id:
            raise RuntimeError("no luck")
        return batch

    return function


def one_each(batch):
    for image in batch.data:
        yield ImageBatch(data=[image])


def to_sums(batch):
    """Replace pixels by their sum: small outputs."""
    for image in batch.data:
        image.metadata["sum"] = int(image.image_data.sum())
        image.image_data = None
    return batch


def drop_odd(batch):
    batch.data = [image for image in batch.data if int(image.image_id[-1]) % 2 == 0]
    return batch if batch.data else None


class OddError(Exception):
    """Cannot be unpickled: it needs two arguments and keeps one."""

    def __init__(self, what, why):
        super().__init__(what)


def nap(batch):
    """Take a known time for each image."""
    time.sleep(NAP_S * batch.num_images)
    return batch


def fail_oddly(batch):
    raise OddError("odd", "very")


def ids(tasks):
    return [[image.image_id for image in task.data] for task in tasks]


def contents(tasks):
    """Everything about the images, in an order of their own."""
    return sorted(
        (image.image_path, image.image_id, image.image_data.tobytes(), task.task_id, image.decoder)
        for task in tasks
        for image in task.data
    )


def sums(tasks):
    return sorted(
        (image.image_path, image.metadata["sum"], task.task_id) for task in tasks for image in task.data
    )


def in_order(expected, found):
    """Expected books, with entries in the order in which workers found them."""
    for name in ("skips", "losses", "notes"):
        assert sorted(map(str, found[name])) == sorted(map(str, expected[name]))
    return expected | {name: found[name] for name in ("skips", "losses", "notes")}


def calls(log):
    """What was called, and forget it."""
    lines = log.read_text(encoding="utf-8").split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


class ExecutorContract:
    """Subclasses give a fixture `executor`."""

    def run(self, executor, *stages):
        return Pipeline("contract", stages=stages).run(executor)

    def test_hands_on_in_order(self, executor):
        """Tasks arrive in the order in which the stages gave them."""
        result = self.run(executor, Source(3, 2), Apply(lambda batch: batch))
        assert ids(result) == [["0-0", "0-1"], ["1-0", "1-1"], ["2-0", "2-1"]]
        assert result.report.outcome == "finished"
        assert result.report.images_delivered == 6
        assert result.report.is_balanced

    def test_filters(self, executor):
        """A stage that gives None, or fewer images, filters: counted by stage."""
        drop = Apply(lambda batch: None if batch.data[0].image_id == "1-0" else batch, "drop")
        result = self.run(executor, Source(3, 2), drop, Apply(first_only, "first"))
        assert ids(result) == [["0-0"], ["2-0"]]
        assert result.report.images_filtered == {"drop": 2, "first": 2}
        assert result.report.is_balanced

    @pytest.mark.parametrize("function", [one_each, lambda batch: list(one_each(batch))])
    def test_fans_out(self, executor, function):
        """A stage may give a list or a generator of tasks, which get ids of their own."""
        result = self.run(executor, Source(2, 2), Apply(function))
        assert ids(result) == [["0-0"], ["0-1"], ["1-0"], ["1-1"]]
        assert len({task.task_id for task in result}) == 4
        assert result.report.is_balanced

    def test_task_ids_are_deterministic(self, executor):
        """Two runs give the same task ids and the pipeline's name as the data set name."""
        first, second = (self.run(executor, Source(), Apply(one_each)) for _ in range(2))
        assert [task.task_id for task in first] == [task.task_id for task in second]
        assert {task.dataset_name for task in first} == {"contract"}

    def test_counts_images_that_a_stage_makes(self, executor):
        """A stage that gives more images than it got adds them to the books."""
        double = Apply(lambda batch: [batch, ImageBatch(data=list(batch.data))])
        report = self.run(executor, Source(2, 2), double).report
        assert (report.images_added, report.images_delivered) == (8, 8)
        assert report.is_balanced

    def test_error_names_stage_and_task(self, executor):
        """An exception keeps its type and says in which stage and at which task it happened."""
        stages = Source(), Apply(fail_at("2-0"), "picky"), Apply(lambda batch: batch, "after")
        with pytest.raises(RuntimeError, match="no luck") as caught:
            self.run(executor, *stages)
        (note,) = caught.value.__notes__
        assert "'picky'" in note
        assert "start.2" in note

    def test_books_balance_after_failure(self, executor):
        """What was on its way when a stage failed is undelivered, and the outcome says failed."""
        stream = Pipeline("p", stages=[Source(), Apply(fail_at("2-0"))]).stream(executor)
        with pytest.raises(RuntimeError):
            list(stream)
        assert stream.report.outcome == "failed"
        assert stream.report.images_delivered == 6
        assert stream.report.undelivered == 3
        assert stream.report.is_balanced

    def test_leaving_early_stops(self, executor):
        """Leaving a with block ends threads and tears down; the rest of a fan-out is undelivered."""
        before = set(threading.enumerate())
        stage = Apply(lambda batch: list(one_each(batch)))
        with Pipeline("p", stages=[Source(), stage]).stream(executor) as stream:
            next(stream)
        assert stream.report.outcome == "stopped"
        assert (stream.report.images_delivered, stream.report.undelivered) == (1, 2)
        assert stream.report.is_balanced
        assert set(threading.enumerate()) <= before
        assert list(stream) == []

    def test_teardown_always_runs(self, executor, tmp_path):
        """`setup` runs once before and `teardown` once after, in success, failure and cancel."""
        log = tmp_path / "log"
        for function, consume in ((lambda b: b, list), (fail_at("1-0"), list), (lambda b: b, next)):
            stage = Apply(function, log=log)
            stream = Pipeline("p", stages=[Source(), stage]).stream(executor)
            with suppress(RuntimeError):
                consume(stream)
            stream.close()
            assert calls(log) == ["setup", "teardown"]

    def test_teardown_runs_after_failed_setup(self, executor, tmp_path):
        """A stage whose `setup` fails is torn down, and so are those before it."""

        class Broken(Apply):
            def setup(self):
                super().setup()
                raise OSError("no model")

        good_log, log = tmp_path / "good", tmp_path / "broken"
        good, broken = Apply(first_only, log=good_log), Broken(first_only, "broken", log)
        with pytest.raises(OSError, match="no model") as caught:
            self.run(executor, Source(), good, broken)
        assert "'broken'" in caught.value.__notes__[0]
        assert calls(good_log) == calls(log) == ["setup", "teardown"]

    def test_stop_iteration_in_setup_is_an_error(self, executor):
        """A setup that raises StopIteration fails the run; it does not end it as if all were done."""

        class Stopping(Apply):
            def setup(self):
                next(iter([]))

        with pytest.raises(PipelineError, match="StopIteration"):
            self.run(executor, Source(), Stopping(first_only))

    def test_keeps_the_first_error(self, executor):
        """An error in teardown does not hide the one that ended the run."""

        class BadEnd(Apply):
            def teardown(self):
                raise OSError("cannot end")

        with pytest.raises(RuntimeError, match="no luck") as caught:
            self.run(executor, Source(), BadEnd(fail_at("0-0"), "bad_end"))
        assert any("cannot end" in note for note in caught.value.__notes__)

    @pytest.mark.parametrize("made", [7, "text", [7], object()])
    def test_refuses_what_is_no_task(self, executor, made):
        """A stage that gives anything but tasks is an error that names the stage."""
        with pytest.raises(PipelineError, match="'odd'"):
            self.run(executor, Source(), Apply(lambda _: made, "odd"))

    def test_interrupt_in_a_stage(self, executor):
        """Ctrl-C while a user's stage works ends the run with balanced books."""

        def interrupt(batch):
            if batch.data[0].image_id == "1-0":
                raise KeyboardInterrupt
            return batch

        stream = Pipeline("p", stages=[Source(), Apply(interrupt)]).stream(executor)
        with pytest.raises(KeyboardInterrupt):
            list(stream)
        assert stream.report.outcome == "stopped"
        assert stream.report.is_balanced

    def test_stages_are_picklable_after_a_run(self, executor):
        """A stage does not keep what the executor lent it."""
        stage = Source()
        self.run(executor, stage)
        assert stage.context is None
        assert pickle.loads(pickle.dumps(stage)).batches == 4

    def test_runs_given_tasks(self, executor):
        """`initial_tasks` go to the first stage instead of an EmptyTask."""
        tasks = [ImageBatch(data=[ImageObject(image_id="x")], task_id="mine")]
        (task,) = Pipeline("p", stages=[Apply(first_only)]).run(executor, tasks)
        assert (task.task_id, ids([task])) == ("mine", [["x"]])

    def test_error_of_any_class_arrives(self, executor):
        """An exception that pickle cannot make again arrives with its type, its text and its stage."""
        with pytest.raises(OddError, match="odd") as caught:
            self.run(executor, Source(), Apply(fail_oddly, "fails"))
        assert "'fails'" in caught.value.__notes__[0]

    def test_reads_all_shards(self, executor, tmp_path):
        """Images, pixels, ids and the whole ledger are those of the local executor, damage included."""
        folder = write(tmp_path, SHARDS)
        expected = make(folder, files_per_partition=2, batch_size=4).run(LocalExecutor())
        result = make(folder, files_per_partition=2, batch_size=4).run(executor)
        assert contents(result) == contents(expected)
        assert books(result.report) == in_order(books(expected.report), books(result.report))
        assert result.report.is_balanced

    def test_runs_stages_after_the_reader(self, executor, tmp_path):
        """Stages of one's own filter, split and shrink what the reader gives, with equal books."""
        folder = write(tmp_path, SHARDS)

        def run(with_executor):
            pipeline = make(folder, batch_size=3)
            for function in (drop_odd, one_each, to_sums):
                pipeline.add_stage(Apply(function, function.__name__))
            return pipeline.run(with_executor)

        expected, result = run(LocalExecutor()), run(executor)
        assert sums(result) == sums(expected) != []
        assert result.report.images_filtered == expected.report.images_filtered
        assert result.report.is_balanced

    def test_says_what_each_stage_did_and_waited_for(self, executor, tmp_path):
        """The report has busy and waiting times of all stages over all workers, alike on every executor."""
        folder = write(tmp_path, SHARDS)

        def run(with_executor):
            pipeline = make(folder, batch_size=3, num_threads=1)
            for stage in Apply(drop_odd, "drop"), Apply(nap, "nap"), Apply(one_each, "split"):
                pipeline.add_stage(stage)
            return pipeline.run(with_executor).report

        expected, report = run(LocalExecutor()), run(executor)
        assert set(report.times) == set(expected.times) >= {"reading", "decoding", "drop", "nap", "consumer"}
        assert report.times["decoding"].images == expected.times["decoding"].images > 0
        for name, spent in report.times.items():
            assert spent.waits_s.keys() == expected.times[name].waits_s.keys()
            assert 0 < spent.busy_s <= spent.busy_s + sum(spent.waits_s.values()) <= spent.total_s * 1.001
        assert report.times["nap"].busy_s >= NAP_S * report.images_delivered
        assert report.to_dict().keys() == expected.to_dict().keys()
        shown = [row.name for row in ledger_rows(report) if row.name in report.times]
        assert {"reading", "decoding", "nap"} <= set(shown)

    def test_on_error_raise(self, executor, tmp_path):
        """`on_error="raise"` stops at a bad image, and names it."""
        folder = write(tmp_path, [(".tar", ["good", "broken", "good"])])
        stream = make(folder, on_error="raise").stream(executor)
        with pytest.raises(ImageError, match="0-0001"):
            list(stream)
        assert stream.report.is_balanced

    @pytest.mark.parametrize("limit", [2, 0.1])
    def test_max_failures_counts_the_whole_run(self, executor, tmp_path, limit):
        """`max_failures` stops a run whose failures are spread over its partitions."""
        folder = write(tmp_path, [(".tar", ["good"] * 4 + ["broken"])] * 6)
        stream = make(folder, max_failures=limit).stream(executor)
        with pytest.raises(TooManyFailuresError, match="max_failures"):
            list(stream)
        assert stream.report.is_balanced
        assert make(folder, max_failures=6).run(executor).report.images_skipped == {"truncated": 6}

    def test_notes_a_field_that_no_image_had(self, executor, tmp_path):
        """A field that no image of the whole run had is noted once, and none that some had."""
        folder = write(tmp_path, [(".tar", ["good"]), (".tar", ["empty"])])
        for _ in range(2):  # the second run finds nothing left to do, and knows of it from the checkpoint
            with make(folder, fields=("txt", "nope")).stream(executor, None, tmp_path / "c.json") as stream:
                list(stream)
            texts = [note.text for note in stream.report.notes if note.kind == "unseen_field"]
            assert [text.count("'nope'") for text in texts] == [1]

    def test_missing_input_is_an_error(self, executor, tmp_path):
        """A dataset that is not there is an error before any worker is asked for."""
        with pytest.raises(FileNotFoundError):
            make(str(tmp_path / "nowhere")).run(executor)
