//! Packages of npm, put below `target/` by the first test that wants one.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::karma::target_directory;

/// A local Ethereum node, and the Solidity compiler that the contracts name. anvil has a package for each architecture.
const PACKAGES: [&str; 2] = ["solc@0.8.37", ANVIL];
#[cfg(target_arch = "aarch64")]
const ANVIL: &str = "@foundry-rs/anvil-linux-arm64@1.7.1";
#[cfg(not(target_arch = "aarch64"))]
const ANVIL: &str = "@foundry-rs/anvil-linux-amd64@1.7.1";

/// The `node_modules` with the packages, or the reason why there are none.
pub fn modules() -> Result<PathBuf, String> {
    let directory = target_directory().join("npm");
    let modules = directory.join("node_modules");
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    // Tests run side by side, npm does not.
    let lock = File::create(directory.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !(modules.join(".bin/anvil").exists() && modules.join("solc").exists()) {
        install(&directory)?;
    }
    Ok(modules)
}

fn install(directory: &std::path::Path) -> Result<(), String> {
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(directory)
        .args(PACKAGES)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("npm failed: {}", complaint.trim()))
}
