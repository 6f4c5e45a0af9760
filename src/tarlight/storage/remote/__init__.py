"""Object stores and web servers, behind the same `Store` protocol as the local disk.

`wire` says what a client is; `client` makes clients out of obstore and knows its errors; the download engine
turns many small range requests of a client into the bytes of one shard, in order.
"""
