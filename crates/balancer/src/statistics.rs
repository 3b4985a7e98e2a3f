//! What a listener and a target group count, after [ALB's metrics][aws].
//!
//! Everything counted grows from zero at the start and is never reset: who wants a rate takes the difference of two
//! snapshots. What stands at its number now and not since the start says so.
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use crate::histogram::{Histogram, Recorder};

/// One number that grows, or that goes up and down; from any thread.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

/// Makes a set of counters, and their snapshot as plain public data, which may have fields of its own after them.
macro_rules! counters {
    (
        $(#[$outer:meta])* pub struct $snapshot:ident by $counters:ident;
        $($(#[$inner:meta])* $name:ident,)+
        $(; $($(#[$own_inner:meta])* $own:ident: $own_type:ty,)+)?
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $snapshot {
            $($(#[$inner])* pub $name: u64,)+
            $($($(#[$own_inner])* pub $own: $own_type,)+)?
        }

        /// The numbers behind the snapshot of the same names.
        #[derive(Debug, Default)]
        pub(crate) struct $counters {
            $(pub(crate) $name: Counter,)+
        }

        impl $counters {
            /// Puts the numbers as they are now into a snapshot.
            fn copy_to(&self, snapshot: &mut $snapshot) {
                $(snapshot.$name = self.$name.get();)+
            }
        }
    };
}

counters! {
    /// What a listener has counted.
    pub struct ListenerStatistics by ListenerCounters;
    /// Open connections, from clients and to targets; a number of now. `ActiveConnectionCount`.
    active_connections,
    /// Connections made, from clients and to targets. `NewConnectionCount`.
    new_connections,
    /// Connections from clients that could not be taken: the process has no file descriptor left.
    /// `RejectedConnectionCount`.
    rejected_connections,
    /// Requests for which a target was chosen. `RequestCount`.
    requests,
    /// Bytes read from clients and written to them, heads included. `ProcessedBytes`.
    processed_bytes,
    /// Rules that were held against requests; the default rule does not count. `RuleEvaluations`.
    rule_evaluations,
    /// Answers of fixed-response actions. `HTTP_Fixed_Response_Count`.
    fixed_responses,
    /// Answers of redirect actions. `HTTP_Redirect_Count`.
    redirects,
    /// Answers of our own with 300 to 399. `HTTPCode_ELB_3XX_Count`.
    elb_3xx,
    /// Answers of our own with 400 to 499, and requests whose client left before the answer (460).
    /// `HTTPCode_ELB_4XX_Count`.
    elb_4xx,
    /// Answers of our own with 500 to 599. `HTTPCode_ELB_5XX_Count`.
    elb_5xx,
    /// Answers of our own with 500. `HTTPCode_ELB_500_Count`.
    elb_500,
    /// Answers of our own with 502. `HTTPCode_ELB_502_Count`.
    elb_502,
    /// Answers of our own with 503. `HTTPCode_ELB_503_Count`.
    elb_503,
    /// Answers of our own with 504. `HTTPCode_ELB_504_Count`.
    elb_504,
    /// TLS connections that a client could not establish. `ClientTLSNegotiationErrorCount`.
    client_tls_negotiation_errors,
    /// Requests that do not comply with RFC 7230. `DesyncMitigationMode_NonCompliant_Request_Count`.
    desync_non_compliant_requests,
    /// Requests of which headers with invalid names were taken out. `DroppedInvalidHeaderRequestCount`.
    dropped_invalid_headers_requests,
    /// Requests to a sticky target group whose client did not come back to its target. `NonStickyRequestCount`.
    non_sticky_requests,
    /// Requests that spoke gRPC. `GrpcRequestCount`.
    grpc_requests,
}

counters! {
    /// What a target group has counted, and how it sees its targets now.
    pub struct TargetGroupStatistics by TargetGroupCounters;
    /// Requests for which one of its targets was chosen. `RequestCount` by target group.
    requests,
    /// Answers of targets with 200 to 299. `HTTPCode_Target_2XX_Count`.
    target_2xx,
    /// Answers of targets with 300 to 399. `HTTPCode_Target_3XX_Count`.
    target_3xx,
    /// Answers of targets with 400 to 499. `HTTPCode_Target_4XX_Count`.
    target_4xx,
    /// Answers of targets with 500 to 599. `HTTPCode_Target_5XX_Count`.
    target_5xx,
    /// Connections to targets that could not be made. `TargetConnectionErrorCount`.
    target_connection_errors,
    /// Requests that may have gone to an unhealthy target, since too few are healthy.
    /// `UnhealthyRoutingRequestCount`.
    unhealthy_routing_requests,
    ;
    /// From a request's leaving the balancer to the head of the answer. `TargetResponseTime`.
    response_times: Histogram,
    /// Targets that are healthy; a number of now. `HealthyHostCount`.
    healthy_hosts: u64,
    /// Targets that are unhealthy; a number of now. `UnHealthyHostCount`.
    unhealthy_hosts: u64,
}

/// What the requests of a target group leave behind.
#[derive(Debug, Default)]
pub(crate) struct TargetGroupRecord {
    pub(crate) counters: TargetGroupCounters,
    pub(crate) response_times: Recorder,
}

/// A handle to what a listener counts. It outlives the listener.
#[derive(Debug, Clone)]
pub struct ListenerMeter(pub(crate) Arc<ListenerCounters>);

/// A connection that is counted as active until this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveConnection(Arc<ListenerCounters>);

impl ListenerMeter {
    /// What the listener has counted since its start.
    pub fn statistics(&self) -> ListenerStatistics {
        self.0.snapshot()
    }
}

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

impl ListenerCounters {
    pub(crate) fn snapshot(&self) -> ListenerStatistics {
        let mut statistics = ListenerStatistics::default();
        self.copy_to(&mut statistics);
        statistics
    }

    /// Counts a connection, from a client or to a target.
    pub(crate) fn connected(self: &Arc<Self>) -> ActiveConnection {
        self.new_connections.increment();
        self.active_connections.increment();
        ActiveConnection(Arc::clone(self))
    }

    /// Counts an answer that no target gave.
    pub(crate) fn answered(&self, status: StatusCode) {
        match status.as_u16() {
            300..400 => self.elb_3xx.increment(),
            400..500 => self.elb_4xx.increment(),
            500..600 => self.elb_5xx.increment(),
            _ => {}
        }
        match status.as_u16() {
            500 => self.elb_500.increment(),
            502 => self.elb_502.increment(),
            503 => self.elb_503.increment(),
            504 => self.elb_504.increment(),
            _ => {}
        }
    }
}

impl Drop for ActiveConnection {
    fn drop(&mut self) {
        self.0.active_connections.decrement();
    }
}

impl TargetGroupRecord {
    /// The numbers as they are now, where this many targets are healthy and unhealthy.
    pub(crate) fn snapshot(&self, healthy_hosts: u64, unhealthy_hosts: u64) -> TargetGroupStatistics {
        let mut statistics = TargetGroupStatistics {
            response_times: self.response_times.snapshot(),
            healthy_hosts,
            unhealthy_hosts,
            ..TargetGroupStatistics::default()
        };
        self.counters.copy_to(&mut statistics);
        statistics
    }
}

impl TargetGroupCounters {
    /// Counts an answer that a target gave.
    pub(crate) fn answered(&self, status: StatusCode) {
        match status.as_u16() {
            200..300 => self.target_2xx.increment(),
            300..400 => self.target_3xx.increment(),
            400..500 => self.target_4xx.increment(),
            500..600 => self.target_5xx.increment(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_our_own_are_counted_by_class_and_some_by_code() {
        let counters = ListenerCounters::default();
        for status in [200, 301, 400, 463, 500, 502, 502, 503, 504, 505] {
            counters.answered(StatusCode::from_u16(status).unwrap());
        }
        let expected = ListenerStatistics {
            elb_3xx: 1,
            elb_4xx: 2,
            elb_5xx: 6,
            elb_500: 1,
            elb_502: 2,
            elb_503: 1,
            elb_504: 1,
            ..ListenerStatistics::default()
        };
        assert_eq!(counters.snapshot(), expected);
    }

    #[test]
    fn a_connection_is_active_until_it_is_dropped() {
        let counters = Arc::new(ListenerCounters::default());
        let first = counters.connected();
        let _second = counters.connected();
        drop(first);
        let seen = counters.snapshot();
        assert_eq!((seen.active_connections, seen.new_connections), (1, 2));
    }
}
