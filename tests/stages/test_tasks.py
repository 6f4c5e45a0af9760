"""Tasks and images as values: what pickle and copy make of them."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.storage import ShardSource
from tarlight.tasks import ImageBatch, ImageObject

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)

values = st.none() | st.integers() | st.text(max_size=5)
sources = st.none() | st.builds(
    ShardSource,
    shard=st.text(),
    member=st.text(),
    offset=st.integers(0),
    size=st.integers(0),
    version=st.text(),
    inflated=st.booleans(),
)
pixels = st.none() | st.builds(
    lambda height, width, seed: np.full((height, width, 3), seed, np.uint8),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 255),
)


@st.composite
def images(draw: st.DrawFn) -> ImageObject:
    """An image with anything in each of its attributes."""
    image = ImageObject(
        draw(st.text()),
        draw(st.text()),
        draw(st.dictionaries(st.text(max_size=3), values, max_size=2)),
        draw(pixels),
        source=draw(sources),
        decoder=draw(st.text(max_size=3)),
        damaged=draw(st.booleans()),
        damage_checked=draw(st.booleans()),
    )
    image.embedding, image.aesthetic_score, image.nsfw_score = draw(st.tuples(values, values, values))
    return image


def facts_of(image: ImageObject) -> list[object]:
    """All that an image holds, to be compared."""
    facts = [getattr(image, name) for name in ImageObject.__slots__]
    return [fact.tolist() if isinstance(fact, np.ndarray) else fact for fact in facts]


def travel(batch: ImageBatch, protocol: int) -> ImageBatch:
    """Pickle and unpickle, with the pixels beside the stream where the protocol can."""
    beside: list[pickle.PickleBuffer] = []
    out_of_band = beside.append if protocol >= 5 else None
    pickled = pickle.dumps(batch, protocol=protocol, buffer_callback=out_of_band)
    return pickle.loads(pickled, buffers=beside)


@given(batch=st.builds(ImageBatch, data=st.lists(images(), max_size=4)), protocol=st.sampled_from(PROTOCOLS))
def test_batches_travel_whole(batch: ImageBatch, protocol: int) -> None:
    """A batch arrives with every attribute of every image, in order, by any protocol that can."""
    arrived = travel(batch, protocol)
    assert [facts_of(image) for image in arrived.data] == [facts_of(image) for image in batch.data]
    assert (arrived.task_id, arrived.metadata) == (batch.task_id, batch.metadata)


def test_one_array_travels_once() -> None:
    """Pixels that several images hold travel once, and are one array again."""
    shared = np.zeros((50, 50, 3), np.uint8)
    batch = ImageBatch(data=[ImageObject(image_data=shared) for _ in range(3)])
    beside: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(batch, protocol=5, buffer_callback=beside.append)
    assert len(beside) == 1
    first, second, third = pickle.loads(pickled, buffers=beside).data
    assert first.image_data is second.image_data is third.image_data


def test_a_copy_shares_its_images() -> None:
    """`copy.copy` of a batch holds the same list of the same images; `deepcopy` holds images of its own."""
    batch = ImageBatch(data=[ImageObject(image_id="a", image_data=np.zeros((1, 1, 3), np.uint8))])
    assert copy.copy(batch).data is batch.data
    deep = copy.deepcopy(batch)
    assert facts_of(deep.data[0]) == facts_of(batch.data[0])
    assert deep.data[0].image_data is not batch.data[0].image_data


class Scored(ImageObject):
    """An image with an attribute of its own."""

    score = 0.0


@dataclass(kw_only=True, slots=True)
class Slotted(ImageBatch):
    """A batch with a slot beside its attributes."""

    origin: str = ""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_classes_of_their_own_travel_too(protocol: int) -> None:
    """Images and batches of user classes arrive as such, with what those add, also when copied."""
    image = Scored(image_id="a")
    image.score = 0.5
    batch = Slotted(data=[image, ImageObject(image_id="b")], origin="here")
    for one in (travel(batch, protocol), copy.copy(batch), copy.deepcopy(batch)):
        assert isinstance(one, Slotted)
        assert one.origin == "here"
        assert [type(image) for image in one.data] == [Scored, ImageObject]
        assert one.data[0].score == 0.5
