//! [`KNOBS`]: what can be changed of the project's own stack to make it cheaper, through its own variables, and what each change gives up.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Variables to set, as they would be typed: `cpu_architecture` to `ARM64`.
pub type Changes = BTreeMap<&'static str, &'static str>;

/// A change of the stack.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Knob {
    /// Its name.
    pub id: &'static str,
    /// What it does.
    pub title: &'static str,
    /// The variables it sets.
    pub settings: &'static [(&'static str, &'static str)],
    /// What it takes away from the stack.
    pub gives_up: &'static [Feature],
    /// What that means.
    pub price: &'static str,
    /// Of the knobs on one axis only one can be turned.
    #[serde(skip)]
    pub(crate) axis: Axis,
}

/// Something that a stack has and that one may want to keep, from what is least missed to what is most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// The images as they are built.
    X86,
    /// Requests that can be followed from agent to agent.
    Traces,
    /// Logs for as long as they are kept.
    Logs,
    /// Metrics of each task.
    Insights,
    /// Ways to AWS that do not lead through the internet.
    Endpoints,
    /// Tasks of the size they have.
    Size,
    /// A way out that AWS looks after.
    ManagedNat,
    /// A way out, and ways to AWS, in each zone.
    Zones,
    /// More than one task of each agent.
    Replicas,
    /// Capacity that is not taken back.
    OnDemand,
    /// Agents that run at night.
    Nights,
    /// Tasks without public addresses.
    Private,
    /// Spare capacity; nothing here gives it up.
    Spot,
    /// The load balancer; nothing here gives it up.
    Alb,
}

/// Something that can be in one of several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Axis {
    Capacity,
    Processor,
    WayOut,
    Endpoints,
    Insights,
    Tasks,
    Size,
    Hours,
    Logs,
    Traces,
}

/// Every knob there is.
pub const KNOBS: &[Knob] = &[
    Knob {
        id: "spot",
        title: "Run all tasks on spare capacity",
        settings: &[
            ("use_fargate_spot", "true"),
            ("fargate_base", "0"),
            ("fargate_weight", "0"),
        ],
        gives_up: &[Feature::OnDemand],
        price: "AWS may take a task back with two minutes' notice, and may have no other just then",
        axis: Axis::Capacity,
    },
    Knob {
        id: "arm",
        title: "Run on ARM64",
        settings: &[("cpu_architecture", "ARM64")],
        gives_up: &[Feature::X86],
        price: "the images must be built for it",
        axis: Axis::Processor,
    },
    Knob {
        id: "single-nat",
        title: "One NAT gateway for all zones",
        settings: &[("single_nat_gateway", "true")],
        gives_up: &[Feature::Zones],
        price: "without its zone nothing reaches the internet",
        axis: Axis::WayOut,
    },
    Knob {
        id: "nat-instance",
        title: "A small machine instead of the NAT gateway",
        settings: &[
            ("enable_nat_gateway", "false"),
            ("enable_nat_instance", "true"),
            ("nat_instance_type", "t4g.nano"),
        ],
        gives_up: &[Feature::ManagedNat, Feature::Zones],
        price: "a single point of failure with a small bandwidth, whose updates are yours to make",
        axis: Axis::WayOut,
    },
    Knob {
        id: "public-tasks",
        title: "No NAT: tasks with public addresses",
        settings: &[
            ("enable_nat_gateway", "false"),
            ("enable_nat_instance", "false"),
            ("vpc_interface_endpoints", "[]"),
        ],
        gives_up: &[Feature::Private, Feature::ManagedNat, Feature::Endpoints],
        price: "only security groups keep the internet from the tasks; each task pays for its address",
        axis: Axis::WayOut,
    },
    Knob {
        id: "no-endpoints",
        title: "No interface endpoints",
        settings: &[("vpc_interface_endpoints", "[]")],
        gives_up: &[Feature::Endpoints],
        price: "what goes to AWS goes through NAT, which costs more beyond some 1,700 GB a month",
        axis: Axis::Endpoints,
    },
    Knob {
        id: "endpoints-in-one-zone",
        title: "Interface endpoints in one zone",
        settings: &[("vpc_interface_endpoints_in_one_zone", "true")],
        gives_up: &[Feature::Zones],
        price: "without that zone no task starts and no log is written; bytes between zones may cost",
        axis: Axis::Endpoints,
    },
    Knob {
        id: "no-insights",
        title: "Container Insights off",
        settings: &[("enable_container_insights", "false")],
        gives_up: &[Feature::Insights],
        price: "CPU and memory of each service stay, and are free; the number of running tasks goes",
        axis: Axis::Insights,
    },
    Knob {
        id: "insights-enhanced",
        title: "Container Insights enhanced",
        settings: &[
            ("enable_container_insights", "true"),
            ("container_insights_mode", "enhanced"),
        ],
        gives_up: &[],
        price: "nothing: more metrics, which cost less each",
        axis: Axis::Insights,
    },
    Knob {
        id: "one-task",
        title: "One task of each agent",
        settings: &[("desired_count_per_service", "1"), ("autoscaling_min_capacity", "1")],
        gives_up: &[Feature::Replicas],
        price: "an agent is away from the failure of its task until another runs",
        axis: Axis::Tasks,
    },
    Knob {
        id: "smallest-tasks",
        title: "Tasks of 0.25 vCPU and 0.5 GB",
        settings: &[("task_cpu", "256"), ("task_memory", "512")],
        gives_up: &[Feature::Size],
        price: "slower agents, which run out of memory earlier",
        axis: Axis::Size,
    },
    Knob {
        id: "business-hours",
        title: "Twelve hours on workdays",
        settings: &[("business_hours", "{}")],
        gives_up: &[Feature::Nights],
        price: "nobody answers in the other 108 hours of a week",
        axis: Axis::Hours,
    },
    Knob {
        id: "short-logs",
        title: "Logs for three days",
        settings: &[("log_retention_days", "3")],
        gives_up: &[Feature::Logs],
        price: "what happened earlier cannot be looked up",
        axis: Axis::Logs,
    },
    Knob {
        id: "no-traces",
        title: "No traces",
        settings: &[("enable_xray_tracing", "false")],
        gives_up: &[Feature::Traces],
        price: "no request can be followed from agent to agent",
        axis: Axis::Traces,
    },
];

