//! What `image` of a container names.

use std::fmt;

use karma_terraform::{Stack, Unknown, Value};

use crate::links::{self, REPOSITORY};

/// An image reference, with its registry left out where the repository is one of the stack's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// `karmacadabra/validator` for an ECR repository of the stack, else all before the tag or digest (`public.ecr.aws/nginx/nginx`).
    pub repository: String,
    /// `:0.1.0`, `@sha256:…`, or nothing.
    pub version: String,
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository, self.version)
    }
}

impl ImageReference {
    /// Takes a reference apart: `registry:5000/team/app:1.0@sha256:…`. A colon starts a tag only behind the last slash.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html#ECS-Type-ContainerDefinition-image>
    pub fn parse(text: &str) -> Self {
        let name_end = text.find('@').unwrap_or(text.len());
        let last_part = text[..name_end].rfind('/').map_or(0, |slash| slash + 1);
        let end = text[last_part..name_end]
            .find(':')
            .map_or(name_end, |colon| last_part + colon);
        Self {
            repository: text[..end].to_owned(),
            version: text[end..].to_owned(),
        }
    }

    /// Reads `image` of a container; `None` where it cannot be told before apply which image that is.
    pub(crate) fn read(stack: &Stack, image: &Value) -> Option<Self> {
        match image.unmarked() {
            Value::String(text) => Some(of_own_repository(stack, text).unwrap_or_else(|| Self::parse(text))),
            Value::Unknown(unknown) => match unknown.as_ref() {
                Unknown::Template(parts) => from_parts(stack, parts),
                _ => from_parts(stack, std::slice::from_ref(image)),
            },
            _ => None,
        }
    }
}

/// Stands for the unknown parts of a text: no image reference has one of its own.
const UNKNOWN: &str = "*";

/// `"${aws_ecr_repository.agent.repository_url}:0.1.0"`, or an ECR URL put together around an unknown account.
fn from_parts(stack: &Stack, parts: &[Value]) -> Option<ImageReference> {
    let text: String = parts.iter().map(|part| part.as_str().unwrap_or(UNKNOWN)).collect();
    let reference = match text.strip_prefix(UNKNOWN) {
        Some(version) if version.is_empty() || version.starts_with([':', '@']) => ImageReference {
            repository: repository_name(stack, &parts[0])?,
            version: version.to_owned(),
        },
        _ => of_own_repository(stack, &text)?,
    };
    (!reference.version.contains(UNKNOWN)).then_some(reference)
}

/// The name of the repository, declared here or looked up by a data source, whose `repository_url` this is.
fn repository_name(stack: &Stack, value: &Value) -> Option<String> {
    let Unknown::Attribute { of, path } = value.as_unknown()? else {
        return None;
    };
    let is_url = path.to_string() == "repository_url" && REPOSITORY.contains(&of.kind.as_str());
    let name = stack.resources.get(of)?.attributes.get("name")?;
    name.as_str().filter(|_| is_url).map(str::to_owned)
}

/// The image behind an ECR URL whose repository the stack declares:
/// `123456789012.dkr.ecr.us-east-1.amazonaws.com/karmacadabra/validator:0.1.0`.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>
fn of_own_repository(stack: &Stack, text: &str) -> Option<ImageReference> {
    let (host, path) = text.split_once('/')?;
    let reference = ImageReference::parse(path);
    let declared = || links::resolve(stack, &Value::String(reference.repository.clone()), REPOSITORY).is_some();
    (host.contains(".dkr.ecr.") && declared()).then_some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, repository: &str, version: &str) {
        let reference = ImageReference::parse(text);
        assert_eq!(
            (reference.repository.as_str(), reference.version.as_str()),
            (repository, version),
            "{text}"
        );
    }

    #[test]
    fn takes_references_apart() {
        check("nginx", "nginx", "");
        check("nginx:1.27", "nginx", ":1.27");
        check("public.ecr.aws/nginx/nginx:1.27", "public.ecr.aws/nginx/nginx", ":1.27");
        check("localhost:5000/app", "localhost:5000/app", "");
        check("localhost:5000/app:1.0", "localhost:5000/app", ":1.0");
        check("localhost:5000/app@sha256:00ff", "localhost:5000/app", "@sha256:00ff");
        check(
            "localhost:5000/team/app:1.0@sha256:00ff",
            "localhost:5000/team/app",
            ":1.0@sha256:00ff",
        );
        check("", "", "");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "\\PC*") {
            proptest::prop_assert_eq!(ImageReference::parse(&text).to_string(), text);
        }
    }
}
