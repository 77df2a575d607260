//! `folioscope fidelity`: how close the models come to the real kernels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use oracle::fidelity::{
    self, FOLDER, Fidelity, MAX_APART, MODEL_FILE, MOST, Pair, REASON_BELOW, Row,
};
use render::FidelityRow;
use results::ModelCount;

use crate::failure::{Code, Failure};
use crate::output::Output;
use render::Table;

#[derive(Args, Debug)]
#[command(after_help = "\
Both sides are committed records; --count makes the models' side anew with valgrind.

Examples:
  folioscope fidelity
  folioscope fidelity --json | jq 'select(.ratio > 1.1)'
  folioscope fidelity --plot /tmp/figures
  cargo folioscope fidelity --count             after a change to a design")]
pub(crate) struct FidelityArgs {
    /// One JSON object a line: primitives, then pairs.
    #[arg(long)]
    json: bool,
    /// Markdown rather than plain text.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Only the primitives that the project's issue asks for, a line per order.
    #[arg(long, conflicts_with = "pairs")]
    headline: bool,
    /// Only the competing pairs.
    #[arg(long)]
    pairs: bool,
    /// Draw model against kernel into this folder.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Count the models anew under valgrind, and rewrite their record.
    #[arg(long)]
    count: bool,
}

/// The folder of committed results.
const RESULTS: &str = "bench-results";

/// What stands in the README: building and walking, at the kernel facts' orders.
const HEADLINE: [&str; 5] = [
    "bio_add_page",
    "bio_add_folio",
    "bio_for_each_segment",
    "bio_for_each_bvec",
    "bio_for_each_folio_all",
];
const HEADLINE_ORDERS: [u8; 4] = [0, 3, 6, 9];

pub(crate) fn run(args: &FidelityArgs, output: &mut Output) -> Result<Code, Failure> {
    let results = Path::new(RESULTS);
    if args.count {
        count(&results.join(FOLDER).join(MODEL_FILE))?;
    }
    let found = fidelity::load(results).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(folder) = &args.plot {
        for file in draw(&found, folder)? {
            output.line(file.display())?;
        }
        return Ok(Code::Done);
    }
    if args.json {
        found.rows.iter().try_for_each(|row| output.json(row))?;
        found.pairs.iter().try_for_each(|pair| output.json(pair))?;
        return Ok(Code::Done);
    }
    let rows: Vec<&Row> = found
        .rows
        .iter()
        .filter(|row| {
            !args.headline
                || HEADLINE.contains(&row.primitive.as_str())
                    && HEADLINE_ORDERS.contains(&row.order)
        })
        .collect();
    if !args.pairs {
        output.text(table(row_table(&rows), args.markdown))?;
    }
    if !args.headline {
        if !args.pairs {
            output.line("")?;
        }
        output.text(table(pair_table(&found), args.markdown))?;
    }
    if !(args.headline || args.pairs || args.markdown) {
        output.text(in_words(&found))?;
    }
    Ok(Code::Done)
}

/// The line that a report prints; `None` where there are no records to read.
pub(crate) fn in_a_line() -> Option<String> {
    fidelity::load(Path::new(RESULTS)).ok()?.in_a_line()
}

/// Counts the models and writes their record.
fn count(path: &Path) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::Usage(
            "what an unoptimised build costs says nothing: cargo folioscope fidelity --count"
                .to_owned(),
        ));
    }
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    let program = std::env::current_exe().map_err(|error| wrong(&error))?;
    let counted =
        icount::primitives::counts(&program, &["model-calls"]).map_err(|error| wrong(&error))?;
    let mut text = String::new();
    for call in counted {
        let row = model_count(&call.label, call.instructions)
            .ok_or_else(|| Failure::Wrong(format!("a call that is called `{}`", call.label)))?;
        text += &serde_json::to_string(&row).map_err(|error| wrong(&error))?;
        text.push('\n');
    }
    results::write_whole(path, text.as_bytes())?;
    Ok(())
}

/// A line of [`model_calls`] with what it cost.
fn model_count(label: &str, instructions: u64) -> Option<ModelCount> {
    let mut words = label.split(' ').map(str::to_owned);
    Some(ModelCount {
        primitive: words.next()?,
        design: words.next()?,
        kernel: words.next()?,
        order: words.next()?.parse().ok()?,
        state: words.next()?.parse().ok()?,
        instructions,
    })
}

/// Makes every call that is counted, and says after each what it was.
pub(crate) fn model_calls(output: &mut Output) -> Result<Code, Failure> {
    let mut said = Vec::new();
    icount::primitives::run(&mut |label| said.push(label.to_string()))
        .map_err(|error| Failure::Wrong(error.to_string()))?;
    said.iter().try_for_each(|label| output.line(label))?;
    Ok(Code::Done)
}

