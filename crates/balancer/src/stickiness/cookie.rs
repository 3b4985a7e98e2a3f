//! Reading cookies of requests, and setting our own.
//!
//! The authority is [RFC 6265](https://www.rfc-editor.org/rfc/rfc6265).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};

/// How long a client may keep our cookies: seven days from the latest answer.
const LIFE: Duration = Duration::from_hours(7 * 24);

/// Who may send a cookie back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SameSite {
    /// Whoever the browser's default lets.
    Unsaid,
    /// Pages of other origins too, for cross-origin requests (CORS).
    None,
}

/// The values of all cookies of this name that a client sent. What cannot be read is skipped.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let sent = headers.get_all(header::COOKIE).iter();
    let pairs = sent
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.filter_map(move |pair| {
        let (found, value) = pair.split_once('=')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// Whether an answer sets a cookie of this name.
pub(crate) fn is_set(headers: &HeaderMap, name: &str) -> bool {
    let mut set = headers.get_all(header::SET_COOKIE).iter();
    set.any(|value| {
        let pair = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        let found = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        found.trim_ascii() == name.as_bytes() && found.len() < pair.len()
    })
}

/// Sets a cookie, as Application Load Balancers do: for all paths, with `Expires` and not `Max-Age`.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str, same_site: SameSite, now: SystemTime) {
    let expires = httpdate::fmt_http_date(now + LIFE);
    let attributes = match same_site {
        SameSite::Unsaid => "",
        SameSite::None => "; SameSite=None; Secure",
    };
    let cookie = format!("{name}={value}; Expires={expires}; Path=/{attributes}");
    let cookie = HeaderValue::try_from(cookie).expect("names and values of our cookies are visible ASCII");
    headers.append(header::SET_COOKIE, cookie);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(cookies: &[&[u8]]) -> HeaderMap {
        let values = cookies.iter().filter_map(|value| HeaderValue::from_bytes(value).ok());
        values.map(|value| (header::COOKIE, value)).collect()
    }

    #[track_caller]
    fn check(cookies: &[&str], expected: &[&str]) {
        let headers = sent(&cookies.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        assert_eq!(values(&headers, "a").collect::<Vec<_>>(), expected, "{cookies:?}");
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        check(&["a=1"], &["1"]);
        check(&["b=2; a=1;a = 3 ; c"], &["1", "3"]);
        check(&["b=a=1", "a=x=y"], &["x=y"]);
        check(&["aa=1; A=2; a; =a", ""], &[]);
        check(&["a="], &[""]);
    }

    #[test]
    fn answers_set_cookies() {
        let is_set = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static(value))]);
            is_set(&headers, "a")
        };
        assert!(is_set("a=1; Path=/") && is_set(" a =;b=2"));
        assert!(!is_set("b=a=1") && !is_set("a") && !is_set("b=1; a=2"));
    }

    #[test]
    fn our_cookies_live_for_seven_days() {
        let mut headers = HeaderMap::new();
        set(&mut headers, "AWSALB", "x", SameSite::Unsaid, SystemTime::UNIX_EPOCH);
        set(&mut headers, "AWSALBCORS", "x", SameSite::None, SystemTime::UNIX_EPOCH);
        let set: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        let expires = "Expires=Thu, 08 Jan 1970 00:00:00 GMT; Path=/";
        assert_eq!(
            set,
            [
                &format!("AWSALB=x; {expires}"),
                &format!("AWSALBCORS=x; {expires}; SameSite=None; Secure"),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(cookies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4)) {
            let headers = sent(&cookies.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for value in values(&headers, "a") {
                prop_assert!(!value.contains(';') && value == value.trim());
            }
        }

        #[test]
        fn what_is_sent_is_found(name in "[a-zA-Z_-]{1,8}", value in "[!-:<-~]{0,20}", others in "([b-z]=[0-9]{0,3}; ){0,3}") {
            let headers = sent(&[format!("{others}{name}={value}").as_bytes()]);
            prop_assert_eq!(values(&headers, &name).last(), Some(value.as_str()));
        }
    }
}
