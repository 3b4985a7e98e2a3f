//! How the stack's alarms stand, and what autoscaling did.

mod history;
mod read;

use aws_sdk_applicationautoscaling::types::{ScalingActivity, ServiceNamespace};
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, AlarmType, CompositeAlarm, MetricAlarm};
use jiff::Timestamp;
use karma_ops::{AlarmAnswer, AlarmChange, AlarmObservation, AlarmOrigin};

use super::EcsOrchestrator;
use super::load_balancers::note;
use super::observe::Notes;
use super::scope::ScopedService;
use crate::error::{AwsError, Call};

/// So many alarms are described by name at once.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
const NAMES: usize = 100;

/// So much of what happened to one alarm, or of what was done to one service, is told.
const RECENT: i32 = 50;

/// Which alarms are described.
enum Which {
    Named(Vec<String>),
    /// Those of policies that track a target for a service: their names begin so.
    /// <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html>
    Begins(String),
}

impl EcsOrchestrator {
    pub(super) async fn alarm_answer(&self) -> Result<AlarmAnswer, AwsError> {
        let mut alarms = self.declared_alarms().await?;
        alarms.extend(self.tracking_alarms().await?);
        alarms.sort_by(|one, other| one.name.cmp(&other.name));
        alarms.sort_by_key(|alarm| alarm.origin != AlarmOrigin::Stack);
        let mut notes = Notes::new();
        Ok(AlarmAnswer {
            at: Timestamp::now(),
            history: self.changes(&alarms, &mut notes).await.into(),
            activities: self.all_activities(&mut notes).await.into(),
            alarms,
            notes,
        })
    }

    /// What has happened to these, oldest first. Where that may not be read, a note says so, and how they stand is told all the same.
    async fn changes(&self, alarms: &[AlarmObservation], notes: &mut Notes) -> Vec<AlarmChange> {
        let mut changes = Vec::new();
        for alarm in alarms {
            match self.history(&alarm.name).await {
                Ok(items) => changes.extend(history::changes(&items)),
                Err(error) => note(notes, "changes of alarms are not shown", &error),
            }
        }
        changes.sort_by_key(|change| change.at);
        changes
    }

    /// What autoscaling did, oldest first, with the same manners.
    async fn all_activities(&self, notes: &mut Notes) -> Vec<karma_ops::ScalingActivity> {
        let mut activities = Vec::new();
        for service in self.scope.services.iter().filter(|service| service.is_scalable) {
            match self.activities(service).await {
                Ok(found) => activities.extend(found.iter().map(|from| history::activity(from, &service.label))),
                Err(error) => note(notes, "what autoscaling did is not shown", &error),
            }
        }
        activities.sort_by_key(|activity| activity.at);
        activities
    }

    async fn declared_alarms(&self) -> Result<Vec<AlarmObservation>, AwsError> {
        let names: Vec<String> = self.scope.alarms.iter().cloned().collect();
        let mut alarms = Vec::new();
        for some in names.chunks(NAMES) {
            alarms.extend(self.describe(Which::Named(some.to_vec()), AlarmOrigin::Stack).await?);
        }
        Ok(alarms)
    }

    async fn tracking_alarms(&self) -> Result<Vec<AlarmObservation>, AwsError> {
        let mut alarms = Vec::new();
        for service in self.scope.services.iter().filter(|service| service.is_scalable) {
            let beginning = format!("TargetTracking-{}-Alarm", service.resource_id());
            alarms.extend(
                self.describe(Which::Begins(beginning), AlarmOrigin::TargetTracking)
                    .await?,
            );
        }
        Ok(alarms)
    }

    async fn describe(&self, which: Which, origin: AlarmOrigin) -> Result<Vec<AlarmObservation>, AwsError> {
        let call = Call::new("cloudwatch:DescribeAlarms", "the stack's alarms");
        let request = self.clients.cloudwatch.describe_alarms();
        let request = request
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm);
        let request = match which {
            Which::Named(names) => request.set_alarm_names(Some(names)),
            Which::Begins(beginning) => request.alarm_name_prefix(beginning),
        };
        let mut pages = request.into_paginator().send();
        let mut alarms = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| call.failed(error))?;
            let metric = page
                .metric_alarms()
                .iter()
                .map(|alarm: &MetricAlarm| read::metric_alarm(alarm, origin));
            alarms.extend(metric);
            alarms.extend(
                page.composite_alarms()
                    .iter()
                    .map(|alarm: &CompositeAlarm| read::composite_alarm(alarm, origin)),
            );
        }
        Ok(alarms)
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html>
    async fn history(&self, alarm: &str) -> Result<Vec<AlarmHistoryItem>, AwsError> {
        let call = Call::new("cloudwatch:DescribeAlarmHistory", alarm);
        let request = self.clients.cloudwatch.describe_alarm_history().alarm_name(alarm);
        let request = request
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm);
        let answer = request
            .max_records(RECENT)
            .send()
            .await
            .map_err(|error| call.failed(error))?;
        Ok(answer.alarm_history_items.unwrap_or_default())
    }

    /// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingActivities.html>
    async fn activities(&self, service: &ScopedService) -> Result<Vec<ScalingActivity>, AwsError> {
        let called = service.called();
        let call = Call::new("application-autoscaling:DescribeScalingActivities", &called);
        let request = self.clients.autoscaling.describe_scaling_activities();
        let request = request
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(service.resource_id());
        let answer = request
            .max_results(RECENT)
            .send()
            .await
            .map_err(|error| call.failed(error))?;
        Ok(answer.scaling_activities.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
