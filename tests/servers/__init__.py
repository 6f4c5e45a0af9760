"""Real servers for the tests of object stores, on free loopback ports, and a proxy that plays faults."""
