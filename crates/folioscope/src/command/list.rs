//! `folioscope list`: what there is to measure.

use serde::Serialize;

use crate::args::ListArgs;
use crate::failure::{Code, Failure};
use crate::output::{Output, terminal_width};
use render::Table;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Design {
        name: &'a str,
        idea: &'a str,
        floor: bool,
    },
    Workload {
        id: &'a str,
        asks: &'a str,
        analysis: &'a str,
        favours: &'a str,
        unfair: &'a str,
        unit: &'a str,
        params: Vec<Parameter<'a>>,
    },
    Capture {
        name: &'a str,
        kernel: &'a str,
        date: String,
        what: &'a str,
        pages: u64,
    },
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    meaning: &'a str,
    takes: String,
}

pub(crate) fn run(args: &ListArgs, output: &mut Output) -> Result<Code, Failure> {
    let mut workloads = Vec::new();
    if args.workload.is_empty() {
        workloads.extend(workloads::every());
    }
    for glob in &args.workload {
        workloads.extend(registry::workloads_matching(glob)?);
    }
    if args.json {
        return json(&workloads, args, output);
    }
    if args.workload.is_empty() {
        let mut table = Table::new(["DESIGN", "IDEA"]);
        for design in registry::contenders() {
            table.row([design.name.to_owned(), design.idea.to_owned()]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    if args.analysis {
        for workload in &workloads {
            output.line(workload.id)?;
            let heads = [
                ("  asks      ", workload.asks),
                ("  favours   ", workload.favours),
                ("  unfair    ", workload.unfair),
            ];
            for (head, text) in heads {
                output.line(paragraph(head, text))?;
            }
            output.line(format_args!("\n{}\n", paragraph("", workload.analysis)))?;
        }
        return Ok(Code::Done);
    }
    let mut table = Table::new(["WORKLOAD", "PARAMETERS", "ASKS"]);
    for workload in &workloads {
        let params: Vec<&str> = workload.params.iter().map(|spec| spec.name).collect();
        table.row([
            workload.id.to_owned(),
            params.join(" "),
            workload.asks.to_owned(),
        ]);
    }
    output.table(&table)?;
    if args.workload.is_empty() {
        let mut table = Table::new(["LAYOUT", "KERNEL", "DATE", "PAGES", "WHAT"]).right([3]);
        for (name, capture) in physmem::captures::all() {
            let header = &capture.header;
            table.row([
                format!("captured-{name}"),
                header.kernel.clone(),
                header.date.to_string(),
                header.pages.to_string(),
                header.what.clone(),
            ]);
        }
        output.line("")?;
        output.table(&table)?;
    }
    Ok(Code::Done)
}

/// Text after a head, wrapped to the terminal.
fn paragraph(head: &str, text: &str) -> String {
    let indent = " ".repeat(head.len());
    match terminal_width() {
        Some(width) => {
            let options = textwrap::Options::new(width)
                .initial_indent(head)
                .subsequent_indent(&indent)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::fill(text, options)
        }
        None => format!("{head}{text}"),
    }
}

fn json(
    workloads: &[&workloads::Workload],
    args: &ListArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    if args.workload.is_empty() {
        for design in registry::contenders() {
            output.json(&Line::Design {
                name: design.name,
                idea: design.idea,
                floor: design.is_floor(),
            })?;
        }
    }
    for workload in workloads {
        let params = workload.params.iter().map(|spec| Parameter {
            name: spec.name,
            meaning: spec.meaning,
            takes: spec.allowed.to_string(),
        });
        output.json(&Line::Workload {
            id: workload.id,
            asks: workload.asks,
            analysis: workload.analysis,
            favours: workload.favours,
            unfair: workload.unfair,
            unit: workload.unit,
            params: params.collect(),
        })?;
    }
    if args.workload.is_empty() {
        for (name, capture) in physmem::captures::all() {
            output.json(&Line::Capture {
                name,
                kernel: &capture.header.kernel,
                date: capture.header.date.to_string(),
                what: &capture.header.what,
                pages: capture.header.pages,
            })?;
        }
    }
    Ok(Code::Done)
}
