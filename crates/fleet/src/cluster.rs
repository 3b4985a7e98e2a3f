//! `aws_ecs_cluster`

use karma_terraform::Span;

/// A cluster: a name under which services run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Where the stack declares it.
    pub declared_at: Span,
}
