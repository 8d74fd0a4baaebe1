"""What the model looks at, a neuron's weights, and the class that is looked for by its name."""

from __future__ import annotations

import pytest
from report_reading import change, page_of

WEIGHTS = {
    "unit": "log-odds",
    "outputs": ["Yes"],
    "features": [
        {"feature": "Contract=Two year", "column": "Contract", "effects": [-0.7312]},
        {"feature": "tenure", "column": "tenure", "effects": [0.4]},
        {"feature": "gender=Male", "column": "gender", "effects": [0.00001]},
    ],
    "left_out": 0,
}


def section(text: str, start: str = "What it looks at") -> str:
    return text[text.rindex(start) :][:1500]


def test_columns_come_by_what_is_lost_without_them(churn) -> None:
    text = section(page_of(churn).text)
    assert text.index("tenure 0.083 0.070 to 0.096") < text.index("Contract 0.061")
    assert "gender 0.000 -0.001 to 0.001" in text  # and not -0.0002
    assert "One column makes no difference that chance does not explain." in text


def test_a_column_whose_interval_holds_zero_is_drawn_as_chance(churn) -> None:
    change(churn, importance=[
        {"column": "a", "drop": 0.02, "interval": [0.01, 0.03], "share": 0.7},
        {"column": "b", "drop": 0.01, "interval": [-0.01, 0.03], "share": 0.3},
    ])  # fmt: skip
    page = page_of(churn)
    rows = [a["class"] for a in page.all("div") if a.get("class", "").startswith("bar-row")]
    assert rows == ["bar-row", "bar-row chance"]


def test_where_no_column_is_clear_it_is_said_so(churn) -> None:
    unclear = [{"column": name, "drop": 0.01, "interval": [-0.1, 0.1]} for name in "ab"]
    change(churn, importance=unclear)
    assert "No column alone makes a difference" in page_of(churn).text


def test_columns_that_the_time_did_not_reach_are_counted(churn) -> None:
    assert "too short" not in page_of(churn).text
    change(churn, importance=[{"column": "tenure", "drop": 0.1, "interval": [0.05, 0.2]}])
    assert "The time was too short to measure 2 more columns." in page_of(churn).text


def test_a_neurons_weights_carry_their_sign(churn) -> None:
    change(churn, weights=WEIGHTS)
    text = section(page_of(churn).text)
    assert "in log-odds of “Yes”: plus speaks for it" in text
    assert "Contract=Two year −0.731" in text
    assert "tenure +0.400" in text
    assert "gender=Male 0.000" in text


def test_weights_of_a_number_and_of_several_classes(churn) -> None:
    change(churn, weights=WEIGHTS | {"unit": "target", "outputs": ["Churn"]})
    assert "in units of “Churn”" in section(page_of(churn).text)
    features = [{"feature": "tenure", "column": "tenure", "effects": [0.1, -0.2, 0.3]}]
    change(churn, weights=WEIGHTS | {"outputs": ["a", "b", "c"], "features": features})
    text = section(page_of(churn).text)
    assert "of each class against the average class" in text
    assert "tenure +0.100 −0.200 +0.300" in text


@pytest.mark.parametrize("weights", [{}, {"features": 3}, WEIGHTS | {"outputs": ["a", "b"]}])
def test_weights_that_do_not_fit_together_are_left_out(churn, weights) -> None:
    change(churn, weights=weights)
    assert "weights, exactly" not in page_of(churn).text


def test_many_features_are_folded_away(churn) -> None:
    many = [{"feature": f"f{i}", "column": "f", "effects": [1 / (i + 1)]} for i in range(30)]
    change(churn, weights=WEIGHTS | {"features": many})
    assert "The other 18 features" in page_of(churn).text


def test_the_closed_form_stands_beside_descent(churn) -> None:
    block = {"rows": 71, "r2": {"descent": 0.5748, "closed_form": 0.57561}, "difference": -0.0008,
             "largest_difference": 1.6, "sentence": "Descent arrived."}  # fmt: skip
    change(churn, closed_form=block)
    text = page_of(churn).text
    assert "Descent arrived." in text
    assert "R² on 71 held-out rows" in text
    assert "descent 0.5748 closed form 0.5756" in text
    change(churn, closed_form={"r2": {"descent": None}})
    assert "closed form beside descent" not in page_of(churn).text


def test_the_class_that_is_looked_for_is_named(churn) -> None:
    assert "84 % of the positive rows are found" in page_of(churn).text
    sentences = ["Of 100 random pairs of a positive row and another, the model ranks 84 right."]
    change(churn, positive="Yes", sentences=sentences)
    text = page_of(churn).text
    assert "84 % of the “Yes” rows are found" in text
    assert "69 % of the other rows are left alone" in text
    assert "a “Yes” row and another" in text
    assert "positive row" not in text
    assert "negative row" not in text


def test_a_hostile_class_name_stays_text(churn) -> None:
    change(churn, positive="<b>x</b>")
    assert "of the “<b>x</b>” rows are found" in page_of(churn).text  # escaped, so read as text


def test_a_skipped_rung_shows_why_and_nothing_else(churn) -> None:
    text = page_of(churn).text
    table = text[text.index("What each answer costs") :]
    assert "a deep tabular net skipped: budget used gradient-boosted trees yardstick" in table


def test_a_rung_that_was_cut_short_says_so(churn) -> None:
    rungs = change(churn)["rungs"]
    change(churn, rungs=[rung | {"cut": rung["name"] == "dense"} for rung in rungs])
    assert page_of(churn).text.count("cut short by the time budget") == 1
