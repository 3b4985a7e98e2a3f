//! How an image came to be, as an in-toto statement of SLSA's kind.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>, <https://slsa.dev/spec/v1.0/provenance>
//!
//! It is not signed: it says what `karma` did, to whoever trusts the registry. Without an instant in it, the same build has the same one.

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::recipe::{Origin, Recipe};

/// <https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>
pub(crate) const MEDIA_TYPE: &str = "application/vnd.in-toto+json";

/// The statement about an image under this name, whose program has this digest.
pub(crate) fn statement(name: &str, image: &Digest, recipe: &Recipe, program: &Digest) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": sha256(image) }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "tag:karma,2026:image-build/v1",
                "externalParameters": parameters(recipe),
                "resolvedDependencies": dependencies(&recipe.origin, recipe, program),
            },
            "runDetails": {
                "builder": { "id": "tag:karma,2026:image-build", "version": { "karma": env!("CARGO_PKG_VERSION") } },
            },
        },
    })
}

fn parameters(recipe: &Recipe) -> Value {
    json!({
        "build": recipe.origin.build,
        "path": recipe.path,
        "args": recipe.args,
        "files": recipe.files.keys().collect::<Vec<_>>(),
        "labels": recipe.labels,
        "platform": recipe.platform.to_string(),
        "created": recipe.created.to_string(),
    })
}

/// <https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>
fn dependencies(origin: &Origin, recipe: &Recipe, program: &Digest) -> Vec<Value> {
    let commit = origin.commit.as_ref();
    let commit = commit.map(|commit| json!({ "name": "source", "digest": { "gitCommit": commit } }));
    let lock_file = origin.lock_file.as_ref();
    let lock_file = lock_file.map(|digest| json!({ "name": "Cargo.lock", "digest": sha256(digest) }));
    let program = json!({ "name": recipe.path, "digest": sha256(program) });
    commit.into_iter().chain(lock_file).chain([program]).collect()
}

fn sha256(digest: &Digest) -> Value {
    json!({ "sha256": digest.hex() })
}
