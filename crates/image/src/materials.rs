//! The bill of materials of an image, in the JSON of `CycloneDX`: <https://cyclonedx.org/docs/1.6/json/>.
//!
//! It lists the packages that are linked into the program, as cargo says, and all files of the image with their digests. It has no instant and
//! no random number in it, so that the same image has the same one.

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::recipe::{Package, Recipe};
use crate::tree::{Node, Tree};

/// <https://www.iana.org/assignments/media-types/application/vnd.cyclonedx+json>
pub(crate) const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
pub(crate) const LIBRARY: &str = "library";
pub(crate) const FILE: &str = "file";

/// The bill of an image under this name, with all of its files.
pub(crate) fn bill(name: &str, image: &Digest, recipe: &Recipe, trees: &[&Tree]) -> Value {
    let packages = recipe.origin.packages.iter().map(package);
    let files = trees
        .iter()
        .flat_map(|tree| tree.iter())
        .filter_map(|(path, node)| match node {
            Node::File { bytes, .. } => Some(file(&path.to_string(), bytes)),
            _ => None,
        });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "karma", "version": env!("CARGO_PKG_VERSION") }] },
            "component": { "type": "container", "bom-ref": "image", "name": name, "version": image },
        },
        "components": packages.chain(files).collect::<Vec<_>>(),
    })
}

fn package(package: &Package) -> Value {
    let Package { name, version, .. } = package;
    let mut component = json!({
        "type": LIBRARY,
        "bom-ref": format!("cargo:{name}@{version}"),
        "name": name,
        "version": version,
    });
    if let Some(checksum) = &package.checksum {
        component["hashes"] = json!([hash(checksum)]);
        // Only what comes from the registry has an address there: <https://github.com/package-url/purl-spec>.
        // The one character of a version that a package URL writes in another way is the plus.
        component["purl"] = json!(format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")));
    }
    if let Some(licence) = &package.licence {
        // Before it was an SPDX expression, cargo wrote "or" as a slash.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    component
}

fn file(path: &str, bytes: &[u8]) -> Value {
    json!({ "type": FILE, "bom-ref": format!("file:{path}"), "name": path, "hashes": [hash(&Digest::of(bytes))] })
}

fn hash(digest: &Digest) -> Value {
    json!({ "alg": "SHA-256", "content": digest.hex() })
}
