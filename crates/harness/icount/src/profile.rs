//! Callgrind's output, read: what was counted between two dumps, at which instruction.
//!
//! The text must be as callgrind writes it with [`OPTIONS`], whole: every part adds up to
//! its own total, and the last one says that the program has ended. What is torn, or of
//! another kind, is refused with its line; it is never taken for a smaller count.

use std::collections::HashMap;

/// The options that make callgrind write what is read here.
pub const OPTIONS: [&str; 4] = [
    "--combine-dumps=yes",
    "--dump-instr=yes",
    "--compress-strings=no",
    "--compress-pos=no",
];

/// The trigger of the last part.
const END: &str = "Program termination";

/// An error of parsing a profile.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Torn {
    /// Counted from 1.
    pub line: usize,
    /// The fault.
    pub reason: String,
}

/// A function as callgrind knows it: a symbol of an object file. What was inlined into it
/// has no name here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    /// Path of the executable or library.
    pub object: String,
    /// Demangled.
    pub name: String,
}

/// Instructions executed at one address, callees excluded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Index into [`Profile::functions`].
    pub function: usize,
    /// Address in the object file.
    pub address: u64,
    /// How many.
    pub instructions: u64,
}

/// Calls from one address to one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// Index of the function that calls.
    pub from: usize,
    /// Address of the call in its object file.
    pub site: u64,
    /// Index of the function that is called.
    pub to: usize,
    /// The cost of it and its callees.
    pub instructions: u64,
}

/// The counts since the dump before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The reason why callgrind wrote it: `--dump-after=FUNCTION`, `Program termination`.
    pub trigger: String,
    /// All instructions.
    pub instructions: u64,
    /// The same by address.
    pub costs: Vec<Cost>,
    /// Calls, by caller and callee.
    pub calls: Vec<Call>,
}

/// A whole run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// Every function that is named.
    pub functions: Vec<Function>,
    /// In the order of the run; the one that the end of the program triggered is left out.
    pub parts: Vec<Part>,
}

impl Profile {
    /// Reads callgrind's output file.
    ///
    /// # Errors
    /// [`Torn`].
    pub fn read(text: &str) -> Result<Self, Torn> {
        let mut reader = Reader::default();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let number = index + 1;
            let torn = |reason: &str| Torn {
                line: number,
                reason: reason.to_owned(),
            };
            let whole = line.strip_suffix('\n');
            let whole = whole.ok_or_else(|| torn("the line is cut off (no newline)"))?;
            reader.line(whole).map_err(|reason| torn(&reason))?;
        }
        let end = text.lines().count() + 1;
        let torn = |reason: &str| Torn {
            line: end,
            reason: reason.to_owned(),
        };
        if reader.part.is_some() {
            return Err(torn(
                "the file ends within a part: callgrind was interrupted",
            ));
        }
        match reader.profile.parts.pop() {
            Some(last) if last.trigger == END => Ok(reader.profile),
            _ => Err(torn(
                "the file ends before the program: callgrind was interrupted",
            )),
        }
    }
}

/// A part that is being read.
#[derive(Default)]
struct Open {
    trigger: Option<String>,
    positions: bool,
    events: bool,
    summary: Option<u64>,
    costs: Vec<Cost>,
    calls: Vec<Call>,
}

#[derive(Default)]
struct Reader {
    profile: Profile,
    known: HashMap<Function, usize>,
    part: Option<Open>,
    /// Where the next costs belong.
    object: String,
    function: Option<usize>,
    /// Where the next call goes.
    called_object: Option<String>,
    called: Option<String>,
    /// A `calls=` line came before this one.
    is_call: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if self.is_call {
            self.is_call = false;
            return self.call(line);
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.starts_with("0x") {
            return self.cost(line);
        }
        if let Some((key, value)) = line.split_once(':')
            && key.chars().all(|c| c.is_ascii_lowercase())
        {
            return self.header(key, value.trim());
        }
        match line.split_once('=') {
            Some((key, value)) => self.place(key, value),
            None => Err(format!("`{}` is not a line of callgrind's", start(line))),
        }
    }

