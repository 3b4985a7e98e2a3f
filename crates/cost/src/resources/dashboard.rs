//! `aws_cloudwatch_dashboard`. <https://aws.amazon.com/cloudwatch/pricing/>

use serde_json::Value as Json;

use karma_terraform::{Unknown, Value};

use crate::attributes::elements;
use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;
use crate::{Estimate, Quantity};

/// What a dashboard may show and still be one of the three that are free.
const SMALL: usize = 50;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let body = resource.attributes.value("dashboard_body");
    let metrics = body.and_then(metrics);
    let meter = match metrics {
        Some(metrics) if metrics > SMALL => &meter::DASHBOARD_LARGE,
        _ => &meter::DASHBOARD,
    };
    let because = metrics.map_or_else(
        || "its metrics are not known before apply".to_owned(),
        |metrics| format!("it shows {metrics} metrics"),
    );
    bill.fixed(resource.address, meter, Estimate::certain(Quantity::ONE), because);
}

/// The metrics of all widgets, also of a body that is not wholly known and remembers what it is made from.
fn metrics(body: &Value) -> Option<usize> {
    if let Some(text) = body.as_str() {
        let json: Json = serde_json::from_str(text).ok()?;
        let shown = |widget: &Json| {
            widget
                .pointer("/properties/metrics")
                .and_then(Json::as_array)
                .map_or(0, Vec::len)
        };
        return Some(json.get("widgets")?.as_array()?.iter().map(shown).sum());
    }
    let Unknown::Call {
        function: "jsonencode",
        arguments,
    } = body.as_unknown()?
    else {
        return None;
    };
    let widgets = arguments.first()?.as_object()?.get("widgets")?;
    let shown =
        |widget: &Value| Some(elements(widget.as_object()?.get("properties")?.as_object()?.get("metrics")?).len());
    Some(elements(widgets).iter().filter_map(shown).sum())
}
