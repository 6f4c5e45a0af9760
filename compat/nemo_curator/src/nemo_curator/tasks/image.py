"""`ImageObject` and `ImageBatch`, under the path of the module that defines them."""

from tarlight.tasks import ImageBatch, ImageObject

__all__ = ["ImageBatch", "ImageObject"]