impl Knob {
    /// Changes, and this one with them.
    pub fn with(&self, changes: &Changes) -> Changes {
        let mut changes = changes.clone();
        changes.extend(self.settings.iter().copied());
        changes
    }

    /// What is most missed of what it takes away.
    pub(crate) fn sacrifice(&self) -> Option<Feature> {
        self.gives_up.iter().copied().max()
    }
}

impl Feature {
    /// All features, from what is least missed to what is most.
    pub const ALL: [Self; 14] = [
        Self::X86,
        Self::Traces,
        Self::Logs,
        Self::Insights,
        Self::Endpoints,
        Self::Size,
        Self::ManagedNat,
        Self::Zones,
        Self::Replicas,
        Self::OnDemand,
        Self::Nights,
        Self::Private,
        Self::Spot,
        Self::Alb,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Insights => "insights",
            Self::Endpoints => "endpoints",
            Self::Size => "size",
            Self::ManagedNat => "managed-nat",
            Self::Zones => "zones",
            Self::Replicas => "replicas",
            Self::OnDemand => "on-demand",
            Self::Nights => "nights",
            Self::Private => "private",
            Self::Spot => "spot",
            Self::Alb => "alb",
        }
    }
}

/// A name that is not one of [`Feature::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nothing that can be kept: choose among {all}", all = Feature::ALL.map(Feature::name).join(", "))]
pub struct UnknownFeature(pub String);

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, UnknownFeature> {
        let found = Self::ALL.into_iter().find(|feature| feature.name() == text.trim());
        found.ok_or_else(|| UnknownFeature(text.to_owned()))
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_known_by_their_names() {
        for feature in Feature::ALL {
            assert_eq!(feature.to_string().parse(), Ok(feature));
            assert_eq!(serde_json::to_value(feature).unwrap(), feature.to_string());
        }
        let unknown = "sport".parse::<Feature>().unwrap_err();
        assert!(
            unknown
                .to_string()
                .starts_with("\"sport\" is nothing that can be kept: choose among x86, ")
        );
    }

    #[test]
    fn no_two_knobs_have_one_name() {
        let names: std::collections::BTreeSet<_> = KNOBS.iter().map(|knob| knob.id).collect();
        assert_eq!(names.len(), KNOBS.len());
    }
}
