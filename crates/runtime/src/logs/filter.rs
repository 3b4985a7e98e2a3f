//! Metric filters: metrics made of what tasks log.
//!
//! ```text
//! a line ─ its log group ─▶ every filter of that group ─ matcher ─▶ value and dimensions ─▶ MetricStore
//! ```

mod fields;
mod matcher;

use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_fleet::Fleet;
use karma_fleet::metric::{EventValue, MetricFilter};
use serde_json::Value as Json;

use crate::metrics::{MetricId, MetricStore, StatisticSet};
use matcher::{Event, Matcher};

/// Every metric filter of a fleet.
#[derive(Debug, Default)]
pub(crate) struct LogFilters {
    /// The log group of each service's containers, by the service's label and the container's name.
    groups: BTreeMap<(String, String), String>,
    /// By their log groups.
    filters: BTreeMap<String, Vec<Filter>>,
}

#[derive(Debug)]
struct Filter {
    matcher: Matcher,
    definition: MetricFilter,
    /// What has come since the last whole minute.
    minute: Minute,
}

/// What a filter has seen of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Minute {
    #[default]
    Silent,
    /// Something was logged, and nothing matched.
    Unmatched,
    Matched,
}

impl LogFilters {
    /// The filters of a fleet.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let mut filters = BTreeMap::<_, Vec<_>>::new();
        for definition in fleet.metric_filters.values() {
            let filter = Filter {
                matcher: Matcher::new(&definition.pattern),
                definition: definition.clone(),
                minute: Minute::default(),
            };
            filters.entry(definition.log_group.clone()).or_default().push(filter);
        }
        Self {
            groups: groups(fleet),
            filters,
        }
    }

    /// Takes note of a line: what it adds to metrics goes into the store.
    pub(crate) fn note(&mut self, service: &str, container: &str, message: &str, at: Timestamp, store: &MetricStore) {
        let key = (service.to_owned(), container.to_owned());
        let Some(filters) = self.groups.get(&key).and_then(|group| self.filters.get_mut(group)) else {
            return;
        };
        let event = Event::new(message);
        for filter in filters {
            if let Some((metric, value)) = filter.note(&event) {
                store.put(&metric, at, StatisticSet::of(value));
            }
        }
    }

    /// Ends the minute that began at `at`: a filter that saw events and matched none reports its default.
    pub(crate) fn end_minute(&mut self, at: Timestamp, store: &MetricStore) {
        for filter in self.filters.values_mut().flatten() {
            let seen = std::mem::take(&mut filter.minute);
            let default = filter.definition.transformation.default_value;
            if let (Minute::Unmatched, Some(value)) = (seen, default) {
                store.put(&filter.metric(BTreeMap::new()), at, StatisticSet::of(value));
            }
        }
    }
}

fn groups(fleet: &Fleet) -> BTreeMap<(String, String), String> {
    let mut groups = BTreeMap::new();
    for service in fleet.services.values() {
        let definition = fleet.task_definitions.get(&service.task_definition);
        for container in definition.into_iter().flat_map(|definition| &definition.containers) {
            if let Some(logs) = &container.log {
                groups.insert((service.label.clone(), container.name.clone()), logs.group.clone());
            }
        }
    }
    groups
}

impl Filter {
    /// The metric that an event counts for, and how much; `None` where it does not match, or has no number where one is asked for.
    fn note(&mut self, event: &Event<'_>) -> Option<(MetricId, f64)> {
        let Some(found) = self.matcher.find(event) else {
            if self.minute == Minute::Silent {
                self.minute = Minute::Unmatched;
            }
            return None;
        };
        self.minute = Minute::Matched;
        let transformation = &self.definition.transformation;
        let number = match &transformation.value {
            EventValue::Number(number) => *number,
            other => found
                .text(event, other)?
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())?,
        };
        let dimension = |(name, value): (&String, &EventValue)| Some((name.clone(), found.text(event, value)?));
        // An event that lacks one of the dimensions counts for the metric without any.
        let dimensions = transformation.dimensions.iter().map(dimension).collect::<Option<_>>();
        Some((self.metric(dimensions.unwrap_or_default()), number))
    }

    fn metric(&self, dimensions: BTreeMap<String, String>) -> MetricId {
        let transformation = &self.definition.transformation;
        MetricId {
            namespace: transformation.namespace.clone(),
            name: transformation.name.clone(),
            dimensions,
        }
    }
}

/// A member of an event as text: numbers, texts and truths; nothing of objects, lists and `null`.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
