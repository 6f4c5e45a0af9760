"""How URLs are spelled, split and shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tarlight.errors import ArgumentError, TarlightError
from tarlight.storage import as_paths, find_shards
from tarlight.storage.remote.url import SignedUrl, canonical, kind_of_url, parse, without_secrets
from tarlight.storage.route import expanded, location


@pytest.mark.parametrize(
    ("url", "root", "key", "spelled"),
    [
        ("s3://b/a/0.tar", "s3://b", "a/0.tar", "s3://b/a/0.tar"),
        ("S3A://b/a/", "s3://b", "a", "s3://b/a"),
        ("s3://b", "s3://b", "", "s3://b"),
        ("s3://b/a b%20c/ä.tar", "s3://b", "a b%20c/ä.tar", "s3://b/a b%20c/ä.tar"),
        ("gcs://b_1/x", "gs://b_1", "x", "gs://b_1/x"),
        ("abfs://c/x", "az://c", "x", "az://c/x"),
        ("az://$root/x", "az://$root", "x", "az://$root/x"),
        (
            "abfs://c@Acc.dfs.core.windows.net/x/",
            "abfss://c@acc.dfs.core.windows.net",
            "x",
            "abfss://c@acc.dfs.core.windows.net/x",
        ),
        ("HTTP://Host:80/A/0.tar", "http://host:80", "A/0.tar", "http://host:80/A/0.tar"),
        ("https://[::1]:9/0.tar", "https://[::1]:9", "0.tar", "https://[::1]:9/0.tar"),
        ("https://h/a%20b.tar", "https://h/a%20b.tar", "", "https://h/a%20b.tar"),
        ("https://h/a//b.tar#part", "https://h/a//b.tar", "", "https://h/a//b.tar"),
        ("https://h/a.tar?sig=S&x=1", "https://h/a.tar?sig=S&x=1", "", "https://h/a.tar"),
    ],
)
def test_urls_are_split_and_spelled_in_one_way(url, root, key, spelled):
    """A URL comes apart into what a client is made for and a key, and has one spelling."""
    address = parse(url)
    assert (address.root, address.key) == (root, key)
    assert canonical(url) == spelled == location(spelled)


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///a", "s3://a b/c", "s3://b/a//c", "s3://b/../c", "s3://b/./c", "s3://b//c", "gs://b*/c",
        "az://c_d/x", "http://", "http:///x", "http://h", "http://h/", "http://h/a/", "http://h/*.tar",
        "http://h/[ab].tar", "http://h:x/a.tar", "s3://b/a\0b", "ftp://h/a.tar", "http://[/a.tar",
    ],
)  # fmt: skip
def test_urls_that_cannot_be_read_are_refused(url):
    """A URL without bucket or host, with a key nobody can ask for, or a folder over HTTP is an error."""
    with pytest.raises(ArgumentError, match=r"^file_paths"):
        as_paths(url)


SECRET = "hunter2/Zz+9"
WITH_SECRETS = [
    f"s3://AKIA:{SECRET}@bucket/a.tar",
    f"http://user:{SECRET}@host/a.tar",
    "http://hunter2@host/a.tar",
    "https://user:hunter2@host/a.tar",
    f"az://c/a.tar?sv=1&sig={SECRET}",
    f"s3://b/a.tar?X-Amz-Signature={SECRET}",
    f"gs://u:{SECRET}@b/a.tar",
    f"http://host/?sig={SECRET}",
    f"http://host/*.tar?sig={SECRET}",
    f"http://user:{SECRET}@host:x/a.tar?sig={SECRET}",
    f"wasb://u:hunter2@h/a?sig={SECRET}",
]


@pytest.mark.parametrize("url", WITH_SECRETS)
def test_errors_about_urls_show_no_secrets(url):
    """Whatever is wrong with a URL, its user, password and query are not in the error or its traceback."""
    with pytest.raises(ArgumentError) as caught:
        as_paths(url)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert "Zz+9" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["http", "https", "s3", "gs", "az", "abfss"])
@given(user=st.text("ab:", min_size=1), word=st.text("xyz/%", min_size=1))
def test_what_is_shown_of_a_url_has_no_password_and_no_query(scheme, user, word):
    """Neither the part before the host nor a query comes through."""
    shown = without_secrets(f"{scheme}://{user.replace('/', '')}:Pass@host/{word}?X-Amz-Signature=Query")
    assert "Pass" not in shown
    assert "Query" not in shown


def test_a_signed_url_is_shown_without_its_query_and_keeps_it():
    """A URL with a query is a text without it, also after pickling and copying, and in any listing."""
    url = location("https://h/a.tar?X-Amz-Signature=hunter2")
    assert isinstance(url, SignedUrl)
    for same in (url, SignedUrl(url), as_paths(url)[0], pickle.loads(pickle.dumps(url)), copy.deepcopy(url)):
        assert same == "https://h/a.tar"
        assert "hunter2" not in f"{same} {same!r} {[same]} {parse(same)}"
        assert same.full == "https://h/a.tar?X-Amz-Signature=hunter2"
        assert location(same).full == same.full


def test_brace_ranges_leave_a_query_alone():
    """A range in the path is expanded, braces in the query are not, and each shard has the whole query."""
    urls = expanded(as_paths("http://h/{0..1}.tar?sig={a,b}")[0])
    assert [str(url) for url in urls] == ["http://h/0.tar", "http://h/1.tar"]
    assert [url.full for url in urls] == ["http://h/0.tar?sig={a,b}", "http://h/1.tar?sig={a,b}"]


@given(st.text(max_size=30))
def test_local_paths_are_no_urls(path):
    """What has none of the known schemes is a path."""
    assume("://" not in path)
    assert kind_of_url(path) == ""
    assert kind_of_url(f"file://{path}") == ""


@pytest.mark.parametrize(
    "paths",
    [[["https://h/a.tar?sig=PLANTED"]], {"https://h/a.tar?sig=PLANTED"}, Path("https://h/a.tar?sig=PLANTED")],
)
def test_paths_of_the_wrong_kind_are_not_shown(paths):
    """A URL in something that is no list, or mangled by pathlib, is refused without its query."""
    with pytest.raises(TarlightError, match="file_paths") as caught:
        find_shards(paths)
    assert "PLANTED" not in str(caught.value)
