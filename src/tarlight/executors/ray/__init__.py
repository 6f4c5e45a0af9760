"""The Ray executor: pipelines on many machines. Importing it does not import Ray."""

from tarlight.executors.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
