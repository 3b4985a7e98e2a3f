//! What a `cargo build` links into its program, as cargo itself says.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::recipe::Package;

/// How `cargo tree` writes a package; the bar is in no name and no licence.
const FORMAT: &str = "{p}|{l}";
/// What of a build says which packages it takes. <https://doc.rust-lang.org/cargo/commands/cargo-tree.html>
const OPTIONS_WITH_VALUE: &[&str] = &[
    "-p",
    "--package",
    "-F",
    "--features",
    "--target",
    "--manifest-path",
    "--config",
];
const OPTIONS: &[&str] = &[
    "--all-features",
    "--no-default-features",
    "--locked",
    "--offline",
    "--frozen",
    "--workspace",
];

/// The arguments of the `cargo tree` that lists what this build links; `None` where it is no `cargo build`.
pub(crate) fn tree_arguments(build: &[String]) -> Option<Vec<String>> {
    let words: Vec<&str> = build.iter().map(String::as_str).collect();
    let (toolchain, options) = match words.as_slice() {
        ["cargo", "build" | "b", options @ ..] => (None, options),
        ["cargo", toolchain, "build" | "b", options @ ..] if toolchain.starts_with('+') => (Some(*toolchain), options),
        _ => return None,
    };
    let ours = [
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        FORMAT,
    ];
    let words = toolchain
        .into_iter()
        .chain(["tree"])
        .chain(relevant(options))
        .chain(ours);
    Some(words.map(str::to_owned).collect())
}

fn relevant<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut words = options.iter();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        if OPTIONS.contains(word) || (OPTIONS_WITH_VALUE.contains(&name) && name != *word) {
            kept.push(*word);
        } else if OPTIONS_WITH_VALUE.contains(word) {
            kept.push(*word);
            kept.extend(words.next());
        }
    }
    kept
}

/// The packages in what `cargo tree` wrote, each once, with their checksums from the lock file.
pub(crate) fn packages(tree: &str, checksums: &BTreeMap<(String, String), Digest>) -> Vec<Package> {
    let packages = tree.lines().filter_map(|line| package(line, checksums));
    let mut packages: Vec<_> = packages.collect();
    packages.sort();
    packages.dedup();
    packages
}

/// `serde v1.0.228|MIT OR Apache-2.0`, `agents v0.1.0 (/home/me/agents)|MIT`: where it lies here is nobody's business.
fn package(line: &str, checksums: &BTreeMap<(String, String), Digest>) -> Option<Package> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    let checksum = checksums.get(&(name.clone(), version.clone())).copied();
    Some(Package {
        name,
        version,
        licence: Some(licence.to_owned()).filter(|licence| !licence.is_empty()),
        checksum,
    })
}

#[derive(Deserialize)]
struct LockFile {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// The checksums that a `Cargo.lock` has, by name and version.
pub(crate) fn checksums(lock_file: &str) -> Result<BTreeMap<(String, String), Digest>, toml::de::Error> {
    let LockFile { package } = toml::from_str(lock_file)?;
    let checksums = package.into_iter().filter_map(|package| {
        let checksum = format!("sha256:{}", package.checksum?).parse().ok()?;
        Some(((package.name, package.version), checksum))
    });
    Ok(checksums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(build: &str, expected: Option<&str>) {
        let words: Vec<_> = build.split(' ').map(str::to_owned).collect();
        let arguments = tree_arguments(&words).map(|words| words.join(" "));
        let ours = " --edges normal,no-proc-macro --prefix none --no-dedupe --format {p}|{l}";
        assert_eq!(
            arguments,
            expected.map(|expected| format!("{expected}{ours}")),
            "{build}"
        );
    }

    #[test]
    fn the_tree_is_that_of_the_build() {
        check("cargo build", Some("tree"));
        check(
            "cargo +1.95 build --release -p a --bin b --target t --features=x,y -j 2 --locked",
            Some("+1.95 tree -p a --target t --features=x,y --locked"),
        );
        check("cargo zigbuild --release", None);
        check("make program", None);
        check("cargo build -p", Some("tree -p"));
    }

    #[test]
    fn packages_are_listed_once_and_without_places_of_this_machine() {
        let lock_file = format!(
            "version = 4\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nchecksum = \"{}\"\n\
             [[package]]\nname = \"a\"\nversion = \"0.1.0\"\n",
            "0".repeat(64)
        );
        let tree = "a v0.1.0 (/home/me/a)|\nb v1.0.0|MIT\nb v1.0.0|MIT\n\n";
        let packages = packages(tree, &checksums(&lock_file).unwrap());
        let package = |name: &str, version: &str, licence: Option<&str>, checksum| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.map(str::to_owned),
            checksum,
        };
        assert_eq!(
            packages,
            [
                package("a", "0.1.0", None, None),
                package("b", "1.0.0", Some("MIT"), Some(Digest::from([0; 32]))),
            ]
        );
    }
}
