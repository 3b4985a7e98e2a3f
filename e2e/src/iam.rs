//! What the roles of a stack may do and who may take them, whether a policy is known or waits for an ARN.

use std::collections::BTreeMap;

use karma_terraform::Stack;
use serde_json::Value as Json;

use crate::readable;

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: String,
    /// `ecs:UpdateService`
    pub actions: Vec<String>,
    /// ARNs; what is not known before apply reads `${aws_ecs_service.x.id}`.
    pub resources: Vec<String>,
    /// `ecs-tasks.amazonaws.com`
    pub principals: Vec<String>,
}

/// The statements of the policies that are given to roles, by the address of the `aws_iam_role_policy`.
pub fn role_policies(stack: &Stack) -> BTreeMap<String, Vec<Statement>> {
    let policies = readable::resources(stack, "aws_iam_role_policy").into_iter();
    policies
        .map(|(address, policy)| (address, statements(stack, &policy["policy"])))
        .collect()
}

/// Who may assume each role, by the address of the `aws_iam_role`.
pub fn trusted(stack: &Stack) -> BTreeMap<String, Vec<String>> {
    let roles = readable::resources(stack, "aws_iam_role").into_iter();
    roles
        .map(|(address, role)| {
            let statements = statements(stack, &role["assume_role_policy"]);
            let principals = statements.into_iter().flat_map(|statement| statement.principals);
            (address, principals.collect())
        })
        .collect()
}

/// The statements of a document, or of the data source that will render it.
pub fn statements(stack: &Stack, policy: &Json) -> Vec<Statement> {
    let text = policy.as_str().unwrap_or_default();
    if let Some(address) = text.strip_prefix("${").and_then(|text| text.strip_suffix(".json}")) {
        let source = &readable::everything(stack)[address];
        return elements(&source["statement"]).iter().map(from_block).collect();
    }
    let document = readable::document(policy);
    elements(&document["Statement"]).iter().map(from_json).collect()
}

fn from_block(block: &Json) -> Statement {
    let principals = elements(&block["principals"]);
    Statement {
        effect: block["effect"].as_str().unwrap_or("Allow").to_owned(),
        actions: texts(&block["actions"]),
        resources: texts(&block["resources"]),
        principals: principals.iter().flat_map(|each| texts(&each["identifiers"])).collect(),
    }
}

fn from_json(statement: &Json) -> Statement {
    let principals = statement["Principal"].as_object().into_iter().flatten();
    Statement {
        effect: statement["Effect"].as_str().unwrap_or_default().to_owned(),
        actions: texts(&statement["Action"]),
        resources: texts(&statement["Resource"]),
        principals: principals.flat_map(|(_, names)| texts(names)).collect(),
    }
}

/// One, or a list of them.
fn elements(value: &Json) -> Vec<Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(elements) => elements.clone(),
        one => vec![one.clone()],
    }
}

fn texts(value: &Json) -> Vec<String> {
    let text = |element: &Json| {
        element
            .as_str()
            .unwrap_or_else(|| panic!("not a text: {element}"))
            .to_owned()
    };
    elements(value).iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_may_stand_for_a_list() {
        let statement =
            json!({ "Effect": "Allow", "Action": "a:B", "Resource": ["x", "y"], "Principal": { "Service": "s" } });
        let read = from_json(&statement);
        assert_eq!(
            (read.actions.len(), read.resources.len(), read.principals.as_slice()),
            (1, 2, &["s".to_owned()][..])
        );
        assert_eq!(elements(&json!([1, 2])).len(), 2);
    }
}
