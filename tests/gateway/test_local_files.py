import os
from pathlib import Path

import pytest

from gateway import local_files
from gateway.errors import BadInput


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "logs").mkdir(parents=True)
    for name in ("orders.csv", "logs/a.ndjson", "logs/b.ndjson", "sp ace#1?.csv"):
        (root / name).write_text("x\n")
    (tmp_path / "secret.csv").write_text("secret\n")
    (root / "data").mkdir()
    (root / "data" / "secret.key").write_text("key\n")
    return root


def names(uri: str, root: Path) -> list[str]:
    found = local_files.find(uri, [root], private=root / "data")
    return [os.path.relpath(file["path"], root) for file in found.files]


def refusal(uri: str, root: Path) -> str:
    with pytest.raises(BadInput) as caught:
        local_files.find(uri, [root], private=root / "data")
    assert caught.value.field == ["input", "uri"]
    return caught.value.message


def test_path_uri_and_relative_path_are_the_same_file(root: Path) -> None:
    for uri in (
        f"{root}/orders.csv",
        f"file://{root}/orders.csv",
        f"file://localhost{root}/orders.csv",
        "orders.csv",
    ):
        assert names(uri, root) == ["orders.csv"], uri


def test_uri_that_is_kept_finds_the_file_again(root: Path) -> None:
    found = local_files.find(str(root / "sp ace#1?.csv"), [root], private=root / "data")
    assert found.files[0]["path"] == str(root / "sp ace#1?.csv")
    assert names(found.uri, root) == ["sp ace#1?.csv"]
    assert found.size_bytes == 2


def test_pattern_gives_its_files_in_order(root: Path) -> None:
    assert names("logs/*.ndjson", root) == ["logs/a.ndjson", "logs/b.ndjson"]
    assert names(f"file://{root}/logs/[b].ndjson", root) == ["logs/b.ndjson"]


def test_a_folder_is_all_its_files_in_natural_order(root: Path) -> None:
    for path in (
        "year=2024/part-10.csv",
        "year=2024/part-2.csv",
        "year=2023/part-1.csv",
        "year=2024/_SUCCESS",
    ):
        (root / "sales" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "sales" / path).write_text("x\n")
    found = local_files.find("sales", [root], private=root / "data")
    assert [(file["name"], file["partition"]) for file in found.files] == [
        ("year=2023/part-1.csv", {"year": "2023"}),
        ("year=2024/part-2.csv", {"year": "2024"}),
        ("year=2024/part-10.csv", {"year": "2024"}),
    ]
    assert names("sales/**/*.csv", root) == names(found.uri, root)


@pytest.mark.parametrize(
    "uri", ["../secret.csv", "logs/../../secret.csv", "/etc/passwd", "file:///etc/passwd"]
)
def test_what_lies_outside_is_refused_without_a_look(root: Path, uri: str) -> None:
    assert refusal(uri, root) == "The path is not under a folder that this server may read."


def test_missing_outside_and_there_outside_look_the_same(root: Path) -> None:
    assert refusal(f"{root.parent}/secret.csv", root) == refusal(f"{root.parent}/nothing.csv", root)


def test_links_may_stay_inside_but_not_lead_out(root: Path) -> None:
    (root / "inside.csv").symlink_to(root / "orders.csv")
    (root / "outside.csv").symlink_to(root.parent / "secret.csv")
    (root / "up").symlink_to(root.parent)
    (root / "dangling.csv").symlink_to(root / "nothing.csv")
    assert names("inside.csv", root) == ["orders.csv"]
    for uri in ("outside.csv", "up/secret.csv", "*side.csv", "up", "data"):
        assert "leads out of the folders" in refusal(uri, root), uri
    assert "There is no file" in refusal("dangling.csv", root)


def test_a_root_may_itself_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    found = local_files.find(f"{link}/orders.csv", [link], private=root / "data")
    assert found.files[0]["path"] == str(root / "orders.csv")


def test_the_folder_of_the_service_is_refused(root: Path) -> None:
    assert "leads out of the folders" in refusal("data/secret.key", root)


def test_what_is_no_regular_file_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    assert "is not a regular file" in refusal("pipe.csv", root)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "empty"),
        ("orders\x00.csv", "NUL"),
        ("s3://bucket/key", "s3:// can't be registered"),
        ("file://elsewhere/orders.csv", "no host"),
        ("Orders.csv", "There is no file"),
        ("none*.csv", "There is no file"),
        ("//[", "not under a folder"),
    ],
)
def test_what_is_wrong_is_said(root: Path, uri: str, message: str) -> None:
    assert message in refusal(uri, root)


def test_without_roots_nothing_is_read(root: Path) -> None:
    with pytest.raises(BadInput, match="no data root"):
        local_files.find(str(root / "orders.csv"), [], private=root / "data")
