//! Cases as the module reads them, and its answers as cases' answers.

use std::fmt::Write as _;

use conformance::case::{Answer, By, Case, Limits, Operation, Refusal, Refused, Request, Taken};

use crate::arena::{Unplaceable, origin};
use crate::kernel_answer::KernelAnswer;
use crate::wire::{Batch, WireError};

/// The maximum number of bios of one case, for which the module has room.
pub(crate) const MAX_BIOS: usize = 64;
/// The same for adds.
pub(crate) const MAX_ADDS: usize = 1024;

/// The text for the module's cases part. Cases are numbered; the names stay here.
pub(crate) fn write(cases: &[Case]) -> Result<String, (String, Unplaceable)> {
    let mut text = String::new();
    let mut limits: Option<Limits> = None;
    for (id, case) in cases.iter().enumerate() {
        let origin = origin(case).map_err(|reason| (case.name.clone(), reason))?;
        if limits != Some(case.limits) {
            limits = Some(case.limits);
            write_limits(&mut text, &case.limits);
        }
        let _ = writeln!(text, "c {id}");
        if case.op == Operation::AtomicWrite {
            text.push_str("o\n");
        }
        if case.held {
            text.push_str("h\n");
        }
        if case.op == Operation::Discard {
            let _ = writeln!(text, "d {} {}", case.start_sector, case.sectors);
        }
        write_bios(&mut text, case, origin);
        for clone in &case.clones {
            let _ = writeln!(text, "k {} {} {}", clone.bio, clone.skip, clone.sectors);
        }
        text.push_str(".\n");
    }
    Ok(text)
}

fn write_limits(text: &mut String, limits: &Limits) {
    let stated = [
        limits.logical_block_size.map(u64::from),
        limits.physical_block_size.map(u64::from),
        limits.max_sectors.map(u64::from),
        limits.chunk_sectors.map(u64::from),
        limits.max_segments.map(u64::from),
        limits.max_segment_size.map(u64::from),
        limits.seg_boundary_mask,
        limits.virt_boundary_mask,
        limits.dma_alignment.map(u64::from),
        limits.atomic_write_max.map(u64::from),
        limits.atomic_write_unit_min.map(u64::from),
        limits.atomic_write_unit_max.map(u64::from),
        limits.atomic_write_boundary.map(u64::from),
        limits.max_discard_sectors.map(u64::from),
        limits.discard_granularity.map(u64::from),
    ];
    text.push('l');
    for limit in stated {
        match limit {
            Some(n) => {
                let _ = write!(text, " {n}");
            }
            None => text.push_str(" -"),
        }
    }
    text.push('\n');
}

/// Each bio starts at the sector at which the one before ends, by what that one *took*; the
/// module works that out, so only the first sector is said.
fn write_bios(text: &mut String, case: &Case, origin: u64) {
    let mut bio = None;
    for add in &case.adds {
        if bio != Some(add.bio) {
            let start = if bio.is_none() {
                case.start_sector.to_string()
            } else {
                "+".into()
            };
            bio = Some(add.bio);
            let _ = writeln!(text, "b {start} {}", case.max_vecs);
        }
        let how = match add.by {
            By::Page => 'p',
            By::Folio => 'f',
        };
        let _ = writeln!(
            text,
            "a {how} {} {} {} {}",
            add.pfn - origin,
            add.order,
            add.offset,
            add.len
        );
    }
}

/// The module's answers to these cases, in their order.
///
/// # Errors
/// [`WireError::Field`], naming the line.
pub fn read(cases: &[Case], batch: &Batch) -> Result<Vec<KernelAnswer>, WireError> {
    let mut reader = Reader { batch, at: 0 };
    let mut answers = Vec::with_capacity(cases.len());
    for (id, case) in cases.iter().enumerate() {
        answers.push(reader.case(id, case)?);
    }
    match batch.lines.get(reader.at) {
        None => Ok(answers),
        Some(_) => Err(reader.fault("a line behind the last answer")),
    }
}