    fn header(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, &mut self.part) {
            ("version", None) if value != "1" => Err(format!("format version {value} is unknown")),
            ("version" | "creator" | "pid" | "cmd", None) => Ok(()),
            ("part", None) => {
                number(value)?;
                self.part = Some(Open::default());
                self.object.clear();
                self.function = None;
                Ok(())
            }
            ("desc", Some(part)) => {
                if let Some(trigger) = value.strip_prefix("Trigger: ") {
                    part.trigger = Some(trigger.to_owned());
                }
                Ok(())
            }
            ("positions", Some(part)) => {
                part.positions = value == "instr line";
                Ok(())
            }
            ("events", Some(part)) => {
                part.events = value == "Ir";
                Ok(())
            }
            ("summary", Some(part)) => {
                part.summary = Some(number(value)?);
                Ok(())
            }
            ("totals", Some(_)) => self.end_part(number(value)?),
            _ => Err(format!("`{key}:` does not belong here")),
        }
    }

    fn place(&mut self, key: &str, value: &str) -> Result<(), String> {
        if self.part.is_none() {
            return Err(format!("`{key}=` stands outside every part"));
        }
        match key {
            "ob" => self.object = value.to_owned(),
            "fn" => self.function = Some(self.index(self.object.clone(), value)),
            "cob" => self.called_object = Some(value.to_owned()),
            "cfn" => self.called = Some(value.to_owned()),
            "calls" => self.is_call = true,
            // Lines of the source: the debug information says more.
            "fl" | "fi" | "fe" | "cfi" | "cfl" => {}
            _ => return Err(format!("`{}=` is unknown", start(key))),
        }
        Ok(())
    }

    fn cost(&mut self, line: &str) -> Result<(), String> {
        let (address, instructions) = cost_line(line)?;
        let (Some(function), Some(part)) = (self.function, &mut self.part) else {
            return Err("a cost belongs to no function".to_owned());
        };
        part.costs.push(Cost {
            function,
            address,
            instructions,
        });
        Ok(())
    }

    fn call(&mut self, line: &str) -> Result<(), String> {
        let (site, instructions) = cost_line(line)?;
        let called = self.called.take().ok_or("a call of nobody")?;
        let object = self.called_object.take();
        let to = self.index(object.unwrap_or_else(|| self.object.clone()), &called);
        let (Some(from), Some(part)) = (self.function, &mut self.part) else {
            return Err("a call by no function".to_owned());
        };
        part.calls.push(Call {
            from,
            site,
            to,
            instructions,
        });
        Ok(())
    }

    fn end_part(&mut self, totals: u64) -> Result<(), String> {
        let Some(part) = self.part.take() else {
            return Err("`totals:` stands outside every part".to_owned());
        };
        let trigger = part
            .trigger
            .ok_or("the part does not say what triggered it")?;
        if !(part.positions && part.events) {
            let options = OPTIONS.join(" ");
            return Err(format!(
                "the part is not by instruction; callgrind takes {options}"
            ));
        }
        let counted = part
            .costs
            .iter()
            .try_fold(0_u64, |sum, cost| sum.checked_add(cost.instructions));
        if part.summary != Some(totals) || counted != Some(totals) {
            return Err(format!("the part does not add up to its total of {totals}"));
        }
        self.profile.parts.push(Part {
            trigger,
            instructions: totals,
            costs: part.costs,
            calls: part.calls,
        });
        Ok(())
    }

    fn index(&mut self, object: String, name: &str) -> usize {
        let function = Function {
            object,
            name: name.to_owned(),
        };
        let functions = &mut self.profile.functions;
        *self.known.entry(function).or_insert_with_key(|function| {
            functions.push(function.clone());
            functions.len() - 1
        })
    }
}

/// Address, line of the source, count.
fn cost_line(line: &str) -> Result<(u64, u64), String> {
    let mut words = line.split_ascii_whitespace();
    let mut parsed = || -> Option<(u64, u64)> {
        let address = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        words.next()?.parse::<u64>().ok()?;
        let instructions = words.next()?.parse().ok()?;
        words.next().is_none().then_some((address, instructions))
    };
    parsed().ok_or_else(|| format!("`{}` is not a count", start(line)))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`{}` is not a number", start(text)))
}

/// Enough of a line to recognise it by.
fn start(text: &str) -> String {
    text.chars().take(40).collect()
}
