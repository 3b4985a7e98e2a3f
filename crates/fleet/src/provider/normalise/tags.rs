//! `tags_all`: the resource's own tags on top of the provider's default tags.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/guides/resource-tagging>

use karma_terraform::{Address, AttributePath, Object, PathStep, Unknown, Value};

/// The two ways in which resources of the provider compute `tags_all`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// The older SDK cannot tell an empty value from an unknown one.
    Sdk,
    /// The newer framework says what there is.
    Framework,
}

/// Fills in `tags_all`, unless it has to stay unknown.
pub(super) fn fill_tags_all(of: &Address, provider: &Object, attributes: &mut Object, style: Style) {
    let own = attributes.get("tags").cloned().unwrap_or(Value::Null);
    let mut all = default_tags(provider).cloned().unwrap_or_default();
    all.extend(own.as_object().cloned().unwrap_or_default());
    if own.contains_unknown() || all.values().any(Value::contains_unknown) {
        return;
    }
    if let Style::Sdk = style {
        let emptied = if own.is_null() {
            &all
        } else {
            own.as_object().unwrap_or(&all)
        };
        if all.is_empty() || emptied.values().any(is_empty) {
            return;
        }
        all.iter_mut()
            .filter(|(_, value)| is_empty(value))
            .for_each(|(key, value)| *value = unknown(of, key));
    }
    let all = Value::Object(all);
    let marked = matches!(own, Value::Sensitive(_));
    attributes.insert("tags_all".into(), if marked { all.sensitive() } else { all });
}

/// The tags of the provider's `default_tags` block.
pub(in crate::provider) fn default_tags(provider: &Object) -> Option<&Object> {
    let block = provider.get("default_tags")?;
    let block = block.as_elements().map_or(Some(block), <[Value]>::first)?;
    block.as_object()?.get("tags")?.as_object()
}

fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn unknown(of: &Address, key: &str) -> Value {
    let path = AttributePath(vec![PathStep::Attribute("tags_all".into()), PathStep::Key(key.into())]);
    Value::Unknown(Box::new(Unknown::Attribute { of: of.clone(), path }))
}
