//! Dates and times: `formatdate`, `timeadd`, ...

mod duration;
mod layout;
mod timestamp;

use std::cmp::Ordering;

use self::timestamp::Timestamp;
use super::{Answer, Call, Failure, Function, string};
use crate::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("formatdate", &[string("format"), string("time")], format_date),
    Function::new("plantimestamp", &[], plan_timestamp),
    Function::new("timeadd", &[string("timestamp"), string("duration")], time_add),
    Function::new("timecmp", &[string("timestamp_a"), string("timestamp_b")], time_compare),
    Function::new("timestamp", &[], |call| Ok(call.unknown("timestamp"))),
];

fn format_date(call: &mut Call<'_>) -> Answer {
    let time = Timestamp::parse(call.text(1)).map_err(|phrase| Failure::at(1, phrase))?;
    layout::format(call.text(0), &time)
        .map(Value::String)
        .map_err(|phrase| Failure::at(0, phrase))
}

/// Unlike `timestamp`, whose answer is that of the apply.
fn plan_timestamp(call: &mut Call<'_>) -> Answer {
    match call.environment.now {
        Some(now) => Ok(Value::String(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        None => Ok(call.unknown("plantimestamp")),
    }
}

fn time_add(call: &mut Call<'_>) -> Answer {
    let time = Timestamp::parse(call.text(0)).map_err(Failure::new)?;
    let duration = duration::parse(call.text(1)).map_err(|phrase| Failure::new(format!("time: {phrase}")))?;
    let later = time
        .after(duration)
        .ok_or_else(|| Failure::new("the result is beyond the years 0 to 9999"))?;
    Ok(Value::String(later.to_string()))
}

fn time_compare(call: &mut Call<'_>) -> Answer {
    let parse = |position: usize| {
        let time = Timestamp::parse(call.text(position)).map_err(|phrase| Failure::at(position, phrase))?;
        Ok::<_, Failure>(time.instant())
    };
    let order = match parse(0)?.cmp(&parse(1)?) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    };
    Ok(Value::Number(order.into()))
}
