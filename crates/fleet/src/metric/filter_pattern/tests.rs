use proptest::prelude::*;

use super::*;

#[test]
fn patterns_are_read() {
    let check = |text: &str, expected: &str| {
        let pattern = FilterPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(pattern.to_string(), expected, "{text}");
    };
    // The pages of AWS have these.
    check("", "");
    check("\" \"", "");
    check("ERROR ARGUMENTS", "ERROR ARGUMENTS");
    check("?ERROR ?ARGUMENTS", "?ERROR ?ARGUMENTS");
    check("ERROR -ARGUMENTS", "ERROR -ARGUMENTS");
    check("\"INTERNAL SERVER ERROR\"", "\"INTERNAL SERVER ERROR\"");
    check("-\"exact phrase\"", "-\"exact phrase\"");
    check("%AUTHORIZED%", "%AUTHORIZED%");
    check("{ $.level = \"error\" }", "{ $.level = \"error\" }");
    check("{$.eventType=UpdateTrail}", "{ $.eventType = \"UpdateTrail\" }");
    check(
        "{ $.sourceIPAddress != 123.123.* }",
        "{ $.sourceIPAddress != \"123.123.*\" }",
    );
    check("{ $.arrayKey[0] = \"value\" }", "{ $.arrayKey[0] = \"value\" }");
    check("{ $.objectList[1].id = 2 }", "{ $.objectList[1].id = 2 }");
    check("{ $.items[*].state = \"on\" }", "{ $.items[*].state = \"on\" }");
    check("{ $.SomeObject IS NULL }", "{ $.SomeObject IS NULL }");
    check("{ $.SomeOtherObject NOT EXISTS }", "{ $.SomeOtherObject NOT EXISTS }");
    check("{ $.ThisFlag IS TRUE }", "{ $.ThisFlag IS TRUE }");
    check(
        "{ ($.user.id = 1) && ($.users[0].email = \"John.Doe@example.com\") }",
        "{ $.user.id = 1 && $.users[0].email = \"John.Doe@example.com\" }",
    );
    check(
        "{ $.a = 1 && $.b = 2 || $.c = 3 }",
        "{ ($.a = 1 && $.b = 2) || $.c = 3 }",
    );
    check("{ $.bandwidth > 75.5e2 }", "{ $.bandwidth > 75.5e2 }");
    check("{ $.ip = %127\\.0\\.0\\.[1-9]% }", "{ $.ip = %127\\.0\\.0\\.[1-9]% }");
    check(
        "[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
        "[ip, user, username, timestamp, request = \"*.html*\", status_code = \"4*\", bytes]",
    );
    check(
        "[..., status_code = 404 || status_code = 410, bytes]",
        "[..., status_code = 404 || status_code = 410, bytes]",
    );
    check("[w1=ERROR, w2]", "[w1 = \"ERROR\", w2]");
    check("[..., (w1 > 1 && w1 < 9), w2]", "[..., w1 > 1 && w1 < 9, w2]");
}

#[test]
fn what_is_no_pattern_is_told() {
    let check = |text: &str, expected: &str| {
        let error = FilterPattern::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    };
    check("{ $.level = \"error\"", "`}` is expected at the end");
    check(
        "{ level = \"error\" }",
        "a selector like `$.level` is expected at `level",
    );
    check("{ $.level }", "is expected at `}`");
    check("{ $.level == 1 }", "a value is expected at `= 1 }`");
    check("{ $.level EXISTS }", "is expected at `EXISTS }`");
    check("{ $.level > high }", "`>` compares numbers, and \"high\" is none");
    check("{ $.level = 1 } x", "the end is expected at `x`");
    check("{ $.a = 1 && }", "a selector like `$.level` is expected at `}`");
    check("{ $.a[x] = 1 }", "a number or `*` is expected at `] = 1 }`");
    check("[a, b", "is expected at the end");
    check("[..., a, ...]", "`...` may stand in it once");
    check("[a = 1 && b = 2]", "`a` and `b` are fields of their own");
    check("\"open", "a quote is not closed");
    check("%open", "a regular expression is not closed by `%`");
    check("%a(b)%", "`(` is not allowed");
    check("%[%", "is not a regular expression");
    check(&"x".repeat(1025), "longer than 1024 characters");
    check(&format!("{{ {}", "(".repeat(100)), "nested deeper than 64");
}

