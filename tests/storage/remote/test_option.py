"""What `storage_options` mean, and what is wrong with them."""

from __future__ import annotations

import base64
import pickle
import traceback
from datetime import timedelta
from urllib.parse import unquote

import pytest
from obstore.store import AzureStore, GCSStore, HTTPStore, S3Store

from tarlight.errors import ArgumentError, ArgumentTypeError, InputDeniedError, TarlightError
from tarlight.storage import RemoteStore, check_options_for
from tarlight.storage.remote.config import client_options, store_config
from tarlight.storage.remote.option import setting_for
from tarlight.storage.remote.policy import RetryPolicy
from tarlight.storage.remote.spelling import CLIENT, CLIENT_FLAGS, CONFIG, FLAGS, USUAL, known_names, meaning
from tarlight.storage.remote.url import parse
from tarlight.storage.route import check_option_names

KEY = base64.b64encode(b"hunter2").decode()


@pytest.mark.parametrize(
    ("kind", "given", "config"),
    [
        (
            "s3",
            {"key": "a", "secret": "b", "token": "c", "endpoint_url": "http://e", "anon": False},
            {"access_key_id": "a", "secret_access_key": "b", "session_token": "c",
             "endpoint": "http://e", "skip_signature": False},
        ),
        (
            "s3",
            {"client_kwargs": {"endpoint_url": "http://e", "region_name": "r", "aws_access_key_id": "a"}},
            {"endpoint": "http://e", "region": "r", "access_key_id": "a"},
        ),
        ("s3", {"aws_region": "r", "profile": None}, {"region": "r"}),
        ("s3", {"endpoint_url": "e:1", "use_ssl": False}, {"endpoint": "http://e:1"}),
        ("s3", {"skip_signature": "true", "requester_pays": True},
         {"skip_signature": True, "request_payer": True}),
        ("gs", {"token": "anon", "project": "p"}, {"skip_signature": True}),
        ("gs", {"token": "/key.json"}, {"application_credentials": "/key.json"}),
        ("gs", {"token": "google_default"}, {}),
        ("gs", {"token": {"type": "service_account"}},
         {"service_account_key": '{"type": "service_account"}'}),
        ("gs", {"endpoint_url": "http://e"}, {"base_url": "http://e"}),
        ("gs", {"google_bearer_token": "t"}, {"bearer_token": "t"}),
        ("az", {"account_name": "n", "account_key": KEY, "sas_token": "s"},
         {"account_name": "n", "account_key": KEY, "sas_key": "s"}),
        ("az", {"connection_string": f"AccountName=n;AccountKey={KEY};BlobEndpoint=http://e/n;"},
         {"account_name": "n", "account_key": KEY, "endpoint": "http://e/n"}),
        ("az", {"connection_string": "AccountName=n;EndpointSuffix=core.chinacloudapi.cn"},
         {"account_name": "n", "endpoint": "https://n.blob.core.chinacloudapi.cn"}),
        ("az", {"azure_storage_account_name": "n", "anon": True},
         {"account_name": "n", "skip_signature": True}),
        ("az", {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
         {"tenant_id": "t", "client_id": "c", "client_secret": "s"}),
        ("http", {}, {}),
    ],
)  # fmt: skip
def test_both_spellings_mean_the_same(kind, given, config):
    """The names of fsspec and of obstore come out as obstore's."""
    assert setting_for(kind, given).config == config


def test_client_options_and_headers_come_from_anywhere():
    """Options of the HTTP client work on their own, inside client_options and as headers."""
    given = {
        "client_options": {"user_agent": "me", "default_headers": {"a": "1"}, "connect_timeout": "2s"},
        "headers": {"b": b"2"},
        "read_timeout": timedelta(seconds=3),
        "proxy_url": "http://p",
        "retry_config": {"max_retries": 2},
    }
    setting = setting_for("http", given)
    assert setting.client["default_headers"] == {"a": "1", "b": "2"}
    assert setting.client["user_agent"] == "me"
    assert setting.client["proxy_url"] == "http://p"
    assert setting.policy == RetryPolicy(max_retries=2, connect_timeout_s=2.0, read_timeout_s=3.0)
    options = client_options(parse("http://h/a.tar"), setting, {})
    assert options["read_timeout"] == timedelta(seconds=3)
    assert options["timeout"] > timedelta(days=100)
    assert options["allow_http"] is True
    assert "allow_http" not in client_options(parse("https://h/a.tar"), setting, {})


def test_every_documented_option_is_taken_by_the_client_library():
    """The client library itself takes every name that is handed on to it."""
    for kind, store in (("s3", S3Store), ("gs", GCSStore), ("az", AzureStore)):
        for name in (*CONFIG[kind], *FLAGS[kind]):
            assert meaning(kind, name) == name
            with pytest.raises(Exception, match=r".*") as caught:
                store("bbb", config={name: "x", "no_such_option": "x"})
            assert "no_such_option" in str(caught.value) or "UnknownConf" not in type(caught.value).__name__
    for name in CLIENT:
        try:
            HTTPStore("http://h", client_options={name: "1s"})
        except Exception as error:  # noqa: BLE001
            assert "Invalid key" not in str(error)  # noqa: PT017
    HTTPStore("http://h", client_options=dict.fromkeys(CLIENT_FLAGS, False))


@pytest.mark.parametrize("kind", ["s3", "gs", "az", "http"])
def test_an_unknown_option_is_refused_with_the_known_names(kind):
    """The error says the wrong name, the usual right ones and how many more there are, and no value."""
    with pytest.raises(ArgumentError, match=r"^storage_options: unknown: qqq\. ") as caught:
        check_options_for([f"{kind}://bucket/a.tar"], {"qqq": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert set(USUAL[kind]) <= set(known_names(kind))
    assert f"{kind} knows {', '.join(USUAL[kind])} and " in str(caught.value)
    assert all(meaning(kind, name) for name in known_names(kind))
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("kind", ["s3", "gs", "az", "http"])
def test_a_slip_of_any_known_name_is_answered_with_that_name(kind):
    """Whichever known name lacks a letter, the error asks for a known name that is as near."""
    for name in known_names(kind):
        slip = name[:1] + name[2:] if len(name) > 3 else f"{name}{name[-1]}"
        if meaning(kind, slip):
            continue
        with pytest.raises(ArgumentError, match=f"unknown: {slip}; did you mean '") as caught:
            check_options_for([f"{kind}://bucket/a.tar"], {slip: "hunter2"})
        assert len(str(caught.value)) < 120
        assert "hunter2" not in str(caught.value)


def test_one_mapping_serves_several_stores():
    """Each kind of store takes the options it knows; one that none of the stores used knows is refused."""
    options = {"key": "k", "secret": "s", "account_name": "n"}
    check_options_for(["s3://b/a", "az://c/a", "a.tar"], options)
    assert setting_for("s3", options).config == {"access_key_id": "k", "secret_access_key": "s"}
    assert setting_for("az", options).config == {"account_name": "n"}
    with pytest.raises(ArgumentError, match="unknown: account_name"):
        check_options_for(["s3://b/a"], options)
    with pytest.raises(ArgumentError, match="local paths take none"):
        check_options_for(["a.tar"], options)


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("s3", {"key": 3}, ArgumentTypeError),
        ("s3", {"key": ""}, ArgumentError),
        ("s3", {"key": "hunter2", "aws_access_key_id": "hunter2"}, ArgumentError),
        ("s3", {"anon": "hunter2"}, ArgumentTypeError),
        ("s3", {"client_kwargs": "hunter2"}, ArgumentTypeError),
        ("s3", {"client_kwargs": {"hunter": "hunter2"}}, ArgumentError),
        ("s3", {"client_options": {"hunter": "hunter2"}}, ArgumentError),
        ("s3", {"client_options": "hunter2"}, ArgumentTypeError),
        ("s3", {"use_ssl": False}, ArgumentError),
        ("s3", {"credential_provider": "hunter2"}, ArgumentTypeError),
        ("s3", {"retry_config": {"hunter": "hunter2"}}, ArgumentError),
        ("s3", {"retry_config": {"max_retries": "hunter2"}}, ArgumentTypeError),
        ("s3", {"retry_config": {"max_retries": -1}}, ArgumentError),
        ("s3", {"connect_timeout": "hunter2"}, ArgumentError),
        ("s3", {"connect_timeout": -1}, ArgumentError),
        ("s3", {"connect_timeout": True}, ArgumentTypeError),
        ("gs", {"token": {"type": "authorized_user", "refresh_token": "hunter2"}}, ArgumentError),
        ("gs", {"token": 3}, ArgumentTypeError),
        ("http", {"headers": {"Authorization": 3}}, ArgumentTypeError),
        ("http", {"headers": {"Authorization": "hunter2\r\nX: y"}}, ArgumentError),
        ("http", {"headers": "hunter2"}, ArgumentTypeError),
        ("http", {3: "hunter2"}, ArgumentTypeError),
        ("http", ["hunter2"], ArgumentTypeError),
    ],
)
def test_wrong_values_are_refused_without_being_shown(kind, options, error):
    """A value of the wrong type or form is an error that names the option only."""
    with pytest.raises(error, match=r"^storage_options") as caught:
        check_options_for([f"{kind}://bucket/a.tar"], options)
    assert "hunter2" not in "".join(traceback.format_exception_only(caught.value))


def test_retries_fit_into_their_time():
    """`retry_timeout` leaves as many repetitions as have waits that fit into it."""
    config = {
        "retry_timeout": timedelta(seconds=1),
        "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=9)},
    }
    policy = setting_for("s3", {"retry_config": config}).policy
    assert policy.max_retries == 2  # 0.2 + 0.4 s fit into 1 s, 0.8 s more does not
    assert all(0.1 <= policy.wait_s(0) <= 0.2 for _ in range(50))
    assert all(4.5 <= policy.wait_s(1000) <= 9 for _ in range(50))
    own = RetryPolicy(max_retries=1)
    assert setting_for("s3", {"retry_config": own}).policy == own


def _config(tmp_path, monkeypatch, config, credentials, **options):
    home = tmp_path / "aws"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text(config)
    (home / ".aws" / "credentials").write_text(credentials)
    monkeypatch.setenv("HOME", str(home))
    return store_config(parse("s3://b/k"), setting_for("s3", options))


CONFIG_FILE = """
[default]
region = eu-west-1
[profile work]
region = eu-west-2
endpoint_url = http://e
[profile sso]
sso_session = x
"""
CREDENTIALS_FILE = """
[default]
aws_access_key_id = d
aws_secret_access_key = hunter2
[work]
aws_access_key_id = w
aws_secret_access_key = hunter2
aws_session_token = t
"""
FILES = (CONFIG_FILE, CREDENTIALS_FILE)


def test_static_keys_of_a_profile(tmp_path, monkeypatch):
    """A profile gives its keys, its region and its endpoint, and what was passed goes before it."""
    config = _config(tmp_path, monkeypatch, *FILES, profile="work", region="r")
    assert config == {
        "access_key_id": "w", "secret_access_key": "hunter2", "session_token": "t", "region": "r",
        "aws_endpoint_url_s3": "http://e", "skip_signature": False,
    }  # fmt: skip


def test_the_environment_goes_before_the_default_profile(tmp_path, monkeypatch):
    """Keys and regions of the environment are not replaced by those of the default profile."""
    assert _config(tmp_path, monkeypatch, *FILES)["access_key_id"] == "d"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "e")
    monkeypatch.setenv("AWS_REGION", "e")
    assert store_config(parse("s3://b/k"), setting_for("s3", {})) == {}
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ArgumentError, match="no AWS profile 'nobody'"):
        store_config(parse("s3://b/k"), setting_for("s3", {}))