struct Reader<'a> {
    batch: &'a Batch,
    at: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, reason: &str) -> WireError {
        let text = self
            .batch
            .lines
            .get(self.at)
            .map(String::as_str)
            .unwrap_or("(the end)");
        WireError::Field {
            batch: self.batch.name.clone(),
            line: self.at + 1,
            reason: reason.into(),
            text: text.chars().take(80).collect(),
        }
    }

    /// The fields of the next line if it is of this kind.
    fn line(&mut self, kind: char) -> Option<&'a str> {
        let rest = self.batch.lines.get(self.at)?.strip_prefix(kind)?;
        self.at += 1;
        Some(rest.trim())
    }

    fn need(&mut self, kind: char, what: &str) -> Result<&'a str, WireError> {
        self.line(kind).ok_or_else(|| self.fault(what))
    }

    /// Runs `read` over a line just taken; a field that does not read is that line's fault.
    fn fields<T>(&mut self, what: &str, read: impl FnOnce() -> Option<T>) -> Result<T, WireError> {
        read().ok_or_else(|| {
            self.at -= 1;
            self.fault(what)
        })
    }

    fn case(&mut self, id: usize, case: &Case) -> Result<KernelAnswer, WireError> {
        let origin = origin(case).expect("it was placed when it was asked");
        let name = case.name.clone();
        let said = self.need('c', "the next case should begin here")?;
        if said != id.to_string() {
            self.at -= 1;
            return Err(self.fault("the cases are out of order"));
        }
        let mut taken = Taken::nothing(&name);
        let mut walks_chunks = true;
        while let Some(accepted) = self.line('b') {
            taken
                .accepted
                .extend(self.fields("accepted bytes", || hexes(accepted))?);
            let table = self.need('v', "a bio's table")?;
            let vecs = self.fields("a vec", || triples(table))?;
            taken.vecs.extend(
                vecs.into_iter()
                    .map(|(index, offset, len)| (origin + index, offset, len)),
            );
            let walks = self.need('w', "a bio's walks")?;
            let (segments, units) = self.fields("walks", || parse_walks(walks))?;
            taken.sp_segments += segments;
            walks_chunks &= units.is_some();
            taken.chunks += units.unwrap_or(0);
        }
        if !case.clones.is_empty() {
            taken.sp_segments = self.clones(case)?;
        }
        let mut refused = false;
        while self.line('e').is_some() {
            refused = true;
        }
        while let Some(request) = self.line('q') {
            let (sector, bytes, segments) = self.fields("a request", || parse_request(request))?;
            self.need('m', "a request's bios")?;
            let entries = self.need('g', "a request's scatterlist")?;
            let sg = self.fields("a scatterlist entry", || pairs(entries))?;
            let sg = sg
                .into_iter()
                .map(|(at, len)| ((origin << 12) + at, len))
                .collect();
            taken.bios.push(Request {
                sector,
                bytes,
                segments,
                sg,
            });
        }
        if case.held {
            let held = self.need('h', "what is held at the end")?;
            let held = self.fields("what is held of an allocation", || pairs(held))?;
            let held = held
                .into_iter()
                .map(|(index, held)| (origin + index, held.into()));
            let mut held: Vec<(u64, u64)> = held.collect();
            held.sort_unstable();
            taken.held = Some(held);
        }
        // The plug may dispatch in another order than the device's.
        taken.bios.sort_by_key(|request| request.sector);
        let answer = if refused {
            Answer::Refused(Refused {
                name,
                error: Refusal::Invalid,
            })
        } else {
            Answer::Taken(taken)
        };
        Ok(KernelAnswer {
            answer,
            walks_chunks,
        })
    }
}

impl Reader<'_> {
    /// The steps of the walks by page over a case's clones.
    fn clones(&mut self, case: &Case) -> Result<u64, WireError> {
        let mut steps = 0;
        for _ in &case.clones {
            let walks = self.need('k', "the walks over a clone")?;
            steps += self.fields("walks", || hex(walks.split_whitespace().next()?))?;
        }
        Ok(steps)
    }
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

fn hex32(word: &str) -> Option<u32> {
    u32::from_str_radix(word, 16).ok()
}

fn hexes(line: &str) -> Option<Vec<u32>> {
    line.split_whitespace().map(hex32).collect()
}

fn pairs(line: &str) -> Option<Vec<(u64, u32)>> {
    line.split_whitespace()
        .map(|word| {
            let (a, b) = word.split_once(':')?;
            Some((hex(a)?, hex32(b)?))
        })
        .collect()
}

fn triples(line: &str) -> Option<Vec<(u64, u32, u32)>> {
    line.split_whitespace()
        .map(|word| {
            let mut parts = word.split(':');
            let triple = (
                hex(parts.next()?)?,
                hex32(parts.next()?)?,
                hex32(parts.next()?)?,
            );
            parts.next().is_none().then_some(triple)
        })
        .collect()
}

/// Steps of the page walk, and of the folio walk where the kernel has one.
fn parse_walks(line: &str) -> Option<(u64, Option<u64>)> {
    let mut words = line.split_whitespace();
    let segments = hex(words.next()?)?;
    let _vecs = hex(words.next()?)?;
    let units = match words.next()? {
        "-" => None,
        word => Some(hex(word)?),
    };
    Some((segments, units))
}

fn parse_request(line: &str) -> Option<(u64, u32, u32)> {
    let mut words = line.split_whitespace();
    Some((
        hex(words.next()?)?,
        hex32(words.next()?)?,
        hex32(words.next()?)?,
    ))
}
