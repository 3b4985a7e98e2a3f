//! [`ContainerRunner`]: a container is one of Docker's or Podman's, made of its real image.
//!
//! What a killed run leaves behind goes on in the engine. It is labelled, and the next run removes it before it starts anything.

mod engine;
mod frames;
mod request;
mod running;

use std::path::Path;
use std::sync::Arc;

use http::Method;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::lodging::{House, Lodging};
use super::{Place, Probe, StartFailure, TaskRunner};
use crate::addresses::AddressBlock;
use crate::limits::register::Register;
use crate::listening::{self, Reach};
use crate::local::{ImageRun, LocalContainer, LocalHealthCheck, LocalService, Pull};
use crate::progress::Progress;
use crate::survivors;
use crate::task::{ContainerState, TaskId, TaskStatus};
pub(crate) use engine::Engine;
pub use engine::EngineError;
use engine::encode;
use frames::Frames;
pub(crate) use request::name;
use request::{Order, Which};
pub(crate) use running::EngineContainer;

/// So much of the end of a health check's output is kept.
const PROBE_OUTPUT: usize = 1024;

/// Starts containers by an engine.
#[derive(Debug)]
pub(crate) struct ContainerRunner {
    engine: Engine,
    lodging: Lodging,
}

/// What an engine has made.
#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

/// How a command in a container has ended.
#[derive(Deserialize)]
struct Ended {
    #[serde(rename = "ExitCode")]
    exit_code: Option<i64>,
}

/// One line of what an engine says while it fetches an image.
#[derive(Deserialize)]
struct Fetching {
    error: Option<String>,
}

impl ContainerRunner {
    /// Removes what a killed run of the same stack has left in the engine.
    pub(crate) async fn new(engine: Engine, house: House, addresses: AddressBlock) -> Result<Self, EngineError> {
        remove(&engine, Which::OfStack(&house.state_directory)).await?;
        let lodging = Lodging::new(house, addresses);
        Ok(Self { engine, lodging })
    }

    /// What runs now.
    pub(crate) fn register(&self) -> &Arc<Register> {
        &self.lodging.register
    }

    /// What is not as it would be on AWS; one sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let engine = format!(
            "tasks are containers of the engine on {}; when karma is killed they go on until the next `karma up --runner container`",
            self.engine.socket().display()
        );
        [vec![engine], self.lodging.notes()].concat()
    }

    async fn make(&self, place: &Place, container: &LocalContainer) -> Result<Made, StartFailure> {
        let task = self.lodging.register.task(&place.task).ok_or_else(|| gone(place))?;
        let run = container
            .image_run
            .as_ref()
            .expect("a fleet of containers was settled for images");
        self.fetch(container, run).await?;
        let house = &self.lodging.house;
        let order = Order {
            state_directory: &house.state_directory,
            region: house.region.as_deref(),
            metadata: self.lodging.metadata_uri(place, container),
            names: house.names.known_to(task.service.service_connect.as_ref()),
            place,
            service: &task.service,
            container,
            run,
        };
        let path = format!(
            "/containers/create?name={}",
            encode(&name(&place.task, &container.name))
        );
        let made = self.engine.ask(Method::POST, &path, Some(&order.request())).await;
        made.map_err(|error| StartFailure(format!("CannotCreateContainerError: {error}")))
    }

    /// Fetches the image where the engine does not have it.
    async fn fetch(&self, container: &LocalContainer, run: &ImageRun) -> Result<(), StartFailure> {
        let image = &container.image;
        let failed = |why: String| StartFailure(format!("CannotPullContainerError: {why}"));
        let present = format!("/images/{}/json", encode(image));
        match self.engine.bytes(Method::GET, &present, None).await {
            Ok(_) => return Ok(()),
            Err(error) if !error.is_not_found() => return Err(failed(error.to_string())),
            Err(_) if run.pull == Pull::Never => {
                return Err(failed(format!(
                    "{image} is of the stack's own repository, and the engine does not have it; `docker build -t {image} …` makes it"
                )));
            }
            Err(_) => {}
        }
        self.lodging.house.announcer.announce(Progress::Note {
            message: format!("fetching image {image} of container `{}`", container.name),
        });
        let fetch = format!("/images/create?fromImage={}", encode(&tagged(image)));
        let said = self.engine.bytes(Method::POST, &fetch, None).await;
        let said = said.map_err(|error| failed(error.to_string()))?;
        let mut lines = String::from_utf8_lossy(&said)
            .lines()
            .map(fetching)
            .collect::<Vec<_>>()
            .into_iter();
        lines
            .find_map(|line| line.error)
            .map_or(Ok(()), |error| Err(failed(error)))
    }

    async fn run_probe(
        &self,
        place: &Place,
        container: &LocalContainer,
        check: &LocalHealthCheck,
    ) -> Result<Probe, EngineError> {
        let command: Vec<&String> = [&check.program].into_iter().chain(&check.args).collect();
        let path = format!("/containers/{}/exec", encode(&name(&place.task, &container.name)));
        let wanted = json!({ "AttachStdout": true, "AttachStderr": true, "Cmd": command });
        let made: Made = self.engine.ask(Method::POST, &path, Some(&wanted)).await?;
        let id = encode(&made.id);
        let start = json!({ "Detach": false, "Tty": false });
        let answer = self
            .engine
            .send(Method::POST, &format!("/exec/{id}/start"), Some(&start))
            .await?;
        let printed = read_tail(answer.into_body()).await;
        let ended: Ended = self.engine.ask(Method::GET, &format!("/exec/{id}/json"), None).await?;
        Ok(match (ended.exit_code, printed.lines().next_back()) {
            (Some(0), _) => Probe::Passed,
            (Some(code), Some(line)) => Probe::Failed(format!("exit code {code}: {line}")),
            (Some(code), None) => Probe::Failed(format!("exit code {code}")),
            (None, _) => Probe::Failed("it has not ended".to_owned()),
        })
    }
}

