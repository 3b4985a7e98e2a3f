//! Comma-separated values: <https://www.rfc-editor.org/rfc/rfc4180>

use crate::{Bill, CostComponent, Estimate, Usd};

const HEADER: &str = "group,resource,component,basis,quantity_low,quantity_expected,quantity_high,unit,usd_per_unit,sku,as_of,\
                      list_low,list_expected,list_high,with_free_tier_low,with_free_tier_expected,with_free_tier_high,because";

/// Every line of a bill, then what is unpriced and then the totals, with amounts to the last digit.
pub fn csv(bill: &Bill) -> String {
    let mut text = format!("{HEADER}\n");
    for line in &bill.components {
        push(&mut text, &cells(line));
    }
    for unpriced in &bill.unpriced {
        let mut cells = vec![String::new(); 18];
        (cells[0], cells[1]) = ("unpriced".to_owned(), unpriced.resource.to_string());
        cells[17].clone_from(&unpriced.why);
        push(&mut text, &cells);
    }
    let mut cells = vec!["total".to_owned()];
    cells.resize(11, String::new());
    cells.extend(amounts(bill.totals.list));
    cells.extend(amounts(bill.totals.with_free_tier));
    cells.push(String::new());
    push(&mut text, &cells);
    text
}

fn cells(line: &CostComponent) -> Vec<String> {
    let mut cells = vec![
        line.group.to_string(),
        line.resource.to_string(),
        line.name.to_owned(),
        line.basis.to_string(),
        line.quantity.low.to_string(),
        line.quantity.expected.to_string(),
        line.quantity.high.to_string(),
        line.rate.unit.clone(),
        line.rate.usd.exact(),
        line.rate.sku.clone(),
        line.rate.as_of.to_string(),
    ];
    cells.extend(amounts(line.cost.list));
    cells.extend(amounts(line.cost.with_free_tier));
    cells.push(line.because.clone());
    cells
}

fn amounts(estimate: Estimate<Usd>) -> [String; 3] {
    [estimate.low, estimate.expected, estimate.high].map(Usd::exact)
}

fn push(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    text.push_str(&cells.join(","));
    text.push('\n');
}

/// A cell that holds a mark of the format stands in quotes. One that a sheet would take for a formula is told to be text.
fn quoted(cell: &str) -> String {
    let cell = if cell.starts_with(['=', '+', '@', '\t']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_their_own_marks() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("x[\"k\"]", "\"x[\"\"k\"\"]\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }
}