fn any_regex() -> impl Strategy<Value = RegexText> {
    "[a-z]{1,3}(\\.|\\[0-9\\]|\\*)?".prop_map(|text| RegexText::new(&text).expect("a regular expression"))
}

fn any_comparison() -> impl Strategy<Value = Comparison> {
    let text = prop_oneof!["[a-zé\"\\\\*{}&|%, ]{0,6}", "[1-9][0-9]{0,2}"].prop_map(PatternValue::Text);
    let equality = (
        prop_oneof![Just(ComparisonSign::Equal), Just(ComparisonSign::NotEqual)],
        prop_oneof![text, any_regex().prop_map(PatternValue::Regex)],
    );
    let size = (
        prop_oneof![Just(ComparisonSign::Greater), Just(ComparisonSign::LessOrEqual)],
        any::<i16>().prop_map(|number| PatternValue::Text(number.to_string())),
    );
    prop_oneof![equality, size].prop_map(|(operator, value)| Comparison { operator, value })
}

fn any_conditions<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Conditions<T>> {
    one.prop_map(Conditions::One).prop_recursive(3, 12, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![several().prop_map(Conditions::All), several().prop_map(Conditions::Any)]
    })
}

fn any_selector() -> impl Strategy<Value = Selector> {
    let step = prop_oneof![
        "[a-z é.\"-]{1,4}".prop_map(Step::Member),
        (0usize..20).prop_map(Step::Element),
        Just(Step::AnyMember),
        Just(Step::AnyElement),
    ];
    proptest::collection::vec(step, 0..4).prop_map(Selector)
}

fn any_json() -> impl Strategy<Value = FilterPattern> {
    let test = prop_oneof![
        any_comparison().prop_map(JsonTest::Compare),
        any::<bool>().prop_map(JsonTest::Is),
        Just(JsonTest::IsNull),
        Just(JsonTest::NotExists),
    ];
    let condition = (any_selector(), test).prop_map(|(selector, test)| JsonCondition { selector, test });
    any_conditions(condition).prop_map(FilterPattern::Json)
}

fn any_fields() -> impl Strategy<Value = FilterPattern> {
    let field = ("[a-z]{1,4}", proptest::option::of(any_conditions(any_comparison())))
        .prop_map(|(name, conditions)| Field::Named { name, conditions });
    (proptest::collection::vec(field, 0..4), any::<bool>()).prop_map(|(mut fields, has_rest)| {
        if has_rest {
            fields.insert(0, Field::Rest);
        }
        FilterPattern::Fields(fields)
    })
}

fn any_terms() -> impl Strategy<Value = FilterPattern> {
    let role = prop_oneof![
        Just(TermRole::Required),
        Just(TermRole::Optional),
        Just(TermRole::Excluded)
    ];
    let text = prop_oneof![
        "[a-z\"\\\\?%{\\[-]{1,5}".prop_map(TermText::Exact),
        any_regex().prop_map(TermText::Regex),
    ];
    let term = (role, text).prop_map(|(role, text)| Term { role, text });
    proptest::collection::vec(term, 0..4).prop_map(FilterPattern::Terms)
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(pattern in prop_oneof![any_json(), any_fields(), any_terms()]) {
        let text = pattern.to_string();
        prop_assume!(text.chars().count() <= LONGEST);
        prop_assert_eq!(FilterPattern::parse(&text), Ok(pattern), "{}", text);
    }

    #[test]
    fn whatever_is_read_nothing_panics(text in "[{\\[]?[-?$.a-c0-2é%\"\\\\{}()\\[\\]=<>!&|,* ]{0,40}") {
        let _ = FilterPattern::parse(&text);
    }
}
