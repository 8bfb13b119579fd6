"""Maps of columns: said, named, remembered."""

import stat
from pathlib import Path

import pytest

from worker.errors import RungError, UsageError
from worker.intake.maps import columns_of, remember, remembered, save
from worker.intake.presets import PRESETS

SAVED = {"desk": {"external_id": "No", "body": "Text"}}


def test_what_is_said_comes_before_a_map_that_is_named() -> None:
    explicit, usual = columns_of(["desk", "body=Message|Text"], SAVED)
    assert explicit == {"body": "Message|Text"}
    assert usual == SAVED["desk"]


def test_a_map_of_ones_own_comes_before_the_shipped_one_of_its_name() -> None:
    assert columns_of(["zendesk"], {})[1] == PRESETS["zendesk"].columns
    assert columns_of(["zendesk"], {"zendesk": {"body": "x"}})[1] == {"body": "x"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("zendsk", "Did you mean zendesk?"),
        ("bdy=Message", "with a field of ours"),
        ("body=", "with a field of ours"),
    ],
)
def test_what_is_no_map_is_a_sentence(said: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        columns_of([said], SAVED)
    assert words in str(error.value)


def test_a_map_is_written_into_a_file_that_stays_as_it_was(tmp_path: Path) -> None:
    # given
    path = tmp_path / "rung.toml"
    path.write_text('# ours\n[policy]\npreset = "ladder" # the usual\n')
    # when
    save(path, "desk", {"body": "Text", "external_id": "No."}, replace=False)
    save(path, "other", {"body": "B"}, replace=False)
    # then
    text = path.read_text()
    assert text.startswith('# ours\n[policy]\npreset = "ladder" # the usual\n')
    assert '[intake.maps.desk]\nexternal_id = "No."\nbody = "Text"\n' in text
    assert '[intake.maps.other]\nbody = "B"\n' in text
    with pytest.raises(RungError, match="has a map 'desk' already"):
        save(path, "desk", {"body": "X"}, replace=False)
    save(path, "desk", {"body": "X"}, replace=True)
    assert '[intake.maps.desk]\nbody = "X"\n' in path.read_text()


def test_what_is_no_toml_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rung.toml"
    path.write_text("[policy\n")
    with pytest.raises(RungError, match="cannot be changed"):
        save(path, "desk", {"body": "X"}, replace=False)
    assert path.read_text() == "[policy\n"


def test_the_columns_of_what_was_handed_in_last_are_remembered(tmp_path: Path) -> None:
    with pytest.raises(RungError, match="Nothing was submitted from here"):
        remembered(tmp_path)
    remember(tmp_path / "home", {"body": "Text"})
    assert remembered(tmp_path / "home") == {"body": "Text"}


def test_whose_the_configuration_is_and_where_a_link_leads_stays(tmp_path: Path) -> None:
    # given a file with secrets in it, to which a link leads
    kept, link = tmp_path / "kept.toml", tmp_path / "rung.toml"
    kept.write_text("[dashboard]\nport = 9\n")
    kept.chmod(0o640)
    link.symlink_to(kept)
    # when
    save(link, "desk", {"body": "Text"}, replace=False)
    # then
    assert link.is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert "desk" in kept.read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept.toml", "rung.toml"]
    # and one that is new is for its owner's eyes
    save(tmp_path / "new.toml", "desk", {"body": "Text"}, replace=False)
    assert stat.S_IMODE((tmp_path / "new.toml").stat().st_mode) == 0o600
