//! `aws_scheduler_schedule` that updates a service

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use karma_terraform::{Address, Object, Span, Unknown, Value};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::scaling::{Schedule, scheduled_action};
use crate::{Fleet, container_definitions, links};

/// The universal target that calls `UpdateService`.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html>
const UPDATE_SERVICE: &str = "arn:aws:scheduler:::aws-sdk:ecs:updateService";

/// Updates a service at set times.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSchedule {
    /// Its name.
    pub name: String,
    /// The service that it updates.
    pub service: Address,
    /// What becomes of the service.
    pub update: ServiceUpdate,
    /// When.
    pub schedule: Schedule,
    /// The time zone that the schedule is written in.
    pub time_zone: TimeZone,
    /// It happens within so much time after that.
    pub window: Duration,
    /// `DISABLED` ones do not happen.
    pub is_enabled: bool,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// What `UpdateService` is asked for.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceUpdate {
    /// Another number of tasks.
    pub desired_count: Option<u32>,
    /// Every task anew.
    pub force_new_deployment: bool,
}

impl ServiceSchedule {
    /// Whether it is of the sort that is modeled: whatever else a schedule calls is not run here.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        let target = from.block("target");
        let arn = target.and_then(|target| target.optional::<String>("arn"));
        arn.is_some_and(|arn| arn == UPDATE_SERVICE)
    }

    pub(crate) fn read(from: &Attributes<'_>, fleet: &Fleet) -> Read<Self> {
        let schedule = scheduled_action::schedule(from, "schedule_expression");
        let time_zone = scheduled_action::time_zone(from, "schedule_expression_timezone");
        let (service, update) = updated(&from.required_block("target")?, fleet)?;
        Ok(Self {
            name: from.name(),
            service,
            update,
            schedule: schedule?,
            time_zone: time_zone?,
            window: from
                .block("flexible_time_window")
                .map_or(Duration::ZERO, |it| window(&it)),
            is_enabled: from.optional::<String>("state").is_none_or(|state| state == "ENABLED"),
            declared_at: from.declared_at(),
        })
    }

    /// When it happens next after a moment; `offset` is how late in its window.
    pub fn next_after(&self, after: Timestamp, created: Timestamp, offset: Duration) -> Option<Timestamp> {
        let offset = SignedDuration::try_from(offset).ok()?;
        let next = self
            .schedule
            .next_after(after.checked_sub(offset).ok()?, created, &self.time_zone)?;
        next.checked_add(offset).ok().filter(|_| self.is_enabled)
    }
}

/// `maximum_window_in_minutes`; without `FLEXIBLE` it is not there.
fn window(from: &Attributes<'_>) -> Duration {
    let is_flexible = from.optional::<String>("mode").is_some_and(|mode| mode == "FLEXIBLE");
    let minutes: u32 = from.optional("maximum_window_in_minutes").unwrap_or(0);
    Duration::from_mins(if is_flexible { minutes.into() } else { 0 })
}

/// The service that the target's input names, and what is asked for.
fn updated(target: &Attributes<'_>, fleet: &Fleet) -> Read<(Address, ServiceUpdate)> {
    let input = container_definitions::definitions(target.value_of("input")?);
    let found = input.as_deref().and_then(Value::as_object).and_then(|input| {
        let update = ServiceUpdate {
            desired_count: input.get("DesiredCount").and_then(u32::from_value),
            force_new_deployment: input.get("ForceNewDeployment").and_then(bool::from_value) == Some(true),
        };
        Some((service(input, fleet)?.clone(), update))
    });
    found.ok_or_else(|| {
        let called = target.called("input");
        let detail = format!("{called} names no service of this stack: nothing is updated.");
        target.warning("input", NOT_RUN_YET, detail)
    })
}

fn service<'f>(input: &Object, fleet: &'f Fleet) -> Option<&'f Address> {
    let named = input.get("Service")?;
    let is_it = |(address, service): &(&Address, &crate::Service)| match named.as_unknown() {
        Some(Unknown::Attribute { of, .. }) => of == *address && links::SERVICE.contains(&of.kind.as_str()),
        _ => named.as_str() == Some(service.name.as_str()),
    };
    fleet.services.iter().find(is_it).map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    use super::*;

    fn fleet(input: &str) -> Fleet {
        let text = format!(
            r#"
            resource "aws_ecs_service" "api" {{
              name            = "api"
              task_definition = aws_ecs_task_definition.api.arn
            }}
            resource "aws_ecs_task_definition" "api" {{
              family                = "api"
              container_definitions = jsonencode([{{ name = "api", image = aws_ecr_repository.api.repository_url }}])
            }}
            resource "aws_ecr_repository" "api" {{ name = "api" }}
            resource "aws_scheduler_schedule" "night" {{
              name                         = "night"
              schedule_expression          = "cron(0 3 * * ? *)"
              schedule_expression_timezone = "Europe/Madrid"
              flexible_time_window {{
                mode                      = "FLEXIBLE"
                maximum_window_in_minutes = 30
              }}
              target {{
                arn      = "{UPDATE_SERVICE}"
                role_arn = "arn:aws:iam::123456789012:role/x"
                input    = jsonencode({input})
              }}
            }}"#
        );
        let (module, _) = parse(&Sources::from_iter([("main.tf", text.as_str())]));
        let (stack, diagnostics) = evaluate(&module, &Inputs::default(), &crate::provider());
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        Fleet::from_stack(&stack).0
    }

    #[test]
    fn a_schedule_says_which_service_becomes_what_and_when() {
        let check = |input: &str, desired_count: Option<u32>, force_new_deployment: bool| {
            let fleet = fleet(input);
            let schedule = fleet.service_schedules.values().next().expect(input);
            let expected = ServiceUpdate {
                desired_count,
                force_new_deployment,
            };
            assert_eq!((schedule.update, schedule.service.name.as_str()), (expected, "api"));
            let after = "2026-01-31T12:00:00Z".parse().unwrap();
            let next = schedule.next_after(after, after, schedule.window).unwrap();
            assert_eq!(next.to_string(), "2026-02-01T02:30:00Z");
        };
        check(
            r"{ Service = aws_ecs_service.api.name, ForceNewDeployment = true }",
            None,
            true,
        );
        check(
            r"{ Service = aws_ecs_service.api.id, DesiredCount = 0 }",
            Some(0),
            false,
        );
        assert!(fleet(r#"{ Service = "other" }"#).service_schedules.is_empty());
    }
}
