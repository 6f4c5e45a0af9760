"""Judges every JPEG of one corpus folder, under limits, and prints one JSON line an image.

Run as `python -m tests.decode.judge_corpus FOLDER`, in a process of its own, because bombs are among them.
"""

from __future__ import annotations

import json
import resource
import sys
import tarfile
from pathlib import Path

import numpy as np
import simplejpeg

from tarlight.decode import Decoded, Encoded, Refusal, read_facts, select_decoder
from tests.decode.jpegs import CAPS, see

ADDRESS_SPACE = 3 << 30
CPU_SECONDS = 300


def judge_folder(folder: Path):
    """Yield what became of each image."""
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                if member.name.lower().endswith((".jpg", ".jpeg")):
                    yield {"key": member.name.split(".")[0], **judge(archive.extractfile(member).read())}


def judge(jpeg: bytes) -> dict[str, object]:
    """Return our verdicts and those of the oracles; bombs are not shown to the oracles."""
    facts = read_facts(jpeg, CAPS)
    if isinstance(facts, Refusal):
        verdicts = [facts, facts]
    else:
        verdicts = [select_decoder(name).decode([Encoded(jpeg, facts)])[0] for name in ("turbo", "pillow")]
    found = {"verdicts": [tell(verdict) for verdict in verdicts]}
    if found["verdicts"][0] in ("too_many_pixels", "too_many_scans"):
        return found
    strict, seen = ask_turbo(jpeg), ask_pillow(jpeg)
    if seen is not None:
        found["differences"] = [compare(v.pixels, seen) for v in verdicts if isinstance(v, Decoded)]
    fallback = "" if isinstance(verdicts[0], Refusal) else verdicts[0].fallback
    return {
        **found,
        "strict": strict,
        "seen": seen is not None,
        "fallback": fallback,
        "components": getattr(facts, "components", 0),
        "detail": getattr(verdicts[0], "detail", ""),
    }


def tell(verdict: Decoded | Refusal) -> str:
    if isinstance(verdict, Refusal):
        return verdict.reason.value
    return "good" if verdict.damage_checked else "good, unchecked"


def compare(pixels: np.ndarray, seen: np.ndarray) -> int:
    """Return the greatest difference; 999 for another shape."""
    if pixels.shape != seen.shape:
        return 999
    return 0 if np.array_equal(pixels, seen) else int(np.abs(pixels.astype(np.int16) - seen).max())


def ask_turbo(jpeg: bytes) -> str:
    """Return what strict libjpeg-turbo says of the bytes as they are."""
    try:
        simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    except (ValueError, IndexError, MemoryError) as error:
        return str(error) or "error"
    return "ok"


def ask_pillow(jpeg: bytes) -> np.ndarray | None:
    """Return what Pillow sees, or None."""
    try:
        return see(jpeg)
    except Exception:  # noqa: BLE001 (Pillow raises many things for broken files)
        return None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for found in judge_folder(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(found) + "\n")