/// Draws the figure of all rows.
fn draw(found: &Fidelity, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let rows: Vec<FidelityRow> = found
        .rows
        .iter()
        .map(|row| FidelityRow {
            primitive: row.primitive.clone(),
            order: u32::from(row.order),
            kernel: row.kernel.clone(),
            design: row.design.clone(),
            model: row.model as f64,
            real: row.real as f64,
        })
        .collect();
    let figures: Vec<_> = render::fidelity_figure(&rows).into_iter().collect();
    render::write_figures(&figures, folder).map_err(|error| Failure::Wrong(error.to_string()))
}

type Cells = Vec<Vec<String>>;

fn row_table(rows: &[&Row]) -> Cells {
    let heading = [
        "PRIMITIVE",
        "ORDER",
        "CLASS",
        "DESIGN",
        "KERNEL",
        "MODEL",
        "REAL",
        "RATIO",
        "",
    ];
    let mut cells: Cells = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        let mark = match row.ratio {
            ratio if ratio > MOST => "above 1.1",
            ratio if ratio < REASON_BELOW => row.reason.as_deref().unwrap_or("no reason known"),
            _ => "",
        };
        cells.push(vec![
            row.primitive.clone(),
            row.order.to_string(),
            state_met(row),
            row.design.clone(),
            row.kernel.clone(),
            row.model.to_string(),
            row.real.to_string(),
            format!("{:.2}", row.ratio),
            mark.to_owned(),
        ]);
    }
    cells
}

/// The kernel's state; where that is not just the model's, both.
fn state_met(row: &Row) -> String {
    match &row.near {
        Some(near) => format!("{} (model: {near})", row.class),
        None => row.class.clone(),
    }
}

/// Three digits of a ratio, whatever its size.
fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 10.0 => format!("{ratio:.2}"),
        ratio if ratio < 100.0 => format!("{ratio:.1}"),
        ratio => format!("{ratio:.0}"),
    }
}

/// A line per pair and kernel, a column per order: the model's ratio beside the kernel's, and
/// how far they are apart at most.
fn pair_table(found: &Fidelity) -> Cells {
    let orders: BTreeSet<u8> = found.pairs.iter().map(|pair| pair.order).collect();
    let mut heading = vec!["PAIR, MODEL (KERNEL)".to_owned(), "KERNEL".to_owned()];
    heading.extend(orders.iter().map(|order| format!("ORDER {order}")));
    heading.extend(["APART".to_owned(), String::new()]);
    let mut cells: Cells = vec![heading];
    let same = |a: &Pair, b: &Pair| a.pair == b.pair && a.kernel == b.kernel;
    for pairs in found.pairs.chunk_by(same) {
        let mut line = vec![pairs[0].pair.clone(), pairs[0].kernel.clone()];
        line.extend(orders.iter().map(|order| {
            let at = pairs.iter().find(|pair| pair.order == *order);
            at.map_or("-".to_owned(), |pair| {
                format!("{} ({})", ratio(pair.model_ratio), ratio(pair.real_ratio))
            })
        }));
        let apart = pairs.iter().map(Pair::apart).fold(1.0, f64::max);
        line.push(format!("{apart:.2}"));
        line.push(if apart > MAX_APART {
            format!("beyond {MAX_APART}")
        } else {
            String::new()
        });
        cells.push(line);
    }
    cells
}

fn table(cells: Cells, markdown: bool) -> String {
    let mut rows = cells.into_iter();
    let heading = rows.next().unwrap_or_default();
    if !markdown {
        let mut table = Table::new(&heading);
        rows.for_each(|row| table.row(row));
        return table.text();
    }
    let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let mut text = line(&heading.iter().map(|h| h.to_lowercase()).collect::<Vec<_>>());
    text.push_str(&format!("|{}\n", "---|".repeat(heading.len())));
    rows.for_each(|row| text.push_str(&line(&row)));
    text
}

fn in_words(found: &Fidelity) -> String {
    let mut text = format!(
        "\n{} rows: {} above {MOST} of the kernel's instructions, {} below {REASON_BELOW} without a reason\n\
         {} pairs: {} further apart than {MAX_APART}\n",
        found.rows.len(),
        found.above().count(),
        found.unexplained().count(),
        found.pairs.len(),
        found.apart().count(),
    );
    for miss in &found.known {
        text.push_str(&format!("known to be out of bounds: {miss}\n"));
    }
    for miss in found.unknown_misses() {
        text.push_str(&format!("out of bounds: {miss}\n"));
    }
    for (whose, names) in [("kernels", &found.unmodelled), ("models", &found.uncounted)] {
        if !names.is_empty() {
            text.push_str(&format!(
                "counted in the {whose} only: {}\n",
                names.join(", ")
            ));
        }
    }
    text
}
