"""What every executor must do (C2, C6, C10, C11): one suite, subclassed by each."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator

import pytest

from tarlight.errors import PipelineError
from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import EmptyTask, ImageBatch, ImageObject


class Source(ProcessingStage[EmptyTask, ImageBatch]):
    """Gives `batches` batches of `size` images each; its images count as added."""

    def __init__(self, batches=4, size=3):
        self.batches, self.size = batches, size

    def process(self, task: EmptyTask) -> Iterator[ImageBatch]:
        for number in range(self.batches):
            names = [f"{number}-{index}" for index in range(self.size)]
            yield ImageBatch(data=[ImageObject(image_id=name) for name in names])


class Apply(ProcessingStage[ImageBatch, ImageBatch]):
    """Applies a function to each batch; remembers what was called."""

    def __init__(self, function, name="apply"):
        self.function, self.name, self.calls = function, name, []

    def setup(self):
        self.calls.append("setup")

    def teardown(self):
        self.calls.append("teardown")

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


def ids(tasks):
    return [[image.image_id for image in task.data] for task in tasks]


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

    def test_teardown_always_runs(self, executor):
        """`setup` runs once before and `teardown` once after, in success, failure and cancel."""
        for function, consume in ((lambda b: b, list), (fail_at("1-0"), list), (lambda b: b, next)):
            stage = Apply(function)
            stream = Pipeline("p", stages=[Source(), stage]).stream(executor)
            try:
                consume(stream)
            except RuntimeError:
                assert stage.calls[0] == "setup"
            stream.close()
            assert stage.calls == ["setup", "teardown"]

    def test_teardown_runs_after_failed_setup(self, executor):
        """A stage whose `setup` fails is torn down, and so are those before it."""

        class Broken(Apply):
            def setup(self):
                super().setup()
                raise OSError("no model")

        good, broken = Apply(first_only), Broken(first_only, "broken")
        with pytest.raises(OSError, match="no model") as caught:
            self.run(executor, Source(), good, broken)
        assert "'broken'" in caught.value.__notes__[0]
        assert good.calls == broken.calls == ["setup", "teardown"]

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