impl TaskRunner for ContainerRunner {
    type Container = EngineContainer;

    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure> {
        let (place, log) = self.lodging.take(task, service)?;
        self.lodging.enter(&place, service, log);
        Ok(place)
    }

    async fn start(&self, place: &Place, container: &LocalContainer) -> Result<EngineContainer, StartFailure> {
        let sink = self.lodging.sink(place, container).ok_or_else(|| gone(place))?;
        let made = self.make(place, container).await?;
        let failed = |error: EngineError| StartFailure(format!("CannotStartContainerError: {error}"));
        if let Err(error) = self
            .engine
            .bytes(Method::POST, &format!("/containers/{}/start", made.id), None)
            .await
        {
            remove_one(&self.engine, &made.id).await.map_err(failed)?;
            return Err(failed(error));
        }
        let mark = survivors::container_mark(&self.lodging.house.state_directory, &place.task, &container.name);
        let pid = running::pid(&self.engine, &made.id, &mark).await;
        self.lodging.register.note_start(&place.task, &container.name, pid);
        let register = Arc::clone(self.register());
        Ok(EngineContainer::begin(
            self.engine.clone(),
            made.id,
            (pid, sink),
            register,
        ))
    }

    fn reach(&self, place: &Place, port: u16) -> Reach {
        listening::reach(place.address, port)
    }

    /// An engine has no way to end a command that takes too long; it goes on until it ends, or its container.
    async fn probe(&self, place: &Place, container: &LocalContainer, check: &LocalHealthCheck) -> Probe {
        match timeout(check.timeout, self.run_probe(place, container, check)).await {
            Ok(Ok(probe)) => probe,
            Ok(Err(error)) => Probe::Failed(error.to_string()),
            Err(_) => Probe::Failed(format!("no answer within {:?}", check.timeout)),
        }
    }

    /// A container is removed when it has ended. Where a start was given up there is still one.
    fn deprovision(&self, place: &Place) {
        let (engine, task) = (self.engine.clone(), place.task.clone());
        tokio::spawn(async move {
            // What cannot be removed now is removed by the next run.
            let _ = remove(&engine, Which::OfTask(&task)).await;
        });
        self.lodging.leave(place);
    }

    fn note_status(&self, task: &TaskId, status: TaskStatus) {
        self.lodging.register.note_status(task, status);
    }

    fn note_containers(&self, task: &TaskId, containers: &[ContainerState]) {
        self.lodging.register.note_containers(task, containers);
    }
}

/// Removes containers with all that runs in them.
async fn remove(engine: &Engine, which: Which<'_>) -> Result<(), EngineError> {
    let path = format!("/containers/json?all=1&filters={}", encode(&which.filter().to_string()));
    let found: Vec<Made> = engine.ask(Method::GET, &path, None).await?;
    for container in found {
        remove_one(engine, &container.id).await?;
    }
    Ok(())
}

/// Removes a container with all that runs in it, and the volumes that it alone has.
async fn remove_one(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let removed = engine
        .bytes(Method::DELETE, &format!("/containers/{id}?force=1&v=1"), None)
        .await;
    match removed {
        // 409: somebody removes it already.
        Err(EngineError::Refused { status: 404 | 409, .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

fn gone(place: &Place) -> StartFailure {
    StartFailure(format!("task {} is gone", place.task.short()))
}

fn fetching(line: &str) -> Fetching {
    // Lines of another kind are no errors.
    serde_json::from_str(line).unwrap_or(Fetching { error: None })
}

/// An engine that is asked for an image without a tag would fetch all that there are.
fn tagged(image: &str) -> String {
    let reference = karma_fleet::ImageReference::parse(image);
    if reference.version.is_empty() {
        format!("{image}:latest")
    } else {
        image.to_owned()
    }
}

/// The end of what a command prints, however much it is.
async fn read_tail(mut body: hyper::body::Incoming) -> String {
    let (mut frames, mut tail) = (Frames::default(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(piece) = frame.into_data() else { continue };
        tail.extend(frames.take(&piece).into_iter().flat_map(|(_, part)| part));
        let surplus = tail.len().saturating_sub(PROBE_OUTPUT);
        tail.drain(..surplus);
    }
    String::from_utf8_lossy(&tail).into_owned()
}

/// Whether a process of this machine carries a mark: the process ids of an engine in a virtual machine mean nothing here.
fn carries(pid: u32, mark: &Path) -> bool {
    let variable = format!("{}={}", survivors::MARKER, mark.display());
    let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    variables.split(|&byte| byte == 0).any(|it| it == variable.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_is_fetched_where_no_version_is_named() {
        let check = |image, expected| assert_eq!(tagged(image), expected);
        check("nginx", "nginx:latest");
        check("registry:5000/nginx", "registry:5000/nginx:latest");
        check("nginx:1.29", "nginx:1.29");
        check("nginx@sha256:12", "nginx@sha256:12");
    }
}
