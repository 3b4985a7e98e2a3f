//! Reading an agent's data files at its start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::card::hex;

/// A data file cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// It, or its directory, cannot be read.
    #[error("DATA_DIR: could not read {}: {reason}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// It is not what the agent expects.
    #[error("DATA_DIR: {} is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
}

/// Reads one JSON file.
pub(crate) fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    read_versioned(path).map(|(read, _)| read)
}

/// Reads one JSON file, and names its version: the same for the same bytes, and for no others.
pub(crate) fn read_versioned<T: DeserializeOwned>(path: &Path) -> Result<(T, String), DataError> {
    let text = fs::read(path).map_err(|reason| DataError::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(path, error.to_string()))?;
    Ok((read, hex(&Sha256::digest(&text)[..6])))
}

/// Reads every `*.json` of a directory, in the order of their names.
pub(crate) fn read_directory<T: DeserializeOwned>(directory: &Path) -> Result<Vec<(PathBuf, T)>, DataError> {
    let unreadable = |reason| DataError::Unreadable {
        path: directory.to_owned(),
        reason,
    };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| read_file(&path).map(|read| (path, read)))
        .collect()
}

/// The file at `path` is wrong for this reason.
pub(crate) fn invalid(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Invalid {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
