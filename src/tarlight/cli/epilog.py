"""What the help of each command ends with."""

from __future__ import annotations

LOAD = """[bold]Examples[/bold]

tarlight load shards/

tarlight load 'shards/{00000..00009}.tar' --fields txt,json --json report.json

tarlight load shards/ --limit 1000 --strict

tarlight load 's3://bucket/folder/{00000..00009}.tar' --storage-option region=eu-west-1

tarlight load shards/ --checkpoint run.json

[bold]Exit codes[/bold]

0 done, 1 something was skipped or lost (with --strict), 2 usage (also shards or options other than those of \
the checkpoint), 3 input missing or denied, or nothing could be read, 4 stopped by an error (also a decoder \
that cannot be had here), 130 Ctrl-C, 143 SIGTERM."""
REPORT = """[bold]Examples[/bold]

tarlight report shards/

tarlight report 'shards/{00000..00009}.tar' --fields txt,json -o page.html

[bold]Exit codes[/bold]

0 done, 2 usage, 3 input missing or denied, or nothing could be read, \
4 stopped by an error, 130 Ctrl-C, 143 SIGTERM."""
SAMPLE = """[bold]Examples[/bold]

tarlight sample build/sample

tarlight sample build/sample --images 2000 --shards 10 --damage"""
PEEK = """[bold]Examples[/bold]

tarlight peek shards/

tarlight peek shards/00042.tar -n 3 --images"""
CHECK = """[bold]Examples[/bold]

tarlight check shards/ --fast

tarlight check 'shards/{00000..00099}.tar' --csv findings.csv

tarlight check shards/ --fail-on error,missing_sidecar --json -

[bold]Exit codes[/bold]

0 done, 1 findings that --fail-on names, 2 usage, 3 input missing or denied, 4 stopped by an error, \
130 Ctrl-C, 143 SIGTERM."""
EXPLAIN = """[bold]Examples[/bold]

tarlight explain shards/

tarlight explain 's3://bucket/folder/{00000..00099}.tar' --seconds 20 --verify

[bold]Exit codes[/bold]

0 done, 2 usage, 3 input missing or denied, 4 stopped by an error, 130 Ctrl-C, 143 SIGTERM."""
