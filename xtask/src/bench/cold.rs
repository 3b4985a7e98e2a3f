//! `--cold`: the first build, as somebody has it who just cloned the project. The crates are downloaded already.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Deserializer, Value};

use super::{Measurement, Quantity, Result, fleet};
use crate::process::{cargo, typed};
use crate::workspace;

const GOAL: Duration = Duration::from_mins(10);

/// Builds a copy of the tree from nothing, brings the fleet up, and prints which dependencies took longest.
pub(super) fn measure() -> Result<Vec<Measurement>> {
    let tree = copy_tree()?;
    let start = Instant::now();
    run(cargo("build --release --locked --package karma --timings"), &tree)?;
    let karma = tree.join("target/release/karma");
    let port = fleet::free_port()?.to_string();
    let mut up = Command::new(&karma);
    up.args(["up", "--detach", "--port", &port]);
    run(up, &tree)?;
    let took = start.elapsed();
    let mut down = Command::new(&karma);
    down.arg("down");
    run(down, &tree)?;

    println!("\nDearest dependencies of the first build:");
    let timings = fs::read_to_string(tree.join("target/cargo-timings/cargo-timing.html"))?;
    for (name, seconds) in dearest(&timings)?.into_iter().take(3) {
        println!("  {name:<20} {seconds:>6.1} s");
    }
    println!();
    fs::remove_dir_all(&tree)?;
    let what = "first build, to five healthy agents".to_owned();
    Ok(vec![Measurement {
        what,
        measured: Quantity::Time(took),
        goal: Quantity::Time(GOAL),
    }])
}

/// The files git knows or would add, copied to a fresh directory.
fn copy_tree() -> Result<PathBuf> {
    let tree = workspace::target().join("cold");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = Command::new("git")
        .args(listing)
        .current_dir(workspace::root())
        .output()?;
    if !listing.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr)).into());
    }
    for path in String::from_utf8(listing.stdout)?.split_terminator('\0') {
        let (from, to) = (workspace::root().join(path), tree.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().expect("a path below the tree has a parent"))?;
            fs::copy(from, to)?;
        }
    }
    Ok(tree)
}

fn run(mut command: Command, tree: &Path) -> Result<()> {
    let status = command.current_dir(tree).env_remove("CARGO_TARGET_DIR").status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", typed(&command)).into())
    }
}

/// Seconds per package, the dearest first, from the report of
/// [`cargo build --timings`](https://doc.rust-lang.org/cargo/reference/timings.html). Crates of ours are no dependencies.
fn dearest(timings: &str) -> Result<Vec<(String, f64)>> {
    let (_, units) = timings
        .split_once("const UNIT_DATA = ")
        .ok_or("cargo's timing report has no UNIT_DATA")?;
    let units: Value = Deserializer::from_str(units)
        .into_iter()
        .next()
        .ok_or("UNIT_DATA is empty")??;
    let mut seconds = BTreeMap::<String, f64>::new();
    for unit in units.as_array().into_iter().flatten() {
        let (Some(name), Some(duration)) = (unit["name"].as_str(), unit["duration"].as_f64()) else {
            return Err("a unit of cargo's timing report has no name or no duration".into());
        };
        if !name.starts_with("karma") {
            *seconds.entry(name.to_owned()).or_default() += duration;
        }
    }
    let mut dearest: Vec<_> = seconds.into_iter().collect();
    dearest.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Ok(dearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearest_package_comes_first_and_its_units_add_up() {
        let timings = r#"<script>const UNIT_DATA = [
            {"name": "cheap", "duration": 1.5}, {"name": "dear", "duration": 1.0}, {"name": "karma-fleet", "duration": 9.0},
            {"name": "dear", "duration": 2.0}
        ];
        const CONCURRENCY_DATA = [];"#;
        assert_eq!(
            dearest(timings).unwrap(),
            [("dear".to_owned(), 3.0), ("cheap".to_owned(), 1.5)]
        );
    }

    #[test]
    fn a_report_of_another_form_is_an_error() {
        assert!(dearest("<html>").is_err());
        assert!(dearest(r#"const UNIT_DATA = [{"crate": "x"}];"#).is_err());
    }
}
