//! `aws_route53_record`: names are kept in lower case and without the dot at the end.

use karma_terraform::Object;

use super::documents::rewrite;

pub(super) fn normalise(attributes: &mut Object) {
    if let Some(name) = attributes.get_mut("name") {
        rewrite(name, |text| Some(text.strip_suffix('.').unwrap_or(text).to_lowercase()));
    }
}
