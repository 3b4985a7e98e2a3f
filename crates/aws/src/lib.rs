//! What is asked of AWS itself. So far that is one thing, and it needs no account: files that AWS publishes for everybody, such as
//! [its price lists](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api-fetching-price-list-files-manually.html).
//!
//! No credential is read, and none is sent.

mod connection;
mod download;
mod error;

pub use download::{Download, download};
pub use error::DownloadError;
