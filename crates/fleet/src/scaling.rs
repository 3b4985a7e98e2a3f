//! `aws_appautoscaling_target`, and what changes its capacity.

pub(crate) mod policy;
mod schedule;
pub(crate) mod scheduled_action;

pub use policy::{
    AdjustmentType, ScaleIn, ScalingPolicy, ScalingPolicyKind, StepAdjustment, StepScaling, TargetTracking,
    TrackedMetric,
};
pub use schedule::{Cron, Schedule, ScheduleError};
pub use scheduled_action::ScheduledAction;

use karma_terraform::{Address, Span, Unknown, Value};

use crate::Fleet;
use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::links::SERVICE;

/// A service whose desired count may be changed, and how far.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html>
#[derive(Debug, Clone, PartialEq)]
pub struct ScalableTarget {
    /// The service.
    pub service: Address,
    /// The fewest tasks.
    pub min_capacity: u32,
    /// The most tasks.
    pub max_capacity: u32,
    /// What is not done for now.
    pub suspended: SuspendedState,
    /// What changes it by what is measured.
    pub policies: Vec<ScalingPolicy>,
    /// What changes its limits by the time.
    pub scheduled_actions: Vec<ScheduledAction>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// Which sorts of scaling do not happen for now.
/// <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SuspendedState {
    /// No policy takes tasks away.
    pub dynamic_scaling_in: bool,
    /// No policy adds tasks.
    pub dynamic_scaling_out: bool,
    /// No scheduled action happens.
    pub scheduled_scaling: bool,
}

impl SuspendedState {
    /// Nothing happens at all.
    pub const ALL: Self = Self {
        dynamic_scaling_in: true,
        dynamic_scaling_out: true,
        scheduled_scaling: true,
    };

    fn read(from: &Attributes<'_>) -> Self {
        let is_set = |name| from.optional(name).unwrap_or(false);
        Self {
            dynamic_scaling_in: is_set("dynamic_scaling_in_suspended"),
            dynamic_scaling_out: is_set("dynamic_scaling_out_suspended"),
            scheduled_scaling: is_set("scheduled_scaling_suspended"),
        }
    }
}

impl ScalableTarget {
    /// Whether it is about the desired count of a service; a table or a cluster scales otherwise.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        let is_known_otherwise = |name, here| from.get(name).and_then(Value::as_str).is_some_and(|text| text != here);
        !is_known_otherwise("service_namespace", "ecs")
            && !is_known_otherwise("scalable_dimension", "ecs:service:DesiredCount")
    }

    pub(crate) fn read(from: &Attributes<'_>, fleet: &Fleet) -> Read<Self> {
        let service = service(from, fleet);
        let (min_capacity, max_capacity) = (from.required("min_capacity"), from.required("max_capacity"));
        let target = Self {
            service: service?,
            min_capacity: min_capacity?,
            max_capacity: max_capacity?,
            suspended: from
                .block("suspended_state")
                .map_or_else(SuspendedState::default, |block| SuspendedState::read(&block)),
            policies: Vec::new(),
            scheduled_actions: Vec::new(),
            declared_at: from.declared_at(),
        };
        target.check(from)?;
        Ok(target)
    }

    fn check(&self, from: &Attributes<'_>) -> Read<()> {
        if self.min_capacity <= self.max_capacity {
            return Ok(());
        }
        let (called, max) = (from.called("min_capacity"), self.max_capacity);
        let detail = format!("{called} is {}, but `max_capacity` is {max}.", self.min_capacity);
        Err(from.error("min_capacity", "Invalid capacity", detail))
    }
}

/// The service that `resource_id` names: `service/karmacadabra/validator`.
pub(crate) fn service(from: &Attributes<'_>, fleet: &Fleet) -> Read<Address> {
    let value = from.value_of("resource_id")?;
    let found = match value.as_unknown() {
        Some(unknown) => mentioned_service(unknown).filter(|address| fleet.services.contains_key(address)),
        None => value.as_str().and_then(|id| named_service(id, fleet)),
    };
    found.cloned().ok_or_else(|| {
        let called = from.called("resource_id");
        let detail =
            format!("{called} names no service of this stack, like \"service/cluster/service\": nothing is scaled.");
        from.warning("resource_id", NOT_RUN_YET, detail)
    })
}

/// The target of a policy or an action, by the service that it is about.
pub(crate) fn target_of<'f>(from: &Attributes<'_>, fleet: &'f mut Fleet) -> Read<&'f mut ScalableTarget> {
    let service = service(from, fleet)?;
    let mut targets = fleet.scalable_targets.values_mut();
    targets.find(|target| target.service == service).ok_or_else(|| {
        let detail = format!(
            "{} names `{service}`, for which the stack has no `aws_appautoscaling_target`: nothing is scaled.",
            from.called("resource_id")
        );
        from.warning("resource_id", NOT_RUN_YET, detail)
    })
}

fn named_service<'f>(id: &str, fleet: &'f Fleet) -> Option<&'f Address> {
    let (cluster, name) = id.strip_prefix("service/")?.split_once('/')?;
    let is_it = |service: &crate::Service| {
        let declared = service.cluster.as_ref().and_then(|address| fleet.clusters.get(address));
        service.name == name && declared.is_none_or(|declared| declared.name == cluster)
    };
    let mut found = fleet.services.iter().filter(|(_, service)| is_it(service));
    found.next().map(|(address, _)| address)
}

/// The service whose attribute stands last in a template.
fn mentioned_service(unknown: &Unknown) -> Option<&Address> {
    match unknown {
        Unknown::Attribute { of, .. } => SERVICE.contains(&of.kind.as_str()).then_some(of),
        Unknown::Template(parts) => {
            let mut unknowns = parts.iter().rev().filter_map(Value::as_unknown);
            unknowns.find_map(mentioned_service)
        }
        Unknown::Call { .. } | Unknown::Variable(_) => None,
    }
}
