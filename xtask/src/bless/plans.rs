//! The plans that real Terraform makes of the language's cases: `crates/terraform/tests/cases/NAME/plan.json`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::process::typed;
use crate::workspace;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plans every case anew and writes the plans that differ from what is written. Where Terraform is not installed, nothing changes.
pub(super) fn remake() -> Result<()> {
    if Command::new("terraform")
        .arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        println!("terraform is not installed: the plans stay as they are");
        return Ok(());
    }
    for case in cases()? {
        let (plan, file) = (plan(&case)?, case.join("plan.json"));
        let written = fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if written.as_ref() != Some(&plan) {
            fs::write(&file, format!("{plan:#}\n"))?;
            println!("rewrote {}", file.display());
        }
    }
    Ok(())
}

fn cases() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(workspace::root().join("crates/terraform/tests/cases"))?;
    let mut cases = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    cases.retain(|path| path.is_dir());
    cases.sort();
    Ok(cases)
}

/// What Terraform plans for a copy of the case, as far as a case records it.
fn plan(case: &Path) -> Result<Value> {
    let copy = workspace::target()
        .join("bless")
        .join(case.file_name().expect("a case has a name"));
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_dir(case, &copy)?;
    terraform(&copy, &["init", "-input=false"])?;
    terraform(&copy, &["plan", "-input=false", "-out=plan"])?;
    let shown = terraform(&copy, &["show", "-json", "plan"])?;
    Ok(recorded(&serde_json::from_slice(&shown)?))
}

fn terraform(dir: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new("terraform");
    command
        .args(arguments)
        .current_dir(dir)
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed in {}\n{said}", typed(&command), dir.display()).into())
}

fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The outputs without their types; of each resource instance, what is known, unknown and sensitive after apply.
///
/// The form of the whole: <https://developer.hashicorp.com/terraform/internals/json-format>.
fn recorded(plan: &Value) -> Value {
    let outputs = plan["planned_values"]["outputs"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let outputs: Map<String, Value> = outputs
        .into_iter()
        .map(|(name, output)| (name, without_type(output)))
        .collect();
    let changes = plan["resource_changes"].as_array().map_or(&[][..], Vec::as_slice);
    let resources: Map<String, Value> = changes.iter().map(after).collect();
    if resources.is_empty() {
        json!({ "outputs": outputs })
    } else {
        json!({ "outputs": outputs, "resources": resources })
    }
}

fn without_type(mut output: Value) -> Value {
    if let Some(members) = output.as_object_mut() {
        members.remove("type");
    }
    output
}

fn after(change: &Value) -> (String, Value) {
    let address = change["address"].as_str().unwrap_or_default().to_owned();
    let change = &change["change"];
    let sensitive = marked(&change["after_sensitive"]).unwrap_or_else(|| json!({}));
    let after = json!({
        "after": change["after"],
        "after_unknown": change["after_unknown"],
        "after_sensitive": sensitive,
    });
    (address, after)
}

/// Only the places that are marked: around them Terraform repeats the shape of the value.
fn marked(json: &Value) -> Option<Value> {
    match json {
        Value::Bool(true) => Some(json.clone()),
        Value::Array(elements) => {
            let elements: Vec<Option<Value>> = elements.iter().map(marked).collect();
            elements
                .iter()
                .any(Option::is_some)
                .then(|| elements.into_iter().collect())
        }
        Value::Object(members) => {
            let marked = |(name, member): (&String, &Value)| Some((name.clone(), marked(member)?));
            let members: Map<String, Value> = members.iter().filter_map(marked).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_records_values_unknowns_and_marks() {
        let plan = json!({
            "planned_values": { "outputs": { "url": { "sensitive": false, "type": "string", "value": "x" } } },
            "resource_changes": [{
                "address": "terraform_data.a",
                "change": {
                    "actions": ["create"],
                    "after": { "input": "secret" },
                    "after_unknown": { "id": true },
                    "after_sensitive": { "input": true, "tags": {}, "list": [false, true] },
                },
            }],
        });
        let expected = json!({
            "outputs": { "url": { "sensitive": false, "value": "x" } },
            "resources": { "terraform_data.a": {
                "after": { "input": "secret" },
                "after_unknown": { "id": true },
                "after_sensitive": { "input": true, "list": [null, true] },
            } },
        });
        assert_eq!(recorded(&plan), expected);
    }

    #[test]
    fn a_case_without_resources_records_none() {
        assert_eq!(recorded(&json!({ "planned_values": {} })), json!({ "outputs": {} }));
    }
}
