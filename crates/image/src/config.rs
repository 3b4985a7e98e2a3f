//! The configuration of an image: what is started, as whom, with what.
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>
//!
//! There is no health check in it: the specification has none, and ECS takes the one of the task definition.

use oci_spec::image::{
    Config, ConfigBuilder, History, HistoryBuilder, ImageConfiguration, ImageConfigurationBuilder, Os, RootFsBuilder,
};

use crate::base;
use crate::digest::Digest;
use crate::image_path::ImagePath;
use crate::recipe::Recipe;

/// A layer as the configuration speaks of it.
pub(crate) struct LayerOfConfig<'a> {
    /// What it is, for people: `certificates and user`.
    pub(crate) name: &'a str,
    /// The digest of its archive, not compressed.
    pub(crate) diff_id: Digest,
}

/// The configuration of an image with these layers.
pub(crate) fn of(recipe: &Recipe, program: &ImagePath, layers: &[LayerOfConfig<'_>]) -> ImageConfiguration {
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    let root_file_system = RootFsBuilder::default()
        .typ("layers")
        .diff_ids(diff_ids)
        .build()
        .expect("a root file system is a list of layers");
    ImageConfigurationBuilder::default()
        .created(recipe.created.to_string())
        .architecture(recipe.platform.architecture())
        .os(Os::Linux)
        .config(run(recipe, program))
        .rootfs(root_file_system)
        .history(layers.iter().map(|layer| history(recipe, layer)).collect::<Vec<_>>())
        .build()
        .expect("a configuration needs a platform and layers")
}

fn run(recipe: &Recipe, program: &ImagePath) -> Config {
    let mut config = ConfigBuilder::default()
        .user(base::USER)
        .env(environment())
        .entrypoint([program.to_string()])
        .working_dir("/")
        .build()
        .expect("nothing is required");
    if !recipe.args.is_empty() {
        config.set_cmd(Some(recipe.args.clone()));
    }
    if !recipe.labels.is_empty() {
        config.set_labels(Some(recipe.labels.clone().into_iter().collect()));
    }
    config
}

fn environment() -> Vec<String> {
    vec![
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        format!("SSL_CERT_FILE={}", base::CERTIFICATES),
    ]
}

fn history(recipe: &Recipe, layer: &LayerOfConfig<'_>) -> History {
    HistoryBuilder::default()
        .created(recipe.created.to_string())
        .created_by(layer.name)
        .build()
        .expect("nothing is required")
}
