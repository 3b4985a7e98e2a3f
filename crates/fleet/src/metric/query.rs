//! The blocks that make an expression over several metrics: `metric_query` of an alarm, `metrics` of a scaling policy.

use std::collections::BTreeMap;
use std::time::Duration;

use super::math::{Expression, ExpressionError};
use super::{Metric, MetricMath, MetricQuery, MetricStatistic};
use crate::attributes::{Attributes, NOT_RUN_YET, Read};

/// One query, and whether its outcome is asked for.
pub(crate) struct Query {
    id: String,
    is_returned: bool,
    part: MetricQuery,
}

impl Query {
    /// One `metric_query` block.
    pub(crate) fn read(block: &Attributes<'_>) -> Read<Self> {
        let id = block.required("id");
        let query = match block.block("metric") {
            Some(metric) => Self::metric(&metric).map(MetricQuery::Metric),
            None => expression(block).map(MetricQuery::Expression),
        };
        Ok(Self {
            id: id?,
            is_returned: block.optional("return_data").unwrap_or(false),
            part: query?,
        })
    }

    /// One `metrics` block: the metric itself stands a block deeper, and its period is a minute.
    pub(crate) fn read_tracked(block: &Attributes<'_>) -> Read<Self> {
        let id = block.required("id");
        let query = match block.block("metric_stat") {
            Some(metric) => Self::tracked_metric(&metric).map(MetricQuery::Metric),
            None => expression(block).map(MetricQuery::Expression),
        };
        Ok(Self {
            id: id?,
            is_returned: block.optional("return_data").unwrap_or(true),
            part: query?,
        })
    }

    fn tracked_metric(from: &Attributes<'_>) -> Read<MetricStatistic> {
        let metric = from.required_block("metric").and_then(|block| Metric::read(&block));
        let statistic = super::statistic(from, "stat");
        Ok(MetricStatistic {
            metric: metric?,
            statistic: statistic?,
            period: Duration::from_mins(1),
        })
    }

    fn metric(from: &Attributes<'_>) -> Read<MetricStatistic> {
        let metric = Metric::read(from);
        let statistic = super::statistic(from, "stat");
        let period = period(from);
        Ok(MetricStatistic {
            metric: metric?,
            statistic: statistic?,
            period: period?,
        })
    }

    /// Checks that the queries hang together and that one of them is asked for.
    pub(crate) fn settle(from: &Attributes<'_>, argument: &'static str, all: Vec<Self>) -> Read<MetricMath> {
        let invalid = |detail: String| from.error(argument, "Invalid metric query", detail);
        let mut returned = all
            .iter()
            .filter(|query| query.is_returned)
            .map(|query| query.id.clone());
        let called = from.called(argument);
        let (Some(only), None) = (returned.next(), returned.next()) else {
            return Err(invalid(format!(
                "One query of {called} must return data, and no other."
            )));
        };
        let queries: BTreeMap<_, _> = all.into_iter().map(|query| (query.id, query.part)).collect();
        let math = MetricMath {
            queries,
            returned: only,
        };
        math.check()
            .map_err(|reason| invalid(format!("{called} does not hang together: {reason}.")))?;
        Ok(math)
    }
}

fn expression(from: &Attributes<'_>) -> Read<Expression> {
    let text: String = from.required("expression")?;
    Expression::parse(&text).map_err(|error| {
        let called = from.called("expression");
        match error {
            ExpressionError::Syntax(_) => {
                let detail = format!("{called} is {text:?}, which cannot be read: {error}.");
                from.error("expression", "Invalid metric math", detail)
            }
            ExpressionError::UnknownFunction(_) => {
                let detail = format!("{called} is {text:?}: {error}. Nothing watches it.");
                from.warning("expression", NOT_RUN_YET, detail)
            }
        }
    })
}

/// Periods of less than a minute want metrics of high resolution, and here are none.
pub(crate) fn period(from: &Attributes<'_>) -> Read<Duration> {
    let seconds: u32 = from.required("period")?;
    let period = Duration::from_secs(seconds.into());
    match seconds {
        10 | 20 | 30 => {
            let called = from.called("period");
            let detail = format!(
                "{called} is {seconds} seconds: metrics have one datapoint a minute here, so it is taken for 60."
            );
            from.warning("period", NOT_RUN_YET, detail);
            Ok(Duration::from_mins(1))
        }
        _ if seconds > 0 && seconds.is_multiple_of(60) => Ok(period),
        _ => {
            let called = from.called("period");
            let detail = format!("{called} is {seconds}, but a period is 10, 20, 30 or a multiple of 60 seconds.");
            Err(from.error("period", "Invalid period", detail))
        }
    }
}
