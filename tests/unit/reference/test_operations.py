"""The list of operations says what the API offers, with a name for each."""

from tests.unit.reference.sample import DRAWING, JOB, SAMPLE, STEP, TOOL

from planwerk.describe import LIST, Object, Place, identity
from planwerk.reference.operations import operations


def listed(*objects: Object) -> dict[str, str]:
    return {operation.id: f"{operation.method} {operation.path}" for operation in operations(objects)}


def test_every_operation_of_a_place_has_a_method_and_a_path() -> None:
    found = listed(DRAWING)
    assert found == {
        "listJobDrawing": "GET /job/{job_id}/drawing",
        "createJobDrawing": "POST /job/{job_id}/drawing",
        "getJobDrawing": "GET /job/{job_id}/drawing/{drawing_id}",
    }


def test_the_places_of_one_object_have_names_of_their_own() -> None:
    found = listed(STEP)
    assert found["listStep"] == "GET /step"
    assert found["listJobStep"] == "GET /job/{job_id}/step"


def test_an_archivable_object_can_be_archived_and_restored() -> None:
    found = listed(TOOL)
    assert found["archiveTool"] == "POST /tool/{tool_id}/archive"
    assert found["restoreTool"] == "POST /tool/{tool_id}/restore"


def test_an_object_without_archive_has_no_archive_operation() -> None:
    assert not [name for name in listed(STEP) if name.startswith(("archive", "restore"))]


def test_an_open_link_is_attached_and_detached_by_the_word_for_one() -> None:
    found = listed(JOB)
    assert found["attachJobTool"] == "PUT /job/{job_id}/tool/{tool_id}"
    assert found["detachJobTool"] == "DELETE /job/{job_id}/tool/{tool_id}"


def test_a_link_that_is_not_open_has_no_path() -> None:
    assert "attachToolJob" not in listed(TOOL)


def test_an_action_is_named_by_its_words_without_articles() -> None:
    assert listed(JOB)["splitJob"] == "POST /job/{job_id}/split"


def test_no_two_operations_share_a_name_or_a_path() -> None:
    found = list(operations(SAMPLE))
    assert len({operation.id for operation in found}) == len(found)
    assert len({(operation.method, operation.path) for operation in found}) == len(found)


def test_summaries_tell_the_places_of_one_object_apart() -> None:
    summaries = {operation.id: operation.summary for operation in operations(SAMPLE)}
    assert summaries["listStep"] == "List steps"
    assert summaries["listJobStep"] == "List steps of a job"
    assert summaries["listJobDetail"] == "List jobs (detail)"
    assert summaries["getJobDrawing"] == "Get a drawing"


def test_a_summary_says_an_before_a_vowel() -> None:
    order = Object(name="order", section="base", purpose="", fields=(identity(),), places=(Place("/order", operations=("one",)),))
    assert [operation.summary for operation in operations([order])] == ["Get an order"]


def test_the_parameters_of_a_path_come_in_their_order() -> None:
    found = next(operation for operation in operations([STEP]) if operation.id == "getJobStep")
    assert found.parameters == ("job_id", "step_id")
    assert next(operations([STEP])).kind == LIST
