//! Where the AWS provider lies on this machine, if it does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// How Terraform, and so a mirror, names the provider.
pub(super) const PROVIDER: &str = "registry.terraform.io/hashicorp/aws";

/// Below these directories some machines keep a mirror, under a name of their own.
const CONVENTIONAL: [&str; 3] = ["/opt", "/usr/local/share", "/usr/share"];

/// A CLI configuration that finds the provider: in a local mirror where there is one, else by Terraform's own means.
/// <https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation>
pub(super) fn configuration() -> String {
    let mirrors = configured()
        .into_iter()
        .chain(implied())
        .chain(CONVENTIONAL.iter().flat_map(|root| below(Path::new(root))));
    match mirrors.into_iter().find(|mirror| mirror.join(PROVIDER).is_dir()) {
        Some(mirror) => format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        ),
        None => String::new(),
    }
}

/// What the user told Terraform itself.
fn configured() -> Vec<PathBuf> {
    let written = env::var_os("TF_CLI_CONFIG_FILE").map_or_else(|| home().join(".terraformrc"), PathBuf::from);
    let text = fs::read_to_string(written).unwrap_or_default();
    let mirrors = text
        .split("filesystem_mirror")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1).map(PathBuf::from));
    mirrors
        .chain(env::var_os("TF_PLUGIN_CACHE_DIR").map(PathBuf::from))
        .collect()
}

/// Where Terraform looks on its own.
/// <https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories>
fn implied() -> Vec<PathBuf> {
    let data_home = env::var_os("XDG_DATA_HOME").map_or_else(|| home().join(".local/share"), PathBuf::from);
    let data_directories = env::var_os("XDG_DATA_DIRS").unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    let shared = env::split_paths(&data_directories)
        .chain([data_home])
        .map(|data| data.join("terraform/plugins"));
    shared.chain([home().join(".terraform.d/plugins")]).collect()
}

/// The directory itself, what is in it and what is in that.
fn below(root: &Path) -> Vec<PathBuf> {
    let children = directories(root);
    let grandchildren: Vec<PathBuf> = children.iter().flat_map(|child| directories(child)).collect();
    [vec![root.to_owned()], children, grandchildren].concat()
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn home() -> PathBuf {
    env::home_dir().unwrap_or_default()
}
