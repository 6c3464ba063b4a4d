"""Contract section 16, scoped styles: `scope`."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tinycss2 import parse_component_value_list, parse_rule_list, parse_stylesheet, serialize

from htag.tree.css import scope


def scoped(css: str) -> str:
    return scope(css, "htag-X")


# --- selectors: one form for the element itself, one for what is inside


@pytest.mark.parametrize("selector", [".a", "#a", ":root", "[x='y']", ".a > b", ".md\\:w-1\\/2", "::before"])
def test_a_selector_that_begins_with_a_sign_gets_the_class_in_front(selector):
    assert scoped(selector + " { color: red; }") == f".htag-X{selector}, .htag-X {selector} {{ color: red; }}"


@pytest.mark.parametrize("selector", ["p", "*", "p:hover", "ul li", "svg|a", "a:not(.b)", "é"])
def test_any_other_selector_gets_the_class_at_its_end(selector):
    assert scoped(selector + " { color: red; }") == f"{selector}.htag-X, .htag-X {selector} {{ color: red; }}"


def test_each_selector_of_a_list_is_scoped():
    assert scoped("h1, .b > c , #d{x:y}") == (
        "h1.htag-X, .htag-X h1, .htag-X.b > c, .htag-X .b > c, .htag-X#d, .htag-X #d {x:y}"
    )


@pytest.mark.parametrize("selector", ["a:is(b, c)", "a:not(b, :is(c, d))", 'a[x="y,z"]', "a/*,*/.b", "a\\,b"])
def test_commas_in_brackets_strings_comments_and_escapes_separate_nothing(selector):
    assert scoped(selector + "{x:y}") == f"{selector}.htag-X, .htag-X {selector} {{x:y}}"


@pytest.mark.parametrize(
    "pseudo", ["::before", ":after", ":first-line", ":First-Letter", "::part(a)", "::before:hover", "::selection"]
)
def test_the_class_comes_before_a_pseudo_element(pseudo):
    assert scoped(f"p{pseudo}{{x:y}}") == f"p.htag-X{pseudo}, .htag-X p{pseudo} {{x:y}}"
    assert scoped(f"ul li{pseudo}{{x:y}}") == f"ul li.htag-X{pseudo}, .htag-X ul li{pseudo} {{x:y}}"


@pytest.mark.parametrize("combinator", [">", "+", "~"])
def test_a_leading_combinator_is_relative_to_the_element(combinator):
    assert scoped(f"{combinator} .x, .y{{a:b}}") == f".htag-X {combinator} .x, .htag-X.y, .htag-X .y {{a:b}}"


def test_comments_around_selectors_and_rules_are_left_out():
    assert scoped("/* one */ .a /* two */ {x:y} /* three */") == ".htag-X.a, .htag-X .a {x:y}"


# --- bodies


@pytest.mark.parametrize(
    "body",
    [
        "{ color: red; &:hover { color: blue } .x, > y { z: w } @media print { a: b } }",
        "{ content: '}' \"{\"; /* } */ background: url(data:a;b,{}) }",
        "{ --json: {a: [1, 2]}; content: '\\201C' }",
        "{}",
    ],
)
def test_a_body_stays_as_it_is_written(body):
    assert scoped(f".a {body} .b {body}") == f".htag-X.a, .htag-X .a {body} .htag-X.b, .htag-X .b {body}"


# --- at-rules


@pytest.mark.parametrize(
    "group",
    [
        "@media (max-width: 1px)",
        "@supports (display: grid) and (not (display: inline-grid))",
        "@container card (width > 1px)",
        "@layer base",
        "@MEDIA print",
        "@starting-style",
    ],
)
def test_groups_are_kept_with_their_inner_rules_scoped(group):
    assert scoped(group + " {\n  .a { b: c; }\n}") == group + " {.htag-X.a, .htag-X .a { b: c; }}"
    assert scoped(f"@layer x{{{group}{{p{{}}}}q{{}}}}") == (
        f"@layer x {{{group} {{p.htag-X, .htag-X p {{}}}} q.htag-X, .htag-X q {{}}}}"
    )


VERBATIM = [
    "@keyframes x { from { a: b } 50%, to { a: c } }",
    "@-webkit-keyframes x { from { a: b } }",
    "@font-face { font-family: 'X'; src: url('x') }",
    "@page :first { margin: 1in }",
    "@property --x { syntax: '<length>' }",
]


@pytest.mark.parametrize("rule", VERBATIM)
def test_at_rules_that_hold_no_rules_for_elements_stay_verbatim(rule):
    assert scoped(f"{rule} p {{}}") == f"{rule} p.htag-X, .htag-X p {{}}"
    assert scoped(f"@media print {{ {rule} }}") == f"@media print {{{rule}}}"


@pytest.mark.parametrize(
    "statement", ["@import url(x;y.css);", "@import 'x' layer(a);", "@layer a, b;", "@charset 'x';"]
)
def test_statements_are_kept_and_the_next_rule_is_scoped(statement):
    assert scoped(statement + "\np {}") == statement + " p.htag-X, .htag-X p {}"


def test_a_statement_may_end_with_the_text():
    assert scoped("@import 'x'") == "@import 'x'"


# --- what is wrong: nothing raises


@pytest.mark.parametrize(
    "css", ["", "  \n", "/* nothing */", "garbage", "{x:y}", "a,,b{x:y}", "a,{x:y}", "a;b{x:y}", "a)b{}"]
)
def test_what_browsers_drop_is_left_out(css):
    assert scoped(css) == ""


def test_what_is_wrong_costs_only_its_own_rule():
    assert scoped("a{x:y} } b{x:y} c{x:y} tail") == "a.htag-X, .htag-X a {x:y} c.htag-X, .htag-X c {x:y}"
    assert scoped("@media print{ x:y; ; p{} }") == "@media print {p.htag-X, .htag-X p {}}"


def test_html_comment_marks_around_a_sheet_are_ignored():
    assert scoped("<!-- a{x:y} -->") == "a.htag-X, .htag-X a {x:y}"


@pytest.mark.parametrize(
    ("css", "body"),
    [
        ("p{x:y", "{x:y}"),
        ("p{x:y;&:hover{z:w}", "{x:y;&:hover{z:w}}"),
        ("p{x:'y", "{x:'y'}"),
        ('p{x:"}', '{x:"}"}'),
        ("p{x:url(y", "{x:url(y)}"),
        ("p{x:y/*}", "{x:y/*}*/}"),
        ("p{x:(y[z", "{x:(y[z])}"),
    ],
)
def test_what_is_open_at_the_end_is_closed_there(css, body):
    assert scoped(css).replace("'", '"') == ("p.htag-X, .htag-X p " + body).replace("'", '"')


def test_line_ends_and_null_characters_are_those_of_css():
    assert scoped("a\r\n{x:y}\fb\r{x:\0}") == "a.htag-X, .htag-X a {x:y} b.htag-X, .htag-X b {x:\ufffd}"


@pytest.mark.parametrize("css", ["@media x{" * 5000, "a{" + "(" * 5000, "@media x{" * 5000 + "}" * 5000])
def test_absurdly_deep_nesting_gives_nothing(css):
    assert scoped(css) == ""


FRAGMENTS = [
    *"{}()[];,:.#>&*\\\"'/ \n@ab-",
    "/*",
    "*/",
    "<!--",
    "-->",
    "url(",
    "@media ",
    "@layer",
    "::",
    "before",
    "not(",
]
ANY_CSS = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
GROUPS = {"media", "supports", "container", "layer", "starting-style"}


def selectors_of_all_rules(rules):
    for rule in rules:
        if rule.type == "qualified-rule":
            yield serialize(rule.prelude)
        elif rule.type == "at-rule" and rule.content is not None and rule.lower_at_keyword in GROUPS:
            yield from selectors_of_all_rules(parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))


@given(ANY_CSS)
@example("@media a{x;y{}}")
@example('a{b:"\\')
def test_any_string_gives_a_closed_sheet_whose_rules_are_all_scoped(css):
    result = scoped(css)
    assert parse_component_value_list(result + "}")[-1].type == "error"  # the bracket matches nothing: all is closed
    rules = parse_stylesheet(result, skip_comments=True, skip_whitespace=True)
    assert all(".htag-X" in selector for selector in selectors_of_all_rules(rules))


IDENTIFIERS = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
SELECTORS = st.builds(
    "{}{}{}".format,
    st.sampled_from([".", "#", "", ":is(.a, .b) "]),
    IDENTIFIERS,
    st.sampled_from(["", ":hover", "::before"]),
)
DECLARATIONS = st.lists(
    st.builds("{}: '{}';".format, IDENTIFIERS, st.sampled_from(["", "}", "{", "/*", ","])), max_size=3
)


@given(st.lists(st.tuples(st.lists(SELECTORS, min_size=1, max_size=3), DECLARATIONS.map(" ".join)), max_size=4))
def test_every_rule_of_a_right_sheet_is_there_with_its_body_untouched(rules):
    css = "\n".join(f"{', '.join(selectors)} {{{body}}}" for selectors, body in rules)
    result = parse_stylesheet(scoped(css), skip_comments=True, skip_whitespace=True)
    expected = [(2 * len(selectors), body) for selectors, body in rules]
    separators = [[token for token in rule.prelude if token == ","] for rule in result]
    bodies = [serialize(rule.content).replace('"', "'") for rule in result]
    assert [(len(commas) + 1, body) for commas, body in zip(separators, bodies, strict=True)] == expected