def test_keys_that_have_to_be_fetched_are_left_to_boto3(tmp_path, monkeypatch):
    """A profile of SSO or a role is an error that says how to use it."""
    with pytest.raises(ArgumentError, match=r"sso_session.*credential_provider=obstore\.auth\.boto3"):
        _config(tmp_path, monkeypatch, *FILES, profile="sso")


def test_a_broken_file_of_credentials_is_not_shown(tmp_path, monkeypatch):
    """What is wrong in the file is not repeated, since its lines are credentials."""
    with pytest.raises(ArgumentError, match="cannot be read") as caught:
        _config(tmp_path, monkeypatch, "", f"aws_secret_access_key = {'hunter' + str(2)}\n")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("url", "options", "says"),
    [
        ("s3://bucket/a.tar", {"key": "hunter2"}, "secret_access_key"),
        ("az://container/a.tar", {}, "account_name is missing"),
        ("az://container/a.tar", {"account_name": "n", "account_key": "hunter2!"}, "no base64"),
        ("az://container/a.tar", {"account_name": "n", "sas_token": "hunter2"}, "sas_token"),
        ("gs://bucket/a.tar", {"token": "/no/hunter2.json"}, "cannot be opened"),
        ("gs://bucket/a.tar", {"token": {"type": "service_account", "x": "hunter2"}}, "service account"),
        ("http://host/a.tar", {"proxy_url": "hunter2 x"}, "proxy_url has a value that cannot be used"),
        ("http://host/a.tar", {"headers": {"hunter2 x": "y"}}, "host: headers has a value"),
        ("http://host/a.tar", {"pool_max_idle_per_host": "hunter2"}, "pool_max_idle_per_host has a value"),
        (
            "http://ho st/a.tar",
            {"user_agent": "hunter2"},
            "^file_paths: http://ho st: the host cannot be read",
        ),
        ("s3://bucket/a.tar", {"conditional_put": "hunter2", "region": "r"}, "conditional_put has a value"),
        (
            "s3://bucket/a.tar",
            {"checksum_algorithm": "x", "key": "hunter2", "secret": "s"},
            "checksum_algorithm",
        ),
        ("s3://bucket/a.tar", {"checksum_algorithm": "x", "conditional_put": "hunter2"}, "check each"),
        ("az://container/a.tar", {"account_name": "hunter2 x"}, "account_name has whitespace"),
        (
            "az://container/a.tar",
            {"connection_string": "hunter2"},
            "connection_string has none of AccountName",
        ),
    ],
)
def test_what_the_client_library_refuses_is_told_without_values(url, options, says):
    """Options that only the client library can judge are refused in our words."""
    with pytest.raises(ArgumentError, match=says) as caught:
        RemoteStore(options).stat(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_store_pickles_and_shows_names_only():
    """A store travels with its options, and its repr has no value."""
    store = pickle.loads(pickle.dumps(RemoteStore({"key": "hunter2"})))
    assert repr(store) == "RemoteStore(storage_options: key)"
    assert "hunter2" not in repr(setting_for("s3", {"key": "hunter2"}))


def test_no_credentials_at_all_is_one_error_at_once():
    """Without credentials the error says so, and what to do for a public bucket."""
    with pytest.raises(InputDeniedError, match=r"no credentials were found.*anon=True") as caught:
        RemoteStore({"region": "r"}).stat("s3://bucket/a.tar")
    assert isinstance(caught.value, TarlightError)


@pytest.mark.parametrize(
    ("url", "options", "config"),
    [
        ("abfss://c@acc.dfs.core.windows.net/x", {}, {"account_name": "acc"}),
        (
            "abfs://c@acc.dfs.core.chinacloudapi.cn/x",
            {},
            {"account_name": "acc", "endpoint": "https://acc.blob.core.chinacloudapi.cn"},
        ),
        (
            "abfs://c@one.dfs.fabric.microsoft.com/x",
            {},
            {"account_name": "one", "use_fabric_endpoint": True},
        ),
        ("abfs://c@acc.dfs.core.windows.net/x", {"account_name": "n"}, {"account_name": "n"}),
        ("az://c/x", {}, {"account_name": "env"}),
        ("az://c/x", {"account_name": "n"}, {"account_name": "n"}),
    ],
)
def test_accounts_of_azure(monkeypatch, url, options, config):
    """An account comes from the options, from the URL, or from a connection string in the environment."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=env")
    assert store_config(parse(url), setting_for("az", options)) == config


def test_static_keys_work_with_google_and_azure_endpoints(server):
    """A bearer token and an account key reach the endpoint that was asked for, over http:// as it says."""
    server.say(200, b"x", ETag='"e"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    google = RemoteStore({"endpoint_url": server.url, "bearer_token": "t"})
    assert google.stat("gs://bucket/a.tar").version == "1-e"
    azure = RemoteStore({"endpoint": server.url, "account_name": "n", "account_key": KEY})
    assert azure.stat("az://container/a.tar").version == "1-e"
    asked = [unquote(path) for _, path, _ in server.asked]
    assert asked == ["/bucket/a.tar", "/container/a.tar"]
    assert server.asked[0][2]["authorization"] == "Bearer t"
    assert server.asked[1][2]["authorization"].startswith("SharedKey n:")


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint_url": "hunter2:5756"},
        {"endpoint_url": "ftp://hunter2"},
        {"endpoint_url": "http://hunter2:99999"},
        {"endpoint_url": "http://hunter2:port"},
        {"endpoint_url": " http://hunter2"},
        {"client_kwargs": {"endpoint_url": "http://"}},
        {"key": "hunter2\n"},
        {"secret": "hunter2\x1b"},
        {"region": "hunter2 west"},
    ],
)
def test_values_that_the_client_library_panics_about_are_refused(options):
    """No value without a scheme, with a wrong port, or with stray characters gets to the library."""
    with pytest.raises(ArgumentError, match=r"^storage_options: ") as caught:
        check_options_for(["s3://bucket/a.tar"], options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "hunter2:5756"),
        ("AWS_ENDPOINT_URL_S3", "http://hunter2:99999"),
        ("AWS_REGION", "hunter2\n"),
        ("AWS_ACCESS_KEY_ID", " hunter2"),
    ],
)
def test_variables_with_wrong_values_are_named(monkeypatch, name, value):
    """A wrong value of the environment is an error that names its variable, and not the value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=rf"^the environment variable {name} ") as caught:
        next(RemoteStore({"anon": True}).list("s3://bucket/train"), None)
    assert "hunter2" not in str(caught.value)


def test_a_passed_endpoint_goes_before_a_wrong_variable(monkeypatch):
    """A variable that is not used may hold anything."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:1")
    setting = setting_for("s3", {"endpoint_url": "http://e", "anon": True})
    assert store_config(parse("s3://b/k"), setting)["aws_endpoint_url_s3"] == "http://e"


def test_inner_names_of_another_kind_are_left_to_it():
    """An inner key of client_kwargs that some store knows passes where that store may be meant."""
    options = {"client_kwargs": {"endpoint_url": "http://e", "headers": {"a": "b"}}}
    check_option_names(options)
    assert setting_for("s3", options).config == {"endpoint": "http://e"}
    assert setting_for("http", options).client["default_headers"] == {"a": "b"}
    with pytest.raises(ArgumentError, match="client_kwargs: unknown: headers"):
        check_options_for(["s3://b/a.tar"], options)
