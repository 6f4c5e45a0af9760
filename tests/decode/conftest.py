"""What the tests of the decode room share."""

import pytest

pytest.register_assert_rewrite("tests.decode.contract")
