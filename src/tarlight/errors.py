"""The errors of tarlight, and the exit code each one means.

Every error says what happened, where (shard, member, offset) and what to do next. Each derives from
`TarlightError` and from the closest built-in, so both `except` styles work::

    TarlightError
    ├── InputError
    │   ├── InputMissingError        (FileNotFoundError)  a path, shard or match that is not there
    │   ├── InputDeniedError         (PermissionError)    a path that may not be read
    │   │   └── CredentialsError                          whoever asks may read nothing
    │   └── InputUnreachableError    (ConnectionError)    a server that cannot be reached
    ├── ArgumentError                (ValueError)         an argument with a value that is not allowed
    ├── ArgumentTypeError            (TypeError)          an argument of the wrong type
    ├── CheckpointError              (ValueError)         a checkpoint that cannot be read
    │   ├── CheckpointMismatchError                       a checkpoint of another dataset or other options
    │   └── CheckpointTakenError                          a checkpoint that another run writes
    ├── CheckpointWriteError         (OSError)            a checkpoint that cannot be written
    ├── PipelineError                (ValueError)         stages that do not fit together
    ├── DecoderUnavailableError      (RuntimeError)       a decoder asked for by name that cannot be had here
    ├── TarError                     (ValueError)         a damaged shard, with `on_error="raise"`
    ├── ImageError                   (ValueError)         a bad image, with `on_error="raise"`
    ├── TooManyFailuresError         (RuntimeError)       `max_failures` was exceeded
    ├── ShardReadError               (OSError)            reading stopped in the middle of a shard
    │   └── ShardChecksumError                            its bytes are not those of the stored object
    ├── ShardChangedError            (OSError)            a shard is no longer the one that was read
    ├── PixelsReleasedError          (RuntimeError)       released pixels cannot be decoded again here
    ├── DevicePixelsError            (TypeError)          pixels on a GPU were taken for others
    ├── ResultTooLargeError          (MemoryError)        `run()` would hold more than `result_memory`
    ├── ClusterError                 (ConnectionError)    no Ray, or no cluster at that address
    ├── WorkerLostError              (RuntimeError)       workers died again and again, or had no place
    └── LedgerError                  (AssertionError)     the books do not balance: a bug in tarlight

All of them survive pickling: they hold one message and no other state.
"""

from __future__ import annotations


class TarlightError(Exception):
    """Base of every error that tarlight raises on purpose."""


class InputError(TarlightError):
    """Input that is missing or may not be read (exit code 3)."""


class InputMissingError(InputError, FileNotFoundError):
    """A path does not exist, or a folder or pattern matches no shard."""


class InputDeniedError(InputError, PermissionError):
    """A path exists but may not be read."""


class CredentialsError(InputDeniedError):
    """Credentials are missing, expired or not valid: no path can be read with them."""


class InputUnreachableError(InputError, ConnectionError):
    """The server of a URL cannot be reached."""


class ArgumentError(TarlightError, ValueError):
    """An argument has a value that is not allowed; the message names it and the allowed values."""


class ArgumentTypeError(TarlightError, TypeError):
    """An argument has the wrong type; the message names it and the allowed types."""


class CheckpointError(TarlightError, ValueError):
    """A checkpoint cannot be used: damaged, cut off, or no checkpoint at all."""


class CheckpointMismatchError(CheckpointError):
    """A checkpoint belongs to another dataset or to other options; the message says what differs."""


class CheckpointTakenError(CheckpointError):
    """Another run writes the same checkpoint; the message names both, and the other's state is untouched."""


class CheckpointWriteError(TarlightError, OSError):
    """A checkpoint cannot be written where it was asked for."""


class PipelineError(TarlightError, ValueError):
    """The stages of a pipeline do not fit together."""


class DecoderUnavailableError(TarlightError, RuntimeError):
    """A decoder was asked for by name and its library or device is missing; exit code 4."""


class TarError(TarlightError, ValueError):
    """A shard is damaged and `on_error="raise"` was asked for."""


class ImageError(TarlightError, ValueError):
    """An image was skipped and `on_error="raise"` was asked for."""


class TooManyFailuresError(TarlightError, RuntimeError):
    """More images or shards failed than `max_failures` allows."""


class ShardReadError(TarlightError, OSError):
    """The bytes of a shard could not be read to its end."""


class ShardChecksumError(ShardReadError):
    """The bytes of a shard arrived, and they do not have the checksum that the store tells."""


class ShardChangedError(TarlightError, OSError):
    """A shard has changed since it was first read."""


class PixelsReleasedError(TarlightError, RuntimeError):
    """The pixels of an image were released and cannot be decoded again in this process."""


class DevicePixelsError(TarlightError, TypeError):
    """Pixels on a GPU were pickled, or taken for a numpy array."""


class ResultTooLargeError(TarlightError, MemoryError):
    """The result of `run()` is larger than `result_memory`; the message names `stream()`."""


class ClusterError(TarlightError, ConnectionError):
    """Ray is not installed, there is no cluster at the address, or it cannot run what was asked for."""


class WorkerLostError(TarlightError, RuntimeError):
    """Workers of a cluster died, and died again when replaced, or none could be placed for too long."""


class LedgerError(TarlightError, AssertionError):
    """The ledger of a run does not balance. This is a bug in tarlight, never in the input."""
