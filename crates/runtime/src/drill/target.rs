//! [`Target`]: where the requests of a drill go.

use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use karma_ops::{Observation, ServiceObservation};
use tokio::time::Instant;

use super::error::DrillError;
use super::load::{self, Loss, Outcome};
use super::rounds;

/// Where the requests of a drill go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: PathAndQuery,
}

/// The service that is meant, which must be steady and have a URL.
pub(crate) fn choose<'o>(
    observation: &'o Observation,
    named: Option<&str>,
) -> Result<&'o ServiceObservation, DrillError> {
    let labels = |services: Vec<&ServiceObservation>| services.into_iter().map(|one| one.label.clone()).collect();
    let with_url: Vec<_> = observation.services.iter().filter(|one| one.url.is_some()).collect();
    let service = match (named, with_url.as_slice()) {
        (Some(named), _) => observation.service(named).ok_or_else(|| DrillError::UnknownService {
            service: named.to_owned(),
            known: labels(observation.services.iter().collect()),
        })?,
        (None, [only]) => only,
        (None, _) => {
            return Err(DrillError::WhichService {
                known: labels(with_url),
            });
        }
    };
    if service.url.is_none() {
        return Err(DrillError::NotReachable {
            service: service.label.clone(),
            known: labels(with_url),
        });
    }
    let running = rounds::serving(service).count();
    if running < service.desired_count || running == 0 {
        return Err(DrillError::NotSteady {
            service: service.label.clone(),
            running,
            desired: service.desired_count,
        });
    }
    Ok(service)
}

impl Target {
    /// The path that was given, or else the first that answers with success: what stands for the health check's path behind the load balancer,
    /// that path itself, and the service's own.
    pub(crate) async fn find(
        service: &ServiceObservation,
        path: Option<&str>,
        time_out: Duration,
    ) -> Result<Self, DrillError> {
        let mut tried = Vec::new();
        for target in targets(service, path)? {
            match load::ask_once(&target, Instant::now() + time_out).await {
                Outcome::Answered(status) if path.is_some() || status.is_success() => return Ok(target),
                Outcome::Answered(status) | Outcome::Lost(Loss::ServerError(status)) => {
                    tried.push(format!("{target}: {status}"));
                }
                Outcome::Lost(loss) => tried.push(format!("{target}: {}", loss.as_str())),
            }
        }
        Err(DrillError::NoAnswer { tried })
    }
}

/// What may be asked, the likeliest first.
fn targets(service: &ServiceObservation, path: Option<&str>) -> Result<Vec<Target>, DrillError> {
    let url: Uri = service.url.as_deref().unwrap_or_default().parse().unwrap_or_default();
    let authority = url.authority().and_then(|authority| authority.as_str().parse().ok());
    let Some(address) = authority else {
        return Ok(Vec::new());
    };
    let paths = path.map_or_else(|| likely_paths(service, url.path()), |path| vec![path.to_owned()]);
    let mut targets: Vec<Target> = Vec::new();
    for path in paths {
        let target = Target {
            address,
            path: parse(&path)?,
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

fn likely_paths(service: &ServiceObservation, own: &str) -> Vec<String> {
    let own = own.trim_end_matches('/');
    let health = service.health_check_path.as_deref();
    let behind = health.map(|health| format!("{own}{health}"));
    let own = if own.is_empty() { "/" } else { own };
    [behind, health.map(str::to_owned), Some(own.to_owned())]
        .into_iter()
        .flatten()
        .collect()
}

fn parse(path: &str) -> Result<PathAndQuery, DrillError> {
    let parsed = path.starts_with('/').then(|| path.parse().ok()).flatten();
    parsed.ok_or_else(|| DrillError::NotAPath { path: path.to_owned() })
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rounds::tests::service;
    use super::*;

    #[test]
    fn the_health_check_is_asked_for_where_nothing_else_is_said() {
        let check = |url: &str, health: Option<&str>, path: Option<&str>, expected: &[&str]| {
            let service = ServiceObservation {
                url: Some(url.to_owned()),
                health_check_path: health.map(str::to_owned),
                ..service(&["a RUNNING"])
            };
            let targets = targets(&service, path).unwrap();
            let texts: Vec<_> = targets.iter().map(Target::to_string).collect();
            assert_eq!(texts, expected);
        };
        let all = [
            "http://127.0.0.1:80/api/ok",
            "http://127.0.0.1:80/ok",
            "http://127.0.0.1:80/api",
        ];
        check("http://127.0.0.1:80/api", Some("/ok"), None, &all);
        check("http://127.0.0.1:80", Some("/"), None, &["http://127.0.0.1:80/"]);
        check("http://127.0.0.1:80/api", None, None, &all[2..]);
        check(
            "http://127.0.0.1:80/api",
            Some("/ok"),
            Some("/x?y=1"),
            &["http://127.0.0.1:80/x?y=1"],
        );
        check("https://example.com/", None, None, &[]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["health", "", "/a b"] {
            let error = targets(&service(&["a RUNNING"]), Some(path)).unwrap_err();
            assert!(matches!(error, DrillError::NotAPath { .. }), "{path}: {error}");
        }
    }

    #[test]
    fn only_a_steady_service_with_a_url_is_taken() {
        let check = |services: Vec<ServiceObservation>, named: Option<&str>, expected: Result<&str, &str>| {
            let observation = super::super::rounds::tests::observation(services);
            let chosen = choose(&observation, named).map(|one| one.label.as_str());
            assert_eq!(
                chosen.map_err(|error| error.to_string()),
                expected.map_err(str::to_owned)
            );
        };
        let named = |label: &str, tasks: &[&str]| ServiceObservation {
            label: label.to_owned(),
            ..service(tasks)
        };
        let hidden = ServiceObservation {
            url: None,
            ..named("hidden", &["a RUNNING"])
        };
        let (web, api) = (named("web", &["a RUNNING"]), named("api", &["a RUNNING"]));
        check(vec![web.clone(), hidden.clone()], None, Ok("web"));
        check(vec![web.clone(), api.clone()], Some("api"), Ok("api"));
        check(
            vec![web.clone(), api],
            None,
            Err("several services can be sent requests"),
        );
        check(vec![web.clone()], Some("x"), Err("there is no service x"));
        check(
            vec![web, hidden],
            Some("hidden"),
            Err("no load balancer leads to service hidden"),
        );
        let starting = named("web", &["a RUNNING", "b PENDING"]);
        check(
            vec![starting],
            None,
            Err("service web is not steady: 1 of 2 tasks serve"),
        );
    }
}
