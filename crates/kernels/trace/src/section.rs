//! The lines that the plugin writes of each section.

use results::{Class, Lines, Traffic, Words};

use crate::plugin::NoTrace;

/// A section as the plugin wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its place among all sections, from 0.
    pub number: u32,
    /// Its memory traffic.
    pub traffic: Traffic,
    /// Descriptor lines by the instruction that touched them first: its distance from the
    /// program's first executable segment. Known of programs only.
    pub from: Vec<(u64, u32)>,
}

/// Returns the most frequent traffic of some sections, and how many have it; of several the
/// least. `None` without a section.
pub fn usual<'a>(sections: impl Iterator<Item = &'a Section>) -> Option<(Traffic, u32)> {
    let mut all: Vec<&Traffic> = sections.map(|section| &section.traffic).collect();
    all.sort_unstable();
    let mut usual: Option<(&Traffic, u32)> = None;
    for alike in all.chunk_by(|a, b| a == b) {
        let many = alike.len() as u32;
        if usual.is_none_or(|(_, most)| many > most) {
            usual = Some((alike[0], many));
        }
    }
    usual.map(|(traffic, many)| (traffic.clone(), many))
}

/// Reads what the plugin wrote.
///
/// # Errors
/// [`NoTrace::Malformed`], naming the line.
pub fn sections(text: &str) -> Result<Vec<Section>, NoTrace> {
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let malformed = || {
            let line: String = line.chars().take(80).collect();
            NoTrace::Malformed(format!("line {}: `{line}`", at + 1))
        };
        let section = read(line).ok_or_else(malformed)?;
        if section.number as usize != at {
            return Err(malformed());
        }
        all.push(section);
    }
    Ok(all)
}

fn read(line: &str) -> Option<Section> {
    let mut number = None;
    let mut traffic = Traffic::default();
    let mut from = Vec::new();
    for word in line.split(' ') {
        let (key, value) = word.split_once('=')?;
        match key {
            "section" => number = Some(value.parse().ok()?),
            "insns" => traffic.instructions = value.parse().ok()?,
            "loads" => traffic.loads = value.parse().ok()?,
            "stores" => traffic.stores = value.parse().ok()?,
            "lines" => traffic.lines = value.parse().ok()?,
            "written" => traffic.written = value.parse().ok()?,
            "pages" => traffic.pages = value.parse().ok()?,
            "huge" => traffic.huge_pages = value.parse().ok()?,
            _ => match key.split_once('.') {
                Some(("word", masks)) => traffic.words.push(words(masks, value)?),
                Some(("from", pc)) => {
                    from.push((u64::from_str_radix(pc, 16).ok()?, value.parse().ok()?));
                }
                Some(_) => return None,
                None => {
                    let (lines, written) = value.split_once('/')?;
                    let lines = Lines {
                        lines: lines.parse().ok()?,
                        written: written.parse().ok()?,
                    };
                    traffic.classes.insert(Class::named(key)?, lines);
                }
            },
        }
    }
    traffic.words.sort_unstable();
    Some(Section {
        number: number?,
        traffic,
        from,
    })
}

/// Reads `RR.WW`, the masks of the words read and written.
fn words(masks: &str, descriptors: &str) -> Option<Words> {
    let (read, written) = masks.split_once('.')?;
    let of = |mask: &str| -> Option<Vec<u8>> {
        let mask = u8::from_str_radix(mask, 16).ok()?;
        Some((0..8).filter(|word| mask >> word & 1 == 1).collect())
    };
    Some(Words {
        read: of(read)?,
        written: of(written)?,
        descriptors: descriptors.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "section=0 insns=9 loads=4 stores=2 lines=3 written=2 pages=2 huge=1 \
        descriptor=2/1 stack=1/1 word.41.02=1 word.02.00=1 from.1c0=2";

    #[test]
    fn a_section_reads_as_it_was_written() {
        let section = sections(LINE).unwrap().remove(0);
        assert_eq!(section.from, [(0x1c0, 2)]);
        let read = section.traffic;
        assert_eq!((read.instructions, read.loads, read.stores), (9, 4, 2));
        assert_eq!(read.of(Class::Descriptor).lines, 2);
        assert_eq!(read.of(Class::Bio), Lines::default());
        assert_eq!(read.words[1].read, [1]);
        assert_eq!(
            (&*read.words[0].read, &*read.words[0].written),
            (&[0, 6][..], &[1][..])
        );
    }

    #[test]
    fn what_does_not_read_is_refused() {
        let cut = LINE.trim_end_matches("=2");
        let gap = LINE.replace("section=0", "section=1");
        let class = LINE.replace("stack", "heap");
        let key = LINE.replace("from", "towards");
        for bad in ["unfinished", &gap, &class, &key, "insns=1", cut] {
            let error = sections(bad).unwrap_err().to_string();
            assert!(error.contains("line 1"), "{error}");
        }
    }

    #[test]
    fn an_empty_operation_takes_off_its_call_and_no_lines() {
        let read = sections(LINE).unwrap().remove(0).traffic;
        let empty = Traffic {
            instructions: 2,
            loads: 1,
            stores: 1,
            lines: 1,
            ..Traffic::default()
        };
        let net = read.without(&empty);
        assert_eq!(
            (net.instructions, net.loads, net.stores, net.lines),
            (7, 3, 1, 3)
        );
    }

    fn touching(lines: u32) -> Section {
        let traffic = Traffic {
            lines,
            ..Traffic::default()
        };
        Section {
            number: 0,
            traffic,
            from: Vec::new(),
        }
    }

    #[test]
    fn the_usual_traffic_is_what_most_sections_had() {
        let sections = [9, 7, 9, 8].map(touching);
        let (most, alike) = usual(sections.iter()).unwrap();
        assert_eq!((most.lines, alike), (9, 2));
        // Of equally frequent ones the least, whatever their order.
        let (most, alike) = usual(sections[1..].iter()).unwrap();
        assert_eq!((most.lines, alike), (7, 1));
        assert!(usual([].iter()).is_none());
    }
}
