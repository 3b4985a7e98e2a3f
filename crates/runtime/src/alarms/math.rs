//! What a metric math expression comes to, period by period.
//!
//! A result exists where all of its operands do; what is not a finite number, a division by zero above all, is no datapoint.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>

use std::collections::BTreeMap;

use karma_fleet::metric::math::{Aggregate, Expression, Filling, Operator, SeriesList};
use karma_fleet::metric::{MetricMath, MetricQuery};

/// One value for each period, oldest first.
pub(super) type Series = Vec<Option<f64>>;

/// What the query that is asked for comes to, given the series of every metric by its id. All are of the same length.
pub(super) fn compute(math: &MetricMath, metrics: &BTreeMap<String, Series>, length: usize) -> Series {
    let computation = Computation { math, metrics, length };
    computation.query(&math.returned)
}

struct Computation<'a> {
    math: &'a MetricMath,
    metrics: &'a BTreeMap<String, Series>,
    length: usize,
}

impl Computation<'_> {
    /// Ids were checked when the stack was read: each leads somewhere, and none back to itself.
    fn query(&self, id: &str) -> Series {
        match self.math.queries.get(id) {
            Some(MetricQuery::Expression(expression)) => self.expression(expression),
            Some(MetricQuery::Metric(_)) | None => self.metrics.get(id).cloned().unwrap_or_else(|| self.nothing()),
        }
    }

    fn nothing(&self) -> Series {
        vec![None; self.length]
    }

    fn expression(&self, expression: &Expression) -> Series {
        match expression {
            Expression::Number(number) => vec![Some(*number); self.length],
            Expression::Query(id) => self.query(id),
            Expression::Negated(inner) => each(&self.expression(inner), |value| -value),
            Expression::Binary(operator, left, right) => {
                both(&self.expression(left), &self.expression(right), |left, right| {
                    apply(*operator, left, right)
                })
            }
            Expression::Aggregate(aggregate, list) => self.aggregate(*aggregate, &self.list(list)),
            Expression::Fill(inner, filling) => self.fill(self.expression(inner), filling),
            Expression::If(condition, then, otherwise) => {
                let otherwise = otherwise.as_ref();
                let otherwise = otherwise.map_or_else(|| self.nothing(), |otherwise| self.expression(otherwise));
                choose(&self.expression(condition), &self.expression(then), &otherwise)
            }
        }
    }

    fn list(&self, list: &SeriesList) -> Vec<Series> {
        match list {
            SeriesList::These(all) => all.iter().map(|expression| self.expression(expression)).collect(),
            SeriesList::Metrics(part) => {
                let named = self.metrics.iter().filter(|(id, _)| id.contains(part.as_str()));
                named.map(|(_, series)| series.clone()).collect()
            }
        }
    }

    /// Series without a value at an instant are left out of it.
    fn aggregate(&self, aggregate: Aggregate, all: &[Series]) -> Series {
        let at = |index| {
            let values: Vec<f64> = all.iter().filter_map(|series| series[index]).collect();
            combine(aggregate, &values)
        };
        (0..self.length).map(at).collect()
    }

    fn fill(&self, series: Series, filling: &Filling) -> Series {
        match filling {
            Filling::Repeat => repeat(series),
            Filling::With(other) => {
                let other = self.expression(other);
                series
                    .into_iter()
                    .zip(other)
                    .map(|(value, other)| value.or(other))
                    .collect()
            }
        }
    }
}

fn each(series: &[Option<f64>], change: impl Fn(f64) -> f64) -> Series {
    series.iter().map(|value| value.map(&change)).collect()
}

fn both(left: &[Option<f64>], right: &[Option<f64>], join: impl Fn(f64, f64) -> f64) -> Series {
    let pairs = left.iter().zip(right);
    let join = |(left, right): (&Option<f64>, &Option<f64>)| Some(join((*left)?, (*right)?));
    pairs
        .map(join)
        .map(|value| value.filter(|value| value.is_finite()))
        .collect()
}

