//! Runs a fleet on this machine: tasks as processes or as containers of an engine, the load balancer and Service Connect in front of them, and a
//! scheduler that keeps as many tasks as the stack says.
//!
//! ```text
//! Fleet ─▶ local ─▶ RunningService ──▶ decide() ──actions──▶ Reconciler ──▶ Life of each task ──▶ TaskRunner ─▶ launcher ─▶ program
//!          (programs,                     ▲   pure              │ ▲               │ registers with
//!           values)                       └──── tasks ──────────┘ └─── reports ───┤
//!                                                                                 └─▶ LoadBalancers, Discovery (karma-balancer)
//! ```
//! The scheduler ([`decide`]) is a pure function, and so is what becomes of a deployment; what executes its actions takes no decision. The crate
//! knows neither Terraform nor AWS: it is handed the [`Fleet`](karma_fleet::Fleet), a table of programs and the values of secrets. It emulates no
//! AWS service, and passes no AWS credentials on.
//!
//! The main type is [`LocalOrchestrator`]. Whoever starts one must hand over to [`launch`] at the very beginning of `main`:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use karma_runtime::{LocalOrchestrator, LocalSecrets, Options, Programs, Urgency};
//!
//! fn main() -> ExitCode {
//!     if karma_runtime::is_launch() {
//!         return karma_runtime::launch();
//!     }
//!     let runtime = tokio::runtime::Runtime::new().unwrap();
//!     runtime.block_on(async {
//!         let fleet = karma_fleet::Fleet::default(); // read from a stack
//!         let (programs, secrets) = (Programs::new(), LocalSecrets::default());
//!         let local = LocalOrchestrator::start(&fleet, &programs, &secrets, Options::new("terraform")).await.unwrap();
//!         println!("{:?}", local.wait_until_steady(Duration::from_secs(30)).await);
//!         local.stop(Urgency::Graceful).await;
//!     });
//!     ExitCode::SUCCESS
//! }
//! ```

// What is handed in.
mod error;
mod local;
mod operation;
mod program;
mod reload;
mod secrets;

// The scheduler: pure.
mod back_off;
mod clock;
mod decide;
mod deployment;
mod placement;
mod task;

// What executes it.
mod orchestrator;
mod reconcile;
mod service;

// A task's life.
mod containers;
mod endpoints;
mod front;
mod health;
mod life;
mod runner;

// What a task runs with.
mod addresses;
mod discovery;
mod launcher;
mod limits;
mod listening;
mod load_balancer;
mod logs;
mod mechanisms;
mod metadata;

// What is seen, kept and tried.
mod alarms;
mod control;
mod drill;
mod exec;
mod metrics;
mod progress;
mod scaling;
mod schedules;
mod state;
mod survivors;
mod traces;

pub use back_off::BackOff;
pub use control::{Control, ControlError};
pub use decide::{Action, Cause, ServiceView, decide, wake_at};
pub use deployment::circuit_breaker::Failures;
pub use deployment::{Deployment, Watched};
pub use drill::{Drill, DrillError, DrillEvent, DrillReport, Fault, LoadSecond, Pace, Scenario, drill};
pub use error::StartError;
pub use exec::{ExecRequest, Frame, FrameReader, FrameWriter, WindowSize};
pub use karma_ops::{
    AliasObservation, CapacityProviderShare, ContainerState, DeploymentId, DeploymentObservation, DeploymentStatus,
    DesiredStatus, DiscoveryMechanism, HealthStatus, ListenerObservation, Observation, RolloutState, ServiceEvent,
    ServiceHealth, ServiceObservation, StopCode, TargetsHealth, TaskId, TaskObservation, TaskStatus,
};
pub use launcher::{LAUNCH, is_launch, launch};
pub use life::Urgency;
pub use local::MissingSecrets;
pub use logs::reader::LogFiles;
pub use logs::{LogFile, LogRecord, NotALogRecord, Run, log_files};
pub use mechanisms::{LimitKeeper, Mechanisms};
pub use operation::{Applied, Deployed, OperationError, ServiceChange};
pub use orchestrator::{LocalOrchestrator, Options};
pub use placement::{Capacity, Placement};
pub use program::{Program, Programs};
pub use progress::Progress;
pub use reconcile::FleetHealth;
pub use reload::{NewDefinition, Refusal, Reload};
pub use runner::{EngineError, RunnerKind};
pub use secrets::{LocalSecrets, SecretValue};
pub use state::{CleanedUp, StateError};
pub use task::{Purpose, Stop, Task};
