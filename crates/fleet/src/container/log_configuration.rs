//! Where a container's output goes.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>

use crate::attributes::{Attributes, Read};
use crate::links::{self, LOG_GROUP, name_of};

/// `awslogs`: where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfiguration {
    /// The log group's name.
    pub group: String,
    /// The first part of the stream's name: `prefix/container/task-id`.
    pub stream_prefix: String,
}

impl LogConfiguration {
    /// `None` for drivers other than `awslogs`.
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Option<Self>> {
        let driver: String = from.required("logDriver")?;
        if driver != "awslogs" {
            return Ok(None);
        }
        let options = from.required_block("options")?;
        let group = group(&options);
        // Fargate asks for a prefix.
        let stream_prefix = options.required("awslogs-stream-prefix");
        Ok(Some(Self {
            group: group?,
            stream_prefix: stream_prefix?,
        }))
    }
}

/// The group's name, also where it is given by a reference that is not known before apply.
fn group(options: &Attributes<'_>) -> Read<String> {
    let value = options.value_of("awslogs-group")?;
    match links::resolve(options.stack(), value, LOG_GROUP) {
        Some(group) => Ok(name_of(group)),
        None => options.required("awslogs-group"),
    }
}
