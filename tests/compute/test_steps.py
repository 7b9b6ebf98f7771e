"""Steps: what each makes, as rows; how they follow each other; and errors that name the step."""

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest

from compute import files, local, steps, tables
from compute.spec import JobSpec, Succeeded
from karyaksham_engine.errors import InvalidJob

SALES = """id,shop,item,price,day
1,north,Tea,2.50,2024-01-05
2,south,"Cake, big",,2024-01-06
3,north,Tea,1.00,2024-02-01
4,,Coffee,3.25,2024-02-03
5,south,Tea,2.50,2024-01-05
"""
SHOPS = 'shop,town,id\nnorth,Oslo,10\nsouth,"a ""quoted"" town",20\nwest,Bergen,30\n'


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> JobSpec:
    folder = tmp_path_factory.mktemp("steps")
    sources = []
    for name, text in (("sales", SALES), ("shops", SHOPS), ("step_1", 'id,"sel""ect",Mixed\n1,x,2\n')):
        (folder / f"{name}.csv").write_text(text)
        sources.append(tables.inspect(tables.files_of([str(folder / f"{name}.csv")])).source(name))
    return JobSpec("steps", "", tuple(sources), {"format": "csv"}, {"policy": "FAIL_JOB"}, "", "")


def run(spec: JobSpec, folder: Path, *given: dict[str, Any]) -> list[list[str]]:
    """Header and rows."""
    sql = files.sql_of_steps(given, spec)
    job = JobSpec(
        "steps",
        sql,
        spec.sources,
        spec.output,
        spec.bad_rows,
        str(folder / "staging"),
        str(folder / "output"),
    )
    events = list(local.start(job, threads=2).follow())
    assert isinstance(events[-1], Succeeded), (sql, events[-1])
    return list(csv.reader(io.StringIO((folder / "output" / "output.csv").read_text(), newline="")))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"filter": {"where": "price > 2"}}, ["1", "4", "5"]),
        ({"filter": {"where": "shop IS NULL OR item = 'a;b--c)'"}}, ["4"]),
        ({"limit": {"count": 2}}, ["1", "2"]),
        ({"limit": {"count": 0}}, []),
        (
            {"sort": {"by": [{"column": "price"}, {"column": "id", "direction": "DESC"}]}},
            ["3", "5", "1", "4", "2"],
        ),
        (
            {"sort": {"by": [{"column": "price", "direction": "DESC", "nullsFirst": False}]}},
            ["4", "1", "5", "3", "2"],
        ),
        ({"dedupe": {"by": ["item"]}}, ["1", "2", "4"]),
        ({"join": {"with": "shops", "on": "shop", "kind": "SEMI"}}, ["1", "2", "3", "5"]),
        ({"join": {"with": "shops", "on": "sales.shop = shops.shop", "kind": "ANTI"}}, ["4"]),
        ({"join": {"with": "shops", "on": "shop", "kind": "LEFT"}}, ["1", "2", "3", "4", "5"]),
        ({"union": {"with": "shops"}}, ["1", "10", "2", "20", "3", "30", "4", "5"]),
    ],
)
def test_step_keeps_these_rows(
    spec: JobSpec, step: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    found = [row[0] for row in run(spec, tmp_path, step)[1:]]
    assert (found if "sort" in step or "limit" in step else sorted(found)) == expected


@pytest.mark.parametrize(
    ("given", "header", "first"),
    [
        ([{"select": {"columns": ["day", "id"]}}], "day,id", "2024-01-05,1"),
        ([{"drop": {"columns": ["day", "shop", "item"]}}], "id,price", "1,2.50"),
        (
            [{"rename": {"column": "id", "to": 'The "id"'}}, {"select": {"columns": ['The "id"']}}],
            'The "id"',
            "1",
        ),
        ([{"derive": {"column": "twice", "expression": "price * 2"}}], "id,shop,item,price,day,twice", None),
        (
            [{"derive": {"column": "id", "expression": "id + 1"}}],
            "id,shop,item,price,day",
            "2,north,Tea,2.50,2024-01-05",
        ),
        (
            [{"cast": {"column": "price", "type": "Int64"}}],
            "id,shop,item,price,day",
            "1,north,Tea,2,2024-01-05",
        ),
        (
            [{"cast": {"column": "item", "type": "Date32", "orNull": True}}],
            "id,shop,item,price,day",
            "1,north,,2.50,2024-01-05",
        ),
        (
            [{"replace": {"column": "item", "find": "e", "with": "'"}}],
            "id,shop,item,price,day",
            "1,north,T'a,2.50,2024-01-05",
        ),
        (
            [{"replace": {"column": "item", "find": "[aeiou]+", "with": "_", "regex": True}}],
            "id,shop,item,price,day",
            "1,north,T_,2.50,2024-01-05",
        ),
        (
            [{"split": {"column": "item", "by": "e", "into": ["a", "b", "c"]}}],
            "id,shop,item,price,day,a,b,c",
            "1,north,Tea,2.50,2024-01-05,T,a,",
        ),
        (
            [{"join": {"with": "shops", "on": "shop"}}, {"sort": {"by": [{"column": "id"}]}}],
            "id,shop,item,price,day,town,shops_id",
            "1,north,Tea,2.50,2024-01-05,Oslo,10",
        ),
    ],
)
def test_step_makes_these_columns(
    spec: JobSpec, given: list[dict[str, Any]], header: str, first: str | None, tmp_path: Path
) -> None:
    found = run(spec, tmp_path, *given)
    assert found[0] == next(csv.reader([header])) or ",".join(found[0]) == header
    assert first is None or found[1] == first.split(",")


def test_steps_follow_each_other(spec: JobSpec, tmp_path: Path) -> None:
    found = run(
        spec,
        tmp_path,
        {"fillNull": {"column": "price", "value": "0"}},
        {"fillNull": {"column": "shop", "value": "it's none"}},
        {"derive": {"column": "cents", "expression": "CASE WHEN id > 1 THEN price * 100 END"}},
        {"fillNull": {"column": "cents", "value": "-1"}},
        {"join": {"with": "shops", "on": "shop", "kind": "FULL"}},
        {
            "aggregate": {
                "by": ["shop"],
                "measures": [
                    {"as": "n", "expression": "count(id)"},
                    {"as": "Sum", "expression": "sum(cents)"},
                ],
            }
        },
        {"sort": {"by": [{"column": "n", "direction": "DESC"}, {"column": "shop"}]}},
        {"limit": {"count": 3}},
        {"filter": {"where": '"Sum" IS NOT NULL'}},
        {"rename": {"column": "Sum", "to": "total"}},
        {"drop": {"columns": ["n"]}},
    )
    assert found == [["shop", "total"], ["north", "99.00"], ["south", "250.00"], ["it's none", "325.00"]]


def test_rows_stay_sorted_by_a_column_that_is_gone_or_changed(spec: JobSpec, tmp_path: Path) -> None:
    by_price = {"sort": {"by": [{"column": "price", "nullsFirst": True}, {"column": "id"}]}}
    cases: dict[str, list[dict[str, Any]]] = {
        "changed": [{"derive": {"column": "price", "expression": "-price"}}, {"filter": {"where": "id < 9"}}],
        "renamed": [{"rename": {"column": "price", "to": "cost"}}],
        "gone": [{"drop": {"columns": ["price"]}}, {"derive": {"column": "sort key 1", "expression": "1"}}],
        "twice": [{"select": {"columns": ["id"]}}, {"select": {"columns": ["id"]}}, {"limit": {"count": 9}}],
    }
    for name, then in cases.items():
        found = run(spec, tmp_path / name, by_price, *then)
        assert [row[0] for row in found[1:]] == ["2", "3", "1", "5", "4"], name
    first = run(
        spec,
        tmp_path / "first",
        by_price,
        {"select": {"columns": ["id", "shop"]}},
        {"dedupe": {"by": ["shop"]}},
    )
    assert first[1:] == [["2", "south"], ["3", "north"], ["4", ""]]


def test_names_are_quoted_and_never_taken_for_those_of_steps(spec: JobSpec, tmp_path: Path) -> None:
    odd = JobSpec("odd", "", spec.sources[::-1], spec.output, spec.bad_rows, "", "")
    found = run(
        odd,
        tmp_path,
        {"filter": {"where": "Mixed = 2"}},
        {"rename": {"column": 'sel"ect', "to": "x; DROP TABLE y"}},
        {"join": {"with": "sales", "on": "id", "kind": "LEFT"}},
        {"select": {"columns": ["x; DROP TABLE y", "item"]}},
    )
    assert found == [["x; DROP TABLE y", "item"], ["x", "Tea"]]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (
            [{"limit": {"count": 1}}, {"select": {"columns": ["prise"]}}],
            "UNKNOWN_COLUMN",
            "Step 2 (select): There is no column 'prise' at this point. Did you",
        ),
        (
            [
                {"drop": {"columns": ["id"]}},
                {"limit": {"count": 1}},
                {"filter": {"where": "id > 1"}},
                {"limit": {"count": 1}},
            ],
            "UNKNOWN_COLUMN",
            "Step 3 (filter): ",
        ),
        (
            [
                {"derive": {"column": "x", "expression": "nosuch(id)"}},
                {"fillNull": {"column": "x", "value": "1"}},
            ],
            "",
            "Step 1 (derive): ",
        ),
        ([{"filter": {"where": "price >"}}], "SQL_INVALID", "Step 1 (filter): "),
        (
            [{"filter": {"where": "1 = 1) UNION (SELECT 1"}}],
            "STEP_INVALID",
            "Step 1 (filter): The expression '1 = 1) UNION (SELECT 1' has ')' in it.",
        ),
        ([{"filter": {"where": "id > 1 -- rest"}}], "STEP_INVALID", "'--'"),
        ([{"filter": {"where": "item = 'Tea"}}], "STEP_INVALID", "a quote that is not closed"),
        ([{"filter": {"where": "("}}], "STEP_INVALID", "a parenthesis that is not closed"),
        ([{"filter": {"where": " "}}], "STEP_INVALID", "is empty"),
        ([{"filter": {"where": "sum(price) > 1"}}], "", "Step 1 (filter): "),
        ([{"filter": {}}], "STEP_INVALID", "Step 1 (filter): 'where' is missing."),
        ([{"filter": {"where": 1}}], "STEP_INVALID", "'where' is text"),
        ([{"filter": {"where": "true", "were": ""}}], "STEP_INVALID", "It takes no 'were'. It takes where."),
        (
            [{"filtre": {"where": "true"}}],
            "STEP_INVALID",
            "Step 1: There is no step 'filtre'. Did you mean 'filter'?",
        ),
        ([{"limit": {"count": 1}, "filter": {"where": "true"}}], "STEP_INVALID", "one key"),
        (["limit"], "STEP_INVALID", "one key"),
        ([{"limit": {"count": -1}}], "STEP_INVALID", "a whole number"),
        ([{"limit": {"count": True}}], "STEP_INVALID", "a whole number"),
        ([{"select": {"columns": []}}], "STEP_INVALID", "No column would be left"),
        ([{"select": {"columns": ["id", "id"]}}], "STEP_INVALID", "named twice"),
        (
            [{"drop": {"columns": ["id", "shop", "item", "price", "day"]}}],
            "STEP_INVALID",
            "No column would be left",
        ),
        ([{"rename": {"column": "id", "to": "shop"}}], "STEP_INVALID", "There is a column 'shop' already"),
        (
            [{"cast": {"column": "id", "type": "number"}}],
            "UNKNOWN_TYPE",
            "Step 1 (cast): Values can't be made 'number'.",
        ),
        (
            [{"fillNull": {"column": "price", "value": "none"}}],
            "STEP_INVALID",
            "'none' is no value of type Decimal128",
        ),
        ([{"fillNull": {"column": "price", "value": "0.005"}}], "STEP_INVALID", "no value of type"),
        ([{"fillNull": {"column": "day", "value": "today"}}], "STEP_INVALID", "no value of type Date32"),
        ([{"split": {"column": "item", "by": "", "into": ["a"]}}], "STEP_INVALID", "`by` is empty"),
        ([{"split": {"column": "item", "by": " ", "into": ["a", "a"]}}], "STEP_INVALID", "named twice"),
        ([{"aggregate": {"by": [], "measures": []}}], "STEP_INVALID", "nothing to group by"),
        (
            [{"aggregate": {"by": ["id"], "measures": [{"as": "id", "expression": "count(*)"}]}}],
            "STEP_INVALID",
            "Two columns",
        ),
        (
            [{"aggregate": {"by": ["id"], "measures": [{"as": "n", "expression": "price"}]}}],
            "",
            "Step 1 (aggregate): ",
        ),
        (
            [{"join": {"with": "shop", "on": "shop"}}],
            "UNKNOWN_TABLE",
            "Step 1 (join): There is no table 'shop'.",
        ),
        ([{"join": {"with": "sales", "on": "shop"}}], "STEP_INVALID", "with itself"),
        (
            [{"join": {"with": "shops", "on": "shop", "kind": "OUTER"}}],
            "STEP_INVALID",
            "There is no join 'OUTER'",
        ),
        ([{"sort": {"by": []}}], "STEP_INVALID", "nothing to sort by"),
        ([{"sort": {"by": [{"column": "id", "direction": "UP"}]}}], "STEP_INVALID", "'UP'"),
        ([], "STEPS_INVALID", "1 to 200 steps"),
        ([{"limit": {"count": 1}}] * 201, "STEPS_INVALID", "1 to 200 steps"),
    ],
)
def test_wrong_step_is_named(spec: JobSpec, given: list[Any], code: str, words: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        files.sql_of_steps(given, spec)
    error = caught.value
    assert words in f"{error.message} {error.hint}"
    assert not code or error.code == code
    assert "step" in error.detail or error.code == "STEPS_INVALID"


def test_the_most_steps_can_be_planned(spec: JobSpec, tmp_path: Path) -> None:
    given = [{"derive": {"column": f"c{n % 7}", "expression": f"id + {n}"}} for n in range(steps.STEPS_MAX)]
    assert len(run(spec, tmp_path, *given)) == 6


@pytest.mark.parametrize("text", ["{", "7", '{"steps": 1}', '"x"', "[" * 100_000])
def test_what_is_no_list_of_steps_is_refused(text: str) -> None:
    with pytest.raises(InvalidJob, match=r"steps|Steps"):
        steps.parse(text)


def test_any_steps_give_sql_or_a_reason(spec: JobSpec) -> None:
    draw = random.Random(4)  # noqa: S311 - not a secret
    names = ["id", "shop", "item", "price", "day", "x", "town"]
    for _ in range(60):
        made: list[Any] = []
        for _ in range(draw.randint(1, 6)):
            one, other = draw.choice(names), draw.choice(names)
            made.append(
                draw.choice(
                    [
                        {"filter": {"where": f'"{one}" IS NOT NULL'}},
                        {"select": {"columns": [one, other]}},
                        {"drop": {"columns": [one]}},
                        {"rename": {"column": one, "to": other}},
                        {
                            "derive": {
                                "column": one,
                                "expression": f"coalesce(CAST(\"{other}\" AS VARCHAR), '-')",
                            }
                        },
                        {"fillNull": {"column": one, "value": "0"}},
                        {"aggregate": {"by": [one], "measures": [{"as": "x", "expression": "count(*)"}]}},
                        {
                            "join": {
                                "with": "shops",
                                "on": "shop",
                                "kind": draw.choice(["LEFT", "FULL", "ANTI"]),
                            }
                        },
                        {"union": {"with": "shops"}},
                        {"sort": {"by": [{"column": one}]}},
                        {"dedupe": {"by": [one]}},
                        {"dedupe": {}},
                        {"limit": {"count": 3}},
                    ]
                )
            )
        try:
            files.sql_of_steps(made, spec)
        except InvalidJob as error:
            assert error.message.startswith("Step "), (made, error)
