//! Log groups: those of the stack, and those that services of AWS make on their own.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html>

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogGroup as Described;

use crate::error::{AwsError, Call};
use crate::session::Session;

/// A log group as it is on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// `/ecs/karmacadabra/validator`
    pub name: String,
    /// For how many days it keeps what is written; `None` is for ever.
    pub retention_days: Option<u32>,
    /// What lies in it, in bytes.
    pub stored_bytes: u64,
}

impl Session {
    /// The log groups whose names begin so.
    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>
    pub async fn log_groups(&self, beginning: &str) -> Result<Vec<LogGroup>, AwsError> {
        log_groups(&Client::new(self.config()), beginning).await
    }
}

async fn log_groups(client: &Client, beginning: &str) -> Result<Vec<LogGroup>, AwsError> {
    let on = format!("log groups {beginning}*");
    let request = client.describe_log_groups().log_group_name_prefix(beginning);
    let mut described = request.into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = described.next().await {
        let group = group.map_err(|error| Call::new("logs:DescribeLogGroups", &on).failed(error))?;
        groups.extend(log_group(&group));
    }
    Ok(groups)
}

fn log_group(described: &Described) -> Option<LogGroup> {
    let stored = described.stored_bytes().and_then(|bytes| u64::try_from(bytes).ok());
    Some(LogGroup {
        name: described.log_group_name()?.to_owned(),
        retention_days: described.retention_in_days().and_then(|days| u32::try_from(days).ok()),
        stored_bytes: stored.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatchlogs::operation::describe_log_groups::DescribeLogGroupsOutput;
    use aws_smithy_mocks::{Rule, mock};

    use super::*;
    use crate::testing::answering;

    fn page(token: Option<&'static str>, next: Option<&'static str>, group: Described) -> Rule {
        mock!(Client::describe_log_groups)
            .match_requests(move |asked| asked.log_group_name_prefix() == Some("/ecs/") && asked.next_token() == token)
            .then_output(move || {
                DescribeLogGroupsOutput::builder()
                    .log_groups(group.clone())
                    .set_next_token(next.map(str::to_owned))
                    .build()
            })
    }

    #[tokio::test]
    async fn log_groups_of_all_pages_come_with_what_they_keep() {
        let week = Described::builder().log_group_name("/ecs/a").retention_in_days(7);
        let always = Described::builder().log_group_name("/ecs/b").stored_bytes(12);
        let rules = [
            page(None, Some("2"), week.build()),
            page(Some("2"), None, always.build()),
        ];
        let found = log_groups(&answering!(aws_sdk_cloudwatchlogs, &rules), "/ecs/")
            .await
            .unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| (&*it.name, it.retention_days, it.stored_bytes))
            .collect();
        assert_eq!(found, [("/ecs/a", Some(7), 0), ("/ecs/b", None, 12)]);
    }
}
