//! The types that an attribute can have.

use karma_terraform::Value;

/// A type that an attribute can have.
pub(crate) trait FromValue: Sized {
    /// What a user would call it: "a whole number from 0 to 65535".
    const EXPECTED: &'static str;
    /// The value, where it is known and of this type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for String {
    const EXPECTED: &'static str = "text";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_bool().or_else(|| value.as_str()?.parse().ok())
    }
}

impl FromValue for u32 {
    const EXPECTED: &'static str = "a whole number, zero or more";
    fn from_value(value: &Value) -> Option<Self> {
        whole_number(value)
    }
}

impl FromValue for u16 {
    const EXPECTED: &'static str = "a whole number from 0 to 65535";
    fn from_value(value: &Value) -> Option<Self> {
        whole_number(value)
    }
}

impl FromValue for i32 {
    const EXPECTED: &'static str = "a whole number";
    fn from_value(value: &Value) -> Option<Self> {
        whole_number(value)
    }
}

impl FromValue for f64 {
    const EXPECTED: &'static str = "a number";
    fn from_value(value: &Value) -> Option<Self> {
        let written = || value.as_str()?.trim().parse().ok();
        let number: Option<f64> = value.as_number().map_or_else(written, |number| Some(number.as_f64()));
        number.filter(|number| number.is_finite())
    }
}

impl FromValue for Vec<String> {
    const EXPECTED: &'static str = "a list of texts, all of them known";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_elements()?.iter().map(String::from_value).collect()
    }
}

/// Numbers come as text too: the provider keeps `cpu = 256` as `"256"`.
fn whole_number<N: TryFrom<i128>>(value: &Value) -> Option<N> {
    let written = || value.as_str()?.trim().parse().ok();
    let number = value.as_number().map_or_else(written, |number| number.as_i128())?;
    number.try_into().ok()
}
