//! Where AWS's price lists are read from, and what they say of a region.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

use karma_aws::DownloadError;
use karma_cost::{OFFER_HOST, Rate, SPOT_FEED, offer_paths, read_offer, read_spot_feed};

use super::today;
use crate::failure::chain;

/// Where the feed of Spot prices is looked for in a place that is not AWS's.
const SPOT_PATH: &str = "/fargate-spot-prices.json";

/// Where the lists are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PriceLists {
    /// At AWS.
    Aws,
    /// On another server with the same paths.
    Server(String),
    /// In a directory with the same paths.
    Directory(PathBuf),
}

/// One of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PriceList {
    path: String,
    is_spot: bool,
}

/// What came of reading a file.
pub(crate) enum Reading {
    /// Its rates.
    Rates(Vec<Rate>),
    /// It is not there.
    Missing,
    /// It is there, and of no use.
    Broken(String),
}

impl FromStr for PriceLists {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_address = text.starts_with("https://") || text.starts_with("http://");
        Ok(if is_address {
            Self::Server(text.trim_end_matches('/').to_owned())
        } else {
            Self::Directory(PathBuf::from(text))
        })
    }
}

impl PriceList {
    /// All that a price book of this region is made of.
    pub(crate) fn all_of(region: &str) -> Vec<Self> {
        let offers = offer_paths(region)
            .into_iter()
            .map(|path| Self { path, is_spot: false });
        let spot = Self {
            path: SPOT_PATH.to_owned(),
            is_spot: true,
        };
        offers.chain([spot]).collect()
    }

    /// Where AWS has it.
    fn address(&self) -> String {
        if self.is_spot {
            SPOT_FEED.to_owned()
        } else {
            format!("{OFFER_HOST}{}", self.path)
        }
    }
}

impl PriceLists {
    /// Where a file is.
    pub(crate) fn place(&self, list: &PriceList) -> String {
        match self {
            Self::Aws => list.address(),
            Self::Server(server) => format!("{server}{}", list.path),
            Self::Directory(directory) => directory.join(&list.path[1..]).display().to_string(),
        }
    }

    /// Reads what a file says of a region.
    pub(crate) fn read(&self, list: &PriceList, region: &str) -> Reading {
        let file = match self.open(list) {
            Ok(Some(file)) => file,
            Ok(None) => return Reading::Missing,
            Err(why) => return Reading::Broken(why),
        };
        // Wherever it was read: what it says, AWS has said there.
        let source = list.address();
        let rates = if list.is_spot {
            read_spot_feed(file, region, today(), &source)
        } else {
            read_offer(file, region, &source)
        };
        match rates {
            Ok(rates) => Reading::Rates(rates),
            Err(error) => Reading::Broken(chain(&error)),
        }
    }

    fn open(&self, list: &PriceList) -> Result<Option<Box<dyn Read>>, String> {
        match self {
            Self::Directory(_) => match File::open(self.place(list)) {
                Ok(file) => Ok(Some(Box::new(file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(chain(&error)),
            },
            Self::Aws | Self::Server(_) => match karma_aws::download(&self.place(list)) {
                Ok(file) => Ok(Some(Box::new(file))),
                Err(DownloadError::NotFound) => Ok(None),
                Err(error) => Err(chain(&error)),
            },
        }
    }
}
