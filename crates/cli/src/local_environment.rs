//! What a stack's environment variables are where its tasks are programs of this machine: `[local]` of `karma.toml`.
//!
//! A bucket, for one, is a directory here.

use std::collections::{BTreeMap, BTreeSet};

use karma_fleet::{EnvironmentValue, Fleet};

/// Puts the values of this machine into the fleet: for the variables that its containers have, and no others. The answer is what there is
/// to say of it, one line for each variable.
pub(crate) fn put_into(fleet: &mut Fleet, here: &BTreeMap<String, String>) -> Vec<String> {
    let mut changed = BTreeSet::new();
    let definitions = fleet.task_definitions.values_mut();
    for container in definitions.flat_map(|definition| &mut definition.containers) {
        for (name, value) in &mut container.environment {
            if let Some(local) = here.get(name) {
                *value = EnvironmentValue::Known(local.clone());
                changed.insert((name.clone(), local));
            }
        }
    }
    let line = |(name, value)| format!("{name} is {value} on this machine, as karma.toml says");
    changed.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    use super::*;

    #[test]
    fn only_variables_that_a_container_has_are_changed() {
        let file = r#"
            resource "aws_ecs_task_definition" "a" {
              family                = "a"
              container_definitions = jsonencode([{
                name        = "a", image = "a:1",
                environment = [{ name = "STORE_URL", value = "s3://b" }, { name = "PORT", value = "9001" }]
              }])
            }
        "#;
        let sources = Sources::from_iter([("main.tf", file)]);
        let (module, _) = parse(&sources);
        let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
        let (mut fleet, _) = Fleet::from_stack(&stack);
        let here = [("STORE_URL", "file:///here"), ("OTHER", "x")];
        let here = here.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let lines = put_into(&mut fleet, &here);
        assert_eq!(lines, ["STORE_URL is file:///here on this machine, as karma.toml says"]);
        let definition = fleet.task_definitions.values().next().unwrap();
        let known = |value: &str| EnvironmentValue::Known(value.to_owned());
        let expected = [("STORE_URL", known("file:///here")), ("PORT", known("9001"))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(definition.containers[0].environment, expected);
    }
}
