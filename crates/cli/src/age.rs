//! How long ago something was, in the largest unit that tells enough.

use jiff::Timestamp;

/// `12s`, `5m`, `3h`, `2d`; `-` for what has not been yet.
pub(crate) fn since(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else {
        return "-".to_owned();
    };
    // A run's clock may be ahead of this machine's.
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_grows_with_the_time() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let check = |ago: i64, expected: &str| {
            let at = Timestamp::from_second(1_000_000 - ago).unwrap();
            assert_eq!(since(Some(at), now), expected);
        };
        check(-5, "0s");
        check(119, "119s");
        check(120, "2m");
        check(7_199, "119m");
        check(7_200, "2h");
        check(172_800, "2d");
        assert_eq!(since(None, now), "-");
    }
}
