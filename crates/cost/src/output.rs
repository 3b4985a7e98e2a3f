//! A bill as text: CSV for a sheet, Markdown for a comment or a document, SVG for a picture. JSON is its [`serde::Serialize`].

mod changes;
mod csv;
mod markdown;
mod svg;

pub use changes::{comparison_markdown, what_if_markdown};
pub use csv::csv;
pub use markdown::{Today, markdown};
pub use svg::svg;
