"""What every test can rely on; each plugin says in its own file what it does."""

pytest_plugins = [
    "pytester",
    "tests.skips",
    "tests.soak",
    "tests.corpus",
    "tests.browser.chromium",
    "tests.servers.fixtures",
    "tests.executors.cluster",
]
