"""`FileGroupTask`, under the path of the module that defines it."""

from tarlight.tasks import FileGroupTask

__all__ = ["FileGroupTask"]
