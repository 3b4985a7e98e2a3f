//! How long five images take, how large they are, and what buildah makes of the same program in the same run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fleet::free_port;
use super::karma::Karma;
use super::programs::{Running, missing, wait_for};
use super::{Measurement, Quantity, Result, median};
use crate::process::typed;
use crate::workspace;

/// Five images built and pushed in three seconds; this is the first half.
const TIME_GOAL: Duration = Duration::from_millis(1500);
const PUSHED_GOAL: Duration = Duration::from_secs(3);
const SIZE_GOAL: u64 = 15_000_000;
const RUNS: usize = 5;

pub(super) fn measure(karma: &Karma) -> Result<Vec<Measurement>> {
    // The first builds the programs, which is not what is measured.
    let (output, _) = karma.run(&["image", "build", "--json", "--quiet"])?;
    let built: Value = serde_json::from_slice(&output.stdout)?;
    let images = built["images"]
        .as_object()
        .ok_or("karma image build printed no images")?;
    let times = (0..RUNS)
        .map(|_| Ok(karma.run(&["image", "build", "--quiet"])?.1))
        .collect::<Result<Vec<_>>>()?;
    let largest = images
        .values()
        .filter_map(|image| image["size"].as_u64())
        .max()
        .unwrap_or_default();
    let time = median(times);
    let mut measurements = vec![
        Measurement {
            what: format!("{} images built (median of {RUNS})", images.len()),
            measured: Quantity::Time(time),
            goal: Quantity::Time(TIME_GOAL),
        },
        Measurement {
            what: "the largest image, compressed".to_owned(),
            measured: Quantity::Bytes(largest),
            goal: Quantity::Bytes(SIZE_GOAL),
        },
    ];
    match pushed(karma, images.len())? {
        Some(measurement) => measurements.push(measurement),
        None => println!("SKIPPED images built and pushed: apt-get install docker-registry"),
    }
    match buildah(images.keys())? {
        Some((theirs, size)) => measurements.extend(beside(time, largest, theirs, size)),
        None => println!("SKIPPED images beside buildah: apt-get install buildah"),
    }
    Ok(measurements)
}

/// Built, and pushed to a registry on this machine that has nothing yet. `None` where no registry is installed.
fn pushed(karma: &Karma, images: usize) -> Result<Option<Measurement>> {
    if missing(&["docker-registry"]).is_some() {
        return Ok(None);
    }
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let registry = Registry::start()?;
        let (_, built) = karma.run(&["image", "build", "--quiet"])?;
        let (_, pushed) = karma.run(&["image", "push", "--quiet", "--to", &registry.host])?;
        times.push(built + pushed);
    }
    Ok(Some(Measurement {
        what: format!("{images} images built and pushed (median of {RUNS})"),
        measured: Quantity::Time(median(times)),
        goal: Quantity::Time(PUSHED_GOAL),
    }))
}

/// Debian's `docker-registry` with nothing in it. It and what it was given end with this.
struct Registry {
    host: String,
    directory: PathBuf,
    _running: Running,
}

impl Registry {
    fn start() -> Result<Self> {
        let directory = workspace::target().join("bench-registry");
        // What an interrupted run has left.
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory)?;
        let port = free_port()?;
        let host = format!("127.0.0.1:{port}");
        let data = Value::from(text(&directory.join("data")));
        let configuration = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {data} }} }}\n\
             http: {{ addr: \"{host}\" }}\n"
        );
        let file = directory.join("config.yml");
        std::fs::write(&file, configuration)?;
        let mut serve = Command::new("docker-registry");
        serve.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none");
        let running = Running::start(serve)?;
        wait_for(port)?;
        Ok(Self {
            host,
            directory,
            _running: running,
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may still write; what is left lies below target.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[expect(clippy::cast_precision_loss, reason = "an image has far less than 2^52 bytes")]
fn beside(time: Duration, size: u64, their_time: Duration, their_size: u64) -> [Measurement; 2] {
    let ratio = |what: &str, measured: f64| Measurement {
        what: what.to_owned(),
        measured: Quantity::OfBuildah(measured),
        goal: Quantity::OfBuildah(1.0),
    };
    [
        ratio("  time beside buildah's", time.as_secs_f64() / their_time.as_secs_f64()),
        ratio("  size beside buildah's", size as f64 / their_size as f64),
    ]
}

/// How long buildah takes for images of the same program and data from nothing, and how large the last is. `None` where it is not installed.
fn buildah<'a>(images: impl Iterator<Item = &'a String>) -> Result<Option<(Duration, u64)>> {
    if missing(&["buildah"]).is_some() {
        return Ok(None);
    }
    let scratch = Scratch::new()?;
    let begun = Instant::now();
    for image in images {
        let name = image.rsplit('/').next().unwrap_or(image);
        scratch.build(name)?;
    }
    let took = begun.elapsed();
    Ok(Some((took, directory_size(&scratch.directory.join("image"))?)))
}

/// Where buildah has its storage, apart from the user's.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        let directory = workspace::target().join("bench-buildah");
        std::fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    fn build(&self, agent: &str) -> Result<()> {
        let root = workspace::root();
        let program = root.join(format!(
            "target/{}-unknown-linux-gnu/release/karma-agent",
            std::env::consts::ARCH
        ));
        let image = self.directory.join("image");
        // buildah adds to a layout; each is to be alone.
        let _ = std::fs::remove_dir_all(&image);
        let container = self.buildah(&["from", "scratch"])?;
        self.buildah(&["copy", "-q", &container, &text(&program), "/usr/local/bin/karma-agent"])?;
        self.buildah(&[
            "copy",
            "-q",
            &container,
            &text(&root.join("crates/agents/data")),
            "/app/data",
        ])?;
        let command = format!("[\"{agent}\"]");
        let settings = ["--user=65532:65532", "--entrypoint=[\"/usr/local/bin/karma-agent\"]"];
        self.buildah(&["config", settings[0], settings[1], "--cmd", &command, &container])?;
        self.buildah(&[
            "commit",
            "-q",
            "--rm",
            "--disable-compression=false",
            &container,
            &format!("oci:{}:{agent}", text(&image)),
        ])?;
        Ok(())
    }

    fn buildah(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("buildah");
        command
            .args(["--storage-driver=vfs", "--root"])
            .arg(self.directory.join("storage"))
            .arg("--runroot")
            .arg(self.directory.join("run"))
            .args(arguments)
            .stdin(Stdio::null());
        let output = command.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{}` ended with {}\n{said}", typed(&command), output.status).into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left lies below target.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The bytes of all files below a directory.
fn directory_size(directory: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let data = entry.metadata()?;
        size += if data.is_dir() {
            directory_size(&entry.path())?
        } else {
            data.len()
        };
    }
    Ok(size)
}
