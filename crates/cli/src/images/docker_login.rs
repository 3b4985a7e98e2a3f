//! Who one is at a registry, as `docker login` has left it: in its file, or with the program that keeps passwords for it.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use karma_image::{CredentialHelper, Credentials, DockerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::failure::Failure;

/// The credentials for a registry; nobody's where `docker login` has left none.
pub(crate) async fn docker_login(registry: &str) -> Result<Credentials, Failure> {
    let Some((path, config)) = config()? else {
        return Ok(Credentials::Anonymous);
    };
    if let Some(helper) = config.helper(registry)
        && let Some(kept) = ask(&helper, registry).await?
    {
        return Ok(kept);
    }
    let written = config
        .credentials(registry)
        .map_err(|error| unreadable(&path, &error))?;
    Ok(written.unwrap_or_default())
}

/// `config.json` where Docker has it: <https://docs.docker.com/reference/cli/docker/#configuration-files>
fn config() -> Result<Option<(PathBuf, DockerConfig)>, Failure> {
    let directory = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || env::home_dir().map(|home| home.join(".docker"));
    let Some(path) = directory.or_else(home).map(|directory| directory.join("config.json")) else {
        return Ok(None);
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    let config = DockerConfig::read(&text).map_err(|error| unreadable(&path, &error))?;
    Ok(Some((path, config)))
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::caused_by(format!("cannot read {}", path.display()), error)
}

/// What the program keeps. Nothing of what it says is shown: where it is not an answer, it may still hold a password.
async fn ask(helper: &CredentialHelper, registry: &str) -> Result<Option<Credentials>, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::caused_by(
            format!("{} does not give the password of {registry}", helper.program),
            error,
        )
        .hint(format!("log in again: docker login {registry}"))
        .hint("or give it: --username NAME --password-stdin")
    };
    let child = Command::new(&helper.program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| failed(&error))?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    // One that does not read it says why in its answer.
    let _ = stdin.write_all(format!("{}\n", helper.server).as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.map_err(|error| failed(&error))?;
    let answered = CredentialHelper::read_answer(output.status, &String::from_utf8_lossy(&output.stdout));
    answered.map_err(|error| failed(&error))
}
