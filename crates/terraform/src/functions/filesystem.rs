//! Files and paths: `file`, `fileset`, `templatefile`, ... Files are those of [`Sources`](crate::Sources); the disk is never asked.

mod glob;
mod path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use self::path::{base_name, clean, directory_name};
use super::Shown::Inside;
use super::hash::{base64_digest, hex_digest};
use super::{Answer, Call, Failure, Function, Parameter, any, string};
use crate::{Object, Value};

const PATH: &[Parameter] = &[string("path")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abspath", PATH, absolute),
    Function::new("basename", PATH, |call| {
        Ok(Value::String(base_name(call.text(0)).into()))
    }),
    Function::new("dirname", PATH, |call| Ok(Value::String(directory_name(call.text(0))))),
    Function::new("file", PATH, |call| Ok(Value::String(read(call)?.into()))),
    Function::new("filebase64", PATH, |call| {
        Ok(Value::String(STANDARD.encode(read(call)?)))
    }),
    Function::new("filebase64sha256", PATH, |call| base64_digest::<Sha256>(read(call)?)),
    Function::new("filebase64sha512", PATH, |call| base64_digest::<Sha512>(read(call)?)),
    Function::new("fileexists", PATH, exists),
    Function::new("filemd5", PATH, |call| hex_digest::<Md5>(read(call)?)),
    Function::new("fileset", &[string("path"), string("pattern")], file_set),
    Function::new("filesha1", PATH, |call| hex_digest::<Sha1>(read(call)?)),
    Function::new("filesha256", PATH, |call| hex_digest::<Sha256>(read(call)?)),
    Function::new("filesha512", PATH, |call| hex_digest::<Sha512>(read(call)?)),
    Function::new("pathexpand", PATH, expand),
    Function::new("templatefile", &[string("path"), any("vars")], template_file).unknowns(Inside),
];

/// Where the stack stands on this machine is not known here, so a relative path is not either.
fn absolute(call: &mut Call<'_>) -> Answer {
    if call.text(0).starts_with('/') {
        return Ok(Value::String(clean(call.text(0))));
    }
    Ok(call.unknown("abspath"))
}

/// Whose home `~` is, is not known here.
fn expand(call: &mut Call<'_>) -> Answer {
    if call.text(0).starts_with('~') {
        return Ok(call.unknown("pathexpand"));
    }
    Ok(call.take(0))
}

fn read<'a>(call: &'a Call<'_>) -> Result<&'a str, Failure> {
    let (given, path) = (call.text(0), clean(call.text(0)));
    if is_directory(call, &path) {
        return Err(Failure::at(
            0,
            format!("failed to read file: read {path}: is a directory"),
        ));
    }
    call.environment.sources.get(&path).ok_or_else(|| {
        Failure::at(0, format!(
            "no file exists at {given:?}; this function works only with files that are distributed as part of the configuration source code, so if this file will be created by a resource in this configuration you must instead obtain this result from an attribute of that resource"
        ))
    })
}

fn is_directory(call: &Call<'_>, path: &str) -> bool {
    let mut files = call.environment.sources.iter();
    path == "." || files.any(|(file, _)| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
}

fn exists(call: &mut Call<'_>) -> Answer {
    let path = clean(call.text(0));
    if is_directory(call, &path) {
        return Err(Failure::new(format!("{:?} is a directory, not a file", call.text(0))));
    }
    Ok(Value::Bool(call.environment.sources.get(&path).is_some()))
}

/// The paths below a directory that match, relative to it.
fn file_set(call: &mut Call<'_>) -> Answer {
    let directory = clean(call.text(0));
    let full = if directory == "." {
        call.text(1).to_owned()
    } else {
        format!("{directory}/{}", call.text(1))
    };
    let pattern = glob::Pattern::parse(&clean(&full));
    let pattern =
        pattern.ok_or_else(|| Failure::new(format!("failed to glob pattern {full:?}: syntax error in pattern")))?;
    let files = call
        .environment
        .sources
        .iter()
        .filter(|(file, _)| pattern.matches(file));
    Ok(Value::set(
        files.map(|(file, _)| Value::String(path::relative(file, &directory))),
    ))
}

fn template_file(call: &mut Call<'_>) -> Answer {
    let Value::Object(variables) = call.take(1) else {
        return Err(Failure::at(1, "invalid vars value: must be a map"));
    };
    check_names(&variables)?;
    let text = read(call)?;
    (call.environment.template)(&clean(call.text(0)), text, &variables).map_err(|phrase| Failure::at(1, phrase))
}

fn check_names(variables: &Object) -> Result<(), Failure> {
    let valid = |name: &str| {
        let rest_valid = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        name.starts_with(|first: char| first.is_alphabetic() || first == '_') && name.chars().all(rest_valid)
    };
    match variables.keys().find(|name| !valid(name)) {
        Some(name) => Err(Failure::at(
            1,
            format!(
                "invalid template variable name {name:?}: must start with a letter, followed by zero or more letters, digits, and underscores"
            ),
        )),
        None => Ok(()),
    }
}
