//! `STORE_URL`: where the store is.

use std::path::PathBuf;

use reqwest::Url;

/// The bucket or directory of `STORE_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `s3://bucket` or `s3://bucket/prefix`
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// What every key begins with, without slashes around it; may be empty.
        prefix: String,
    },
    /// `file:///directory`. It is made where it is missing.
    Directory(PathBuf),
}

impl StoreUrl {
    /// Reads an address, or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<StoreUrl, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.port().is_some() {
            return Err("holds more than a place: give s3://bucket/prefix or file:///directory".to_owned());
        }
        match url.scheme() {
            "s3" => bucket(&url),
            "file" => url
                .to_file_path()
                .map(StoreUrl::Directory)
                .map_err(|()| "names no directory of this machine: give file:///directory".to_owned()),
            scheme => Err(format!("has the scheme `{scheme}`: give s3 or file")),
        }
    }
}

fn bucket(url: &Url) -> Result<StoreUrl, String> {
    let bucket = url.host_str().filter(|name| is_bucket_name(name));
    let prefix = url.path().trim_matches('/');
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    if !prefix.chars().all(is_plain) || prefix.contains("//") {
        return Err("has a prefix with other characters than letters, digits, `-`, `_`, `.` and `/`".to_owned());
    }
    let bucket = bucket.ok_or("names no bucket: give s3://bucket/prefix")?;
    Ok(StoreUrl::Bucket {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    (3..=63).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<StoreUrl, &str>) {
        assert_eq!(StoreUrl::parse(text), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn buckets_and_directories() {
        let bucket = |bucket: &str, prefix: &str| {
            Ok(StoreUrl::Bucket {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            })
        };
        check("s3://karma-data-1/store", bucket("karma-data-1", "store"));
        check("s3://karma-data-1/", bucket("karma-data-1", ""));
        check("s3://karma.data/a/b/", bucket("karma.data", "a/b"));
        check("file:///var/store", Ok(StoreUrl::Directory("/var/store".into())));
        check("file:///with%20blank", Ok(StoreUrl::Directory("/with blank".into())));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        check("https://x/y", Err("has the scheme `https`: give s3 or file"));
        check("s3://", Err("names no bucket: give s3://bucket/prefix"));
        check("s3://Under_score", Err("names no bucket: give s3://bucket/prefix"));
        check(
            "s3://bucket/a%20b",
            Err("has a prefix with other characters than letters, digits, `-`, `_`, `.` and `/`"),
        );
        check(
            "s3://key:secret@bucket/x",
            Err("holds more than a place: give s3://bucket/prefix or file:///directory"),
        );
        check(
            "file://elsewhere/x",
            Err("names no directory of this machine: give file:///directory"),
        );
        check("store", Err("is not a URL: relative URL without a base"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", path in "s3://.*") {
            let _ = StoreUrl::parse(&text);
            let _ = StoreUrl::parse(&path);
        }
    }
}
