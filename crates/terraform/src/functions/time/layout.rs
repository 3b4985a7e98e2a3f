//! The format strings of `formatdate`: <https://developer.hashicorp.com/terraform/language/functions/formatdate>.

use super::timestamp::Timestamp;

/// The time in the layout, or what is wrong with the layout.
pub(super) fn format(layout: &str, time: &Timestamp) -> Result<String, String> {
    let mut output = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => literal_length(rest).ok_or("unterminated literal '")?,
            letter if letter.is_ascii_alphabetic() => rest.chars().take_while(|next| *next == letter).count(),
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '\'' => output.push_str(&token[1..length - 1].replace("''", "'")),
            letter if letter.is_ascii_alphabetic() => output.push_str(&verb(token, time)?),
            other => output.push(other),
        }
        rest = after;
    }
    Ok(output)
}

/// The bytes of a quoted literal, where a doubled quote stands for one.
fn literal_length(text: &str) -> Option<usize> {
    let mut position = 1;
    loop {
        position += text[position..].find('\'')? + 1;
        if !text[position..].starts_with('\'') {
            return Some(position);
        }
        position += 1;
    }
}

fn verb(token: &str, time: &Timestamp) -> Result<String, String> {
    let local = &time.local;
    let hour12 = (local.hour() + 11) % 12 + 1;
    Ok(match token {
        "YYYY" => format!("{:04}", local.year()),
        "YY" => format!("{:02}", local.year() % 100),
        "MMMM" => local.strftime("%B").to_string(),
        "MMM" => local.strftime("%b").to_string(),
        "MM" => format!("{:02}", local.month()),
        "M" => local.month().to_string(),
        "DD" => format!("{:02}", local.day()),
        "D" => local.day().to_string(),
        "EEEE" => local.strftime("%A").to_string(),
        "EEE" => local.strftime("%a").to_string(),
        "hh" => format!("{:02}", local.hour()),
        "h" => local.hour().to_string(),
        "HH" => format!("{hour12:02}"),
        "H" => hour12.to_string(),
        "AA" => (if local.hour() < 12 { "AM" } else { "PM" }).into(),
        "aa" => (if local.hour() < 12 { "am" } else { "pm" }).into(),
        "mm" => format!("{:02}", local.minute()),
        "m" => local.minute().to_string(),
        "ss" => format!("{:02}", local.second()),
        "s" => local.second().to_string(),
        "Z" if time.offset == 0 => "Z".into(),
        "ZZZ" if time.offset == 0 => "UTC".into(),
        "Z" | "ZZZZZ" => time.offset_text(":"),
        "ZZZ" | "ZZZZ" => time.offset_text(""),
        _ => return Err(invalid(token)),
    })
}

fn invalid(token: &str) -> String {
    let reason = match token.chars().next() {
        Some('Y') => ": year must either be \"YY\" or \"YYYY\"",
        Some('M') => ": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        Some('D') => ": day of month must either be \"D\" or \"DD\"",
        Some('E') => ": day of week must either be \"EEE\" or \"EEEE\"",
        Some('h') => ": 24-hour must either be \"h\" or \"hh\"",
        Some('H') => ": 12-hour must either be \"H\" or \"HH\"",
        Some('A') => ": must be \"AA\"",
        Some('a') => ": must be \"aa\"",
        Some('m') => ": minute must either be \"m\" or \"mm\"",
        Some('s') => ": second must either be \"s\" or \"ss\"",
        Some('Z') => ": timezone must be Z, ZZZZ, or ZZZZZ",
        _ => "",
    };
    format!("invalid date format verb {token:?}{reason}")
}
