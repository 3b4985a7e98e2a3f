//! Traces: spans that tasks send, sampled by the stack's rules and kept for `karma traces`.
//!
//! ```text
//! task ──OTLP over HTTP──▶ TraceReceiver ──spans──▶ Gate ──sampled──▶ Kept ─▶ Trace::assemble ─▶ `karma traces`
//!                                                    ▲                  └─▶ .karma/traces, for a day
//!                                     sampling rules ┘
//! ```
//! Whoever shall be seen has to send spans: a load balancer of AWS sends none to X-Ray, and ours sends none either.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-services-elb.html>
//!
//! On AWS it is the SDK in the task that asks for the rules and decides when a trace begins. Here every task sends all that it has, and the
//! decision is taken where the spans come in: once for a trace, by its first span, with the reservoir that all tasks share. Times are the
//! machine's and not those of the run's clock, since they are the tasks' own.

// What comes in.
mod export;
mod json;
mod protobuf;
mod receiver;

// What of it stays.
mod files;
mod gate;
mod kept;
mod sampler;
mod store;

pub(crate) use receiver::TraceReceiver;
pub(crate) use store::TraceStore;