fn apply(operator: Operator, left: f64, right: f64) -> f64 {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    match operator {
        Operator::Or => truth(is_true(left) || is_true(right)),
        Operator::And => truth(is_true(left) && is_true(right)),
        Operator::Equal => truth(left.total_cmp(&right).is_eq()),
        Operator::NotEqual => truth(left.total_cmp(&right).is_ne()),
        Operator::Less => truth(left < right),
        Operator::LessOrEqual => truth(left <= right),
        Operator::Greater => truth(left > right),
        Operator::GreaterOrEqual => truth(left >= right),
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Power => left.powf(right),
    }
}

fn is_true(value: f64) -> bool {
    value.abs() > 0.0
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 metrics")]
fn combine(aggregate: Aggregate, values: &[f64]) -> Option<f64> {
    let all = values.iter().copied();
    match aggregate {
        _ if values.is_empty() => None,
        Aggregate::Sum => Some(all.sum()),
        Aggregate::Average => Some(all.sum::<f64>() / values.len() as f64),
        Aggregate::Minimum => all.reduce(f64::min),
        Aggregate::Maximum => all.reduce(f64::max),
    }
}

fn repeat(series: Series) -> Series {
    let mut last = None;
    let carry = |value: Option<f64>| {
        last = value.or(last);
        last
    };
    series.into_iter().map(carry).collect()
}

fn choose(condition: &[Option<f64>], then: &[Option<f64>], otherwise: &[Option<f64>]) -> Series {
    let at = |index: usize| {
        if is_true(condition[index]?) {
            then[index]
        } else {
            otherwise[index]
        }
    };
    (0..condition.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use karma_fleet::metric::{Metric, MetricStatistic, Statistic};

    use super::*;

    fn check(expression: &str, expected: [Option<f64>; 4]) {
        let metrics = BTreeMap::from([
            ("errors".to_owned(), vec![Some(1.0), None, Some(0.0), Some(6.0)]),
            ("requests".to_owned(), vec![Some(4.0), Some(2.0), Some(0.0), Some(3.0)]),
        ]);
        let metric = |id: &String| {
            let metric = Metric {
                namespace: "karma".to_owned(),
                name: id.clone(),
                dimensions: BTreeMap::new(),
            };
            MetricQuery::Metric(MetricStatistic {
                metric,
                statistic: Statistic::Sum,
                period: Duration::from_mins(1),
            })
        };
        let mut queries: BTreeMap<_, _> = metrics.keys().map(|id| (id.clone(), metric(id))).collect();
        let asked = Expression::parse(expression).unwrap();
        queries.insert("asked".to_owned(), MetricQuery::Expression(asked));
        let returned = "asked".to_owned();
        let computed = compute(&MetricMath { queries, returned }, &metrics, 4);
        assert_eq!(computed, expected, "{expression}");
    }

    #[test]
    fn expressions_come_to_numbers_where_there_are_some() {
        check("errors / requests * 100", [Some(25.0), None, None, Some(200.0)]);
        check(
            "FILL(errors, 0) + requests",
            [Some(5.0), Some(2.0), Some(0.0), Some(9.0)],
        );
        check("FILL(errors, REPEAT)", [Some(1.0), Some(1.0), Some(0.0), Some(6.0)]);
        check("SUM(METRICS())", [Some(5.0), Some(2.0), Some(0.0), Some(9.0)]);
        check("MAX(METRICS())", [Some(4.0), Some(2.0), Some(0.0), Some(6.0)]);
        check("AVG([errors, requests])", [Some(2.5), Some(2.0), Some(0.0), Some(4.5)]);
        check("MIN(METRICS(\"err\"))", [Some(1.0), None, Some(0.0), Some(6.0)]);
        check(
            "IF(requests > 2, errors / requests, 0)",
            [Some(0.25), Some(0.0), Some(0.0), Some(2.0)],
        );
        check("IF(requests > 2, errors)", [Some(1.0), None, None, Some(6.0)]);
        check("-errors ^ 2", [Some(1.0), None, Some(0.0), Some(36.0)]);
        check("requests >= 3 AND errors == 6", [Some(0.0), None, Some(0.0), Some(1.0)]);
    }
}
