//! Real Terraform with the real AWS provider, as found on this machine, and plans made with them without an AWS account.

mod mirror;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

/// Credentials that are never used: the provider is told not to ask AWS about anything.
const PROVIDER_OVERRIDE: &str = r#"provider "aws" {
  access_key                  = "not-a-key"
  secret_key                  = "not-a-secret"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"#;

/// Credentials for a server on this machine, which is asked about everything, and by its address: it has no names of buckets.
const LOCAL_PROVIDER_OVERRIDE: &str = r#"provider "aws" {
  access_key                  = "not-a-key"
  secret_key                  = "not-a-secret"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 5
}
"#;

/// Terraform in a directory of its own that is initialised for one stack.
#[derive(Debug)]
pub struct Terraform {
    directory: PathBuf,
    configuration: PathBuf,
    /// A server that takes AWS's place.
    endpoint: Option<String>,
}

impl Terraform {
    /// Copies a stack's files below `target/` under this name and initialises Terraform there. `Err` is the reason why that cannot be done
    /// on this machine.
    pub fn with_stack(name: &str, stack: &Path) -> Result<Self, String> {
        Self::prepared(name, stack, PROVIDER_OVERRIDE, None)
    }

    /// The same for a server that takes AWS's place:
    /// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/custom-service-endpoints>
    pub fn with_stack_at(name: &str, stack: &Path, endpoint: &str) -> Result<Self, String> {
        Self::prepared(name, stack, LOCAL_PROVIDER_OVERRIDE, Some(endpoint.to_owned()))
    }

    fn prepared(name: &str, stack: &Path, credentials: &str, endpoint: Option<String>) -> Result<Self, String> {
        let directory = crate::karma::repository().join("target/e2e").join(name);
        let configuration = directory.with_extension("tfrc");
        prepare(&directory, stack, credentials).map_err(|error| format!("{}: {error}", directory.display()))?;
        fs::write(&configuration, mirror::configuration())
            .map_err(|error| format!("{}: {error}", configuration.display()))?;
        let terraform = Self {
            directory,
            configuration,
            endpoint,
        };
        terraform.init().map(|()| terraform)
    }

    /// Where the files are, the one that gives the provider its credentials included.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What whoever runs Terraform here has to tell it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = self
            .endpoint
            .iter()
            .map(|endpoint| ("AWS_ENDPOINT_URL", endpoint.clone()));
        let configuration = ("TF_CLI_CONFIG_FILE", self.configuration.display().to_string());
        endpoint
            .chain([configuration, ("CHECKPOINT_DISABLE", "1".to_owned())])
            .collect()
    }

    /// Runs `terraform` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new("terraform");
        for (variable, _) in std::env::vars().filter(|(variable, _)| is_of_no_concern(variable)) {
            command.env_remove(variable);
        }
        command
            .args(arguments)
            .current_dir(&self.directory)
            .envs(self.environment())
            .output()
            .map_err(|error| format!("terraform cannot be run: {error}"))
    }

    /// What `terraform show -json` says of a first plan with these variables.
    pub fn plan(&self, name: &str, variables: &str) -> Result<Json, String> {
        self.plan_with_file(name, &format!("{name}.tfvars.json"), variables)
    }

    /// The same for variables in a file of this name, which tells their notation.
    pub fn plan_with_file(&self, name: &str, file: &str, variables: &str) -> Result<Json, String> {
        let plan = format!("{name}.tfplan");
        fs::write(self.directory.join(file), variables).map_err(|error| format!("{file}: {error}"))?;
        let (out, var_file) = (format!("-out={plan}"), format!("-var-file={file}"));
        self.succeed(&[
            "plan",
            "-input=false",
            "-no-color",
            "-refresh=false",
            "-lock=false",
            &out,
            &var_file,
        ])?;
        serde_json::from_slice(&self.succeed(&["show", "-json", &plan])?).map_err(|error| error.to_string())
    }

    /// The schemas of the AWS provider, as `terraform providers schema -json` gives them.
    pub fn schemas(&self) -> Result<Json, String> {
        let output = self.succeed(&["providers", "schema", "-json"])?;
        let mut schemas: Json = serde_json::from_slice(&output).map_err(|error| error.to_string())?;
        Ok(schemas["provider_schemas"][mirror::PROVIDER].take())
    }

    fn init(&self) -> Result<(), String> {
        if let Err(error) = Command::new("terraform").arg("version").output() {
            return Err(format!("terraform is not installed ({error})"));
        }
        let missing = |error| format!("the AWS provider is in no local mirror and could not be downloaded: {error}");
        self.succeed(&["init", "-input=false", "-no-color"])
            .map(drop)
            .map_err(missing)
    }

    /// Runs `terraform` and returns what it printed; `Err` is what it said when it failed.
    pub fn succeed(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.run(arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("terraform {} failed: {}", arguments.join(" "), said.trim()))
    }
}

/// An empty directory with the stack's files in it.
fn prepare(directory: &Path, stack: &Path, credentials: &str) -> std::io::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(stack)? {
        let file = entry?.path();
        if let (Some("tf"), Some(name)) = (
            file.extension().and_then(|extension| extension.to_str()),
            file.file_name(),
        ) {
            fs::copy(&file, directory.join(name))?;
        }
    }
    fs::write(directory.join("credentials_override.tf"), credentials)
}

/// The user's own account and settings must not show in a test.
fn is_of_no_concern(variable: &str) -> bool {
    variable.starts_with("AWS_") || variable.starts_with("TF_")
}
