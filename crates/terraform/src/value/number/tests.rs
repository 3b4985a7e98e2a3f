use proptest::prelude::*;

use super::Number;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

/// What `terraform console` prints for the same.
#[test]
fn prints_as_terraform_does() {
    let cases = [
        ("1e6", "1000000"),
        ("0.1", "0.1"),
        ("-0.50", "-0.5"),
        ("1.5e30", "1500000000000000000000000000000"),
        ("1e-7", "0.0000001"),
        (
            "123456789012345678901234567890123456789012345",
            "123456789012345678901234567890123456789012345",
        ),
    ];
    for (literal, printed) in cases {
        assert_eq!(number(literal).to_string(), printed);
    }
}

#[test]
fn decimal_fractions_stay_decimal() {
    assert_eq!(number("0.1").add(&number("0.2")).to_string(), "0.3");
    assert_eq!(number("0.29").mul(&number("100")), 29.into());
    assert_eq!(number("7").rem(&number("2.5")), Some(2.into()));
    assert_eq!(number("-7").rem(&number("3")), Some((-1).into()));
    assert_eq!(number("1").div(&number("0")), None);
}

#[test]
fn a_third_has_terraforms_digits() {
    let third = number("1").div(&number("3")).unwrap().to_string();
    assert_eq!(third, format!("0.{}5", "3".repeat(154)));
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "", "-", "+1", "1.", ".5", "1e", "0x10", "NaN", "inf", "1_000", " 1", "1e99999", "--1",
    ] {
        assert_eq!(Number::parse(text), None, "{text:?}");
    }
}

#[test]
fn rounds_to_whole_numbers() {
    assert_eq!(number("-1.5").floor(), (-2).into());
    assert_eq!(number("-1.5").ceil(), (-1).into());
    assert_eq!(number("1.2").ceil(), 2.into());
}

proptest! {
    #[test]
    fn doubles_print_as_short_as_they_can(double in proptest::num::f64::NORMAL) {
        let printed = Number::from_f64(double).unwrap().to_string();
        prop_assert_eq!(printed.parse(), Ok(double));
        prop_assert_eq!(printed.len(), double.to_string().len());
    }

    #[test]
    fn what_is_printed_reads_back(digits in "-?[1-9][0-9]{0,40}\\.[0-9]{0,40}[1-9]", exponent in -60..60_i32) {
        let first = number(&format!("{digits}e{exponent}"));
        prop_assert_eq!(number(&first.to_string()), first);
    }

    #[test]
    fn halves_double_back(whole in any::<i64>()) {
        let half = Number::from(whole).mul(&number("0.5"));
        prop_assert_eq!(half.add(&half), whole.into());
    }

    #[test]
    fn whole_numbers_and_fractions_agree(a in any::<i64>(), b in any::<i64>()) {
        let through_fractions = Number::from(a).add(&number("0.5")).add(&Number::from(b)).sub(&number("0.5"));
        prop_assert_eq!(through_fractions, Number::from(a).add(&b.into()));
    }

    #[test]
    fn the_remainder_completes_the_quotient(a in -1_000_000..1_000_000_i64, b in 1..1000_i64) {
        let (a, b) = (Number::from(a).div(&8.into()).unwrap(), Number::from(b).div(&4.into()).unwrap());
        let rest = a.rem(&b).unwrap();
        let times = a.sub(&rest).div(&b).unwrap();
        prop_assert!(times.as_i128().is_some());
        prop_assert!(rest.is_negative() == a.is_negative() || rest == 0.into());
    }

    #[test]
    fn order_is_that_of_the_difference(a in any::<i64>(), b in any::<i64>()) {
        let (a, b) = (Number::from(a).div(&7.into()).unwrap(), Number::from(b).div(&7.into()).unwrap());
        prop_assert_eq!(a < b, a.sub(&b).is_negative());
    }
}
