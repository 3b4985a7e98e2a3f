//! `aws_cloudwatch_dashboard`. <https://aws.amazon.com/cloudwatch/pricing/>

use karma_terraform::Value;

use crate::attributes::{Attributes, elements};
use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;
use crate::{Estimate, Quantity};

/// What a dashboard may show and still be one of the three that are free.
const SMALL: usize = 50;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let metrics = metrics(resource.attributes);
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

/// The metrics of all widgets, as far as the body can be read before apply.
fn metrics(dashboard: Attributes<'_>) -> Option<usize> {
    let body = dashboard.json("dashboard_body")?;
    let shown = |widget: &Value| {
        let properties = widget.as_object()?.get("properties")?.as_object()?;
        properties.get("metrics").map(|metrics| elements(metrics).len())
    };
    let widgets = body.as_object()?.get("widgets")?;
    Some(elements(widgets).iter().filter_map(shown).sum())
}
